"""Reports that were uploaded and looked at, and wait for the word of whoever uploaded them, as stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import zstandard
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.store.database import Tx

KEPT = timedelta(hours=4)
PIECE = 1 << 20
"""Bytes of a file that are kept together."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A report that waits. `sha256`: of the file as it was looked at; `checked`: what was found, as JSON."""

    id: int
    carrier: str
    file_name: str
    sha256: bytes
    skip_bad: bool
    checked: Any
    uploaded_at: datetime

    @property
    def until(self) -> datetime:
        return self.uploaded_at + KEPT


_COLUMNS = "id, carrier, file_name, sha256, skip_bad, checked, uploaded_at"


def add(
    tx: Tx, pieces: Iterable[bytes], *, operator_id: int, carrier: str, file_name: str, sha256: bytes, skip_bad: bool,
    checked: Any, at: datetime,
) -> int:  # fmt: skip
    """Keep a file, in pieces of PIECE bytes at most; its id."""
    row = tx.execute(
        "INSERT INTO report_waiting (operator_id, carrier, file_name, sha256, skip_bad, checked, uploaded_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (operator_id, carrier, file_name, sha256, skip_bad, Jsonb(checked), at),
    ).fetchone()
    assert row is not None
    stored = 0
    with tx.cursor() as cursor, cursor.copy("COPY report_waiting_piece (waiting_id, place, content) FROM STDIN") as copy:
        for place, piece in enumerate(pieces):
            packed = zstandard.compress(piece, 1)
            stored += len(packed)
            copy.write_row((row[0], place, packed))
    tx.execute("UPDATE report_waiting SET stored = %s WHERE id = %s", (stored, row[0]))
    return int(row[0])


def get(tx: Tx, waiting_id: int, *, operator_id: int, now: datetime) -> Waiting | None:
    """One that this person uploaded not long ago."""
    with tx.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM report_waiting WHERE id = %s AND operator_id = %s AND uploaded_at > %s",
            (waiting_id, operator_id, now - KEPT),
        ).fetchone()


def of_person(tx: Tx, operator_id: int, now: datetime) -> list[Waiting]:
    """Those of a person that wait, the oldest first."""
    with tx.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM report_waiting WHERE operator_id = %s AND uploaded_at > %s ORDER BY id",
            (operator_id, now - KEPT),
        ).fetchall()


def content(tx: Tx, waiting_id: int) -> Iterator[bytes]:
    """The file, a piece at a time."""
    with tx.cursor("pieces of a report") as cursor:
        cursor.itersize = 8
        for (piece,) in cursor.execute(
            "SELECT content FROM report_waiting_piece WHERE waiting_id = %s ORDER BY place", (waiting_id,)
        ):
            yield zstandard.decompress(piece, max_output_size=PIECE)


def remove(tx: Tx, waiting_id: int) -> None:
    tx.execute("DELETE FROM report_waiting WHERE id = %s", (waiting_id,))


def forget(tx: Tx, now: datetime) -> None:
    """Drop those that nobody came back for."""
    tx.execute("DELETE FROM report_waiting WHERE uploaded_at <= %s", (now - KEPT,))


def stored(tx: Tx) -> int:
    """Bytes that all of them take."""
    row = tx.execute("SELECT coalesce(sum(stored), 0)::bigint FROM report_waiting").fetchone()
    assert row is not None
    return int(row[0])
