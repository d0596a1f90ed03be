"""Reports that were uploaded in the console, as stored: what became of each, and its bad lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from huanxin.store.database import Tx
from huanxin.words.sentences import packed, unpacked

Shown = tuple[int, str, str]
"""A bad line: line, reason, text. Pages mask the numbers in it."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """`report_id`: what it became, or had been before (`already`); None if it was refused whole, as `refusal` says."""

    id: int
    carrier: str
    file_name: str
    report_id: int | None
    already: bool
    refusal: str
    bad_lines: int
    shown: list[Shown]
    recorded_by: str
    recorded_at: datetime
    has_rejects: bool
    """whether there are lines to mend; a file that can't be read at all has none"""
    checked: Any = None
    """how it was understood, as JSON"""


_COLUMNS = (
    "id, carrier, file_name, report_id, already, coalesce(refusal_said, to_jsonb(refusal)) AS refusal, bad_lines, shown,"
    " recorded_by, recorded_at, rejects IS NOT NULL AS has_rejects, checked"
)


def _upload(*, refusal: Any, shown: list[Any], **others: Any) -> Upload:
    """A row, its sentences ready to be said in any language."""
    lines = [(line, unpacked(reason), text) for line, reason, text in shown]
    return Upload(refusal=unpacked(refusal), shown=lines, **others)


def add(
    tx: Tx, *, carrier: str, file_name: str, report_id: int | None, already: bool, refusal: str, bad_lines: int,
    shown: Sequence[Shown], rejects: bytes | None, checked: Any, by: str, at: datetime,
) -> int:  # fmt: skip
    """Record what became of an upload; its id. `rejects` is a CSV of all bad lines, gzip."""
    lines = [(line, packed(reason), text) for line, reason, text in shown]
    row = tx.execute(
        "INSERT INTO report_upload (carrier, file_name, report_id, already, refusal, refusal_said, bad_lines, shown,"
        " rejects, checked, recorded_by, recorded_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (
            carrier,
            file_name,
            report_id,
            already,
            refusal,
            Jsonb(packed(refusal)),
            bad_lines,
            Jsonb(lines),
            rejects,
            Jsonb(checked) if checked else None,
            by,
            at,
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def get(tx: Tx, upload_id: int) -> Upload | None:
    with tx.cursor(row_factory=kwargs_row(_upload)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM report_upload WHERE id = %s", (upload_id,)).fetchone()


def rejects_of(tx: Tx, upload_id: int) -> bytes | None:
    """The bad lines of an upload, gzip; None if it had none."""
    row = tx.execute("SELECT rejects FROM report_upload WHERE id = %s", (upload_id,)).fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


def refused(tx: Tx, *, carrier: str | None, most: int | None = None) -> list[Upload]:
    """Uploads that were refused whole, of one carrier or all, newest first; all of them without `most`."""
    with tx.cursor(row_factory=kwargs_row(_upload)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM report_upload WHERE report_id IS NULL AND carrier = coalesce(%s, carrier)"
            " ORDER BY id DESC LIMIT %s",
            (carrier, most),
        ).fetchall()


def with_rejects(tx: Tx, report_ids: Sequence[int]) -> dict[int, int]:
    """By report: the upload that keeps its bad lines."""
    rows = tx.execute(
        "SELECT report_id, id FROM report_upload WHERE report_id = ANY(%s) AND rejects IS NOT NULL", (list(report_ids),)
    )
    return {int(report_id): int(upload_id) for report_id, upload_id in rows}
