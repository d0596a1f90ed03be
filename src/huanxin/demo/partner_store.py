"""A demo partner's own database: accounts, ties, sessions, and what it answered. The schema is here and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from huanxin_partner.ties import Answer, as_text, immediate

UNPAID = "unpaid"
_SCHEMA = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, note TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE ties (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, number TEXT NOT NULL, bound_at TEXT NOT NULL,
                   cut_at TEXT);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, ended_at TEXT);
CREATE TABLE answers (notice TEXT NOT NULL, number TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
                      at TEXT NOT NULL);
"""
_INDEXES = """
CREATE INDEX ties_by_number ON ties (number);
CREATE INDEX sessions_by_account ON sessions (account_id);
"""


class Landing(NamedTuple):
    """Where a login with an SMS code landed."""

    account: int
    owner: str
    fresh: bool


def make_partner_db(path: Path, rows: Iterable[Sequence[str]]) -> int:
    """Make a partner's database from ties (number, bound_at, owner, note, created_at), each with a session; how many."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(_SCHEMA)
    with immediate(db):
        accounts, ties = [], []
        for key, (number, bound_at, owner, note, created_at) in enumerate(rows, start=1):
            accounts.append((key, owner, note, created_at))
            ties.append((key, number, _precise(bound_at)))
        _insert(db, accounts, ties)
    db.executescript(_INDEXES)
    db.close()
    return len(ties)


def add_ties(path: Path, rows: Iterable[Sequence[str]]) -> int:
    """Add ties to a partner's database, as people do who sign up; how many."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    with immediate(db):
        first = 1 + int(db.execute("SELECT coalesce(max(id), 0) FROM accounts").fetchone()[0])
        accounts, ties = [], []
        for key, (number, bound_at, owner, note, created_at) in enumerate(rows, start=first):
            accounts.append((key, owner, note, created_at))
            ties.append((key, number, _precise(bound_at)))
        _insert(db, accounts, ties)
    db.close()
    return len(ties)


def _insert(db: sqlite3.Connection, accounts: list[tuple[int, str, str, str]], ties: list[tuple[int, str, str]]) -> None:
    db.executemany("INSERT INTO accounts (id, owner, note, created_at) VALUES (?, ?, ?, ?)", accounts)
    db.executemany("INSERT INTO ties (account_id, number, bound_at) VALUES (?, ?, ?)", ties)
    db.executemany("INSERT INTO sessions (account_id) VALUES (?)", [(key,) for key, *_ in accounts])


def _precise(instant: str) -> str:
    """RFC 3339 in UTC with microseconds, so that text sorts as time does."""
    return as_text(datetime.fromisoformat(instant))


