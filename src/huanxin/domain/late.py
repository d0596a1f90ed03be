"""Events that are older than what is on record of their numbers: they are taken where the whole order stays possible.

Each number's events, old and new, are walked once more in the order in which they happened, with nothing taken as settled.
If all of them are possible, the new ones are taken, wherever they stand; if one is not, be it on record or new, the late
ones of that number are refused. Of one day the instants say what came first (domain.same_day); an event that comes before
one on record of its day gets a `place` of its own, since the record's order is that of its reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from pyroaring import BitMap

from huanxin.domain.leaving import Left, left_by
from huanxin.domain.lifecycle import EVENTS_SAID, Event, Place, SetFact, ShardState
from huanxin.domain.refusals import Cause, Why, reasons
from huanxin.domain.same_day import laid
from huanxin.words.sentences import Sentence

_LAYERS = 256
"""Of a file's own; those of parts that have a place of their own come after them, so that each part has its name."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Some numbers of a fact, where they stand in their order. `of`: which of the new facts, None if it is on record."""

    fact: SetFact
    numbers: BitMap
    of: int | None = None
    place: Place = ()


@dataclass(kw_only=True)
class Woven:
    """What the whole order of some numbers says. `why`: those whose order is not possible, by the reason."""

    taken: list[Entry] = field(default_factory=list)
    recycled: list[Entry] = field(default_factory=list)
    failed: BitMap = field(default_factory=BitMap)
    why: dict[Why, BitMap] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def fail(self, numbers: BitMap, why: Why) -> None:
        if numbers:
            self.failed |= numbers
            self.why[why] = self.why.get(why, BitMap()) | numbers


def weave(
    past: Sequence[SetFact], new: Sequence[SetFact], fresh: Sequence[BitMap], late: BitMap, range_owner: str | None
) -> Woven:  # fmt: skip
    """Walk the whole order of the `late` numbers: all that is on record of them, and of each new fact those in `fresh`."""
    found, state = Woven(), ShardState()
    for entry in _in_order(past, new, [numbers & late for numbers in fresh], late):
        fact = entry.fact
        here = entry.numbers - found.failed
        possible = state.possible(fact.event, fact.carrier, range_owner, here)
        if len(possible) < len(here):
            _fail(found, state, entry, here - possible, range_owner)
        if not possible:
            continue
        step = fact.part(possible)
        if entry.of is not None:
            found.taken.append(replace(entry, numbers=possible))
            _note_recycled(found, state, replace(entry, numbers=possible))
            found.left += left_by(state, step)
        state.apply(step)
    found.taken = _without(found.taken, found.failed)
    found.recycled = _without(found.recycled, found.failed)
    found.left = [one for each in found.left if (one := each.without(found.failed))]
    return found


def _note_recycled(found: Woven, state: ShardState, entry: Entry) -> None:
    """Note what a new event gives to new owners."""
    sleeping = state.sleeping(entry.numbers)
    if entry.fact.event is Event.TRANSFERRED:
        found.recycled.append(entry)
    elif entry.fact.event is Event.OPENED and sleeping:
        found.recycled.append(replace(entry, numbers=sleeping))


def _fail(found: Woven, state: ShardState, entry: Entry, bad: BitMap, range_owner: str | None) -> None:
    fact = entry.fact
    if entry.of is None:
        event = EVENTS_SAID[fact.event]
        reason = Sentence("%(event)s of %(day)s is on record, and could not follow", event=event, day=fact.day)
        found.fail(bad, Why(reason=reason, cause=Cause.ORDER))
        return
    for numbers, why in reasons(state, fact, bad, range_owner):
        found.fail(numbers, why)


def _without(entries: Sequence[Entry], failed: BitMap) -> list[Entry]:
    return [replace(one, numbers=left) for one in entries if (left := one.numbers - failed)]


def _in_order(past: Sequence[SetFact], new: Sequence[SetFact], fresh: Sequence[BitMap], late: BitMap) -> Iterator[Entry]:
    """What is on record of the late numbers and what is new, day by day."""
    old_days: dict[date, list[SetFact]] = {}
    new_days: dict[date, list[int]] = {}
    for fact in past:
        old_days.setdefault(fact.day, []).append(fact)
    for index, numbers in enumerate(fresh):
        if numbers:
            new_days.setdefault(new[index].day, []).append(index)
    for day in sorted({*old_days, *new_days}):
        old, which = old_days.get(day, []), new_days.get(day, [])
        both = late & _any(fact.numbers for fact in old) & _any(fresh[index] for index in which)
        for fact in old:
            if here := (fact.numbers & late) - both:
                yield Entry(fact=fact, numbers=here)
        for index in which:
            if here := fresh[index] - both:
                yield Entry(fact=new[index], numbers=here, of=index)
        if both:
            yield from _laid(old, which, new, fresh, both)


def _laid(
    old: Sequence[SetFact], which: Sequence[int], new: Sequence[SetFact], fresh: Sequence[BitMap], both: BitMap
) -> Iterator[Entry]:
    """The events of one day of numbers of which both tell, those that share an order together."""
    parts = [new[index].part(fresh[index]) for index in which]
    for order, numbers in laid(old, parts, both).items():
        before: Place | None = None
        for at, (is_new, place) in enumerate(order):
            if not is_new:
                before = old[place].order
                yield Entry(fact=old[place], numbers=numbers)
                continue
            after = next((old[later].order for newer, later in order[at:] if not newer), None)
            own = () if after is None else between(before, after)
            before = own or before
            yield Entry(fact=new[which[place]], numbers=numbers, of=which[place], place=own)


def between(before: Place | None, after: Place) -> Place:
    """A place after the one and before the other; None: after nothing."""
    if before is not None and after[: len(before)] != before:
        return (*before, 0)
    head = len(after) - 1 if before is None else len(before)
    return (*after[:head], after[head] - 1)


def as_facts(new: Sequence[SetFact], entries: Sequence[Entry], also: Mapping[int, BitMap]) -> list[SetFact]:
    """Entries of new facts as facts, each name once; `also`: numbers of new facts that stand where their report does."""
    parts: dict[tuple[int, Place], BitMap] = {(of, ()): numbers for of, numbers in also.items()}
    for one in entries:
        assert one.of is not None
        key = (one.of, one.place)
        parts[key] = parts.get(key, BitMap()) | one.numbers
    names = {key: _LAYERS + rank for rank, key in enumerate(sorted(key for key in parts if key[1]))}
    found = []
    for key in sorted(parts):
        of, place = key
        part = new[of] if len(parts[key]) == len(new[of].numbers) else new[of].part(parts[key])
        found.append(replace(part, place=place, layer=names[key]) if place else part)
    return found


def _any(sets: Iterator[BitMap]) -> BitMap:
    return BitMap.union(BitMap(), *sets)
