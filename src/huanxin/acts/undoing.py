"""What frees something takes two people: that a hold is lifted, for all of its numbers or for some, and that a partner's
answers are not required any more."""

from __future__ import annotations

from collections.abc import Iterable

from huanxin.acts.platform import Platform
from huanxin.domain.operators import Operator
from huanxin.domain.partners import Partner
from huanxin.notify.changing import refuse_same, set_required
from huanxin.release.holds import binding, let_go, lift_hold
from huanxin.release.proposals import propose_undo
from huanxin.store.acting import Act
from huanxin.store.connect import partners
from huanxin.store.release import proposals
from huanxin.store.release.proposals import NewProposal, Proposal

LIFT, OPTIONAL = "lift", "optional"


def propose_lift(platform: Platform, hold_id: int, *, only: Iterable[int] | None, reason: str, by: Operator) -> int:
    """Propose to lift a hold, or `only` for some of its numbers; the proposal's id. Raises NotFound, Conflict, BadInput."""
    with platform.act(by.login) as act:
        binding(act.tx, hold_id)
        some = let_go(act.tx, hold_id, only)
        new = NewProposal(
            kind=LIFT, hold_id=hold_id, count=len(some), reason=reason, numbers=None if only is None else some
        )  # fmt: skip
        return propose_undo(act, new, by)


def propose_optional(platform: Platform, partner: Partner, *, reason: str, by: Operator) -> int:
    """Propose that a partner's answers be not required any more; the proposal's id. Raises Conflict, BadInput."""
    refuse_same(partner, required=False)
    with platform.act(by.login) as act:
        return propose_undo(act, NewProposal(kind=OPTIONAL, partner_id=partner.id, count=0, reason=reason), by)


def carry_out(act: Act, found: Proposal) -> int:
    """Lift what was proposed, or make the partner optional; how many numbers that freed."""
    if found.kind == LIFT:
        assert found.hold_id is not None
        only = proposals.numbers_of(act.tx, found.id)
        return lift_hold(act, found.hold_id, reason=found.reason, only=only).count
    partner = partners.get(act.tx, found.partner_id or 0)
    assert partner is not None
    set_required(act, partner, required=False, reason=found.reason)
    return 0