class AccountTies:
    """The partner's ties (huanxin_partner.TieStore). A cut tie keeps its row, with the instant: its history stays."""

    def __init__(self, path: Path, *, refuse_unpaid: bool = False) -> None:
        self._path, self._refuse_unpaid = path, refuse_unpaid

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, isolation_level=None)

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """Cut what was bound before the cut-off and is not cut yet; what was cut since counts as cut by this notice."""
        # CROSS JOIN has SQLite begin with the numbers asked for: of itself it looks through all ties for each single number.
        db, before, now = self._open(), as_text(cutoff), as_text(datetime.now(UTC))
        with immediate(db):
            self._ask(db, numbers)
            unpaid = f"a.note = '{UNPAID}'" if self._refuse_unpaid else "0"
            db.execute(
                "CREATE TEMP TABLE cut AS SELECT t.id, t.account_id FROM asked CROSS JOIN ties t USING (number)"
                f" JOIN accounts a ON a.id = t.account_id WHERE t.cut_at IS NULL AND t.bound_at < ? AND NOT {unpaid}",
                (before,),
            )
            db.execute("UPDATE ties SET cut_at = ? WHERE id IN (SELECT id FROM cut)", (now,))
            db.execute(
                "UPDATE sessions SET ended_at = ? WHERE ended_at IS NULL AND account_id IN (SELECT account_id FROM cut)",
                (now,),
            )
            rows = db.execute(
                f"SELECT number, max(t.cut_at IS NULL AND t.bound_at < ? AND {unpaid}),"
                " max(t.cut_at >= ? AND t.bound_at < ?)"
                " FROM asked CROSS JOIN ties t USING (number) JOIN accounts a ON a.id = t.account_id"
                " WHERE t.cut_at IS NULL OR t.cut_at >= ? GROUP BY number ORDER BY number",
                (before, before, before, before),
            ).fetchall()
        db.close()
        return [self._answer(number, bool(refused), bool(cut)) for number, refused, cut in rows]

    @staticmethod
    def _answer(number: str, refused: bool, cut: bool) -> Answer:
        if refused:
            return Answer(number=number, outcome="refused", reason="debt")
        return Answer(number=number, outcome="unbound" if cut else "kept")

    @staticmethod
    def _ask(db: sqlite3.Connection, numbers: Sequence[str]) -> None:
        db.execute("CREATE TEMP TABLE asked (number TEXT PRIMARY KEY) WITHOUT ROWID")
        db.executemany("INSERT OR IGNORE INTO asked (number) VALUES (?)", ((number,) for number in numbers))

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """Give back what was cut since the cut-off, unless the number has been bound anew."""
        db, since = self._open(), as_text(cutoff)
        with immediate(db):
            self._ask(db, numbers)
            db.execute(
                "CREATE TEMP TABLE back AS SELECT t.id, t.account_id, number, EXISTS (SELECT 1 FROM ties n"
                " WHERE n.number = t.number AND n.cut_at IS NULL AND n.bound_at >= ?) AS taken"
                " FROM asked CROSS JOIN ties t USING (number) WHERE t.cut_at >= ? AND t.bound_at < ?",
                (since, since, since),
            )
            db.execute("UPDATE ties SET cut_at = NULL WHERE id IN (SELECT id FROM back WHERE NOT taken)")
            rows = db.execute("SELECT number, max(taken) FROM back GROUP BY number ORDER BY number").fetchall()
        db.close()
        return [Answer(number=number, outcome="irreversible" if taken else "restored") for number, taken in rows]

    def bound(self, number: str) -> bool:
        """Whether somebody can log in with this number."""
        db = self._open()
        found = db.execute("SELECT 1 FROM ties WHERE number = ? AND cut_at IS NULL LIMIT 1", (number,)).fetchone()
        db.close()
        return found is not None

    def log_in(self, number: str) -> Landing:
        """A login with an SMS code: into the account that the number is tied to, or into a fresh one."""
        db, now = self._open(), as_text(datetime.now(UTC))
        with immediate(db):
            row = db.execute(
                "SELECT a.id, a.owner FROM ties t JOIN accounts a ON a.id = t.account_id"
                " WHERE t.number = ? AND t.cut_at IS NULL ORDER BY t.bound_at LIMIT 1",
                (number,),
            ).fetchone()
            if row:
                login = Landing(account=row[0], owner=row[1], fresh=False)
            else:
                made = db.execute("INSERT INTO accounts (owner, note, created_at) VALUES ('新用户', '', ?)", (now,))
                account = int(made.lastrowid or 0)
                db.execute("INSERT INTO ties (account_id, number, bound_at) VALUES (?, ?, ?)", (account, number, now))
                login = Landing(account=account, owner="新用户", fresh=True)
            db.execute("INSERT INTO sessions (account_id) VALUES (?)", (login.account,))
        db.close()
        return login

    def note_answers(self, notice: str, answers: Sequence[Answer], *, complete: bool) -> None:
        """Keep what was answered: a row per number named, and one without a number once everything is said."""
        db, now = self._open(), as_text(datetime.now(UTC))
        with immediate(db):
            rows = [(notice, answer.number, answer.outcome, answer.reason, now) for answer in answers]
            if complete:
                rows.append((notice, "", "complete", "", now))
            db.executemany("INSERT INTO answers (notice, number, outcome, reason, at) VALUES (?, ?, ?, ?, ?)", rows)
        db.close()
