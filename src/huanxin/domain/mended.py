"""What a mend changed of what is on record, and what became of the numbers that it touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pyroaring import BitMap

from huanxin.domain.lifecycle import Cancellation, SetFact, fold
from huanxin.domain.mending import begun_since, cancellations, frozen_at_start, returned, sellable_on
from huanxin.domain.tenures import NumberTenures, said_of, standing
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, union

Named = dict[Cancellation, NumberSet]


@dataclass(frozen=True, kw_only=True)
class OfShard:
    """What is on record of the numbers of a shard that a mend touches, before it and after it, in order."""

    numbers: BitMap
    before: Sequence[SetFact]
    after: Sequence[SetFact]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a report that mends others changed: how many events it took back, by event, and what is so of each shard."""

    report_id: int
    reason: str
    taken_back: Mapping[str, int]
    shards: Mapping[int, OfShard] = field(repr=False)

    @property
    def numbers(self) -> NumberSet:
        """All that it touches."""
        return NumberSet({shard: one.numbers for shard, one in self.shards.items()})

    def stood(self) -> Named:
        """The numbers of the cancellations that were on record before it."""
        return self._named(lambda one: cancellations(one.before))

    def tenures(self, number: int) -> tuple[NumberTenures, NumberTenures]:
        """What was reported of one number, before it and after it, as tenures."""
        shard, place = divmod(number, SHARD_SIZE)
        one = self.shards[shard]
        before, after = (standing(said_of(facts, place)) for facts in (one.before, one.after))
        return before, after

    def stands(self) -> Named:
        """The numbers of the cancellations that are on record."""
        return self._named(lambda one: cancellations(one.after))

    def rests(self) -> Named:
        """Numbers that rest, by the cancellation after which they do."""
        return self._named(lambda one: fold(one.after).resting(one.numbers))

    def returned(self) -> Named:
        """Numbers that their former owners have again, by the cancellations after which they rested."""
        return self._named(lambda one: returned(one.after))

    def shorter(self) -> NumberSet:
        """Numbers that rest as they did before, and whose freeze ends earlier now."""
        before, after = self._named(lambda one: fold(one.before).resting(one.numbers)), self.rests()
        pairs = ((one, other) for one in after for other in before if one.day < other.day)
        return union(after[one] & before[other] for one, other in pairs)

    def corrected(self, carrier: str, numbers: NumberSet, day: date) -> Named:
        """Those of some numbers that were frozen when a day began, by a cancellation of the carrier that the mend itself put
        on record."""
        found: dict[Cancellation, list[NumberSet]] = {}
        for shard, some in numbers.shards.items():
            for one, resting in frozen_at_start(self.shards[shard].after, day, some).items():
                if (one.report, one.carrier) == (self.report_id, carrier):
                    found.setdefault(one, []).append(NumberSet({shard: resting}))
        return {one: union(sets) for one, sets in found.items()}

    def begun_since(self, numbers: NumberSet, day: date) -> NumberSet:
        """Those of some numbers that somebody else got on a day or after it."""
        some = numbers.shards.items()
        return NumberSet({shard: begun_since(self.shards[shard].after, day) & here for shard, here in some})

    def wrong(self, numbers: NumberSet, day: date, freeze_days: int) -> NumberSet:
        """Those of some numbers that could be sold on a day by what was on record, and could not by what is."""
        found = {}
        for shard, some in numbers.shards.items():
            one = self.shards[shard]
            right = sellable_on(one.before, day, some, freeze_days)
            found[shard] = right - sellable_on(one.after, day, some, freeze_days)
        return NumberSet(found)

    def sellable(self, numbers: NumberSet, day: date, freeze_days: int) -> NumberSet:
        """Those of some numbers that may be sold on a day by what is on record."""
        some = numbers.shards.items()
        return NumberSet({shard: sellable_on(self.shards[shard].after, day, here, freeze_days) for shard, here in some})

    def _named(self, what: Callable[[OfShard], Mapping[Cancellation, BitMap]]) -> Named:
        found: dict[Cancellation, list[NumberSet]] = {}
        for shard, one in self.shards.items():
            for name, numbers in what(one).items():
                found.setdefault(name, []).append(NumberSet({shard: numbers}))
        return {name: union(sets) for name, sets in found.items()}


class What(StrEnum):
    """What a mend does about numbers."""

    RETRACTED = "taken back from the batch"
    STANDS = "stays in the batch"
    STOPPED = "on a release list, not to be sold"
    IN_ERROR = "released in error"
    REVOKED = "certificate revoked"
    ORDERS = "order taken back, since it went by a day that was too late"


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What becomes of some numbers, of a batch if it is named."""

    what: What
    batch_id: int | None = None
    numbers: NumberSet

    @classmethod
    def of(cls, what: What, numbers: Sequence[int]) -> Consequence:
        """What becomes of some single numbers."""
        return cls(what=what, numbers=NumberSet.of(numbers))


@dataclass(frozen=True, kw_only=True)
class Mended:
    """What a mend did, or would do: the report that records it, how many events it took back, and what followed."""

    report_id: int
    taken_back: Mapping[str, int]
    consequences: Sequence[Consequence] = field(repr=False)
    added: Mapping[str, int] = field(default_factory=dict)
    """events that it put in their place"""

    @property
    def touched(self) -> int:
        """Events that were taken back or put on record."""
        return sum(self.taken_back.values()) + sum(self.added.values())

    def counts(self) -> dict[str, int]:
        """Numbers by consequence, those that there are."""
        return {what.value: count for what in What if (count := self.count(what))}

    def count(self, what: What) -> int:
        """Numbers of a consequence."""
        return sum(len(one.numbers) for one in self.consequences if one.what is what)
