"""A carrier's first day: the present state of all its numbers, so that what is reported from then on follows on something.

Reclaims and sales of what was frozen before are no errors then, and a number that was taken along may be reported by the
carrier that took it in. What can be told of a number begins there: who had it before is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.domain.errors import Fault
from huanxin.domain.lifecycle import EVENTS, OF_BASELINES, Event, SetFact, ShardState
from huanxin.domain.numbers import written
from huanxin.domain.refusals import Cause, Refusal
from huanxin.domain.trade import Trade
from huanxin.numbersets import tables
from huanxin.numbersets.files import name_of
from huanxin.numbersets.sharded import NumberSet
from huanxin.report.grouping import Layers, by_shard, in_layers
from huanxin.report.importing import (
    ALL,
    Imported,
    Most,
    Progress,
    ShardFact,
    faults_of,
    imported_before,
    inspect,
    judge_shard,
    nothing,
    one_after_another,
    read_all,
    record,
)
from huanxin.report.kinds import refused
from huanxin.report.lines import Form, Lines
from huanxin.store import facts
from huanxin.store.acting import Act, Reading
from huanxin.store.database import recording_facts
from huanxin.store.report import affected, settled
from huanxin.store.report.reports import Mends
from huanxin.words.sentences import N_, Sentence

NEVER_SOLD = "never_sold"
_UNSOLD = len(EVENTS)
_SERVED, _LEFT = EVENTS.index(Event.SERVED), EVENTS.index(Event.PORTED_OUT)
_STATES = {"in_service": Event.IN_SERVICE, "frozen": Event.CANCELLED, "ported_out": Event.PORTED_OUT}
_NAMES = {event: word for word, event in _STATES.items()} | {Event.SERVED: "in_service"}
_CODES = {word: EVENTS.index(event) for word, event in _STATES.items()} | {NEVER_SOLD: _UNSOLD}
NAMES = ("number", "state", "since")


@cache
def baseline_form(words: Trade) -> Form:
    """A baseline's, in the words of the trade. A frozen number needs its day, from which the freeze counts."""
    codes = {way: code for state, code in _CODES.items() for way in (state, *words.states.get(state, ()))}
    return Form(
        columns=tables.Columns(names=NAMES, aliases=words.aliases(NAMES)), codes=codes, known=tuple(_CODES),
        unknown=N_("state %(event)s is unknown; it is one of %(known)s"),
        timeless={EVENTS.index(Event.IN_SERVICE): _SERVED, _LEFT: _LEFT, _UNSOLD: _UNSOLD},
    )  # fmt: skip


_TWICE = Sentence("the number stands in another line with another state; a number has one")
_NOT_UNSOLD = Sentence("never sold can't be: the number is on record, or its range is another carrier's")


def import_baseline(
    act: Act, path: Path, *, carrier: str, skip_bad: bool = False, progress: Progress = lambda _step, _lines: None,
    keep_rejects: Callable[[Sequence[Fault]], None] = lambda _: None, region: str | None = None, most: Most = ALL,
) -> Imported:  # fmt: skip
    """Take the present state of a carrier's numbers, whole or not at all. Of a number that is on record already a state that
    agrees with the record changes nothing, and another is refused. Raises as `report.importing.import_report` does."""
    source = inspect(path, carrier, act.plan, most.bytes)
    lines, faults = read_all(
        source, act.plan.carriers[carrier].writing_in(region), act.plan, act.now, progress, most.bad,
        baseline_form(act.plan.words),
    )  # fmt: skip
    one_after_another(act.tx)
    recording_facts(act.tx)
    if known_already := imported_before(act.tx, source, carrier):
        return known_already
    weighed = weigh_states(act, lines, faults, carrier)
    if not weighed.total:
        raise nothing(name_of(path))
    if weighed.bad and not skip_bad:
        raise refused(name_of(path), weighed.total, weighed.bad)
    left_out = tuple(fault for fault, _ in weighed.bad)
    if left_out:
        keep_rejects(left_out)
    done = Imported(
        report_id=0, lines=weighed.total, accepted=sum(weighed.counts.values()), known=weighed.known, counts=weighed.counts,
        faults=left_out,
    )  # fmt: skip
    kind = Mends(kind="baseline")
    report_id = record(act, source, done, weighed.sets, file_name=name_of(path), carrier=carrier, mends=kind)
    facts.unsold_sets(act.tx, report_id, weighed.unsold)
    affected.note(act.tx, report_id, ())
    return replace(done, report_id=report_id)


@dataclass(frozen=True, kw_only=True)
class WeighedStates:
    """States beside what is on record: how many lines they are, and how many of these say what is known; the facts to
    record, and the numbers that were never sold; those by state; the lines that can't be taken, each with why."""

    total: int
    known: int
    sets: Sequence[ShardFact]
    unsold: NumberSet
    bad: list[tuple[Fault, Refusal | None]]

    @property
    def counts(self) -> dict[str, int]:
        """Numbers by state, every state named."""
        counts = dict.fromkeys(_CODES, 0) | {NEVER_SOLD: len(self.unsold)}
        for _, fact in self.sets:
            counts[_NAMES[fact.event]] += len(fact.numbers)
        return counts


