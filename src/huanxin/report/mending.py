"""Reports that were wrong: what a file said is taken back, all or some of it, and stays on record as taken back."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pyroaring import BitMap

from huanxin.domain.errors import BadInput, Conflict, Fault, NotFound
from huanxin.domain.lifecycle import EVENTS_SAID, SetFact
from huanxin.domain.mended import Changed, Mended, OfShard
from huanxin.domain.mending import impossible
from huanxin.domain.numbers import masked, written
from huanxin.numbersets.files import replacing
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet
from huanxin.report.importing import ShardFact, on_record, one_after_another
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.report import affected, reports
from huanxin.store.report.reports import Mends, StoredReport
from huanxin.words.sentences import Sentence

WITHDRAWAL, CORRECTION = "withdrawal", "correction"
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
    if found.kind == CORRECTION:
        raise Conflict(
            Sentence(
                "report %(report)s is a correction, and what it corrected would stay taken back; correct it by another one",
                report=report_id,
            )
        )
    said = reports.facts_by_shard(act.tx, of_reports=[report_id])
    return act, found, NumberSet({shard: BitMap.union(*(one.numbers for one in of_shard)) for shard, of_shard in said})


def withdraw(act: Act, found: StoredReport, numbers: NumberSet, *, reason: str, approved_by: str = "") -> Changed:
    """Withdraw a report whole: what is on record is as if it had never been taken. Raises BadInput if something that is on
    record later could not be without it, with whatever that is and the order in which to go."""
    said = reports.facts_by_shard(act.tx, of_reports=[found.id])
    taken = [(shard, fact) for shard, of_shard in said for fact in of_shard]
    about = About(
        carrier=found.carrier, file_name=found.file_name,
        sha256=hashlib.sha256(f"withdrawal of report {found.id}".encode()).digest(), lines=0, known=0,
        mends=Mends(kind=WITHDRAWAL, reason=reason, approved_by=approved_by, withdraws=found.id),
    )  # fmt: skip
    return mend(act, about, numbers, taken=taken, added=[])


@dataclass(frozen=True, kw_only=True)
class About:
    """What is kept of a report that mends others, beside its facts."""

    carrier: str
    file_name: str
    sha256: bytes
    lines: int
    known: int
    mends: Mends


def mend(act: Act, about: About, numbers: NumberSet, *, taken: list[ShardFact], added: list[ShardFact]) -> Changed:
    """Record what is taken back and what is put in its place, for numbers that nobody else reports of meanwhile."""
    mends = replace(about.mends, reason=about.mends.reason.strip())
    if not mends.reason or not act.by.strip():
        raise BadInput(Sentence("say why the report is mended; the reason is recorded, with your name"))
    before = on_record(act.tx, numbers)
    counts, back = _counted(added), _counted(taken)
    report_id = facts.report(
        act.tx, carrier=about.carrier, file_name=about.file_name, sha256=about.sha256, lines=about.lines,
        accepted=sum(counts.values()), known=about.known, rejected=0, counts=counts, by=act.by, at=act.now, mends=mends,
    )  # fmt: skip
    facts.void(act.tx, report_id, taken)
    facts.report_sets(act.tx, report_id, added)
    affected.mended(act.tx, report_id, numbers)
    after = on_record(act.tx, numbers)
    shards = {
        shard: OfShard(numbers=some, before=before.get(shard, []), after=after.get(shard, []))
        for shard, some in numbers.shards.items()
    }
    _refuse_impossible(act, shards)
    changed = Changed(report_id=report_id, reason=mends.reason, taken_back=back, shards=shards)
    if not mends.approved_by and (shorter := changed.shorter()):
        raise Conflict(
            Sentence(
                "the freeze of %(count)s numbers would end earlier than is on record, which two people have to decide:"
                " propose it in the console",
                count=f"{len(shorter):,}",
            )
        )
    return changed


def _counted(sets: list[ShardFact]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for _, fact in sets:
        found[fact.event.value] += len(fact.numbers)
    return dict(found)


def _refuse_impossible(act: Act, shards: Mapping[int, OfShard]) -> None:
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
            "this can't be mended yet: of %(count)s numbers something is on record that could not be so any more; withdraw"
            " or correct these reports first, in this order: %(order)s",
            count=f"{total:,}", order=", ".join(map(str, order)),
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
