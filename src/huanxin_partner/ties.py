"""Ties: what a partner keeps on a number, and the three things that it must be able to do with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one number (`+8613800138000`): an outcome, with the reason of a refusal and a day, if given."""

    number: str
    outcome: str
    reason: str = ""
    until: str = ""


class TieStore(Protocol):
    """A partner's ties. Numbers come as `+E164`, times aware; every method may be called again with the same numbers."""

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        """Cut the ties bound before `cutoff`, never one bound at or after it. Yields an answer for every number that
        has or had a tie; a number without one may be left out, it is `absent`.

        Cutting a tie detaches the number, ends its sessions and its SMS login; it keeps the account and its assets.
        """

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        """Give back the ties that were cut since `cutoff`: `restored`, or `irreversible` where that can't be done."""

    def bound(self, number: str) -> bool:
        """Whether there is a tie on a number (an inquiry, asked with its owner's consent)."""


class SqliteTies:
    """Ties in a table of an SQLite database: cutting one sets the number to NULL and keeps the row.

    `bound_at` holds text in RFC 3339 UTC, as `2026-03-01T00:00:00Z`, or Unix seconds.
    """

    def __init__(self, path: Path, *, table: str, number_column: str, bound_at_column: str) -> None:
        for name in (table, number_column, bound_at_column):
            if not name.isidentifier():
                raise ValueError(f"{name!r} is not the name of a table or column")
        self._table, self._number, self._bound_at = table, number_column, bound_at_column
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS huanxin_cut (row INTEGER, number TEXT, cut_at TEXT, UNIQUE (row, number))"
        )

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        found: dict[str, str] = {}
        with immediate(self._db):
            for number in numbers:
                rows = self._db.execute(
                    f"SELECT rowid, {self._bound_at} FROM {self._table} WHERE {self._number} = ?", (number,)
                ).fetchall()
                for row, bound_at in rows:
                    if as_time(bound_at) >= cutoff:
                        found.setdefault(number, "kept")
                        continue
                    self._db.execute(f"UPDATE {self._table} SET {self._number} = NULL WHERE rowid = ?", (row,))
                    self._db.execute(
                        "INSERT OR REPLACE INTO huanxin_cut (row, number, cut_at) VALUES (?, ?, ?)",
                        (row, number, as_text(datetime.now(UTC))),
                    )
                    found[number] = "unbound"
        return [Answer(number=number, outcome=outcome) for number, outcome in found.items()]

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        found: dict[str, str] = {}
        with immediate(self._db):
            for number in numbers:
                cut = self._db.execute(
                    "SELECT row FROM huanxin_cut WHERE number = ? AND cut_at >= ?", (number, as_text(cutoff))
                ).fetchall()
                for (row,) in cut:
                    given = self._db.execute(
                        f"UPDATE {self._table} SET {self._number} = ? WHERE rowid = ? AND {self._number} IS NULL"
                        f" AND NOT EXISTS (SELECT 1 FROM {self._table} WHERE {self._number} = ?)",
                        (number, row, number),
                    ).rowcount
                    back = given or self._has(row, number)
                    found[number] = "restored" if back else "irreversible"
        return [Answer(number=number, outcome=outcome) for number, outcome in found.items()]

    def _has(self, row: int, number: str) -> bool:
        question = f"SELECT 1 FROM {self._table} WHERE rowid = ? AND {self._number} = ?"
        return self._db.execute(question, (row, number)).fetchone() is not None

    def bound(self, number: str) -> bool:
        question = f"SELECT 1 FROM {self._table} WHERE {self._number} = ? LIMIT 1"
        return self._db.execute(question, (number,)).fetchone() is not None


class immediate:
    """A write transaction on a connection in autocommit mode, kept if the block ends well."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")


def as_time(value: str | float) -> datetime:
    """A stored time as an aware datetime; text without a zone is UTC."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_text(instant: datetime) -> str:
    """A time as text that sorts like the times do: RFC 3339 in UTC with microseconds."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
