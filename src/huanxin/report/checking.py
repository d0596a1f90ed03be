"""What a report would do, without taking it: how its columns are understood, what would be refused and what counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from huanxin.domain.errors import BadInput, Fault, unreadable
from huanxin.domain.lifecycle import EVENTS
from huanxin.domain.numbers import Carrier, masked, masked_text
from huanxin.numbersets import forms, tables
from huanxin.numbersets.instants import NO_TIME
from huanxin.report.importing import (
    ALL,
    Most,
    Progress,
    counts_of,
    imported_before,
    inspect,
    read_all,
    weigh,
)
from huanxin.report.kinds import by_kind, summed_up
from huanxin.report.lines import NAMES, Lines, check, report_form
from huanxin.store.acting import Reading
from huanxin.words.sentences import packed, unpacked

_FORMS, _SAMPLES = 4, 3
_LONGEST = 200  # characters of a line that is shown
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Understood:
    """Cells of a form: how many of the first rows, one as it is written, and how that was read (empty: it can't be)."""

    form: str
    count: int
    written: str
    read: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its meaning, its heading as it is written (empty where the file has its own names), how its cells are."""

    meaning: str
    heading: str
    forms: Sequence[Understood]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Lines that would be refused alike: how many, why, and the first ones as (line, text), numbers masked."""

    count: int
    reason: str
    samples: Sequence[tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What would come of a file. `refusal`: why it would be refused, empty if it would be taken. `looked_at`: how many of
    the first rows `columns` speak of. `separator` and `heading_line` are of text alone, and of workbooks."""

    form: str
    packing: str
    encoding: str
    zone: str
    separator: str = ""
    heading_line: int = 0
    looked_at: int = 0
    columns: Sequence[Column] = ()
    lines: int = 0
    accepted: int = 0
    known: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    kinds: Sequence[Kind] = ()
    refused: int = 0
    refusal: str = ""
    already: int | None = None
    """the report that it was taken as before: it would change nothing"""

    def stored(self) -> dict[str, Any]:
        """As JSON, from which `shown_again` makes it."""
        kinds = [{"count": one.count, "reason": packed(one.reason), "samples": one.samples} for one in self.kinds]
        return asdict(self) | {"kinds": kinds, "refusal": packed(self.refusal)}

    @classmethod
    def shown_again(cls, stored: Mapping[str, Any]) -> Checked:
        columns = [
            Column(meaning=one["meaning"], heading=one["heading"], forms=[Understood(**form) for form in one["forms"]])
            for one in stored["columns"]
        ]
        kinds = [
            Kind(count=one["count"], reason=unpacked(one["reason"]), samples=[(line, text) for line, text in one["samples"]])
            for one in stored["kinds"]
        ]
        return cls(**{**stored, "columns": columns, "kinds": kinds, "refusal": unpacked(stored["refusal"])})


def check_report(
    reading: Reading, path: Path, *, carrier: str, progress: Progress = lambda _step, _lines: None, most: Most = ALL,
    region: str | None = None,
) -> Checked:  # fmt: skip
    """Read a report and judge it by what is on record, as an import does. Raises NotFound for a carrier that is not
    configured, and BadInput for a file of which nothing can be said."""
    source = inspect(path, carrier, reading.plan, most.bytes)
    who = reading.plan.carriers[carrier].writing_in(region)
    seen = _looked_at(source, who, reading)
    try:
        lines, faults = read_all(source, who, reading.plan, reading.now, progress, most.bad)
    except BadInput as error:
        return replace(seen, refusal=error.said)
    weighed = weigh(reading, lines, faults, carrier)
    counts = counts_of(weighed.judged.accepted)
    before = imported_before(reading.tx, source, carrier)
    found = replace(
        seen, lines=weighed.total, accepted=sum(counts.values()), known=weighed.judged.known + weighed.layers.repeated,
        counts=counts, already=before.report_id if before else None,
    )  # fmt: skip
    if before or not weighed.bad:
        return found if weighed.total else replace(found, refusal=weighed.nothing(source.name).said)
    kinds = by_kind(weighed.bad)
    return replace(
        found, kinds=[_kind(kind.faults) for kind in kinds], refused=len(weighed.bad),
        refusal=summed_up(source.name, weighed.total, kinds),
    )  # fmt: skip


def _kind(faults: Sequence[Fault]) -> Kind:
    samples = [(fault.line, masked_text(fault.text[:_LONGEST])) for fault in faults[:_SAMPLES]]
    return Kind(count=len(faults), reason=masked_text(faults[0].reason), samples=samples)


def _looked_at(source: tables.Source, carrier: Carrier, reading: Reading) -> Checked:
    """How a file is made, and how the columns of its first rows are understood. Raises BadInput if it can't be read."""
    found = Checked(form=source.form, packing=source.packing, encoding=source.encoding, zone=carrier.zone.key)
    try:
        with tables.read(source, report_form(reading.plan.words).columns, keep_ragged=0) as table:
            chunk = next((one for one in table.chunks if len(one.lines)), None)
    except tables.BadTable as error:
        raise unreadable(source.name, error.reason, error.line) from error
    if table.heading:
        found = replace(found, separator=table.heading.separator, heading_line=table.heading.line)
    if chunk is None:
        return found
    good, _ = check(chunk, carrier=carrier, plan=reading.plan, now=reading.now, most_bad=0)
    columns = [
        Column(meaning=name, heading=_heading(table, name), forms=_understood(chunk, name, good, carrier)) for name in NAMES
    ]
    return replace(found, columns=columns, looked_at=len(chunk.lines))


def _heading(table: tables.Table, name: str) -> str:
    if table.heading is None:
        return ""
    return next((table.heading.cells[at].strip() for at, found in table.heading.found.items() if found == name), "")


def _understood(chunk: tables.Chunk, name: str, good: Lines, carrier: Carrier) -> list[Understood]:
    found = []
    for one in forms.forms_of(chunk.columns[name], _FORMS):
        at = np.flatnonzero(good.line == chunk.lines[one.row])
        read = _read(good, int(at[0]), name, carrier) if len(at) else ""
        found.append(Understood(form=one.form, count=one.count, written=masked_text(one.sample[:_LONGEST]), read=read))
    return found


def _read(lines: Lines, row: int, name: str, carrier: Carrier) -> str:
    """A cell of a good line as it was understood."""
    if name == "number":
        number = str(lines.number[row])
        return f"+86 {masked(number)}" if number.startswith("86") else f"+{masked(number)}"
    if name == "event":
        return str(EVENTS[lines.event[row]].value)
    if lines.at[row] == NO_TIME:
        return (_EPOCH + timedelta(days=int(lines.day[row]))).date().isoformat()
    return (_EPOCH + timedelta(microseconds=int(lines.at[row]))).astimezone(carrier.zone).isoformat()
