"""What events took out of the freeze, and after which cancellation it rested: by that, batches know what left them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pyroaring import BitMap

from huanxin.domain.lifecycle import Cancellation, Event, SetFact, ShardState
from huanxin.numbersets.sharded import NumberSet, union


@dataclass(frozen=True, kw_only=True)
class Left:
    """Numbers (within a shard) that an event took out of the freeze, by the cancellation after which they rested."""

    fact: SetFact
    rested: Mapping[Cancellation, BitMap]

    def without(self, numbers: BitMap) -> Left | None:
        """The same but for some numbers; None if nothing is left of it."""
        if not (kept := self.fact.numbers - numbers):
            return None
        still = {one: left for one, found in self.rested.items() if (left := found - numbers)}
        return Left(fact=self.fact.part(kept), rested=still)


def left_by(state: ShardState, fact: SetFact) -> Iterator[Left]:
    """What an event that comes next takes out of the freeze, if anything."""
    slept = state.sleeping(fact.numbers)
    if slept and fact.event is not Event.CANCELLED:
        yield Left(fact=fact.part(slept), rested=state.resting(slept))


def rested(left: Iterable[tuple[int, Left]], *events: Event) -> dict[Cancellation, NumberSet]:
    """The numbers that some events took out of the freeze, given each with its shard, by the cancellation before."""
    found: dict[Cancellation, list[NumberSet]] = {}
    for shard, one in left:
        for since, numbers in one.rested.items() if one.fact.event in events else ():
            found.setdefault(since, []).append(NumberSet({shard: numbers}))
    return {since: union(sets) for since, sets in found.items()}
