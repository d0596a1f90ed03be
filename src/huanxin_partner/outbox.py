"""Receipts on their way as files: kept until the platform has taken them, written in its order, sent again if it must be.

The platform takes the receipts of a notice in the order of their numbers. The last part says complete, so it is written
only when all others were taken; one that was refused is replaced by another under a later number, which names it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huanxin_partner.client import PlatformError
from huanxin_partner.clocks import FARTHEST, take_clock
from huanxin_partner.folders import Folder
from huanxin_partner.ties import immediate

RECEIPT, RESULT = ".receipt.json", ".result.json"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS huanxin_receipt (
    id INTEGER PRIMARY KEY, notice TEXT NOT NULL, key TEXT, said TEXT, complete INTEGER NOT NULL, lines INTEGER NOT NULL,
    body BLOB, number INTEGER, replaces TEXT NOT NULL, state TEXT NOT NULL, due REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', UNIQUE (notice, number), UNIQUE (notice, key));
"""
_NEW, _WRITTEN, _TAKEN, _REFUSED, _REPLACED = "new", "written", "taken", "refused", "replaced"
_UNSETTLED = (_NEW, _WRITTEN, _REFUSED)
_AGAIN = 3600.0  # seconds without a result after which a receipt is written once more: it may have got lost
_FIRST, _LONGEST = 60.0, 6 * 3600.0  # seconds before a receipt that was damaged is sent again, doubling
_SILENT = ":silent-about-refused"  # the end of the type of a problem: it leaves out what a refused receipt named
_BAD_REQUEST, _NOT_FOUND, _CONFLICT = 400, 404, 409


class RefusedForGood(PlatformError):
    """The platform refused this very receipt for what it says; the text is the platform's."""


@dataclass(frozen=True, kw_only=True)
class _Row:
    id: int
    notice: str
    complete: bool
    lines: int
    body: bytes
    number: int | None
    replaces: str


