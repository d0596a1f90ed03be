"""A table of the console as CSV: the same rows and filters as on the page, figures whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from fastapi.responses import Response


def csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A CSV to be saved, UTF-8 with a byte order mark, without which spreadsheets take it for another encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return saved(name, text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8")


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: names of files are whatever somebody typed."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "@", "-", "\t")) else cell


def saved(name: str, content: bytes, kind: str) -> Response:
    """A file that the browser saves under a name (ASCII)."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=headers)
