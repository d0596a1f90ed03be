"""Sales that came too early, found in reports: numbers opened during their freeze, or that no batch ever released.

`release.gate.find_breaches` looks at the numbers of batches; a number that was in none, or only in one of an earlier
tenure, is found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from huanxin.domain.lifecycle import Cancellation, sellable_from
from huanxin.domain.rules import Rules
from huanxin.numbersets.sharded import NumberSet, bitmap_of, union, values_of
from huanxin.release.gate import BREACH_OPENED_UNRELEASED
from huanxin.store import batches, places, releases
from huanxin.store.database import Tx
from huanxin.store.sales import Sale

BREACH_OPENED_IN_FREEZE = "opened-in-freeze"


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What a batch released of the numbers that rested after one cancellation, once a freeze of so many days had ended."""

    freeze_days: int
    numbers: NumberSet


def find_early_sales(
    tx: Tx, report_id: int, sales: Iterable[Sale], *, found: NumberSet, rules: Rules, now: datetime
) -> int:  # fmt: skip
    """Record the numbers that a report sold before their freeze ended, or without any release of that tenure; how many.
    found: what is a breach of a batch already, and isn't recorded twice."""
    sold: dict[tuple[date, Cancellation], list[NumberSet]] = {}
    for one in sales:
        sold.setdefault((one.opening.day, one.closing), []).append(one.numbers - found)
    given = _given(tx, sold)
    in_freeze: list[NumberSet] = []
    unreleased: list[NumberSet] = []
    for (day, closing), sets in sold.items():
        rest = union(sets)
        for lot in given.get(closing, ()):
            if day < sellable_from(closing.day, lot.freeze_days):
                in_freeze.append(rest & lot.numbers)
            rest -= lot.numbers
        (in_freeze if day < sellable_from(closing.day, rules.freeze_days) else unreleased).append(rest)
    count = 0
    for kind, sets in ((BREACH_OPENED_IN_FREEZE, in_freeze), (BREACH_OPENED_UNRELEASED, unreleased)):
        if early := union(sets):
            releases.add_report_breach(tx, kind=kind, report_id=report_id, numbers=early, at=now)
            count += len(early)
    return count


def _given(tx: Tx, sold: Mapping[tuple[date, Cancellation], list[NumberSet]]) -> dict[Cancellation, list[_Given]]:
    """What was ever released of the numbers that were sold, in the tenure after which they were, by their cancellation."""
    resting: dict[Cancellation, list[NumberSet]] = {}
    for (_, closing), sets in sold.items():
        resting.setdefault(closing, []).extend(sets)
    given: dict[Cancellation, list[_Given]] = {}
    for one in batches.renewed_since(tx, {closing: union(sets) for closing, sets in resting.items()}):
        for freeze_days, out in places.released_under(tx, one.batch_id, bitmap_of(one.places)).items():
            numbers = NumberSet.of(one.numbers[np.isin(one.places, values_of(out), assume_unique=True)])
            given.setdefault(one.since, []).append(_Given(freeze_days=freeze_days, numbers=numbers))
    return given
