"""Four eyes: what frees numbers or mends a report is proposed by one person and carried out when another approves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from pyroaring import BitMap

from huanxin.domain.errors import BadInput, Conflict, Forbidden, NotFound
from huanxin.domain.operators import Operator, Right, second_person
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.gate import load_gate, release_batch, renewal_batch
from huanxin.release.waiving import AtPartner, Said, alone_with, at_partner, to_waive, waive_places
from huanxin.store.access import operators
from huanxin.store.acting import Act, Reading
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.plan import batches, holds
from huanxin.store.release import proposals
from huanxin.store.release.proposals import NewProposal, Proposal
from huanxin.words.sentences import Sentence


class Outcome(StrEnum):
    """How a proposal may end."""

    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


def propose_waiver(
    act: Act, batch_id: int, *, partner_id: int, only: NumberSet | None, reason: str, operator: Operator
) -> int:
    """Record that somebody wants to go on without a partner's answer, for what is open at it now (or `only` some of it);
    the proposal's id. Raises Conflict if nothing is open."""
    if not reason.strip():
        raise BadInput(Sentence("say why the platform should go on without this answer; the reason is recorded"))
    _may_act(act, batch_id, operator=operator)
    proposals.one_at_a_time(act.tx, batch_id)
    at = alone_with(act.tx, batch_id, partner_id)
    places = to_waive(act.tx, at, only)
    for one in proposals.listed(act.tx, batch_id=batch_id, open_only=True):
        if (one.kind, one.partner_id) == ("waiver", partner_id) and places <= proposals.places_of(act.tx, one.id):
            raise Conflict(
                Sentence("proposal %(proposal)s would waive these numbers already and waits for a second person",
                         proposal=one.id)
            )  # fmt: skip
    return proposals.add(
        act.tx,
        NewProposal(
            kind="waiver", batch_id=batch_id, partner_id=partner_id, places=places, count=len(places), reason=reason.strip(),
            seen=receipts.latest(act.tx, batch_id, partner_id),
        ),
        by=operator.id,
        at=act.now,
    )  # fmt: skip


def propose_release(act: Act, batch_id: int, *, reason: str, operator: Operator, clear: int | None = None) -> int:
    """Record that somebody wants the clear numbers of a batch released; the proposal's id. What is clear when it is
    approved is released. Raises Conflict if nothing is clear now (the freeze runs, answers are missing).

    `clear`: how many numbers are clear and unreleased, for a caller who has counted the same facts; else they are counted.
    """
    _may_act(act, batch_id, operator=operator)
    if clear is None:
        clear = len(load_gate(act, batch_id).gate.releasable())
    if not clear:
        raise Conflict(
            Sentence(
                "no number of batch %(batch)s is clear and unreleased now; its page says what they wait for", batch=batch_id
            )
        )
    proposals.one_at_a_time(act.tx, batch_id)
    if any(one.kind == "release" for one in proposals.listed(act.tx, batch_id=batch_id, open_only=True)):
        raise Conflict(
            Sentence("a release of batch %(batch)s is proposed already and waits for a second person", batch=batch_id)
        )
    return proposals.add(
        act.tx, NewProposal(kind="release", batch_id=batch_id, count=clear, reason=reason.strip()), by=operator.id,
        at=act.now,
    )  # fmt: skip


def propose_mend(act: Act, new: NewProposal, operator: Operator) -> int:
    """Record that somebody wants a report withdrawn or corrected; the proposal's id."""
    assert new.carrier is not None
    may_mend(operator, new.carrier)
    if not new.reason.strip():
        raise BadInput(Sentence("say why the report is mended; the reason is recorded, with your name"))
    proposals.one_at_a_time(act.tx, None)
    for one in proposals.listed(act.tx, open_only=True):
        if new.report_id is not None and one.report_id == new.report_id:
            raise Conflict(
                Sentence("a withdrawal of report %(report)s is proposed already and waits for a second person",
                         report=new.report_id)
            )  # fmt: skip
    return proposals.add(act.tx, replace(new, reason=new.reason.strip()), by=operator.id, at=act.now)


def may_mend(operator: Operator, carrier: str, *, proposing: bool = True) -> None:
    """Raise unless this person may have reports of a carrier mended."""
    if proposing and not operator.may(Right.DECIDE):
        operator.require(Right.BATCHES)
    if not operator.sees([carrier]):
        raise Forbidden(
            Sentence("%(login)s works with the numbers of %(carrier)s only", login=operator.login, carrier=operator.carrier)
        )


def propose_undo(act: Act, new: NewProposal, operator: Operator) -> int:
    """Record that somebody wants a hold lifted, or a partner's answers not required any more; the proposal's id."""
    may_undo(act, operator, new.hold_id)
    proposals.one_at_a_time(act.tx, None)
    if not new.reason.strip():
        raise BadInput(Sentence("write the reason; it is recorded"))
    for one in proposals.listed(act.tx, open_only=True):
        if one.kind == new.kind and (one.hold_id, one.partner_id) == (new.hold_id, new.partner_id):
            raise Conflict(Sentence("proposal %(proposal)s wants the same and waits for a second person", proposal=one.id))
    return proposals.add(act.tx, replace(new, reason=new.reason.strip()), by=operator.id, at=act.now)


def may_undo(reading: Reading, operator: Operator, hold_id: int | None, *, proposing: bool = True) -> None:
    """Raise unless this person may have a hold lifted, or (None) a partner made optional, which concerns all carriers."""
    if proposing and not operator.may(Right.DECIDE):
        operator.require(Right.BATCHES)
    if not operator.sees(concerned(reading, hold_id)):
        raise Forbidden(Sentence("this concerns numbers of other carriers; somebody for all carriers has to act on it"))


