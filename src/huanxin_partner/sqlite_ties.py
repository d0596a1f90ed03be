"""A tie store on a table of a partner's own SQLite database: one row per tie, with the number and when it was bound."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from huanxin_partner.rows import BadTable, RowTies, Tie
from huanxin_partner.ties import as_text, immediate

__all__ = ["BadTable", "SqliteTies"]

_CUTS = """
CREATE TABLE IF NOT EXISTS huanxin_cuts (
    tie INTEGER NOT NULL,       -- the row that the number was taken from
    number TEXT NOT NULL,
    cutoff TEXT NOT NULL,       -- of the renewal that cut it
    restored INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, cutoff, tie)
) WITHOUT ROWID
"""


class SqliteTies(RowTies[sqlite3.Connection]):
    """Detaches numbers by setting them to NULL (rows.RowTies). What stays is kept in a table `huanxin_cuts` beside it.

    The table needs an `INTEGER PRIMARY KEY` and a number column that may be NULL. A bound_at is whatever
    times.latest_instant reads.
    """

    def __init__(
        self, path: Path | str, *, table: str, number_column: str, bound_at_column: str, zone: tzinfo = UTC
    ) -> None:
        """Raises BadTable if there is no such table or it lacks what is needed."""
        super().__init__(zone=zone)
        self._path = path
        self._table, self._number, self._bound_at = _quoted(table), _quoted(number_column), _quoted(bound_at_column)
        with closing(self._connect()) as connection:
            self._key = _quoted(_checked_key(connection, table, number_column, bound_at_column))
            connection.execute(_CUTS)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection, immediate(connection):
            yield connection

    def found(self, session: sqlite3.Connection, numbers: list[str]) -> list[Tie]:
        rows = session.execute(
            f"SELECT t.{self._key}, a.value, t.{self._bound_at} FROM json_each(?) a"
            f" JOIN {self._table} t ON t.{self._number} = a.value",
            (json.dumps(numbers),),
        )
        return [Tie(key=key, number=number, bound_at=bound_at) for key, number, bound_at in rows]

    def cuts(self, session: sqlite3.Connection, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], bool]:
        rows = session.execute(
            "SELECT c.number, c.tie, c.restored FROM json_each(?) a JOIN huanxin_cuts c ON c.number = a.value"
            " WHERE c.cutoff = ?",
            (json.dumps(numbers), as_text(cutoff)),
        )
        return {(number, tie): bool(restored) for number, tie, restored in rows}

    def record(self, session: sqlite3.Connection, ties: list[Tie], cutoff: datetime) -> None:
        session.executemany("INSERT INTO huanxin_cuts (tie, number, cutoff) VALUES (?, ?, ?)", _with(ties, cutoff))

    def record_restored(self, session: sqlite3.Connection, ties: list[Tie], cutoff: datetime) -> None:
        session.executemany(
            "UPDATE huanxin_cuts SET restored = 1 WHERE tie = ? AND number = ? AND cutoff = ?", _with(ties, cutoff)
        )

    def detach(self, session: sqlite3.Connection, ties: list[Tie]) -> None:
        session.execute(
            f"UPDATE {self._table} SET {self._number} = NULL WHERE {self._key} IN (SELECT value FROM json_each(?))",
            (json.dumps([tie.key for tie in ties]),),
        )

    def attach(self, session: sqlite3.Connection, ties: list[Tie]) -> list[Tie]:
        taken = {tie.number for tie in self.found(session, [tie.number for tie in ties])}
        return [
            tie for tie in ties if tie.number not in taken and session.execute(
                f"UPDATE {self._table} SET {self._number} = ? WHERE {self._key} = ? AND {self._number} IS NULL",
                (tie.number, tie.key),
            ).rowcount
        ]  # fmt: skip


def _with(ties: list[Tie], cutoff: datetime) -> Iterable[tuple[Any, str, str]]:
    return ((tie.key, tie.number, as_text(cutoff)) for tie in ties)


def _checked_key(connection: sqlite3.Connection, table: str, number_column: str, bound_at_column: str) -> str:
    """The name of the primary key column."""
    columns = {row[1]: row for row in connection.execute("SELECT * FROM pragma_table_info(?)", (table,))}
    missing = [name for name in (number_column, bound_at_column) if name not in columns]
    if missing:
        raise BadTable(f"there is no table {table} with a column {missing[0]}")
    if columns[number_column][3]:
        raise BadTable(f"{table}.{number_column} is NOT NULL, so a number can't be detached; allow NULL")
    keys = [name for name, row in columns.items() if row[5]]
    if len(keys) != 1 or str(columns[keys[0]][2]).upper() != "INTEGER":
        raise BadTable(f"{table} needs an INTEGER PRIMARY KEY, so that a row can be found again")
    return str(keys[0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
