"""Sales that came too early, found in reports: before the freeze ended, or before any release of that tenure.

What decides is the sale's instant, not when it was reported: a release doesn't cover what was sold before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from huanxin.domain.lifecycle import Cancellation, sellable_from
from huanxin.domain.rules import Rules
from huanxin.numbersets.sharded import NumberSet, bitmap_of, union, values_of
from huanxin.store.acting import Act
from huanxin.store.answer import few_numbers
from huanxin.store.database import Tx
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Renewed
from huanxin.store.release import releases
from huanxin.store.release.releases import Release
from huanxin.store.report.sales import Sale

OPENED_IN_FREEZE, OPENED_UNRELEASED = "opened-in-freeze", "opened-without-release"


@dataclass(frozen=True, kw_only=True)
class Lot:
    """What a batch renewed of the numbers that were sold after one cancellation, and what each release gave back of it."""

    renewed: Renewed
    given: list[tuple[Release, NumberSet]]

    @property
    def batch_id(self) -> int:
        return self.renewed.batch_id

    @cached_property
    def numbers(self) -> NumberSet:
        return NumberSet.of(self.renewed.numbers)

    def places(self, numbers: NumberSet) -> BitMap:
        """The places of some of its numbers in the batch."""
        return bitmap_of(self.renewed.places[np.isin(self.renewed.numbers, numbers.numbers(), assume_unique=True)])

    def at(self, places: BitMap) -> NumberSet:
        """Its numbers at some places of the batch."""
        return NumberSet.of(self.renewed.numbers[np.isin(self.renewed.places, values_of(places), assume_unique=True)])


Lots = Mapping[Cancellation, list[Lot]]


def lots_of(tx: Tx, sales: Iterable[Sale]) -> Lots:
    """The batches of the numbers that were sold, in the tenure after which they were, by their cancellation."""
    resting: dict[Cancellation, list[NumberSet]] = {}
    for one in sales:
        resting.setdefault(one.closing, []).append(one.numbers)
    found: dict[Cancellation, list[Lot]] = {}
    for renewed in batches.renewed_since(tx, {closing: union(sets) for closing, sets in resting.items()}):
        lot = Lot(renewed=renewed, given=[])
        among = few_numbers.releases_among(tx, renewed.batch_id, bitmap_of(renewed.places))
        lot.given.extend((release, lot.at(out)) for release, out in among)
        found.setdefault(renewed.since, []).append(lot)
    return found


@dataclass(kw_only=True)
class _Early:
    """Numbers that were sold during their freeze, and without a release: places of batches, and numbers in none."""

    in_freeze: list[NumberSet] = field(default_factory=list)
    unreleased: list[NumberSet] = field(default_factory=list)
    of_batches: dict[int, BitMap] = field(default_factory=dict)
    named: list[NumberSet] = field(default_factory=list)
    """the numbers of `of_batches`"""

    def of_batch(self, lot: Lot, numbers: NumberSet) -> None:
        if numbers:
            self.of_batches[lot.batch_id] = self.of_batches.get(lot.batch_id, BitMap()) | lot.places(numbers)
            self.named.append(numbers)


def find_early_sales(act: Act, report_id: int, sales: Iterable[Sale], lots: Lots) -> int:
    """Record the numbers that a report sold before their freeze ended, or before a release of that tenure; how many. What
    is a breach of a batch stands with the batch, once."""
    early = _Early()
    for sale in sales:
        _judge(early, sale, lots.get(sale.closing, ()), act.rules)
    for batch_id, where in early.of_batches.items():
        releases.add_breach(
            act.tx, kind=OPENED_UNRELEASED, batch_id=batch_id, partner_id=None, receipt_id=None, places=where, at=act.now
        )
    named = union(early.named)
    count = len(named)
    for kind, sets in ((OPENED_IN_FREEZE, early.in_freeze), (OPENED_UNRELEASED, early.unreleased)):
        if found := union(sets) - named:
            releases.add_report_breach(act.tx, kind=kind, report_id=report_id, numbers=found, at=act.now)
            count += len(found)
    return count


def _judge(early: _Early, sale: Sale, lots: Iterable[Lot], rules: Rules) -> None:
    rest, day, closed_on = sale.numbers, sale.opening.day, sale.closing.day
    for lot in lots:
        for release, numbers in lot.given:
            here, rest = rest & numbers, rest - numbers
            if not sale.known:
                continue
            if day < sellable_from(closed_on, release.freeze_days):
                early.in_freeze.append(here)
            else:
                early.of_batch(lot, here & sale.before(release.released_at))
    for lot in lots:
        waiting = rest & lot.numbers
        early.of_batch(lot, waiting)
        rest -= waiting
    if sale.known:
        resting = day < sellable_from(closed_on, rules.freeze_days)
        (early.in_freeze if resting else early.unreleased).append(rest)
