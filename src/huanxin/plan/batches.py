"""Verb 2, plan: which numbers are due, and the batch in which they are renewed together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from pyroaring import BitMap

from huanxin.domain.answers import Purpose
from huanxin.domain.clock import answer_by
from huanxin.domain.lifecycle import fold, sellable_from
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.domain.rules import Rules
from huanxin.numbersets.numberfile import described
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store import batches, holds, reports
from huanxin.store.batches import Batch
from huanxin.store.database import Tx, deciding

Span = tuple[str, date]
"""A carrier and the day on which it cancelled."""


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
    zones = {plan.carriers[code].zone for code, _ in spans}
    batch_id = batches.add(
        tx, purpose=Purpose.RENEWAL, retracts=None, numbers=numbers, cutoff=now,
        answer_by=answer_by(now, zones, rules.answer_days), freeze_days=rules.freeze_days, seen_report=reports.latest(tx),
        files=described(roster.numbers), by=by, at=now,
    )  # fmt: skip
    batches.add_spans(tx, batch_id, {span: roster.places_in(found) for span, found in spans.items()})
    batch = batches.get(tx, batch_id)
    assert batch is not None
    return batch


def due(tx: Tx, *, plan: NumberingPlan, rules: Rules, now: datetime, carrier: str | None = None) -> dict[Span, NumberSet]:
    """Numbers whose freeze ends within the lead time, not held and in no batch since they were cancelled.

    frozen = cancelled - reclaimed - opened_again
    due    = frozen (and the freeze ends within the lead time) - held - in a batch of this tenure
    """
    found: dict[Span, dict[int, BitMap]] = {}
    for shard, facts in reports.facts_by_shard(tx):
        for (code, day), places in fold(facts).frozen().items():
            if carrier in (None, code) and _is_due(plan.carriers[code], day, rules, now):
                found.setdefault((code, day), {})[shard] = places
    if not found:
        return {}
    spans = {span: NumberSet(shards) for span, shards in sorted(found.items())}
    held = held_now(tx, plan.carriers, now)
    planned = batches.planned_batches(tx, {shard for shards in found.values() for shard in shards}, Purpose.RENEWAL)
    for (code, day), numbers in spans.items():
        zone = plan.carriers[code].zone
        taken = [batch for at, batch in planned if at.astimezone(zone).date() >= day]
        spans[code, day] = numbers - held - union(taken)
    return {span: numbers for span, numbers in spans.items() if numbers}


def _is_due(carrier: Carrier, closed_on: date, rules: Rules, now: datetime) -> bool:
    return sellable_from(closed_on, rules.freeze_days) <= carrier.today(now) + timedelta(days=rules.lead_days)


def held_now(tx: Tx, carriers: Mapping[str, Carrier], now: datetime) -> NumberSet:
    """Numbers that a hold binds today, in any carrier's zone."""
    today = min(carrier.today(now) for carrier in carriers.values())
    return union(holds.numbers_of(tx, hold.id) for hold in holds.all_holds(tx) if hold.binds(today))
