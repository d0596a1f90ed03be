"""What a report would do, without taking it: how its columns are understood, what would be refused and what counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from huanxin.domain.errors import BadInput, Fault, unreadable
from huanxin.domain.lifecycle import EVENTS
from huanxin.domain.numbers import Carrier, masked, masked_text
from huanxin.numbersets import forms, tables
from huanxin.numbersets.arrow import pa
from huanxin.numbersets.instants import NO_TIME
from huanxin.report.baseline import baseline_form, state_of, weigh_states
from huanxin.report.importing import (
    ALL,
    Most,
    Progress,
    imported_before,
    inspect,
    nothing,
    read_all,
    weigh,
)
from huanxin.report.kinds import by_kind, summed_up
from huanxin.report.lines import Form, Lines, read_lines, report_form
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
class RefusedKind:
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
    kinds: Sequence[RefusedKind] = ()
    refused: int = 0
    refusal: str = ""
    first_day: bool = False
    """whether it says where numbers stand, and not what happened"""
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
            RefusedKind(
                count=one["count"], reason=unpacked(one["reason"]), samples=[(line, text) for line, text in one["samples"]]
            )
            for one in stored["kinds"]
        ]
        return cls(**{**stored, "columns": columns, "kinds": kinds, "refusal": unpacked(stored["refusal"])})


def check_report(
    reading: Reading, path: Path, *, carrier: str, progress: Progress = lambda _step, _lines: None, most: Most = ALL,
    region: str | None = None, first_day: bool = False,
) -> Checked:  # fmt: skip
    """Read a report, or what is so on a carrier's first day, and judge it by what is on record, as an import does. Raises
    NotFound for a carrier that is not configured, and BadInput for a file of which nothing can be said."""
    source = inspect(path, carrier, reading.plan, most.bytes)
    who = reading.plan.carriers[carrier].writing_in(region)
    form = (baseline_form if first_day else report_form)(reading.plan.words)
    seen = replace(_looked_at(source, form, who, reading, state_of if first_day else _event_of), first_day=first_day)
    try:
        lines, faults = read_all(source, who, reading.plan, reading.now, progress, most.bad, form)
    except BadInput as error:
        return replace(seen, refusal=error.said)
    weighed = (weigh_states if first_day else weigh)(reading, lines, faults, carrier)
    before = imported_before(reading.tx, source, carrier)
    found = replace(
        seen, lines=weighed.total, accepted=sum(weighed.counts.values()), known=weighed.known, counts=weighed.counts,
        already=before.report_id if before else None,
    )  # fmt: skip
    if not before and not weighed.total:
        return replace(found, refusal=nothing(source.name).said)
    if before or not weighed.bad:
        return found
    kinds = by_kind(weighed.bad)
    return replace(
        found, kinds=[_kind(kind.faults) for kind in kinds], refused=len(weighed.bad),
        refusal=summed_up(source.name, weighed.total, kinds),
    )  # fmt: skip


def _kind(faults: Sequence[Fault]) -> RefusedKind:
    samples = [(fault.line, masked_text(fault.text[:_LONGEST])) for fault in faults[:_SAMPLES]]
    return RefusedKind(count=len(faults), reason=masked_text(faults[0].reason), samples=samples)


def _event_of(code: int) -> str:
    return str(EVENTS[code].value)


def _looked_at(
    source: tables.Source, form: Form, carrier: Carrier, reading: Reading, named: Callable[[int], str]
) -> Checked:  # fmt: skip
    """How a file is made, and how the columns of its first rows are understood. Raises BadInput if it can't be read."""
    found = Checked(form=source.form, packing=source.packing, encoding=source.encoding, zone=carrier.zone.key)
    try:
        with tables.read(source, form.columns, keep_ragged=0) as table:
            chunk = next((one for one in table.chunks if len(one.lines)), None)
    except tables.BadTable as error:
        raise unreadable(source.name, error.reason, error.line) from error
    if table.heading:
        found = replace(found, separator=table.heading.separator, heading_line=table.heading.line)
    if chunk is None:
        return found
    reads = read_lines(source, carrier=carrier, plan=reading.plan, now=reading.now, most_bad=0, form=form)
    with closing(reads):
        good = next((lines for lines, _ in reads if len(lines)), Lines.joined([]))
    columns = [
        Column(
            meaning=name,
            heading=_heading(table, name),
            forms=_understood(chunk.columns[name], chunk.lines, np.isin(chunk.lines, good.line), read),
        )
        for name, read in zip(form.columns.names, _readers(good, carrier, named), strict=True)
    ]
    return replace(found, columns=columns, looked_at=len(chunk.lines))


def _heading(table: tables.Table, name: str) -> str:
    if table.heading is None:
        return ""
    return next((table.heading.cells[at].strip() for at, found in table.heading.found.items() if found == name), "")


def _understood(
    column: pa.Array, lines: npt.NDArray[np.int64], good: npt.NDArray[np.bool_], read: Callable[[int], str]
) -> list[Understood]:  # fmt: skip
    return [
        Understood(
            form=one.form, count=one.count, written=masked_text(one.sample[:_LONGEST]), read=read(int(lines[one.row]))
        )
        for one in forms.forms_of(column, _FORMS, good)
    ]


def _readers(good: Lines, carrier: Carrier, named: Callable[[int], str]) -> Sequence[Callable[[int], str]]:
    """What was understood of each column on a line; empty where the line is not good."""

    def at(line: int, say: Callable[[int], str]) -> str:
        rows = np.flatnonzero(good.line == line)
        return say(int(rows[0])) if len(rows) else ""

    def number(row: int) -> str:
        digits = str(good.number[row])
        return f"+86 {masked(digits)}" if digits.startswith("86") else f"+{masked(digits)}"

    def when(row: int) -> str:
        if good.at[row] == NO_TIME:
            return (_EPOCH + timedelta(days=int(good.day[row]))).date().isoformat()
        return (_EPOCH + timedelta(microseconds=int(good.at[row]))).astimezone(carrier.zone).isoformat()

    said = (number, lambda row: named(int(good.event[row])), when)
    return [partial(at, say=one) for one in said]