def concerned(reading: Reading, hold_id: int | None) -> set[str]:
    """The carriers whose numbers a hold names; without one, all."""
    if hold_id is None:
        return set(reading.plan.carriers)
    return {reading.plan.owner(shard) or "" for shard in holds.numbers_of(reading.tx, hold_id).shards}


def mend_that_waits(reading: Reading, proposal_id: int, *, operator: Operator) -> Proposal:
    """A withdrawal or a correction that waits for its approval, for who may see it. Raises NotFound, Forbidden."""
    found = proposals.get(reading.tx, proposal_id)
    if found is None or found.carrier is None or found.outcome:
        raise NotFound(Sentence("there is no proposal %(id)s that would mend a report", id=proposal_id))
    may_mend(operator, found.carrier)
    return found


Carry = Callable[[Act, Proposal], int]
"""Carries out what was approved and is of no batch; of how many numbers."""


def decide(act: Act, proposal_id: int, outcome: Outcome, *, note: str, operator: Operator, carry: Carry) -> int:
    """Approve or decline what another person proposed, or withdraw what one proposed oneself; how many numbers it freed, or
    mended. `carry` carries out what is of no batch.

    Raises Conflict for one's own proposal or one that has ended, Forbidden without the right.
    """
    found = _alone_with(act.tx, proposal_id)
    if found.carrier is not None:
        may_mend(operator, found.carrier, proposing=outcome is Outcome.WITHDRAWN)
    elif found.batch_id is None:
        may_undo(act, operator, found.hold_id, proposing=outcome is Outcome.WITHDRAWN)
    else:
        _may_act(act, found.batch_id, operator=operator, proposing=outcome is Outcome.WITHDRAWN)
    if found.outcome:
        raise Conflict(
            Sentence(
                "proposal %(id)s was %(outcome)s by %(who)s already",
                id=proposal_id,
                outcome=Sentence(found.outcome),
                who=found.decider,
            )
        )
    if outcome is Outcome.WITHDRAWN:
        if operator.id != found.proposed_by:
            raise Forbidden(Sentence("only %(who)s may withdraw this proposal; decline it instead", who=found.proposer))
    else:
        second_person(found.proposed_by, operator, tied=operators.tied(act.tx, found.proposed_by, operator.id))
    if outcome is Outcome.DECLINED and not note.strip():
        raise BadInput(Sentence("say why it is declined; whoever proposed it reads it"))
    freed = _carry_out(act, found, operator, carry) if outcome is Outcome.APPROVED else 0
    proposals.end(act.tx, proposal_id, outcome=outcome.value, note=note.strip(), count=freed, by=operator.id, at=act.now)
    return freed


def _alone_with(tx: Tx, proposal_id: int) -> Proposal:
    """A proposal that nobody else decides on until this transaction ends. Raises NotFound."""
    found = proposals.get(tx, proposal_id)
    if found is None:
        raise NotFound(Sentence("there is no proposal %(id)s", id=proposal_id))
    proposals.one_at_a_time(tx, found.batch_id)
    return proposals.get(tx, proposal_id) or found


def _may_act(reading: Reading, batch_id: int, *, operator: Operator, proposing: bool = True) -> None:
    """Raise unless this person may act on a batch: whole batches of their carrier, or of all."""
    if proposing and not operator.may(Right.DECIDE):
        operator.require(Right.BATCHES)
    renewal_batch(reading.tx, batch_id)
    if not operator.sees(batches.carriers(reading.tx).get(batch_id, frozenset())):
        raise Forbidden(
            Sentence(
                "batch %(batch)s holds numbers of other carriers; somebody for all carriers has to act on it", batch=batch_id
            )
        )


def _carry_out(act: Act, found: Proposal, operator: Operator, carry: Carry) -> int:
    both = replace(act, by=f"{found.proposer}, {operator.login}")
    if found.carrier is not None:
        return carry(replace(act, by=found.proposer), found)
    if found.batch_id is None:
        return carry(both, found)
    if found.kind == "release":
        released = release_batch(both, found.batch_id, alone=False)
        if released is None:
            raise Conflict(
                Sentence("nothing of this batch is clear any more, so nothing was released; decline the proposal")
            )
        return released.count
    assert found.partner_id is not None
    at = alone_with(act.tx, found.batch_id, found.partner_id)
    still, news = _still_open(act.tx, found, at)
    if not still and news:
        raise Conflict(
            Sentence("since this was proposed the partner refused these numbers or put them off, which nobody has weighed;"
                     " decline it, look, and propose it anew")
        )  # fmt: skip
    if not still:
        raise Conflict(Sentence("these numbers were answered or waived meanwhile, so there is nothing to waive; decline it"))
    return waive_places(both, at, still, reason=found.reason).count


def _still_open(tx: Tx, found: Proposal, at: AtPartner) -> tuple[BitMap, BitMap]:
    """The places that a proposed waiver still covers, and those that it covered until the partner refused them or put them
    off, after it was proposed: whoever proposed it did not know."""
    still = proposals.places_of(tx, found.id) & at.open()
    news = still & receipts.closed_since(tx, at.batch_id, at.partner_id, found.seen)
    return still - news, news


@dataclass(frozen=True, kw_only=True)
class Covered:
    """What a proposed waiver would free if it were approved now: what the partner said of these numbers. `left_out`: those
    that the partner refused or put off since it was proposed."""

    said: Said
    left_out: int


def covered(tx: Tx, found: Proposal) -> Covered:
    """What a waiver that waits for its approval covers now."""
    assert found.partner_id is not None
    assert found.batch_id is not None
    at = at_partner(tx, found.batch_id, found.partner_id)
    still, news = _still_open(tx, found, at)
    return Covered(said=at.said_of(still), left_out=len(news))
