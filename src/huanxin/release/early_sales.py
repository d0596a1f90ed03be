"""Sales that came too early, found in reports: numbers opened during their freeze, or that no batch ever released.

`release.gate.find_breaches` looks at the numbers of batches; a number that was in none, or only in one of an earlier
tenure, is found here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from pyroaring import BitMap

from huanxin.domain.lifecycle import Cancellation, Event, SetFact, sellable_from
from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.rules import Rules
from huanxin.numbersets.sharded import NumberSet, bitmap_of, union, values_of
from huanxin.release.gate import BREACH_OPENED_UNRELEASED
from huanxin.store import batches, places, releases, reports
from huanxin.store.database import Tx

BREACH_OPENED_IN_FREEZE = "opened-in-freeze"

_Sales = dict[tuple[date, Cancellation], NumberSet]
"""The numbers sold, by the day on which they were opened and their last cancellation before it."""


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What a batch released of the numbers that rested after one cancellation."""

    freeze_days: int
    numbers: NumberSet


def find_early_sales(
    tx: Tx, report_id: int, recycled: Iterable[tuple[int, SetFact]], *, found: NumberSet, plan: NumberingPlan, rules: Rules,
    now: datetime,
) -> int:  # fmt: skip
    """Record the numbers that a report opened before their freeze ended, or without any release of that tenure; how many.

    recycled: (shard, fact) of the report that gave numbers with a history to new owners; a transfer is no sale. What was
    opened before this platform took its first report could not be released here. found: what is a breach of a batch
    already, and isn't recorded twice.
    """
    sales = _sales(tx, report_id, _opened(tx, recycled, found, plan))
    given = _given(tx, sales)
    in_freeze: list[NumberSet] = []
    unreleased: list[NumberSet] = []
    for (day, closing), numbers in sales.items():
        rest = numbers
        for one in given.get(closing, ()):
            if day < sellable_from(closing.day, one.freeze_days):
                in_freeze.append(rest & one.numbers)
            rest -= one.numbers
        (in_freeze if day < sellable_from(closing.day, rules.freeze_days) else unreleased).append(rest)
    count = 0
    for kind, sets in ((BREACH_OPENED_IN_FREEZE, in_freeze), (BREACH_OPENED_UNRELEASED, unreleased)):
        if early := union(sets):
            releases.add_report_breach(tx, kind=kind, report_id=report_id, numbers=early, at=now)
            count += len(early)
    return count


def _opened(
    tx: Tx, recycled: Iterable[tuple[int, SetFact]], found: NumberSet, plan: NumberingPlan
) -> dict[int, dict[date, BitMap]]:
    """What was sold since the platform's first report, by shard and day, without what was found already."""
    first, nothing = reports.first_recorded_at(tx), BitMap()
    opened: dict[int, dict[date, BitMap]] = {}
    for shard, fact in recycled:
        if fact.event is Event.OPENED and first and fact.day >= first.astimezone(plan.carriers[fact.carrier].zone).date():
            days = opened.setdefault(shard, {})
            days[fact.day] = days.get(fact.day, nothing) | (fact.numbers - found.shards.get(shard, nothing))
    return opened


def _sales(tx: Tx, report_id: int, opened: dict[int, dict[date, BitMap]]) -> _Sales:
    """Walks each shard's facts in the order in which they happened: what was last cancelled when it was sold."""
    parts: dict[tuple[date, Cancellation], list[NumberSet]] = {}
    said = reports.facts_by_shard(
        tx, shards=opened, before_report=report_id + 1, events=(Event.CANCELLED, Event.OPENED)
    ) if opened else ()  # fmt: skip
    for shard, facts in said:
        closings: list[SetFact] = []
        for fact in facts:
            if fact.event is Event.CANCELLED:
                closings.append(fact)
                continue
            sold = fact.numbers & opened[shard].get(fact.day, BitMap())
            for closing in reversed(closings):
                if not sold:
                    break
                if here := sold & closing.numbers:
                    parts.setdefault((fact.day, closing.cancellation), []).append(NumberSet({shard: here}))
                    sold -= here
    return {days: union(sets) for days, sets in parts.items()}


def _given(tx: Tx, sales: _Sales) -> dict[Cancellation, list[_Given]]:
    """What was ever released of the numbers that were sold, in the tenure after which they were, by their cancellation."""
    resting: dict[Cancellation, list[NumberSet]] = {}
    for (_, closing), numbers in sales.items():
        resting.setdefault(closing, []).append(numbers)
    given: dict[Cancellation, list[_Given]] = {}
    for one in batches.renewed_since(tx, {closing: union(sets) for closing, sets in resting.items()}):
        batch = batches.get(tx, one.batch_id)
        assert batch is not None
        out = places.released_among(tx, one.batch_id, bitmap_of(one.places))
        numbers = NumberSet.of(one.numbers[np.isin(one.places, values_of(out), assume_unique=True)])
        given.setdefault(one.since, []).append(_Given(freeze_days=batch.freeze_days, numbers=numbers))
    return given
