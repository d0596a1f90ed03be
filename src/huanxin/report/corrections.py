"""The lines of a correction: what is so (number, event, at), and what was said instead of it (instead_of).

instead_of: the event that is wrong and its day or instant, as "cancelled 2026-05-01"; empty where an event was missing. An
empty event and time take the wrong one back and put nothing in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np

from huanxin.domain.errors import BadInput, Fault, unreadable
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.numbersets import columns, tables
from huanxin.numbersets.arrow import pa
from huanxin.numbersets.shape import Chunk
from huanxin.report import lines
from huanxin.report.lines import Lines
from huanxin.words.sentences import Sentence

NAMES = (*lines.NAMES, "instead_of")
MOST = 100_000
"""Lines of one correction: a file of which more is wrong is withdrawn, and imported again."""


@dataclass(kw_only=True)
class Said:
    """What a correction says: what is so, and what was wrong; and what can't be read."""

    right: list[Lines] = field(default_factory=list)
    wrong: list[Lines] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    count: int = 0


def read(source: tables.Source, *, carrier: Carrier, plan: NumberingPlan, now: datetime) -> Said:
    """Read a correction. Raises BadInput if the file as a whole can't be read, or has too many lines."""
    said, wanted = Said(), tables.Columns(names=NAMES, aliases=plan.words.aliases(NAMES))
    check = partial(lines.check, carrier=carrier, plan=plan, now=now)
    try:
        with tables.read(source, wanted) as table:
            for chunk in table.chunks:
                _take(said, chunk, check)
                said.faults += [Fault(line=line, reason=reason, text=text) for line, reason, text in table.ragged]
                table.ragged.clear()
                if said.count > MOST:
                    raise BadInput(
                        Sentence("a correction has at most %(most)s lines; withdraw the report and import a right one",
                                 most=f"{MOST:,}")
                    )  # fmt: skip
    except tables.BadTable as error:
        raise unreadable(source.name, error.reason, error.line) from error
    return said


def _take(said: Said, chunk: Chunk, check: lines.Check) -> None:
    column = chunk.columns
    instead = columns.given(column["instead_of"])
    event = columns.given(column["event"]) | columns.given(column["at"])
    said.count += int((instead | event).sum())
    for which, into, part in ((event, said.right, chunk), (instead, said.wrong, _instead(chunk))):
        rows = np.flatnonzero(which)
        good, faults = check(_rows(part, rows))
        into.append(good)
        said.faults += faults
    neither = np.flatnonzero(~(instead | event) & columns.given(column["number"]))
    nothing = Sentence("neither an event nor what it is instead of is given, so nothing is corrected")
    said.faults += [Fault(line=int(chunk.lines[row]), reason=nothing) for row in neither.tolist()]


def _rows(chunk: Chunk, rows: lines.Int64s) -> Chunk:
    which = pa.array(rows)
    taken = {name: chunk.columns[name].take(which) for name in lines.NAMES}
    return Chunk(columns=taken, lines=chunk.lines[rows], sheet=chunk.sheet)


def _instead(chunk: Chunk) -> Chunk:
    """What was wrong, as the lines that would say so."""
    every = columns.texts(chunk.columns["instead_of"], np.arange(len(chunk.lines)))
    parts = [text.strip().partition(" ") for text in every]
    event = pa.array([name for name, _, _ in parts], pa.string())
    at = pa.array([when.strip() for _, _, when in parts], pa.string())
    return Chunk(columns={"number": chunk.columns["number"], "event": event, "at": at}, lines=chunk.lines, sheet=chunk.sheet)


def each(found: Lines) -> Iterator[tuple[int, int, int, int, int]]:
    """Number, event, at, day and line of each."""
    yield from zip(*(getattr(found, name).tolist() for name in ("number", "event", "at", "day", "line")), strict=True)
