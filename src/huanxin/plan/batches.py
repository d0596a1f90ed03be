"""Verb 2, plan: which numbers are due, and the batch in which they are renewed together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pyroaring import BitMap

from huanxin.domain.answers import Purpose
from huanxin.domain.clock import answer_by
from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.domain.lifecycle import Cancellation, closed_until
from huanxin.numbersets.numberfile import described
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store import facts, facts_undone
from huanxin.store.acting import Act, Reading
from huanxin.store.database import Tx, deciding
from huanxin.store.notify import notices
from huanxin.store.plan import batches, holds
from huanxin.store.plan.batches import Batch, refuse_called_off
from huanxin.store.report import reports, settled
from huanxin.words.sentences import Sentence


def plan_batch(act: Act, *, carrier: str | None = None) -> Batch | None:
    """Put every number that is due into a batch; None if none is.

    The cut-off is the instant of planning: a frozen number has no owner, so every older tie is stale (rule 2).
    """
    deciding(act.tx)
    resting, held = _resting(act, carrier), held_now(act)
    spans = _in_no_batch(act.tx, resting, held)
    settled.planned_whole(act.tx, [one for one, numbers in resting.items() if not numbers & held])
    numbers = union(spans.values())
    if not numbers:
        return None
    roster = Roster.of(numbers)
    zones = {act.plan.carriers[one.carrier].zone for one in spans}
    batch_id = facts.batch(
        act.tx, purpose=Purpose.RENEWAL, retracts=None, numbers=numbers, cutoff=act.now,
        answer_by=answer_by(act.now, zones, act.rules.answer_days), freeze_days=act.rules.freeze_days,
        seen_report=reports.latest(act.tx), files=described(roster.numbers), by=act.by, at=act.now,
    )  # fmt: skip
    facts.batch_spans(act.tx, batch_id, {one: roster.places_in(found) for one, found in spans.items()})
    batch = batches.get(act.tx, batch_id)
    assert batch is not None
    return batch


def call_off(act: Act, batch_id: int, *, reason: str) -> Batch:
    """Record that a batch that nobody was told of is called off: its numbers are due again. Raises NotFound, Conflict for
    one that was sent or called off before, and BadInput without a reason."""
    if not reason.strip() or not act.by.strip():
        raise BadInput(Sentence("to call a batch off, say who does and why; both are recorded"))
    act = act.alone()
    batch = batches.get(act.tx, batch_id)
    if batch is None or batch.purpose != Purpose.RENEWAL:
        raise NotFound(Sentence("there is no renewal batch %(batch)s; `huanxin batch status` shows them", batch=batch_id))
    refuse_called_off(batch)
    if notices.of_batch(act.tx, batch_id):
        raise Conflict(
            Sentence(
                "partners were told of batch %(batch)s already, so it can't be called off; take its numbers back instead",
                batch=batch_id,
            )
        )
    facts_undone.batch_call_off(act.tx, batch_id, reason=reason.strip(), by=act.by, at=act.now)
    return batch


def due(reading: Reading, *, carrier: str | None = None) -> dict[Cancellation, NumberSet]:
    """Numbers whose freeze ends within the lead time, not held and in no batch since they were cancelled, by the
    cancellation after which they rest.

    frozen = cancelled - reclaimed - opened_again
    due    = frozen (and the freeze ends within the lead time) - held - in a batch of this tenure
    """
    return _in_no_batch(reading.tx, _resting(reading, carrier), held_now(reading))


def _in_no_batch(tx: Tx, resting: Mapping[Cancellation, NumberSet], held: NumberSet) -> dict[Cancellation, NumberSet]:
    out = batches.mended_out(tx)
    taken = held | union(
        NumberSet.of(one.numbers) - out.get(one.batch_id, NumberSet()) for one in batches.renewed_since(tx, resting)
    )
    return {one: left for one, numbers in resting.items() if (left := numbers - taken)}


def _resting(reading: Reading, carrier: str | None) -> dict[Cancellation, NumberSet]:
    """Numbers whose freeze ends within the lead time, by cancellation, but for what plans are known to have taken whole."""
    found: dict[Cancellation, dict[int, BitMap]] = {}
    ends = {code: one.today(reading.now) + timedelta(days=reading.rules.lead_days)
            for code, one in reading.plan.carriers.items()}  # fmt: skip
    last = {code: closed_until(day, reading.rules.freeze_days) for code, day in ends.items()}
    for shard, state in settled.resting(reading.tx, max(last.values())):
        for one, places in state.resting(state.known).items():
            if carrier in (None, one.carrier) and one.day <= last[one.carrier]:
                found.setdefault(one, {})[shard] = places
    return {one: NumberSet(shards) for one, shards in sorted(found.items())}


def held_now(reading: Reading) -> NumberSet:
    """Numbers that a hold binds today, in any carrier's zone."""
    today = reading.today
    return union(holds.numbers_of(reading.tx, hold.id) for hold in holds.all_holds(reading.tx) if hold.binds(today))
