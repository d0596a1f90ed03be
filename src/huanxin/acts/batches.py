"""Batches: told to partners, released, and what two people decide of them."""

from __future__ import annotations

from huanxin.acts import mending, undoing
from huanxin.acts.platform import Platform
from huanxin.domain.operators import Operator
from huanxin.notify.notices import tell_batch
from huanxin.notify.retractions import retract_reclaimed_before, tell_retractions
from huanxin.release import proposals
from huanxin.release.gate import release_batch
from huanxin.release.proposals import Outcome
from huanxin.store.acting import Act
from huanxin.store.notify.notices import Notice
from huanxin.store.release import releases
from huanxin.store.release.proposals import Proposal
from huanxin.store.release.releases import Release


def send_batch(act: Act, batch_id: int) -> list[Notice]:
    """Tell every partner of a batch, and then of what was taken back from it since it was planned. Each notice keeps who
    sent it."""
    told = tell_batch(act, batch_id)
    retract_reclaimed_before(act, batch_id)
    tell_retractions(act, batch_id)
    return told


def release(platform: Platform, *, by: str, batch_id: int | None = None) -> list[Release]:
    """Release what is clear, of one batch or of all that may have something, each in a transaction of its own: no fact is
    recorded while one is decided on. The releases recorded now. Raises ClockInDoubt, NotFound."""
    platform.sure()
    wanted = [batch_id] if batch_id is not None else []
    if batch_id is None:
        with platform.read() as seen:
            wanted = releases.maybe_some(seen.tx, now=seen.now, freeze_days=seen.rules.freeze_days)
    made = []
    for one in wanted:
        with platform.act(by, sure=True) as act:
            released = release_batch(act, one)
        if released:
            made.append(released)
    return made


def decide(platform: Platform, proposal_id: int, outcome: Outcome, *, note: str, by: Operator) -> int:
    """Approve, decline or withdraw a proposal; how many numbers that freed, or mended. An approval raises ClockInDoubt."""
    with platform.act(by.login, sure=outcome is Outcome.APPROVED) as act:
        return proposals.decide(
            act, proposal_id, outcome, note=note, operator=by,
            carry=lambda order, found: _carry_out(order, found, approved_by=by.login),
        )  # fmt: skip


def _carry_out(act: Act, found: Proposal, *, approved_by: str) -> int:
    """Carry out what was approved and is of no batch; of how many numbers."""
    if found.carrier is not None:
        return mending.carry_out(act, found, approved_by=approved_by).touched
    return undoing.carry_out(act, found)
