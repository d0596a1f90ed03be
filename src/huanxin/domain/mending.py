"""What is so of numbers once some facts about them are taken back: the rest is walked as if those had never been.

A fact that could not have come without what is taken back refuses the mend. What a batch or a release stood on is judged by
the day: it stands still where the number was frozen by what is on record now.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyroaring import BitMap

from huanxin.domain.lifecycle import BEGINNING, Cancellation, Event, SetFact, ShardState, fold, sellable_from


def impossible(facts: Sequence[SetFact], range_owner: str | None) -> list[SetFact]:
    """Of one shard's facts, in order: those that could not come next, each with the numbers for which it is the first."""
    state, failed, found = ShardState(), BitMap(), list[SetFact]()
    for fact in facts:
        here = fact.numbers - failed
        possible = state.possible(fact.event, fact.carrier, range_owner, here)
        if bad := here - possible:
            failed |= bad
            found.append(fact.part(bad))
        if possible:
            state.apply(fact.part(possible))
    return found


def among(facts: Sequence[SetFact], numbers: BitMap) -> list[SetFact]:
    """What facts say of some numbers."""
    return [fact.part(both) for fact in facts if (both := fact.numbers & numbers)]


def without(facts: Sequence[SetFact], taken: Sequence[SetFact]) -> list[SetFact]:
    """Facts as they are once some of their numbers are taken back."""
    gone: dict[object, BitMap] = {}
    for fact in taken:
        gone[_name(fact)] = gone.get(_name(fact), BitMap()) | fact.numbers
    return [fact.part(left) for fact in facts if (left := fact.numbers - gone.get(_name(fact), BitMap()))]


def _name(fact: SetFact) -> tuple[date, int, int, Event]:
    return fact.day, fact.report, fact.layer, fact.event


def cancellations(facts: Sequence[SetFact]) -> dict[Cancellation, BitMap]:
    """Every cancellation in some facts, with its numbers."""
    found: dict[Cancellation, BitMap] = {}
    for fact in facts:
        if fact.event is Event.CANCELLED:
            found[fact.cancellation] = found.get(fact.cancellation, BitMap()) | fact.numbers
    return found


def frozen_at_start(facts: Sequence[SetFact], day: date, numbers: BitMap) -> dict[Cancellation, BitMap]:
    """Those of some numbers that were frozen when a day began, by the cancellation after which they rested."""
    return fold(fact for fact in facts if fact.day < day).resting(numbers)


def sellable_on(facts: Sequence[SetFact], day: date, numbers: BitMap, freeze_days: int) -> BitMap:
    """Those of some numbers whose freeze had ended when a day began, and that nobody had then."""
    resting = frozen_at_start(facts, day, numbers).items()
    return BitMap.union(BitMap(), *(found for one, found in resting if sellable_from(one.day, freeze_days) <= day))


def returned(facts: Sequence[SetFact]) -> dict[Cancellation, BitMap]:
    """Numbers that their former owners took back and that nobody else has got since, by the cancellations after which they
    rested then."""
    state, found = ShardState(), dict[Cancellation, BitMap]()
    for fact in facts:
        if fact.event is Event.RECLAIMED:
            for one, numbers in state.resting(fact.numbers).items():
                found[one] = found.get(one, BitMap()) | numbers
        elif fact.event in BEGINNING:
            found = {one: left for one, numbers in found.items() if (left := numbers - fact.numbers)}
        state.apply(fact)
    return found


def begun_since(facts: Sequence[SetFact], day: date) -> BitMap:
    """Numbers that somebody else got on a day or after it: what was theirs before is given back to nobody."""
    return BitMap.union(BitMap(), *(fact.numbers for fact in facts if fact.event in BEGINNING and fact.day >= day))
