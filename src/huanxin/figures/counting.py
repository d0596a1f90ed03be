"""A carrier's history in counts by day, from the facts. It walks every report, so a worker does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.acts.platform import Platform
from huanxin.domain.lifecycle import Event, SetFact, ShardState
from huanxin.figures.projection import Projection
from huanxin.numbersets.sharded import SHARD_SIZE, values_of
from huanxin.store.database import Tx
from huanxin.store.figures import stamps
from huanxin.store.figures.summaries import SummaryKind
from huanxin.store.release import releases
from huanxin.store.report import reports

Days = npt.NDArray[np.int32]
"""Days as `date.toordinal` counts them, by place in a shard."""

BLOCK = 10_000
"""Numbers that the plan allots together: the seven digits after the country code (号段) name a block."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a carrier did, in numbers: by day from `first` to `last`, the days of which reports tell; `frozen`, not released
    yet, by day of cancellation. `back`, `at_risk`: taken back on each day of the freeze, and how many could have been."""

    first: date | None = None
    last: date | None = None
    cancelled: dict[date, int]
    opened: dict[date, int]
    frozen: dict[date, int]
    for_sale: int
    in_service: int
    capacity: int
    never_sold: int
    back: tuple[int, ...]
    at_risk: tuple[int, ...]


@dataclass(kw_only=True)
class _Tally:
    """What one carrier did. `back`, `sold_again`: by (day of cancellation, day of the event)."""

    cancelled: Counter[date] = field(default_factory=Counter)
    opened: Counter[date] = field(default_factory=Counter)
    back: Counter[tuple[date, date]] = field(default_factory=Counter)
    sold_again: Counter[date] = field(default_factory=Counter)
    frozen: Counter[date] = field(default_factory=Counter)
    in_service: int = 0
    blocks: int = 0
    known: int = 0

    def take(self, fact: SetFact, state: ShardState, closed: Days) -> None:
        """Note an event, before it is applied to the state; of a cancellation the day in `closed`, by place in the shard."""
        if fact.event is Event.CANCELLED:
            self.cancelled[fact.day] += len(fact.numbers)
            closed[values_of(fact.numbers)] = fact.day.toordinal()
        elif fact.event is Event.OPENED:
            self.opened[fact.day] += len(fact.numbers)
            for closed_on, count in _by_day(state.sleeping(fact.numbers), closed):
                self.sold_again[closed_on] += count
        elif fact.event is Event.RECLAIMED:
            for closed_on, count in _by_day(state.sleeping(fact.numbers), closed):
                self.back[closed_on, fact.day] += count


def _by_day(frozen: BitMap, closed: Days) -> Iterator[tuple[date, int]]:
    """How many frozen numbers were cancelled on each day. An array of days answers in one step what `ShardState.frozen_on`
    looks for in all cancellations of a shard, which here would be asked for each of its facts."""
    if frozen:
        for day, count in Counter(closed[values_of(frozen)].tolist()).items():
            yield date.fromordinal(day), count


def count(tx: Tx, platform: Platform, carriers: Collection[str]) -> Mapping[str, Past]:
    """By carrier: what `history.read` reads."""
    plan = platform.plan
    tallies = {code: _Tally() for code in plan.carriers}
    closed: Days = np.zeros(SHARD_SIZE, np.int32)  # of frozen numbers only, so that every shard writes over the one before
    for shard, facts in reports.facts_by_shard(tx):
        state = ShardState()
        for fact in facts:
            tallies[fact.carrier].take(fact, state, closed)
            state.apply(fact)
        _end_of_shard(tallies, state, plan.owner(shard))
    released = releases.released_by_day(tx)
    return {code: _past(tallies[code], released.get(code, Counter())) for code in carriers}


PASTS = Projection(
    kind=SummaryKind("history", Past), make=count,
    facts=lambda tx, platform: dict.fromkeys(platform.plan.carriers, stamps.of_past(tx)),
)  # fmt: skip
"""By carrier, counted again once a report or a release came."""


def _end_of_shard(tallies: dict[str, _Tally], state: ShardState, owner: str | None) -> None:
    for code, places in state.in_service.items():
        tallies[code].in_service += len(places)
    for (code, closed_on), places in state.frozen().items():
        tallies[code].frozen[closed_on] += len(places)
    if owner is not None:
        tallies[owner].known += len(state.known)
        tallies[owner].blocks += _blocks(state.known)


def _blocks(known: BitMap) -> int:
    return sum(known.range_cardinality(start, start + BLOCK) > 0 for start in range(0, SHARD_SIZE, BLOCK))


def _past(tally: _Tally, released: Counter[date]) -> Past:
    days = sorted({*tally.cancelled, *tally.opened, *(day for _, day in tally.back)})
    first, last = (days[0], days[-1]) if days else (None, None)
    unsold = {day: max(0, count - tally.sold_again[day]) for day, count in released.items()}
    frozen = {day: count - min(count, unsold.get(day, 0)) for day, count in tally.frozen.items()}
    back, at_risk = _by_day_of_freeze(tally, last)
    return Past(
        first=first, last=last, cancelled=tally.cancelled, opened=tally.opened,
        frozen={day: n for day, n in frozen.items() if n},
        for_sale=sum(min(n, tally.frozen[day]) for day, n in unsold.items()),
        in_service=tally.in_service, capacity=tally.blocks * BLOCK, never_sold=tally.blocks * BLOCK - tally.known,
        back=tuple(back), at_risk=tuple(at_risk),
    )  # fmt: skip


def _by_day_of_freeze(tally: _Tally, last: date | None) -> tuple[list[int], list[int]]:
    """Numbers taken back on each day of the freeze, and those that could have been: still frozen when it began, and the day
    lies before the last one that reports tell of. Day 0 is that of the cancellation."""
    if last is None or not tally.cancelled:
        return [], []
    closed = {day: row for row, day in enumerate(sorted(tally.cancelled))}
    longest = max((day - closed_on).days for closed_on, day in tally.back) if tally.back else 0
    taken = np.zeros((len(closed), longest + 1), dtype=np.int64)
    for (closed_on, day), n in tally.back.items():
        taken[closed[closed_on], (day - closed_on).days] += n
    size = np.array([tally.cancelled[day] for day in closed], dtype=np.int64)
    left = size[:, None] - np.cumsum(taken, axis=1) + taken
    seen = np.array([(last - day).days for day in closed])[:, None] >= np.arange(longest + 1)[None, :]
    return np.where(seen, taken, 0).sum(axis=0).tolist(), np.where(seen, left, 0).sum(axis=0).tolist()
