"""What a report says of numbers on a day of which something is on record: is it known, too late, or more than it can tell?

The instant orders the events of a day, and the same event at the same instant is a repeat. An event without a time comes
no earlier than what is on record. It may be one of those on record, said again, or a second one of its kind: if nothing lies
between the two, it is said again, and the number stands where it stood either way. If something does, nobody can tell:
taken, an export that comes twice would freeze a number in service; left out, a number that was reclaimed a second time would
be sold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pyroaring import BitMap

from huanxin.domain.lifecycle import Event, SetFact
from huanxin.numbersets.instants import NO_TIME
from huanxin.numbersets.sharded import bitmap_of, values_of


@dataclass(kw_only=True)
class Met:
    """The numbers of one new fact that are no news: `known` said again, `unclear` neither that nor surely new; and those
    that come before what is on record: `early` if the instants say before which, `late` if one of them is not known."""

    known: BitMap = field(default_factory=BitMap)
    early: BitMap = field(default_factory=BitMap)
    late: BitMap = field(default_factory=BitMap)
    unclear: BitMap = field(default_factory=BitMap)


NEWS = Met()
"""For all facts of which everything is news; never changed."""


@dataclass(frozen=True, kw_only=True)
class _Said:
    """One event of one number. `of`: the fact that it is in, by its place in the list; `at`: NO_TIME if only the day is
    known."""

    of: int
    event: Event
    carrier: str
    at: int

    def may_be(self, other: _Said) -> bool:
        """Whether both may tell of one event."""
        same = (self.event, self.carrier) == (other.event, other.carrier)
        return same and (self.at == other.at or NO_TIME in (self.at, other.at))


def meet(past: Sequence[SetFact], new: Sequence[SetFact]) -> list[Met]:
    """Look at the new facts of one day beside those on record of the same day, each in order; for every new one, which of
    its numbers are no news. Nearly all that stand again stand alone, and are looked at as sets."""
    both = _any(past) & _any(new)
    if not both:
        return [NEWS] * len(new)
    found = [Met() for _ in new]
    alone = both - _several(past) - _several(new)
    for fact, met in zip(new, found, strict=True):
        for before in past:
            if (before.event, before.carrier) == (fact.event, fact.carrier):
                met.known |= _same_instant(before, fact, fact.numbers & before.numbers & alone)
    left = both - BitMap.union(*(met.known for met in found))
    recorded = _by_number(past, left)
    for number, said in _by_number(new, left).items():
        for one, verdict in _compare(recorded[number], said):
            getattr(found[one.of], verdict).add(number)
    return found


def _compare(past: list[_Said], new: list[_Said]) -> Iterator[tuple[_Said, str]]:
    """The events of one number that are no news, each with the name of its set in `Met`.

    A file that says the end of the day again and goes on from there repeats it: so do exports that grow through a day.
    """
    again = next((size for size in range(min(len(past), len(new)), 0, -1) if _repeats(past[-size:], new[:size])), 0)
    yield from ((one, "known") for one in new[:again])
    # What is on record without a time happened when the repeat says.
    day = past[: len(past) - again] + [
        replace(old, at=max(old.at, one.at)) for old, one in zip(past[len(past) - again :], new[:again], strict=True)
    ]
    for one in new[again:]:
        alike = [old for old in day if old.may_be(one)]
        if not alike:
            if NO_TIME < one.at < max(old.at for old in day):
                yield one, "late" if NO_TIME in (old.at for old in day) else "early"
        elif [old in alike for old in day if old.at == one.at != NO_TIME] == [True]:
            yield one, "known"
        else:
            yield one, "unclear"


Order = tuple[tuple[bool, int], ...]
"""The events of a number on a day: each is new, or on record, and which of its list it is in."""


def laid(past: Sequence[SetFact], new: Sequence[SetFact], among: BitMap) -> dict[Order, BitMap]:
    """Some numbers by the order in which their events of one day happened: those on record in theirs, the new ones by their
    instants among them, or behind them."""
    found: dict[Order, BitMap] = {}
    recorded, said = _by_number(past, among), _by_number(new, among)
    for number in among:
        order = [(False, one) for one in recorded[number]]
        for one in said[number]:
            later = (at for at, (_, other) in enumerate(order) if other.at > one.at != NO_TIME)
            order.insert(next(later, len(order)), (True, one))
        found.setdefault(tuple((is_new, one.of) for is_new, one in order), BitMap()).add(number)
    return found


def _repeats(past: Iterable[_Said], new: Iterable[_Said]) -> bool:
    return all(old.may_be(one) for old, one in zip(past, new, strict=True))


def _same_instant(before: SetFact, fact: SetFact, numbers: BitMap) -> BitMap:
    """Those of some numbers for which both facts tell of one event."""
    if not numbers or before.at is None or fact.at is None:
        return numbers
    old, new = before.instants(numbers), fact.instants(numbers)
    same = (old == new) | (old == NO_TIME) | (new == NO_TIME)
    return numbers if same.all() else bitmap_of(values_of(numbers)[same])


def _by_number(facts: Sequence[SetFact], among: BitMap) -> dict[int, list[_Said]]:
    """The events of each of some numbers, in order."""
    found: dict[int, list[_Said]] = {}
    for place, fact in enumerate(facts):
        here = fact.numbers & among
        for number, at in zip(here, fact.instants(here).tolist(), strict=True):
            found.setdefault(number, []).append(_Said(of=place, event=fact.event, carrier=fact.carrier, at=at))
    return found


def _any(facts: Sequence[SetFact]) -> BitMap:
    return BitMap.union(BitMap(), *(fact.numbers for fact in facts))


def _several(facts: Sequence[SetFact]) -> BitMap:
    """The numbers that more than one of some facts names."""
    seen, found = BitMap(), BitMap()
    for fact in facts:
        found |= seen & fact.numbers
        seen |= fact.numbers
    return found
