"""A tie store on a table of a partner's own SQLite database: one row per tie, with the number and when it was bound."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path

from huanxin_partner.ties import Answer, as_text, immediate

_CUTS = """
CREATE TABLE IF NOT EXISTS huanxin_cuts (
    tie INTEGER NOT NULL,       -- the row that the number was taken from
    number TEXT NOT NULL,
    cutoff TEXT NOT NULL,       -- of the renewal that cut it
    restored INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, cutoff, tie)
) WITHOUT ROWID
"""
_LEAST = timedelta(microseconds=1)
_FRACTION = re.compile(r"[.,](\d+)")
_WITH_SECONDS = re.compile(r"\d\d:\d\d:\d\d")


class BadTable(ValueError):
    """The table can't be used as it is."""


class SqliteTies:
    """Detaches numbers by setting them to NULL and keeps everything else of the row.

    The table needs an `INTEGER PRIMARY KEY` and a number column that may be NULL. Which row lost which number is kept
    in a table `huanxin_cuts` beside it, for retractions. A bound_at is RFC 3339, `YYYY-MM-DD HH:MM:SS` or a date in
    `zone`, or Unix seconds. It counts as the latest instant that it may stand for: a tie on the boundary day, or in the
    boundary second, is kept (DESIGN: rule 2). One that can't be read refuses its number.
    """

    def __init__(
        self, path: Path | str, *, table: str, number_column: str, bound_at_column: str, zone: tzinfo = UTC
    ) -> None:
        """Raises BadTable if there is no such table or it lacks what is needed."""
        self._path = path
        self._table, self._number, self._bound_at = _quoted(table), _quoted(number_column), _quoted(bound_at_column)
        self._zone = zone
        with closing(self._connect()) as connection:
            self._key = _quoted(_checked_key(connection, table, number_column, bound_at_column))
            connection.execute(_CUTS)

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """See ties.TieStore."""
        with self._about(numbers) as connection:
            found: dict[str, set[str]] = defaultdict(set)
            cuts = []
            for number, tie, bound_at, restored in connection.execute(
                f"SELECT a.number, t.{self._key}, t.{self._bound_at}, c.restored FROM huanxin_asked a"
                f" JOIN {self._table} t ON t.{self._number} = a.number"
                f" LEFT JOIN huanxin_cuts c ON c.number = a.number AND c.tie = t.{self._key} AND c.cutoff = ?",
                (as_text(cutoff),),
            ):
                latest = latest_instant(bound_at, self._zone)
                if latest is None:
                    found[number].add("refused")
                elif latest >= cutoff or restored is not None:  # cut once, so back again since
                    found[number].add("kept")
                else:
                    cuts.append((tie, number, as_text(cutoff)))
            connection.executemany(
                f"UPDATE {self._table} SET {self._number} = NULL WHERE {self._key} = ?", ((tie,) for tie, _, _ in cuts)
            )
            connection.executemany("INSERT INTO huanxin_cuts (tie, number, cutoff) VALUES (?, ?, ?)", cuts)
            for (number,) in connection.execute(
                "SELECT number FROM huanxin_asked JOIN huanxin_cuts USING (number) WHERE cutoff = ? AND NOT restored",
                (as_text(cutoff),),
            ):
                found[number].add("unbound")
        return [_answer(number, outcomes) for number, outcomes in found.items()]

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """See ties.TieStore."""
        with self._about(numbers) as connection:
            rows = connection.execute(
                f"SELECT c.number, c.tie, c.restored, t.{self._key} IS NOT NULL AND t.{self._number} IS NULL,"
                f" EXISTS (SELECT 1 FROM {self._table} n WHERE n.{self._number} = c.number)"
                f" FROM huanxin_asked a JOIN huanxin_cuts c USING (number)"
                f" LEFT JOIN {self._table} t ON t.{self._key} = c.tie WHERE c.cutoff = ?",
                (as_text(cutoff),),
            ).fetchall()
            answers: dict[str, str] = {}
            back = []
            for number, tie, restored, free, taken in rows:
                if restored or (free and not taken):
                    answers[number] = "restored"
                else:
                    answers.setdefault(number, "irreversible")
                if free and not taken and not restored:
                    back.append((number, tie))
            connection.executemany(f"UPDATE {self._table} SET {self._number} = ? WHERE {self._key} = ?", back)
            connection.executemany(
                "UPDATE huanxin_cuts SET restored = 1 WHERE number = ? AND tie = ? AND cutoff = ?",
                ((number, tie, as_text(cutoff)) for number, tie in back),
            )
        return [Answer(number=number, outcome=outcome) for number, outcome in answers.items()]

    def bound(self, number: str) -> bool:
        """See ties.TieStore."""
        with closing(self._connect()) as connection:
            row = connection.execute(f"SELECT 1 FROM {self._table} WHERE {self._number} = ? LIMIT 1", (number,)).fetchone()
        return row is not None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def _about(self, numbers: Sequence[str]) -> Iterator[sqlite3.Connection]:
        """One transaction, with the numbers in a temporary table, since joining beats asking one by one."""
        with closing(self._connect()) as connection:
            connection.execute("CREATE TEMP TABLE huanxin_asked (number TEXT PRIMARY KEY) WITHOUT ROWID")
            with immediate(connection):
                connection.executemany("INSERT INTO huanxin_asked VALUES (?)", ((number,) for number in numbers))
                yield connection


def latest_instant(value: object, zone: tzinfo) -> datetime | None:
    """The latest instant that a stored time may stand for; None if it can't be read."""
    try:
        if isinstance(value, int | float):
            step = timedelta(seconds=1) if value == int(value) else _LEAST
            return datetime.fromtimestamp(value, UTC) + step - _LEAST
        if not isinstance(value, str):
            return None
        text = value.strip()
        if (day := _day(text)) is not None:
            return datetime.combine(day, time.max, zone).astimezone(UTC)
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC) + _step(text) - _LEAST
    except (ValueError, OverflowError, OSError):
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _step(text: str) -> timedelta:
    """How much later than it says a time may be whose last digits were left out."""
    if fraction := _FRACTION.search(text):
        return max(_LEAST, timedelta(seconds=0.1 ** len(fraction[1])))
    return timedelta(seconds=1) if _WITH_SECONDS.search(text) else timedelta(minutes=1)


def _answer(number: str, outcomes: set[str]) -> Answer:
    """The one answer for a number with several ties: what is still to be done weighs most, then what was done."""
    if "refused" in outcomes:
        return Answer(number=number, outcome="refused", reason="other")
    return Answer(number=number, outcome="unbound" if "unbound" in outcomes else "kept")


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
