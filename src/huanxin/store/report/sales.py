"""What a report sold: numbers with a history that it opened for a new owner, and when the tenure before ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from huanxin.domain.clock import APART
from huanxin.domain.lifecycle import Cancellation, Event, SetFact
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.numbersets.instants import NO_TIME, Instants, counted
from huanxin.numbersets.sharded import NumberSet, bitmap_of, values_of
from huanxin.store.database import Tx, deciding
from huanxin.store.report import reports


@dataclass(frozen=True, kw_only=True)
class Sale:
    """Numbers of a shard that were sold: `opening` says on which day and, where that was reported, when. `known`: the
    platform had taken a report by that day, so that the numbers could be released here, and disclosed."""

    shard: int
    seller: Carrier
    opening: SetFact
    closing: Cancellation
    known: bool

    @property
    def numbers(self) -> NumberSet:
        return NumberSet({self.shard: self.opening.numbers})

    def before(self, instant: datetime) -> NumberSet:
        """Those that were surely sold before an instant: where only the day is known, on a day that had ended by then. The
        carrier's clock and ours may be APART."""
        at, moment = self._instants(), counted(instant - APART)
        return self._those(np.where(at == NO_TIME, self.opening.day < self.seller.today(instant), at < moment))

    def after(self, instant: datetime) -> NumberSet:
        """Those that were surely sold after an instant: where only the day is known, on a later day."""
        at, moment = self._instants(), counted(instant + APART)
        return self._those(np.where(at == NO_TIME, self.opening.day > self.seller.today(instant), at > moment))

    def _instants(self) -> Instants:
        return self.opening.instants(self.opening.numbers)

    def _those(self, which: npt.NDArray[np.bool_]) -> NumberSet:
        return NumberSet({self.shard: bitmap_of(values_of(self.opening.numbers)[which])} if which.any() else {})


def sales_of(tx: Tx, report_id: int, recycled: Iterable[tuple[int, SetFact]], *, plan: NumberingPlan) -> list[Sale]:
    """The sales of a report. recycled: (shard, fact) of what it gave to new owners; a transfer is no sale.

    If there are any, what might stop them and is being recorded is waited for, and nothing else is until this transaction
    ends: of a sale and an order in one instant, either the sale is judged by the order, or the order is dated after it.
    """
    opened = {(shard, _key(fact)): fact for shard, fact in recycled if fact.event is Event.OPENED}
    found = list(_closed(tx, report_id, opened, plan)) if opened else []
    if found:
        deciding(tx)
    return found


def _key(fact: SetFact) -> tuple[date, str, int]:
    return fact.day, fact.carrier, fact.layer


def _closed(
    tx: Tx, report_id: int, opened: dict[tuple[int, tuple[date, str, int]], SetFact], plan: NumberingPlan
) -> Iterator[Sale]:
    """Walks each shard's facts in the order in which they happened: what was last cancelled when it was sold."""
    first = reports.first_recorded_at(tx)
    assert first is not None  # this report is on record
    events = (Event.CANCELLED, Event.OPENED)
    shards = {shard for shard, _ in opened}
    for shard, facts in reports.facts_by_shard(tx, shards=shards, before_report=report_id + 1, events=events):
        closings: list[SetFact] = []
        for fact in facts:
            if fact.event is Event.CANCELLED:
                closings.append(fact)
            elif fact.report == report_id and (sold := opened.get((shard, _key(fact)))):
                left, seller = sold.numbers, plan.carriers[sold.carrier]
                for closing in reversed(closings):
                    if not left:
                        break
                    if here := left & closing.numbers:
                        yield Sale(
                            shard=shard, seller=seller, opening=sold.part(here), closing=closing.cancellation,
                            known=fact.day >= seller.today(first),
                        )  # fmt: skip
                        left = left - here  # not in place: it is the sale's own set
