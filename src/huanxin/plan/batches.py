"""Verb 2, plan: which numbers are due, and the batch in which they are renewed together."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pyroaring import BitMap

from huanxin.domain.answers import Purpose
from huanxin.domain.clock import answer_by
from huanxin.domain.lifecycle import Cancellation, fold, sellable_from
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.domain.rules import Rules
from huanxin.numbersets.numberfile import described
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store.database import Tx, deciding
from huanxin.store.plan import batches, holds
from huanxin.store.plan.batches import Batch
from huanxin.store.report import reports


def plan_batch(
    tx: Tx, *, plan: NumberingPlan, rules: Rules, now: datetime, by: str, carrier: str | None = None
) -> Batch | None:
    """Put every number that is due into a batch; None if none is.

    The cut-off is the instant of planning: a frozen number has no owner, so every older tie is stale (rule 2).
    """
    deciding(tx)
    spans = due(tx, plan=plan, rules=rules, now=now, carrier=carrier)
    numbers = union(spans.values())
    if not numbers:
        return None
    roster = Roster.of(numbers)
    zones = {plan.carriers[one.carrier].zone for one in spans}
    batch_id = batches.add(
        tx, purpose=Purpose.RENEWAL, retracts=None, numbers=numbers, cutoff=now,
        answer_by=answer_by(now, zones, rules.answer_days), freeze_days=rules.freeze_days, seen_report=reports.latest(tx),
        files=described(roster.numbers), by=by, at=now,
    )  # fmt: skip
    batches.add_spans(tx, batch_id, {one: roster.places_in(found) for one, found in spans.items()})
    batch = batches.get(tx, batch_id)
    assert batch is not None
    return batch


def due(
    tx: Tx, *, plan: NumberingPlan, rules: Rules, now: datetime, carrier: str | None = None
) -> dict[Cancellation, NumberSet]:
    """Numbers whose freeze ends within the lead time, not held and in no batch since they were cancelled, by the
    cancellation after which they rest.

    frozen = cancelled - reclaimed - opened_again
    due    = frozen (and the freeze ends within the lead time) - held - in a batch of this tenure
    """
    found: dict[Cancellation, dict[int, BitMap]] = {}
    for shard, facts in reports.facts_by_shard(tx):
        state = fold(facts)
        for one, places in state.resting(state.known).items():
            if carrier in (None, one.carrier) and _is_due(plan.carriers[one.carrier], one.day, rules, now):
                found.setdefault(one, {})[shard] = places
    resting = {one: NumberSet(shards) for one, shards in sorted(found.items())}
    taken = held_now(tx, plan, now) | union(NumberSet.of(one.numbers) for one in batches.renewed_since(tx, resting))
    return {one: left for one, numbers in resting.items() if (left := numbers - taken)}


def _is_due(carrier: Carrier, closed_on: date, rules: Rules, now: datetime) -> bool:
    return sellable_from(closed_on, rules.freeze_days) <= carrier.today(now) + timedelta(days=rules.lead_days)


def held_now(tx: Tx, plan: NumberingPlan, now: datetime) -> NumberSet:
    """Numbers that a hold binds today, in any carrier's zone."""
    today = plan.today(now)
    return union(holds.numbers_of(tx, hold.id) for hold in holds.all_holds(tx) if hold.binds(today))
