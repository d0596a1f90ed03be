"""A tie store on a table of a partner's own SQLite database: one row per tie, with the number and when it was bound."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from huanxin_partner.rows import BadTable, RowTies, Tie, named
from huanxin_partner.ties import as_text, immediate

__all__ = ["BadTable", "SqliteTies"]

_CUTS = """
CREATE TABLE IF NOT EXISTS huanxin_cuts (
    number TEXT NOT NULL,
    cutoff TEXT NOT NULL,       -- of the renewal that cut it
    source TEXT NOT NULL,       -- where the number was taken from: table.column
    tie TEXT NOT NULL,          -- the row's key
    bound_at TEXT NOT NULL,     -- of the row, as it was stored; '' if not known
    restored INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, cutoff, source, tie)
) WITHOUT ROWID
"""
_BEFORE = {"tie", "number", "cutoff", "restored"}  # the columns of the first versions, whose file was of one table
_TAKEN_OVER = """
INSERT INTO huanxin_cuts (number, cutoff, source, tie, bound_at, restored)
    SELECT number, cutoff, ?, CAST(tie AS TEXT), '', restored FROM huanxin_cuts_before
"""


class SqliteTies(RowTies[sqlite3.Connection]):
    """Detaches numbers by setting them to NULL (rows.RowTies). What stays is kept in a table `huanxin_cuts` beside it.

    Joins are CROSS JOINs, which SQLite does in the order in which they are written: it begins with what is asked for. Of
    itself it may look through all that is asked for with each row of the table.

    The table needs an `INTEGER PRIMARY KEY` and a number column that may be NULL. A bound_at is whatever times.Times reads.
    """

    forbidden = (sqlite3.IntegrityError,)

    def __init__(
        self, path: Path | str, *, table: str, number_column: str, bound_at_column: str, zone: tzinfo = UTC, form: str = ""
    ) -> None:
        """Nothing is written yet. Raises BadTable if there is no such database or table, or it lacks what is needed, and
        times.BadForm."""
        super().__init__(zone=zone, form=form)
        self._path = Path(path)
        try:
            with closing(self._connect("ro")) as connection:
                name, key = _checked(connection, table, number_column, bound_at_column)
        except sqlite3.Error as error:
            raise BadTable(f"{self._path} can't be read as an SQLite database: {error}") from error
        self._table, self._number, self._bound_at = _quoted(name), _quoted(number_column), _quoted(bound_at_column)
        self._key, self._source = _quoted(key), named(name, number_column)

    def _connect(self, mode: str) -> sqlite3.Connection:
        """`mode`: `ro` or `rw`; neither makes a file. Raises BadTable."""
        if not self._path.is_file():
            raise BadTable(f"there is no database {self._path}")
        uri = f"{self._path.resolve().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)
        connection.text_factory = lambda text: text.decode(errors="replace")  # one text that is none stops no call
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def prepare(self) -> None:
        """Make the record of what was cut, so that what stands in its way is known before there is anything to cut. Raises
        BadTable."""
        try:
            with self.transaction():
                pass
        except sqlite3.Error as error:
            raise BadTable(f"{self._path} can't be written, so that nothing can be cut: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect("rw")) as connection, immediate(connection):
            self._prepare(connection)
            yield connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the record, or bring it into its present form. Raises BadTable."""
        columns = {row[1] for row in connection.execute("SELECT * FROM pragma_table_info('huanxin_cuts')")}
        if columns == _BEFORE:
            connection.execute("ALTER TABLE huanxin_cuts RENAME TO huanxin_cuts_before")
            connection.execute(_CUTS)
            connection.execute(_TAKEN_OVER, (self._source,))
            connection.execute("DROP TABLE huanxin_cuts_before")
        elif not columns:
            connection.execute(_CUTS)
        elif "bound_at" not in columns:
            raise BadTable("the table huanxin_cuts has no column bound_at: run the migrations of the program that made it")

    @contextmanager
    def savepoint(self, session: sqlite3.Connection) -> Iterator[None]:
        session.execute("SAVEPOINT huanxin")
        try:
            yield
        except BaseException:
            session.execute("ROLLBACK TO huanxin")
            raise
        finally:
            session.execute("RELEASE huanxin")

    def found(self, session: sqlite3.Connection, numbers: list[str]) -> list[Tie]:
        rows = session.execute(
            f"SELECT t.{self._key}, a.value, t.{self._bound_at} FROM json_each(?) a"
            f" CROSS JOIN {self._table} t ON t.{self._number} = a.value",
            (json.dumps(numbers),),
        )
        return [Tie(key=key, number=number, bound_at=bound_at) for key, number, bound_at in rows]

    def every(self) -> Iterator[Tie]:
        with closing(self._connect("ro")) as connection:
            rows = connection.execute(
                f"SELECT {self._key}, {self._number}, {self._bound_at} FROM {self._table} WHERE {self._number} IS NOT NULL"
            )
            yield from (Tie(key=key, number=str(number), bound_at=bound_at) for key, number, bound_at in rows)

    def cuts(self, session: sqlite3.Connection, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], bool]:
        found = self._on_record(session, "restored", numbers, cutoff)
        return {place: bool(restored) for place, restored in found.items()}

    def cut_times(self, session: sqlite3.Connection, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], str]:
        return self._on_record(session, "bound_at", numbers, cutoff)

    def _on_record(
        self, session: sqlite3.Connection, column: str, numbers: list[str], cutoff: datetime
    ) -> dict[tuple[str, Any], Any]:
        rows = session.execute(
            f"SELECT c.number, c.tie, c.{column} FROM json_each(?) a CROSS JOIN huanxin_cuts c ON c.number = a.value"
            " WHERE c.cutoff = ? AND c.source = ?",
            (json.dumps(numbers), as_text(cutoff), self._source),
        )
        return {(number, int(tie)): found for number, tie, found in rows}

    def record(self, session: sqlite3.Connection, ties: list[Tie], cutoff: datetime) -> None:
        session.execute(
            "INSERT INTO huanxin_cuts (number, cutoff, source, tie, bound_at, restored)"
            f" SELECT json_extract(a.value, '$[1]'), ?, ?, CAST(t.{self._key} AS TEXT), CAST(t.{self._bound_at} AS TEXT), 0"
            f" FROM json_each(?) a CROSS JOIN {self._table} t ON t.{self._key} = json_extract(a.value, '$[0]')",
            (as_text(cutoff), self._source, json.dumps([(tie.key, tie.number) for tie in ties])),
        )

    def record_restored(self, session: sqlite3.Connection, ties: list[Tie], cutoff: datetime) -> None:
        session.executemany(
            "UPDATE huanxin_cuts SET restored = 1 WHERE number = ? AND cutoff = ? AND source = ? AND tie = ?",
            ((tie.number, as_text(cutoff), self._source, str(tie.key)) for tie in ties),
        )

    def detach(self, session: sqlite3.Connection, ties: list[Tie]) -> None:
        session.execute(
            f"UPDATE OR ABORT {self._table} SET {self._number} = NULL WHERE {self._key} IN (SELECT value FROM json_each(?))",
            (json.dumps([tie.key for tie in ties]),),
        )

    def free(self, session: sqlite3.Connection, keys: list[Any]) -> Iterator[tuple[Tie, str]]:
        rows = session.execute(
            f"SELECT t.{self._key}, t.{self._bound_at}, CAST(t.{self._bound_at} AS TEXT) FROM json_each(?) a"
            f" CROSS JOIN {self._table} t ON t.{self._key} = a.value WHERE t.{self._number} IS NULL",
            (json.dumps(keys),),
        )
        return ((Tie(key=key, number="", bound_at=bound_at), text or "") for key, bound_at, text in rows.fetchall())

    def attach(self, session: sqlite3.Connection, ties: list[Tie]) -> list[Tie]:
        # OR ABORT: a table that replaces what is in a constraint's way would lose a row.
        return [
            tie for tie in ties if session.execute(
                f"UPDATE OR ABORT {self._table} SET {self._number} = ? WHERE {self._key} = ? AND {self._number} IS NULL",
                (tie.number, tie.key),
            ).rowcount
        ]  # fmt: skip

    attach_here = attach


def _checked(connection: sqlite3.Connection, table: str, number_column: str, bound_at_column: str) -> tuple[str, str]:
    """The table's name as the database has it, and that of its primary key column. Raises BadTable."""
    columns = {row[1]: row for row in connection.execute("SELECT * FROM pragma_table_info(?)", (table,))}
    missing = [name for name in (number_column, bound_at_column) if name not in columns]
    if missing:
        raise BadTable(f"there is no table {table} with a column {missing[0]}")
    if columns[number_column][3]:
        raise BadTable(f"{table}.{number_column} is NOT NULL, so a number can't be detached; allow NULL")
    keys = [name for name, row in columns.items() if row[5]]
    if len(keys) != 1 or str(columns[keys[0]][2]).upper() != "INTEGER":
        raise BadTable(f"{table} needs an INTEGER PRIMARY KEY, so that a row can be found again")
    if keys[0] in (number_column, bound_at_column) or number_column == bound_at_column:
        raise BadTable(f"{table}: the key, the number and the time of binding have to be three columns")
    found = connection.execute("SELECT name FROM sqlite_master WHERE name = ? COLLATE NOCASE", (table,)).fetchone()
    return (str(found[0]) if found else table), str(keys[0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