class Outbox:
    """The receipts of each notice, in a SQLite file (the journal's) or in memory. May be used from several threads. `clock`
    gives Unix seconds.

    A receipt is new, then written, then taken or refused; a refused one is replaced by the one that stands in its place.
    """

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._lock, self._clock = threading.RLock(), clock
        self._db = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False, isolation_level=None)
        with immediate(self._db):
            take_clock(self._db, clock)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, notice: str, body: bytes, *, lines: int, complete: bool, key: str = "") -> None:
        """Keep a receipt to be sent, in place of those that were refused. The same `key` again is the same receipt (without
        one, the same content). Raises RefusedForGood for what says the same as one that was refused and not replaced yet."""
        said = hashlib.sha256(body + bytes([complete])).hexdigest()
        with self._lock, immediate(self._db):
            asked = "SELECT why FROM huanxin_receipt WHERE notice = ? AND state = ? AND (said = ? OR key = ?)"
            if refused := self._db.execute(asked, (notice, _REFUSED, said, key or said)).fetchone():
                raise RefusedForGood(refused[0])
            asked = "SELECT 1 FROM huanxin_receipt WHERE notice = ? AND key = ?"
            if self._db.execute(asked, (notice, key or said)).fetchone():
                return
            # What was to end the parts, and was not written yet, would speak too early now.
            self._db.execute(
                "DELETE FROM huanxin_receipt WHERE notice = ? AND complete AND state = ? AND number IS NULL", (notice, _NEW)
            )
            gone = self._db.execute(
                "UPDATE huanxin_receipt SET state = ? WHERE notice = ? AND state = ? RETURNING number, replaces",
                (_REPLACED, notice, _REFUSED),
            ).fetchall()
            replaces = sorted({one for number, before in gone for one in (number, *json.loads(before))})
            self._insert(notice, key or said, complete, lines, body, json.dumps(replaces), due=self._clock(), tries=0)

    def _insert(
        self, notice: str, key: str, complete: bool, lines: int, body: bytes, replaces: str, *, due: float, tries: int
    ) -> None:
        self._db.execute(
            "INSERT INTO huanxin_receipt (notice, key, said, complete, lines, body, replaces, state, due, tries)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                notice,
                key,
                hashlib.sha256(body + bytes([complete])).hexdigest(),
                complete,
                lines,
                body,
                replaces,
                _NEW,
                due,
                tries,
            ),
        )

    def note(self, notice: str, number: int, problem: dict[str, Any] | None) -> list[str] | None:
        """Take note of what the platform says of a receipt (RFC 9457; None if it was taken). If what it says can't be taken,
        so that the receipts of the notice have to be made anew: the numbers that it named."""
        with self._lock, immediate(self._db):
            row = self._db.execute(
                "SELECT id, key, complete, lines, body, replaces, tries, state FROM huanxin_receipt"
                " WHERE notice = ? AND number = ?", (notice, number),
            ).fetchone()  # fmt: skip
            if problem is None or (row is not None and row[-1] != _WRITTEN):
                self._db.execute(
                    "UPDATE huanxin_receipt SET state = ?, body = NULL WHERE notice = ? AND number = ? AND state = ?",
                    (_TAKEN, notice, number, _WRITTEN),
                )
                return None
            why = json.dumps(problem, ensure_ascii=False)
            if row is None:  # it was written before receipts were kept here
                self._db.execute(
                    "INSERT INTO huanxin_receipt (notice, complete, lines, number, replaces, state, due, why)"
                    " VALUES (?, 0, 0, ?, '[]', ?, 0, ?)", (notice, number, _REFUSED, why),
                )  # fmt: skip
                return []
            row_id, key, complete, lines, body, replaces, tries, _ = row
            again = _is_of_the_way(problem)
            self._db.execute(
                "UPDATE huanxin_receipt SET state = ?, why = ?, body = NULL, key = ? WHERE id = ?",
                (_REPLACED if again else _REFUSED, why, None if again else key, row_id),
            )
            if again:
                if problem.get("status") != _CONFLICT:  # else the number is another receipt's, which stands for itself
                    replaces = json.dumps([*json.loads(replaces), number])
                due = self._clock() + min(_FIRST * 2 ** min(tries, 20), _LONGEST)
                self._insert(notice, key, complete, lines, body, replaces, due=due, tries=tries + 1)
            return None if again or problem.get("status") == _NOT_FOUND else _named(body)

    def send(self, out: Folder, inbox: Folder, notice: str | None = None) -> None:
        """Write what may be written now, of one notice or of all. Raises what the folders raise."""
        with self._lock:
            for row in self._due(notice):
                number = row.number or self._numbered(row, out, inbox)
                _put(row, number, inbox)
                self._db.execute(
                    "UPDATE huanxin_receipt SET state = ?, due = ? WHERE id = ? AND state IN (?, ?)",
                    (_WRITTEN, self._clock() + _AGAIN, row.id, _NEW, _WRITTEN),
                )

    def _due(self, notice: str | None) -> list[_Row]:
        """What has to be written: parts, the last part once all others are settled, what got no result for long."""
        marks = ", ".join("?" * len(_UNSETTLED))
        rows = self._db.execute(
            "SELECT id, notice, complete, lines, body, number, replaces FROM huanxin_receipt r WHERE (due <= ? OR due > ?)"
            " AND state IN (?, ?) AND notice = coalesce(?, notice) AND (number IS NOT NULL OR NOT complete OR NOT EXISTS"
            f" (SELECT 1 FROM huanxin_receipt o WHERE o.notice = r.notice AND o.id <> r.id AND o.state IN ({marks})))"
            " ORDER BY id",
            (self._clock(), self._clock() + FARTHEST, _NEW, _WRITTEN, notice, *_UNSETTLED),
        )
        return [_Row(id=one, notice=of, complete=bool(complete), lines=lines, body=body, number=number, replaces=replaces)
                for one, of, complete, lines, body, number, replaces in rows.fetchall()]  # fmt: skip

    def _numbered(self, row: _Row, out: Folder, inbox: Folder) -> int:
        """The next number of a notice, on record before the receipt is written: after a crash it is written under it."""
        there = [*_numbers(inbox, row.notice, RECEIPT), *_numbers(out, row.notice, RESULT)]
        with immediate(self._db):
            (last,) = self._db.execute(
                "SELECT coalesce(max(number), 0) FROM huanxin_receipt WHERE notice = ?", (row.notice,)
            ).fetchone()
            number = 1 + max([int(last), *there])
            self._db.execute("UPDATE huanxin_receipt SET number = ? WHERE id = ?", (number, row.id))
        return number


def _put(row: _Row, number: int, inbox: Folder) -> None:
    receipt = f"{row.notice}.{number}.receipt.csv"
    replaces = json.loads(row.replaces)
    manifest = {
        "notice": row.notice, "count": row.lines, "sha256": hashlib.sha256(row.body).hexdigest(), "complete": row.complete,
        "receipt": receipt,
    } | ({"replaces": replaces} if replaces else {})  # fmt: skip
    inbox.put(receipt, row.body)
    inbox.put(f"{row.notice}.{number}{RECEIPT}", json.dumps(manifest).encode())


def _named(body: bytes) -> list[str]:
    return [line.partition(",")[0] for line in body.decode().splitlines()[1:]]


def _numbers(folder: Folder, notice: str, ending: str) -> list[int]:
    form = re.compile(re.escape(notice) + r"\.(\d+)" + re.escape(ending))
    return [int(found[1]) for name in folder.names(ending) if (found := form.fullmatch(name))]


def _is_of_the_way(problem: dict[str, Any]) -> bool:
    """Whether a receipt was refused for what happened to it on its way, or to its number, and not for what its lines say:
    then the same goes again."""
    errors = problem.get("errors")
    lines = [one.get("line") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    if str(problem.get("type")).endswith(_SILENT):
        return False
    return problem.get("status") in (_BAD_REQUEST, _CONFLICT) or lines == [0]
