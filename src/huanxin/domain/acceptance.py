"""Which of a report's sets may be taken, given what is on record: no event out of order, none twice, none impossible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from pyroaring import BitMap

from huanxin.domain.late import Woven, as_facts, weave
from huanxin.domain.leaving import Left, left_by
from huanxin.domain.lifecycle import EVENTS_SAID, Event, SetFact, ShardState
from huanxin.domain.refusals import Cause, Refusal, Why, reasons, stands_again
from huanxin.domain.same_day import NEWS, Met, meet
from huanxin.words.sentences import Sentence


@dataclass(kw_only=True)
class Verdict:
    """What becomes of one shard's new facts."""

    accepted: list[SetFact] = field(default_factory=list)
    known: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    recycled: list[SetFact] = field(default_factory=list)
    """those accepted that gave a number with a history to a new owner"""
    left: list[Left] = field(default_factory=list)
    """what those accepted took out of the freeze"""
    late: BitMap = field(default_factory=BitMap)
    """numbers with an event that is older than what is on record of them, and was not taken"""
    past: BitMap = field(default_factory=BitMap)
    """numbers with such an event that was taken: their past is another now"""


def judge(
    old: Sequence[SetFact], new: Sequence[SetFact], range_owner: str | None, *, stood: ShardState | None = None
) -> Verdict:
    """Walk the facts of one shard in the order in which they happened, and sort the new ones.

    `old` and `new` are each in order. What comes after all that is on record of its numbers is judged by where they stand;
    what is older, by the whole order of theirs (domain.late). Of a day that both name a number on, the instants say
    (domain.same_day). What is known changes nothing (rule 7).

    stood: where the numbers stood before all of `old` and `new`, on an earlier day; it changes. With it nothing can be said
    of `late` numbers, whose whole order has to be seen: judge again with all of it in `old`.
    """
    mine = BitMap.union(BitMap(), *(fact.numbers for fact in new))
    past = [fact for fact in old if not fact.numbers.isdisjoint(mine)]  # other numbers' history decides nothing here
    met = list(_met(past, new))
    walk = _Walk(past=past, new=new, met=met, range_owner=range_owner)
    walk.run(stood)
    if walk.late and stood is None:
        woven = weave(past, new, [_fresh(*one) for one in zip(new, met, strict=True)], walk.late, range_owner)
        walk = _Walk(past=past, new=new, met=met, range_owner=range_owner, woven=woven)
        walk.run()
    return walk.verdict()


def _fresh(fact: SetFact, met: Met) -> BitMap:
    """What a new fact says that is neither known nor unclear, nor without a place among what is on record."""
    return fact.numbers if met is NEWS else fact.numbers - met.known - met.unclear - met.late


@dataclass(kw_only=True)
class _Walk:
    """One walk through a shard's facts. `late`: numbers of which it met an event older than what is on record. With `woven`,
    those are judged: what was taken is left alone, what was not is refused."""

    past: Sequence[SetFact]
    new: Sequence[SetFact]
    met: Sequence[Met]
    range_owner: str | None
    woven: Woven = field(default_factory=Woven)
    late: BitMap = field(default_factory=BitMap)
    taken: dict[int, BitMap] = field(default_factory=dict)
    recycled: dict[int, BitMap] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def run(self, stood: ShardState | None = None) -> None:
        state, elsewhere = stood or ShardState(), BitMap.union(BitMap(), *(entry.numbers for entry in self.woven.taken))
        waiting = _with_last(self.past)
        ahead = BitMap.union(BitMap(), *(last for _, last in waiting))
        for index, (fact, met) in enumerate(zip(self.new, self.met, strict=True)):
            while waiting and waiting[-1][0].day <= fact.day:
                earlier, last = waiting.pop()
                state.apply(earlier)
                ahead -= last
            fresh = _fresh(fact, met)
            if elsewhere:
                fresh = fresh - elsewhere
            late = fresh & ahead if met is NEWS else (fresh & ahead) | (fresh & met.early)
            possible = state.possible(fact.event, fact.carrier, self.range_owner, fresh - late if late else fresh)
            self.late |= late
            if met is not NEWS or len(possible) < len(fresh):
                self._refuse(state, fact, met, late, fresh - late - possible)
            if possible:
                self.taken[index] = possible
                taken = fact if len(possible) == len(fact.numbers) else fact.part(possible)
                if again := _recycled(state, fact.event, possible):
                    self.recycled[index] = again
                self.left += left_by(state, taken)
                state.apply(taken)

    def _refuse(self, state: ShardState, fact: SetFact, met: Met, late: BitMap, bad: BitMap) -> None:
        found = [
            (met.unclear, Why(reason=stands_again(fact.event), cause=Cause.DOUBT)),
            (met.late, _too_late(fact, _NO_TIME)),
            *((late & numbers, _too_late(fact, why)) for why, numbers in self.woven.why.items()),
        ]
        found += reasons(state, fact, bad, self.range_owner) if bad else []
        self.refusals += [
            Refusal(fact=fact, numbers=numbers, reason=why.reason, cause=why.cause, whose=why.whose)
            for numbers, why in found if numbers
        ]  # fmt: skip

    def verdict(self) -> Verdict:
        return Verdict(
            accepted=as_facts(self.new, self.woven.taken, self.taken), known=sum(len(one.known) for one in self.met),
            refusals=self.refusals, recycled=as_facts(self.new, self.woven.recycled, self.recycled),
            left=[*self.woven.left, *self.left], late=self.late,
            past=BitMap.union(BitMap(), *(entry.numbers for entry in self.woven.taken)),
        )  # fmt: skip


_NO_TIME = Why(
    reason=Sentence("of that day something is on record without a time, so nobody can tell which came first"),
    cause=Cause.DOUBT,
)  # fmt: skip


def _too_late(fact: SetFact, why: Why) -> Why:
    reason = Sentence(
        "%(event)s on %(day)s comes too late: something later is on record, and it doesn't fit in before it (%(why)s)",
        event=EVENTS_SAID[fact.event], day=fact.day, why=why.reason,
    )  # fmt: skip
    return replace(why, reason=reason)


def _met(past: Sequence[SetFact], new: Sequence[SetFact]) -> Iterator[Met]:
    """For each new fact, which of its numbers are no news on its day."""
    days: dict[date, list[SetFact]] = {}
    for fact in past:
        days.setdefault(fact.day, []).append(fact)
    for day, facts in groupby(new, key=lambda fact: fact.day):
        yield from meet(days.get(day, ()), list(facts))


def _with_last(facts: Sequence[SetFact]) -> list[tuple[SetFact, BitMap]]:
    """The facts from last to first, each with the numbers that no later one names."""
    seen = BitMap()
    found = []
    for fact in reversed(facts):
        found.append((fact, fact.numbers - seen))
        seen |= fact.numbers
    return found


def _recycled(state: ShardState, event: Event, taken: BitMap) -> BitMap:
    """Those of some numbers that an event gives to a new owner, and that had one before."""
    if event is Event.TRANSFERRED:
        return taken
    return state.sleeping(taken) if event is Event.OPENED else BitMap()
