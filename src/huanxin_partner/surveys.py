"""What a table's times are like: how many are in doubt, and how those are written. To be known before going live."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

_SHOWN = 40  # characters of a time


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """How many rows have a time that isn't beyond doubt, all written alike; `example` is one of them."""

    rows: int
    example: str


@dataclass(frozen=True, kw_only=True)
class Survey:
    """How many rows have a number, and those of them whose time is in doubt, by the form of it (digits as 0), most first."""

    rows: int
    doubts: Mapping[str, Doubt]

    @property
    def doubtful(self) -> int:
        """How many rows are refused rather than cut, as they are."""
        return sum(doubt.rows for doubt in self.doubts.values())


def surveyed(times: Iterable[tuple[object, datetime | None]]) -> Survey:
    """Count times, each given as it is stored and as it is read, None if it is in doubt."""
    rows, doubts = 0, dict[str, Doubt]()
    for stored, read in times:
        rows += 1
        if read is None:
            form, example = _form_of(stored)
            before = doubts.get(form, Doubt(rows=0, example=example))
            doubts[form] = Doubt(rows=before.rows + 1, example=before.example)
    return Survey(rows=rows, doubts=dict(sorted(doubts.items(), key=lambda one: -one[1].rows)))


def _form_of(value: object) -> tuple[str, str]:
    """How a time is written, and the time, for people to read."""
    kind = "" if isinstance(value, str) else f" ({type(value).__name__})"
    text = "NULL" if value is None else str(value)[:_SHOWN] or "''"
    return re.sub("[0-9]", "0", text) + kind, text + kind
