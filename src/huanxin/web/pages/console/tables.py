"""Tables as CSV: what a page shows, with the same filters."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from fastapi.responses import Response

from huanxin.domain.numbers import E164

_FORMULA = ("=", "+", "-", "@", "\t")


def as_csv(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A table to download: UTF-8 with BOM, so that spreadsheets read the Chinese."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> object:
    """A value; what somebody typed never becomes a formula of a spreadsheet."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not E164.fullmatch(value):
        return "'" + value
    return "" if value is None else value
