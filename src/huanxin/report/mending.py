"""Reports that were wrong: a whole file is withdrawn. What it said is taken back, and stays on record as taken back."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pyroaring import BitMap

from huanxin.domain.errors import BadInput, Conflict, Fault, NotFound
from huanxin.domain.lifecycle import EVENTS_SAID, SetFact
from huanxin.domain.mended import Changed, Mended, OfShard
from huanxin.domain.mending import among, impossible, without
from huanxin.domain.numbers import masked, written
from huanxin.numbersets.files import replacing
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet
from huanxin.report.importing import one_after_another
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.store.report import affected, reports
from huanxin.store.report.reports import Mends, StoredReport
from huanxin.words.sentences import Sentence

WITHDRAWAL = "withdrawal"
_SHOWN = 100


def withdrawable(act: Act, report_id: int) -> tuple[Act, StoredReport, NumberSet]:
    """A report that can be withdrawn, and the numbers of which it says something that stands, once it is our turn: until
    this transaction ends no other fact is recorded. Raises NotFound, Conflict."""
    one_after_another(act.tx)
    act = act.alone()
    found = reports.get(act.tx, report_id)
    if found is None:
        raise NotFound(Sentence("there is no report %(report)s; `huanxin report list` shows them", report=report_id))
    if found.withdrawn_by is not None:
        raise Conflict(
            Sentence("report %(report)s was withdrawn already, by report %(by)s", report=report_id, by=found.withdrawn_by)
        )
    if found.withdraws is not None:
        raise Conflict(
            Sentence("report %(report)s is a withdrawal: import the file that it withdrew again instead", report=report_id)
        )
    said = reports.facts_by_shard(act.tx, of_reports=[report_id])
    return act, found, NumberSet({shard: BitMap.union(*(one.numbers for one in of_shard)) for shard, of_shard in said})


def withdraw(act: Act, found: StoredReport, numbers: NumberSet, *, reason: str, approved_by: str = "") -> Changed:
    """Withdraw a report whole: what is on record is as if it had never been taken. Raises BadInput if something that is on
    record later could not be without it, with whatever that is and the order in which to go."""
    if not reason.strip() or not act.by.strip():
        raise BadInput(Sentence("say why the report is withdrawn; the reason is recorded, with your name"))
    said = dict(reports.facts_by_shard(act.tx, of_reports=[found.id]))
    shards = {}
    for shard, before in _on_record(act.tx, numbers):
        shards[shard] = OfShard(numbers=numbers.shards[shard], before=before, after=without(before, said[shard]))
    _refuse_impossible(act, found, shards)
    counts: Counter[str] = Counter()
    for of_shard in said.values():
        counts.update({fact.event.value: len(fact.numbers) for fact in of_shard})
    report_id = facts.report(
        act.tx, carrier=found.carrier, file_name=found.file_name,
        sha256=hashlib.sha256(f"withdrawal of report {found.id}".encode()).digest(), lines=0, accepted=0, known=0,
        rejected=0, counts={}, by=act.by, at=act.now,
        mends=Mends(kind=WITHDRAWAL, reason=reason.strip(), approved_by=approved_by, withdraws=found.id),
    )  # fmt: skip
    facts.void(act.tx, report_id, ((shard, fact) for shard, of_shard in said.items() for fact in of_shard))
    affected.mended(act.tx, report_id, numbers)
    return Changed(report_id=report_id, reason=reason.strip(), taken_back=dict(counts), shards=shards)


def _on_record(tx: Tx, numbers: NumberSet) -> Iterator[tuple[int, list[SetFact]]]:
    for shard, on_record in reports.facts_by_shard(tx, shards=numbers.shards) if numbers else ():
        yield shard, among(on_record, numbers.shards[shard])


def _refuse_impossible(act: Act, found: StoredReport, shards: Mapping[int, OfShard]) -> None:
    bad: list[tuple[int, SetFact]] = []
    for shard, one in shards.items():
        owner = act.plan.owner(shard)
        odd = BitMap.union(BitMap(), *(fact.numbers for fact in impossible(one.before, owner)))  # without the mend too
        failing = (replace(fact, numbers=fact.numbers - odd) for fact in impossible(one.after, owner))
        bad += [(shard, fact) for fact in failing if fact.numbers]
    if not bad:
        return
    order = sorted({fact.report for _, fact in bad}, reverse=True)
    total = sum(len(fact.numbers) for _, fact in bad)
    raise BadInput(
        Sentence(
            "report %(report)s can't be withdrawn yet: of %(count)s numbers something later is on record that could not be"
            " without it; withdraw or correct these reports first, in this order: %(order)s",
            report=found.id, count=f"{total:,}", order=", ".join(map(str, order)),
        ),
        list(_faults(bad)), total,
    )  # fmt: skip


def _faults(bad: list[tuple[int, SetFact]]) -> Iterator[Fault]:
    left = _SHOWN
    for shard, fact in bad:
        for offset in fact.numbers[:left]:
            number = written(shard * SHARD_SIZE + offset)
            why = Sentence(
                "%(number)s: %(event)s on %(day)s is on record in report %(report)s, and could not follow",
                number=masked(number), event=EVENTS_SAID[fact.event], day=fact.day, report=fact.report,
            )  # fmt: skip
            yield Fault(line=0, reason=why, text=f"{number},{fact.event.value},{fact.day}")
        left -= min(left, len(fact.numbers))


def write_consequences(path: Path, mended: Mended) -> int:
    """Write what a mend does as CSV: number, what, batch; how many lines."""
    with replacing(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(("number", "what", "batch"))
        for one in mended.consequences:
            writer.writerows((written(number), one.what.value, one.batch_id) for number in one.numbers)
    return sum(len(one.numbers) for one in mended.consequences)
