"""Which of a report's sets may be taken, given what is on record: no event out of order, none twice, none impossible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyroaring import BitMap, FrozenBitMap

from huanxin.domain.lifecycle import EVENTS_SAID, Event, SetFact, ShardState
from huanxin.sentences import Sentence

_NOTHING = FrozenBitMap()

Layered = tuple[int, SetFact]
"""A fact with its layer: the how manieth event of the same numbers on the same day it is, from 0."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Numbers (within the shard) whose event can't be taken, and why."""

    layer: int
    fact: SetFact
    numbers: BitMap
    reason: str


@dataclass(kw_only=True)
class Verdict:
    """What becomes of one shard's new facts."""

    accepted: list[Layered] = field(default_factory=list)
    known: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    recycled: list[SetFact] = field(default_factory=list)
    """those accepted that gave a number with a history to a new owner"""


def judge(old: Sequence[SetFact], new: Sequence[Layered], range_owner: str | None) -> Verdict:
    """Walk the facts of one shard in the order in which they happened, and sort the new ones.

    `old` and `new` are each in order; on the same day what is on record comes first. A fact on record that a new one
    repeats is known and changes nothing (rule 7).
    """
    mine = BitMap.union(BitMap(), *(fact.numbers for _, fact in new))
    past = [fact for fact in old if not fact.numbers.isdisjoint(mine)]  # other numbers' history decides nothing here
    verdict, state = Verdict(), ShardState()
    recorded, waiting, ahead = _by_event(past), _with_last(past), mine & BitMap.union(BitMap(), *(f.numbers for f in past))
    for layer, fact in new:
        while waiting and waiting[-1][0].day <= fact.day:
            earlier, last = waiting.pop()
            state.apply(earlier)
            ahead -= last
        known = fact.numbers & recorded.get((fact.day, fact.carrier, fact.event), _NOTHING) if past else _NOTHING
        fresh = fact.numbers - known
        verdict.known += len(known)
        late = fresh & ahead
        possible = state.possible(fact.event, fact.carrier, range_owner, fresh - late if late else fresh)
        if len(possible) < len(fresh):
            for numbers, reason in _reasons(state, fact, late, fresh - late - possible, range_owner):
                verdict.refusals.append(Refusal(layer=layer, fact=fact, numbers=numbers, reason=reason))
        if not possible:
            continue
        whole = len(possible) == len(fact.numbers)
        taken = fact if whole else SetFact(day=fact.day, carrier=fact.carrier, event=fact.event, numbers=possible)
        verdict.accepted.append((layer, taken))
        _note_recycled(verdict, state, taken)
        state.apply(taken)
    return verdict


def _by_event(facts: Sequence[SetFact]) -> dict[tuple[date, str, Event], BitMap]:
    found: dict[tuple[date, str, Event], BitMap] = {}
    for fact in facts:
        key = (fact.day, fact.carrier, fact.event)
        found[key] = found[key] | fact.numbers if key in found else fact.numbers
    return found


def _with_last(facts: Sequence[SetFact]) -> list[tuple[SetFact, BitMap]]:
    """The facts from last to first, each with the numbers that no later one names."""
    seen = BitMap()
    found = []
    for fact in reversed(facts):
        found.append((fact, fact.numbers - seen))
        seen |= fact.numbers
    return found


def _note_recycled(verdict: Verdict, state: ShardState, taken: SetFact) -> None:
    again = BitMap()
    if taken.event is Event.TRANSFERRED:
        again = taken.numbers
    elif taken.event is Event.OPENED:
        again = state.sleeping(taken.numbers)
    if again:
        verdict.recycled.append(SetFact(day=taken.day, carrier=taken.carrier, event=taken.event, numbers=again))


def _reasons(
    state: ShardState, fact: SetFact, late: BitMap, bad: BitMap, range_owner: str | None
) -> Iterator[tuple[BitMap, Sentence]]:
    """The refused numbers by the one reason that holds for them."""
    event = EVENTS_SAID[fact.event]
    if late:
        yield (
            late,
            Sentence(
                "%(event)s on %(day)s comes too late: a later event of this number is on record", event=event, day=fact.day
            ),
        )
    if not bad:
        return
    for (carrier, day), places in state.frozen_on(bad).items():
        yield places, Sentence(
            "%(event)s can't follow: the number was cancelled on %(day)s, as %(carrier)s reported",
            event=event, day=day, carrier=carrier,
        )  # fmt: skip
    for carrier, places in state.in_service.items():
        if here := bad & places:
            yield (
                here,
                Sentence("%(event)s can't follow: the number is in service at %(carrier)s", event=event, carrier=carrier),
            )
    for carrier, places in state.ported.items():
        if here := bad & places:
            yield here, Sentence(
                "%(event)s can't follow: the number was ported out of %(carrier)s; the carrier that took it in reports it"
                " now",
                event=event, carrier=carrier,
            )  # fmt: skip
    if unknown := bad - state.known:
        if fact.carrier != range_owner:
            yield unknown, Sentence(
                "the range belongs to %(owner)s, and no port-out of the number is on record; %(owner)s reports it, or its"
                " ported_out first",
                owner=range_owner,
            )  # fmt: skip
        else:
            yield unknown, Sentence("%(event)s can't come first: no cancellation of the number is on record", event=event)
