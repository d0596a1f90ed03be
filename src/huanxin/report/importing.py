"""Verb 1, report: a carrier's file becomes recorded facts, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from pyroaring import BitMap

from huanxin.domain.acceptance import Verdict, judge
from huanxin.domain.errors import BadInput, Fault, NotFound, stop_at, unreadable
from huanxin.domain.leaving import Left
from huanxin.domain.lifecycle import EVENTS, SetFact, ShardState
from huanxin.domain.mended import Changed, OfShard
from huanxin.domain.mending import among
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.domain.refusals import Refusal, stands_again
from huanxin.numbersets import tables
from huanxin.numbersets.files import name_of
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, values_of
from huanxin.report.grouping import MOST_A_DAY, Layers, by_shard, in_layers
from huanxin.report.kinds import refused
from huanxin.report.lines import Form, Lines, read_lines
from huanxin.store import facts
from huanxin.store.acting import Act, Reading
from huanxin.store.database import Tx, one_name_at_a_time, recording_facts
from huanxin.store.report import reports, settled
from huanxin.store.report.reports import Mends
from huanxin.words.sentences import Sentence

Progress = Callable[[str, int], None]
"""Called with what is being done and how many lines it has come."""

ShardFact = tuple[int, SetFact]
"""(shard, fact)"""


@dataclass(frozen=True, kw_only=True)
class Most:
    """What of a report is read before it is refused: bad lines, and bytes once unpacked; None: all of it."""

    bad: int | None = None
    bytes: int | None = None


ALL = Most()

_EPOCH = date(1970, 1, 1).toordinal()
_REPORTS = "reports are judged one after another"


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did. `known` lines were on record or repeated; `faults` are the lines that were left out."""

    report_id: int
    lines: int
    accepted: int
    known: int
    counts: dict[str, int]
    faults: tuple[Fault, ...] = ()
    already: bool = False
    recycled: list[ShardFact] = field(default_factory=list, repr=False)
    """numbers with a history that have a new owner now"""
    left: list[tuple[int, Left]] = field(default_factory=list, repr=False)
    """(shard, what left the freeze)"""
    changed: Changed | None = field(default=None, repr=False)
    """the numbers of which something older than what was on record was taken: their past is another now"""


def import_report(
    act: Act, path: Path, *, carrier: str, skip_bad: bool = False, progress: Progress = lambda _step, _lines: None,
    most: Most = ALL, region: str | None = None, before_late: Callable[[NumberSet], None] = lambda _: None,
) -> Imported:  # fmt: skip
    """Take a report in this transaction; `now` is the instant of the import, aware. `before_late` is called with the numbers
    whose past will be another, while it is still as it was.

    A file whose content was imported before changes nothing. Raises BadInput with every bad line, unless `skip_bad`
    leaves them out; either way reading ends with more than `most`. `region`: of the numbers without a country code, if not
    the carrier's. NotFound for a carrier
    that is not configured.
    """
    source = inspect(path, carrier, act.plan, most.bytes)
    if known_already := imported_before(act.tx, source, carrier):
        return known_already
    lines, faults = read_all(source, act.plan.carriers[carrier].writing_in(region), act.plan, act.now, progress, most.bad)
    progress("checking against what is on record", len(lines) + len(faults))
    # Read first, then wait: each report is judged by all those before it, and nobody waits while a long one is read.
    one_after_another(act.tx)
    recording_facts(act.tx)
    if known_already := imported_before(act.tx, source, carrier):
        return known_already
    weighed = weigh(act, lines, faults, carrier)
    if not weighed.total:
        raise nothing(name_of(path))
    if weighed.bad and not skip_bad:
        raise refused(name_of(path), weighed.total, weighed.bad)
    judged = weighed.judged
    progress("recording", weighed.total)
    counts = weighed.counts
    done = Imported(
        report_id=0, lines=weighed.total, accepted=sum(counts.values()), known=weighed.known, counts=counts,
        faults=tuple(fault for fault, _ in weighed.bad), recycled=judged.recycled,
    )  # fmt: skip
    late = NumberSet(judged.past)
    before = on_record(act.tx, late)
    before_late(late)
    report_id = record(act, source, done, judged.accepted, file_name=name_of(path), carrier=carrier)
    changed = _changed(act.tx, report_id, name_of(path), late, before) if late else None
    left = [(shard, of_report(one, report_id)) for shard, one in judged.left]
    return replace(done, report_id=report_id, left=left, changed=changed)


