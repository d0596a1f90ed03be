"""What a report sold: numbers with a history that it opened for a new owner, and when the tenure before ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from huanxin.domain.clock import APART
from huanxin.domain.leaving import Left
from huanxin.domain.lifecycle import Cancellation, Event, SetFact, sellable_from
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.numbersets.instants import NO_TIME, Instants, counted
from huanxin.numbersets.sharded import NumberSet, bitmap_of, values_of
from huanxin.store.database import Tx, deciding
from huanxin.store.report import reports


@dataclass(frozen=True, kw_only=True)
class Sale:
    """Numbers of a shard that were sold: `opening` says on which day and, where that was reported, when. `known`: the
    platform had taken a report by that day, so that the numbers could be released here, and disclosed; and they were not on
    sale already when their carrier gave it their state."""

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


def sales_of(
    tx: Tx, left: Iterable[tuple[int, Left]], *, plan: NumberingPlan, freeze_days: int
) -> list[Sale]:  # fmt: skip
    """The sales among what a report took out of the freeze, given as (shard, what left); a reclaim is none.

    If there are any, what might stop them and is being recorded is waited for, and nothing else is until this transaction
    ends: of a sale and an order in one instant, either the sale is judged by the order, or the order is dated after it.
    """
    opened = [(shard, one) for shard, one in left if one.fact.event is Event.OPENED]
    if not opened:
        return []
    deciding(tx)
    first, baselines = reports.first_recorded_at(tx), reports.baselines(tx, plan)
    assert first is not None  # the report that says so is on record
    return [
        Sale(
            shard=shard, seller=(seller := plan.carriers[one.fact.carrier]), opening=one.fact.part(numbers), closing=closing,
            known=one.fact.day >= seller.today(first)
            and sellable_from(closing.day, freeze_days) > baselines.get(closing.report, date.min),
        )
        for shard, one in opened
        for closing, numbers in one.rested.items()
    ]  # fmt: skip
