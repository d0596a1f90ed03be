"""Tables as CSV: every table of the console can be taken along, with the rows and filters of the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from fastapi.responses import Response

from huanxin.domain.numbers import E164

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_CSV = "text/csv; charset=utf-8"


def as_csv(name: str, headings: Sequence[object], rows: Iterable[Sequence[object]]) -> Response:
    """A table to save as `name`.csv: UTF-8 with a byte order mark, without which spreadsheets take it for another encoding.
    Times are RFC 3339, figures whole."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return saved(f"{name}.csv", text.getvalue().encode("utf-8-sig"), _CSV)


def saved(name: str, content: bytes, kind: str = _CSV) -> Response:
    """A file that the browser saves under a name (ASCII)."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


def _cell(value: object) -> object:
    """A value; what somebody typed never becomes a formula of a spreadsheet."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULAS) and not E164.fullmatch(value):
        return f"'{value}"
    return "" if value is None else value
