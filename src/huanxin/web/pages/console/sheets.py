"""Tables as CSV: every table of the console can be taken along, with the rows and filters of the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from fastapi.responses import Response

from huanxin.domain.errors import NotFound
from huanxin.numbersets.cells import as_text
from huanxin.words.sentences import Sentence

Sheet = tuple[Sequence[object], Iterable[Sequence[object]]]
"""A table: its headings, and its rows, which are made when they are written."""
Row = TypeVar("Row")
PIECE = 1000
"""Rows of a long list that are read at a time."""

_CSV = "text/csv; charset=utf-8"


def as_csv(name: str, headings: Sequence[object], rows: Iterable[Sequence[object]]) -> Response:
    """A table to save as `name`.csv: UTF-8 with a byte order mark, without which spreadsheets take it for another encoding.
    Times are RFC 3339, figures whole."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return saved(f"{name}.csv", text.getvalue().encode("utf-8-sig"), _CSV)


def one_of(name: str, sheets: Mapping[str, Sheet], table: str) -> Response:
    """One of a page's tables by its name in the address, the first if that names none. Raises NotFound, which says what
    tables there are."""
    first = next(iter(sheets))
    if table and table not in sheets:
        raise NotFound(
            Sentence("there is no table %(table)s here; there are %(tables)s", table=table, tables=", ".join(sheets))
        )
    return as_csv(name if table in ("", first) else f"{name}-{table}", *sheets[table or first])


def in_pieces(read: Callable[[int | None, int], Sequence[Row]], key: Callable[[Row], int]) -> Iterator[Row]:
    """Every row of a list that goes from the newest down: `read` gives so many rows below a key at the most, `key` a row's
    own. No table ends before its last row, however long it is."""
    before: int | None = None
    while piece := read(before, PIECE):
        yield from piece
        before = key(piece[-1])
        if len(piece) < PIECE:
            return


def saved(name: str, content: bytes, kind: str = _CSV) -> Response:
    """A file that the browser saves under a name (ASCII)."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


def _cell(value: object) -> object:
    """A value; what somebody typed never becomes a formula of a spreadsheet."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return as_text(value)
    return "" if value is None else value
