"""Single events that were wrong are corrected: taken back, and what is right put in their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pyroaring import BitMap

from huanxin.domain.acceptance import judge
from huanxin.domain.errors import Conflict, Fault, unreadable
from huanxin.domain.leaving import Left
from huanxin.domain.lifecycle import EVENTS, EVENTS_SAID, SetFact
from huanxin.domain.mended import Changed
from huanxin.domain.mending import among, without
from huanxin.domain.refusals import Refusal
from huanxin.numbersets import tables
from huanxin.numbersets.files import name_of
from huanxin.numbersets.instants import NO_TIME
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, shard_of
from huanxin.report.corrections import Said, each, read
from huanxin.report.grouping import Layers, by_shard, in_layers
from huanxin.report.importing import ShardFact, days_met, faults_of, inspect, left_out, of_report, one_after_another
from huanxin.report.kinds import refused
from huanxin.report.lines import Lines
from huanxin.report.mending import CORRECTION, About, mend
from huanxin.store.acting import Act
from huanxin.store.report import reports
from huanxin.store.report.reports import Mends
from huanxin.words.sentences import N_, Sentence

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A correction as it was read, once it is its turn. numbers: all of which it says something."""

    carrier: str
    file_name: str
    source: tables.Source
    said: Said
    wrong: Lines
    layers: Layers
    numbers: NumberSet


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """What a correction changed. left: what it took out of the freeze; news: what it gave to new owners, but for those of
    whom that was said before, on another day."""

    changed: Changed
    counts: dict[str, int]
    left: list[tuple[int, Left]] = field(repr=False)
    news: list[ShardFact] = field(repr=False)


def read_correction(act: Act, path: Path, *, carrier: str, region: str | None = None) -> tuple[Act, Correction]:
    """Read a correction, and wait for our turn. Raises BadInput, NotFound; Conflict if it was taken before."""
    source = inspect(path, carrier, act.plan, None)
    said = read(source, carrier=act.plan.carriers[carrier].writing_in(region), plan=act.plan, now=act.now)
    wrong, layers = Lines.joined(said.wrong), in_layers(Lines.joined(said.right))
    if not said.count and not said.faults:
        raise unreadable(name_of(path), Sentence("there is no line after the header, so nothing was recorded"))
    one_after_another(act.tx)
    act = act.alone()
    if before := reports.find(act.tx, carrier=carrier, sha256=source.sha256):
        raise Conflict(Sentence("this file was taken before, as report %(report)s; nothing changes", report=before.id))
    numbers = NumberSet.of(np.concatenate([wrong.number, layers.lines.number]))
    return act, Correction(
        carrier=carrier, file_name=name_of(path), source=source, said=said, wrong=wrong, layers=layers, numbers=numbers
    )


@dataclass(kw_only=True)
class _Judged:
    taken: list[ShardFact] = field(default_factory=list)
    added: list[ShardFact] = field(default_factory=list)
    recycled: list[ShardFact] = field(default_factory=list)
    left: list[tuple[int, Left]] = field(default_factory=list)
    refusals: list[tuple[int, Refusal]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    known: int = 0


def correct(act: Act, one: Correction, *, reason: str, approved_by: str = "") -> Corrected:
    """Record a correction: what is on record is as if the wrong events had never been said, and these had. Raises BadInput
    with what can't be so."""
    found = _judged(act, one)
    zone = act.plan.carriers[one.carrier].zone
    bad: list[tuple[Fault, Refusal | None]] = [(fault, None) for fault in (*one.said.faults, *found.faults)]
    bad += faults_of(one.layers, found.refusals, zone)
    bad += [(fault, None) for fault in left_out(one.layers, zone)]
    if bad:
        first = {entry[0].line: entry for entry in reversed(bad)}  # what else is wrong with a line follows from it
        raise refused(one.file_name, one.said.count, [first[line] for line in sorted(first)])
    about = About(
        carrier=one.carrier, file_name=one.file_name, sha256=one.source.sha256, lines=one.said.count,
        known=found.known + one.layers.repeated, mends=Mends(kind=CORRECTION, reason=reason, approved_by=approved_by),
    )  # fmt: skip
    changed = mend(act, about, one.numbers, taken=found.taken, added=found.added)
    counts: dict[str, int] = {}
    for _, fact in found.added:
        counts[fact.event.value] = counts.get(fact.event.value, 0) + len(fact.numbers)
    return Corrected(
        changed=changed, counts=counts, left=[(shard, of_report(left, changed.report_id)) for shard, left in found.left],
        news=list(_news(found.recycled, found.taken))
    )  # fmt: skip


def _judged(act: Act, one: Correction) -> _Judged:
    found = _Judged()
    new = dict(by_shard(one.layers, one.carrier))
    wrong: dict[int, list[tuple[int, int, int, int, int]]] = {}
    for line in each(one.wrong):
        wrong.setdefault(shard_of(line[0]), []).append(line)
    on_record = dict(reports.facts_by_shard(act.tx, shards=one.numbers.shards))
    for shard, numbers in sorted(one.numbers.shards.items()):
        said, lines = new.get(shard, []), wrong.get(shard, [])
        past = on_record.get(shard, [])
        days = days_met(past, said) | {_EPOCH + timedelta(days=day) for _, _, _, day, _ in lines}
        past = among(reports.with_instants(act.tx, shard, past, days), numbers)
        taken = _match(found, past, one.carrier, lines)
        verdict = judge(without(past, taken), said, act.plan.owner(shard))
        found.taken += [(shard, fact) for fact in taken]
        found.added += [(shard, fact) for fact in verdict.accepted]
        found.recycled += [(shard, fact) for fact in verdict.recycled]
        found.left += [(shard, left) for left in verdict.left]
        found.refusals += [(shard, refusal) for refusal in verdict.refusals]
        found.known += verdict.known
    return found


def _match(found: _Judged, past: list[SetFact], carrier: str, lines: list[tuple[int, int, int, int, int]]) -> list[SetFact]:
    """The facts on record that some lines call wrong, each with those numbers. Adds a fault where there is none, or several
    of which nobody can tell which one is meant."""
    taken: dict[int, BitMap] = {}
    for number, event, at, day, line in lines:
        offset, when = number % SHARD_SIZE, _EPOCH + timedelta(days=day)
        meant = [
            index
            for index, fact in enumerate(past)
            if (fact.event, fact.carrier, fact.day) == (EVENTS[event], carrier, when)
            and offset in fact.numbers
            and offset not in taken.get(index, ())
            and at in (NO_TIME, int(fact.instants(BitMap([offset]))[0]))
        ]
        if len(meant) == 1:
            taken.setdefault(meant[0], BitMap()).add(offset)
            continue
        why = N_("%(event)s on %(day)s is not on record of this number, so it can't be what is wrong")
        if meant:
            why = N_("%(event)s on %(day)s is on record more than once; say at which time the wrong one was")
        found.faults.append(Fault(line=line, reason=Sentence(why, event=EVENTS_SAID[EVENTS[event]], day=when)))
    return [past[index].part(numbers) for index, numbers in sorted(taken.items())]


def _news(recycled: list[ShardFact], taken: list[ShardFact]) -> Iterator[ShardFact]:
    """What was given to new owners, without those of whom the same was said of another day: whoever asks was told."""
    for shard, fact in recycled:
        told = [other.numbers for where, other in taken if where == shard and other.event is fact.event]
        if left := fact.numbers - BitMap.union(BitMap(), *told):
            yield shard, fact.part(left)