def on_record(tx: Tx, numbers: NumberSet) -> dict[int, list[SetFact]]:
    """What is on record of some numbers, by shard."""
    every = reports.facts_by_shard(tx, shards=numbers.shards) if numbers else ()
    return {shard: among(facts, numbers.shards[shard]) for shard, facts in every}


def _changed(tx: Tx, report_id: int, name: str, late: NumberSet, before: Mapping[int, list[SetFact]]) -> Changed:
    after = on_record(tx, late)
    shards = {
        shard: OfShard(numbers=numbers, before=before.get(shard, []), after=after.get(shard, []))
        for shard, numbers in late.shards.items()
    }
    return Changed(report_id=report_id, reason=f"report {report_id} came late: {name}", taken_back={}, shards=shards)


def of_report(left: Left, report_id: int) -> Left:
    """The same with the cancellations that stand in this report named as they are on record."""
    return replace(left, rested={
        one if one.report else replace(one, report=report_id): numbers for one, numbers in left.rested.items()
    })  # fmt: skip


def one_after_another(tx: Tx) -> None:
    """Have those that record reports, or mend them, wait for each other: each is judged by all those before it."""
    one_name_at_a_time(tx, _REPORTS)


def imported_before(tx: Tx, source: tables.Source, carrier: str) -> Imported | None:
    """What came of the same content before, if it was imported."""
    before = reports.find(tx, carrier=carrier, sha256=source.sha256)
    if before is None:
        return None
    return Imported(
        report_id=before.id, lines=before.lines, accepted=before.accepted, known=before.known, counts=before.counts,
        already=True,
    )  # fmt: skip


def inspect(path: Path, carrier: str, plan: NumberingPlan, most_bytes: int | None) -> tables.Source:
    if carrier not in plan.carriers:
        raise NotFound(
            Sentence("no carrier is named %(carrier)s; known are %(names)s", carrier=carrier, names=", ".join(plan.carriers))
        )
    try:
        return tables.inspect(path, most=most_bytes)
    except tables.BadTable as error:
        raise unreadable(name_of(path), error.reason, error.line) from error


def record(
    act: Act, source: tables.Source, done: Imported, sets: Iterable[ShardFact], *, file_name: str, carrier: str,
    mends: Mends | None = None,
) -> int:  # fmt: skip
    report_id = facts.report(
        act.tx, carrier=carrier, file_name=file_name, sha256=source.sha256, lines=done.lines, accepted=done.accepted,
        known=done.known, rejected=len(done.faults), counts=done.counts, by=act.by, at=act.now, mends=mends,
    )  # fmt: skip
    facts.report_sets(act.tx, report_id, sets)
    return report_id


def read_all(
    source: tables.Source, carrier: Carrier, plan: NumberingPlan, now: datetime, progress: Progress, most_bad: int | None,
    form: Form | None = None,
) -> tuple[Lines, list[Fault]]:  # fmt: skip
    parts: list[Lines] = []
    faults: list[Fault] = []
    read = 0
    each = None if most_bad is None else most_bad + 1
    for part, found in read_lines(source, carrier=carrier, plan=plan, now=now, most_bad=each, form=form):
        parts.append(part)
        faults.extend(found)
        stop_at(most_bad, faults, name=source.name)
        read += len(part) + len(found)
        progress("reading", read)
    return Lines.joined(parts), faults


@dataclass(kw_only=True)
class _Judged:
    """What becomes of a report's facts, each with its shard."""

    accepted: list[ShardFact] = field(default_factory=list)
    recycled: list[ShardFact] = field(default_factory=list)
    left: list[tuple[int, Left]] = field(default_factory=list)
    refusals: list[tuple[int, Refusal]] = field(default_factory=list)
    past: dict[int, BitMap] = field(default_factory=dict)
    known: int = 0


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A report's lines beside what is on record: how many they are, in their layers, what becomes of their facts, and those
    that can't be taken, by line, each with why."""

    total: int
    layers: Layers
    judged: _Judged
    bad: list[tuple[Fault, Refusal | None]]

    @property
    def known(self) -> int:
        return self.judged.known + self.layers.repeated

    @property
    def counts(self) -> dict[str, int]:
        """Numbers by event, every event named."""
        counts = {event.value: 0 for event in EVENTS}
        for _, fact in self.judged.accepted:
            counts[fact.event.value] += len(fact.numbers)
        return counts


