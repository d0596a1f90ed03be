"""Which of a report's sets may be taken, given what is on record: no event out of order, none twice, none impossible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from pyroaring import BitMap

from huanxin.domain.lifecycle import EVENTS_SAID, Event, SetFact, ShardState
from huanxin.domain.same_day import NEWS, Met, meet
from huanxin.words.sentences import Sentence


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Numbers (within the shard) whose event can't be taken, and why."""

    fact: SetFact
    numbers: BitMap
    reason: str


@dataclass(kw_only=True)
class Verdict:
    """What becomes of one shard's new facts."""

    accepted: list[SetFact] = field(default_factory=list)
    known: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    recycled: list[SetFact] = field(default_factory=list)
    """those accepted that gave a number with a history to a new owner"""


def judge(old: Sequence[SetFact], new: Sequence[SetFact], range_owner: str | None) -> Verdict:
    """Walk the facts of one shard in the order in which they happened, and sort the new ones.

    `old` and `new` are each in order, and what is taken comes after what is on record of its numbers; of a day that both
    name a number on, the instants say whether it does (domain.same_day). What is known changes nothing (rule 7).
    """
    mine = BitMap.union(BitMap(), *(fact.numbers for fact in new))
    past = [fact for fact in old if not fact.numbers.isdisjoint(mine)]  # other numbers' history decides nothing here
    verdict, state = Verdict(), ShardState()
    waiting, ahead = _with_last(past), mine & BitMap.union(BitMap(), *(f.numbers for f in past))
    for fact, met in zip(new, _met(past, new), strict=True):
        while waiting and waiting[-1][0].day <= fact.day:
            earlier, last = waiting.pop()
            state.apply(earlier)
            ahead -= last
        verdict.known += len(met.known)
        fresh = fact.numbers if met is NEWS else fact.numbers - met.known - met.unclear
        late = (fresh & ahead) | met.late
        possible = state.possible(fact.event, fact.carrier, range_owner, fresh - late if late else fresh)
        if met.unclear or len(possible) < len(fresh):
            for numbers, reason in _reasons(state, fact, met.unclear, late, fresh - late - possible, range_owner):
                verdict.refusals.append(Refusal(fact=fact, numbers=numbers, reason=reason))
        if not possible:
            continue
        taken = fact if len(possible) == len(fact.numbers) else fact.part(possible)
        verdict.accepted.append(taken)
        _note_recycled(verdict, state, taken)
        state.apply(taken)
    return verdict


def _met(past: Sequence[SetFact], new: Sequence[SetFact]) -> Iterator[Met]:
    """For each new fact, which of its numbers are no news on its day."""
    days: dict[date, list[SetFact]] = {}
    for fact in past:
        days.setdefault(fact.day, []).append(fact)
    for day, facts in groupby(new, key=lambda fact: fact.day):
        yield from meet(days.get(day, ()), list(facts))


def stands_again(event: Event) -> Sentence:
    """Why an event is neither known nor taken, and what the carrier can do."""
    return Sentence(
        "%(event)s stands on this day already, with another event in between, and no time of its own says whether it"
        " happened twice; send all events of the number on this day in one file, each with its time",
        event=EVENTS_SAID[event],
    )


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
        verdict.recycled.append(taken.part(again))


def _reasons(
    state: ShardState, fact: SetFact, unclear: BitMap, late: BitMap, bad: BitMap, range_owner: str | None
) -> Iterator[tuple[BitMap, Sentence]]:
    """The refused numbers by the one reason that holds for them."""
    event = EVENTS_SAID[fact.event]
    if unclear:
        yield unclear, stands_again(fact.event)
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
            yield here, _served(fact, carrier)
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


def _served(fact: SetFact, carrier: str) -> Sentence:
    """Why an event can't follow where a carrier serves the number."""
    event = EVENTS_SAID[fact.event]
    if fact.event is Event.PORTED_IN and fact.carrier != carrier:
        return Sentence(
            "%(event)s can't follow yet: the number is in service at %(carrier)s, which has not reported ported_out; send it"
            " again once it has",
            event=event, carrier=carrier,
        )  # fmt: skip
    return Sentence("%(event)s can't follow: the number is in service at %(carrier)s", event=event, carrier=carrier)