def weigh_states(reading: Reading, lines: Lines, faults: Sequence[Fault], carrier: str) -> WeighedStates:
    """Judge a file's good lines by what is on record; `faults`: its others."""
    once, repeated, twice = _once(lines)
    never = once.event == _UNSOLD
    layers = in_layers(once.take(~never))
    sets, known, refusals = _judge(reading, layers, carrier)
    unsold, sold = _unsold(reading, once.take(never), carrier)
    bad: list[tuple[Fault, Refusal | None]] = [
        (fault, None) for fault in (*faults, *_faults(twice, _TWICE), *_faults(sold, _NOT_UNSOLD))
    ]
    zone = reading.plan.carriers[carrier].zone
    bad += [(_as_state(fault), refusal) for fault, refusal in faults_of(layers, refusals, zone)]
    bad.sort(key=lambda entry: entry[0].line)
    total = len(lines) + len(faults)
    return WeighedStates(total=total, known=known + repeated, sets=sets, unsold=unsold, bad=bad)


def state_of(code: int) -> str:
    """The state that a line of a baseline names."""
    return NEVER_SOLD if code == _UNSOLD else _NAMES[EVENTS[code]]


def _once(lines: Lines) -> tuple[Lines, int, Lines]:
    """Each number's first line; how many repeat it; and those that say something else of it."""
    ordered = lines.take(np.lexsort((lines.line, lines.number)))
    again: npt.NDArray[np.bool_] = np.zeros(len(ordered), np.bool_)
    again[1:] = ordered.number[1:] == ordered.number[:-1]
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(ordered))))
    same = again & (ordered.event == ordered.event[first]) & (ordered.day == ordered.day[first])
    return ordered.take(~again), int(same.sum()), ordered.take(again & ~same)


def _judge(
    reading: Reading, layers: Layers, carrier: str
) -> tuple[list[ShardFact], int, list[tuple[int, Refusal]]]:  # fmt: skip
    """(sets to record, lines known, refusals)."""
    by_number = dict(by_shard(layers, carrier))
    sets: list[ShardFact] = []
    refusals: list[tuple[int, Refusal]] = []
    known = 0
    first = {shard: min(fact.day for fact in new) for shard, new in by_number.items()}
    for shard, stood, since in settled.before(reading.tx, first):
        now = next((found for _, found in settled.states(reading.tx, [shard])), ShardState())
        left = list[SetFact]()
        for fact in by_number[shard]:
            agreed, other = _beside(now, fact)
            known += len(agreed)
            if other:
                refusals.append((shard, Refusal(fact=fact, numbers=other, reason=_otherwise(fact), cause=Cause.ORDER)))
            if news := fact.numbers - agreed - other:
                left.append(fact.part(news))
        verdict = judge_shard(reading, shard, stood, since, left)
        sets += [(shard, fact) for fact in verdict.accepted]
        refusals += [(shard, refusal) for refusal in verdict.refusals]
    return sets, known, refusals


def _beside(state: ShardState, fact: SetFact) -> tuple[BitMap, BitMap]:
    """Of the numbers that are on record: those of which the record says the same, and those of which it says something else.
    One that left another carrier is news: its carrier says that it took it in."""
    nothing = BitMap()
    here = fact.numbers & state.known
    if fact.event is Event.CANCELLED:
        agreed = state.frozen_on(here).get((fact.carrier, fact.day), nothing)
        return agreed, here - agreed
    table = state.ported if fact.event is Event.PORTED_OUT else state.in_service
    agreed = here & table.get(fact.carrier, nothing)
    taken_in = BitMap.union(nothing, *state.ported.values()) & here if fact.event in OF_BASELINES else nothing
    return agreed, here - agreed - taken_in


def _otherwise(fact: SetFact) -> Sentence:
    return Sentence(
        "the record says something else of this number than %(state)s; look it up, and mend the file or the report",
        state=_NAMES[fact.event],
    )  # fmt: skip


def _unsold(reading: Reading, lines: Lines, carrier: str) -> tuple[NumberSet, Lines]:
    """Numbers that were never sold; and lines of those that are on record, or whose range is another's."""
    wanted = NumberSet.of(lines.number)
    mine = {shard: places for shard, places in wanted.shards.items() if reading.plan.owner(shard) == carrier}
    for shard, state in settled.states(reading.tx, list(mine)):
        mine[shard] = mine[shard] - state.known
    good = NumberSet({shard: places for shard, places in mine.items() if places})
    return good, lines.take(np.isin(lines.number, (wanted - good).numbers()))


def _faults(lines: Lines, reason: Sentence) -> list[Fault]:
    return [Fault(line=int(lines.line[row]), reason=reason, text=_text(lines, row)) for row in range(len(lines))]


def _text(lines: Lines, row: int) -> str:
    """A line as its carrier would write it."""
    code, since = int(lines.event[row]), str(np.datetime64(int(lines.day[row]), "D"))
    state = state_of(code)
    return f"{written(int(lines.number[row]))},{state},{'' if code in (_UNSOLD, _SERVED) else since}"


def _as_state(fault: Fault) -> Fault:
    """A fault of a line whose text names an event, with its state."""
    number, event, since = fault.text.split(",")
    return replace(fault, text=f"{number},{_NAMES[Event(event)]},{'' if event == Event.SERVED else since}")