def nothing(name: str) -> BadInput:
    """Why a file without lines isn't taken."""
    return unreadable(name, Sentence("there is no line after the header, so nothing was recorded; export it again"))


def weigh(reading: Reading, lines: Lines, faults: Sequence[Fault], carrier: str) -> Weighed:
    """Judge a report's good lines by what is on record; `faults`: its others."""
    layers = in_layers(lines)
    judged = _judge_all(reading, dict(by_shard(layers, carrier)))
    zone = reading.plan.carriers[carrier].zone
    bad = [*((fault, None) for fault in faults), *faults_of(layers, judged.refusals, zone),
           *((fault, None) for fault in left_out(layers, zone))]  # fmt: skip
    bad.sort(key=lambda entry: entry[0].line)
    return Weighed(total=len(lines) + len(faults), layers=layers, judged=judged, bad=bad)


def _judge_all(reading: Reading, new: Mapping[int, list[SetFact]]) -> _Judged:
    """Every shard's new facts, judged by where its numbers stood before the first of them, and by what happened since."""
    judged = _Judged()
    first = {shard: min(fact.day for fact in facts) for shard, facts in new.items()}
    for shard, stood, since in settled.before(reading.tx, first):
        verdict = judge_shard(reading, shard, stood, since, new[shard])
        judged.accepted.extend((shard, fact) for fact in verdict.accepted)
        judged.recycled.extend((shard, fact) for fact in verdict.recycled)
        judged.left.extend((shard, left) for left in verdict.left)
        judged.refusals.extend((shard, refusal) for refusal in verdict.refusals)
        judged.known += verdict.known
        if verdict.past:
            judged.past[shard] = verdict.past
    return judged


def judge_shard(reading: Reading, shard: int, stood: ShardState, since: list[SetFact], new: list[SetFact]) -> Verdict:
    """One shard's new facts, judged by where its numbers stood and what happened since; by all that ever happened where one
    is older than what is on record of its numbers."""
    past, owner = reports.with_instants(reading.tx, shard, since, days_met(since, new)), reading.plan.owner(shard)
    verdict = judge(past, new, owner, stood=stood)
    if not verdict.late:
        return verdict
    _, whole = next(reports.facts_by_shard(reading.tx, shards=[shard]))
    past = reports.with_instants(reading.tx, shard, whole, days_met(whole, new))
    return judge(past, new, owner)


def days_met(old: list[SetFact], new: list[SetFact]) -> set[date]:
    """The days on which numbers are named that something is on record of on the same day: there the instants decide."""
    named: dict[date, BitMap] = {}
    for fact in new:
        named[fact.day] = named.get(fact.day, BitMap()) | fact.numbers
    return {fact.day for fact in old if fact.day in named and not fact.numbers.isdisjoint(named[fact.day])}


def faults_of(layers: Layers, refusals: list[tuple[int, Refusal]], zone: ZoneInfo) -> Iterator[tuple[Fault, Refusal]]:
    """The refused numbers as lines of the file."""
    if not refusals:
        return
    lines = layers.lines
    order = np.argsort(lines.number, kind="stable")
    ordered = lines.number[order]
    for shard, refusal in refusals:
        day = refusal.fact.day.toordinal() - _EPOCH
        event = EVENTS.index(refusal.fact.event)
        for number in _numbers(shard, refusal.numbers):
            low, high = np.searchsorted(ordered, [number, number + 1])
            for row in order[low:high].tolist():
                if lines.day[row] == day and lines.event[row] == event and layers.layer[row] == refusal.fact.layer:
                    yield Fault(line=int(lines.line[row]), reason=refusal.reason, text=lines.text(row, zone)), refusal


def left_out(layers: Layers, zone: ZoneInfo) -> Iterator[Fault]:
    """Lines beyond what a number can go through on a day, and those that nobody can tell from repeated ones."""
    many = Sentence("the number stands more than %(most)s times on this day; report what happened", most=MOST_A_DAY)
    for lines, reasons in ((layers.crowded, [many] * len(EVENTS)), (layers.unclear, [stands_again(one) for one in EVENTS])):
        for row, event in enumerate(lines.event.tolist()):
            yield Fault(line=int(lines.line[row]), reason=reasons[event], text=lines.text(row, zone))


def _numbers(shard: int, places: BitMap) -> list[int]:
    return [shard * SHARD_SIZE + offset for offset in values_of(places).tolist()]
