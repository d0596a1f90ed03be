"""The events that were taken, in a small SQLite file: a replay is known again, and what a crash interrupted goes on."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from huanxin_partner.clocks import FARTHEST, take_clock
from huanxin_partner.ties import immediate
from huanxin_partner.tokens import Event
from huanxin_partner.turns import Turns

_SCHEMA = """
CREATE TABLE IF NOT EXISTS huanxin_event (
    jti TEXT PRIMARY KEY, event TEXT NOT NULL, received REAL NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, done REAL, outcome TEXT);
CREATE INDEX IF NOT EXISTS huanxin_event_due ON huanxin_event (due) WHERE done IS NULL;
CREATE INDEX IF NOT EXISTS huanxin_event_number ON huanxin_event (json_extract(event, '$.subject.phone_number'));
CREATE TABLE IF NOT EXISTS huanxin_taken_back (notice TEXT, number TEXT, PRIMARY KEY (notice, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS huanxin_named (notice TEXT, number TEXT, PRIMARY KEY (notice, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS huanxin_filing (
    act TEXT, part INTEGER, said TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (act, part)) WITHOUT ROWID;
"""


@dataclass(eq=False)
class _Taking:
    """An event that a thread waits to have recorded, and whether it was new."""

    event: Event
    new: bool | None = None


class BadJournal(ValueError):
    """The file can't be a journal; the text says why."""


class Journal:
    """Events by `jti`, first come first served. May be used from several threads. `clock` gives Unix seconds; another one
    than the machine's takes a file that is made with one (`simulated`)."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Makes the file if it isn't there. Raises BadJournal, also for a database that holds something else."""
        path = Path(path)
        try:
            _check(path)
        except sqlite3.Error as error:
            raise BadJournal(f"{path} can't be used as a journal: {error}") from error
        self._lock = threading.Lock()
        self._clock = clock
        self._coming: deque[_Taking] = deque()
        self._turns = Turns(Path(f"{path}.lock"))
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # a 202 is a promise, also when the power goes
        with immediate(self._db):
            self.simulated = take_clock(self._db, clock)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def take(self, event: Event) -> bool:
        """Record an event; False if it is here already (a replay changes nothing).

        Events that come while the disk is busy are recorded together by whoever has the lock next: one wait for the disk.
        """
        mine = _Taking(event)
        self._coming.append(mine)
        with self._lock:
            if mine.new is None:  # nobody has recorded it for us
                coming = [self._coming.popleft() for _ in range(len(self._coming))]
                self._take(coming if mine in coming else [mine, *coming])
        assert mine.new is not None
        return mine.new

    def take_all(self, events: Sequence[Event]) -> list[bool]:
        """Record some events, all or none; of each whether it is new."""
        taking = [_Taking(event) for event in events]
        with self._lock:
            self._take(taking)
        return [bool(one.new) for one in taking]

    def _take(self, taking: Sequence[_Taking]) -> None:
        now, new = self._clock(), []
        with immediate(self._db):
            for one in taking:
                stored = json.dumps(vars(one.event))
                new.append(bool(self._db.execute(
                    "INSERT OR IGNORE INTO huanxin_event (jti, event, received, due) VALUES (?, ?, ?, ?)",
                    (one.event.jti, stored, now, now),
                ).rowcount))  # fmt: skip
        for one, is_new in zip(taking, new, strict=True):
            one.new = is_new

    def next(self) -> tuple[Event, int] | None:
        """The event that has been due longest, and how often it failed before."""
        return next(iter(self.due(1)), None)

    def due(self, most: int) -> list[tuple[Event, int]]:
        """The events that have been due longest, `most` at the most, and how often each failed before."""
        with self._lock:
            rows = self._db.execute(
                "SELECT event, attempts FROM huanxin_event WHERE done IS NULL AND (due <= ? OR due > ?)"
                " ORDER BY due, received, rowid LIMIT ?",
                (self._clock(), self._clock() + FARTHEST, most),
            ).fetchall()
        return [(Event(**json.loads(event)), attempts) for event, attempts in rows]

    def finish(self, jti: str, outcome: str) -> None:
        """Record that an event was handled, and what came of it."""
        self.finish_all({jti: outcome})

    def finish_all(self, outcomes: Mapping[str, str]) -> None:
        """Record that events were handled, and what came of each, by `jti`."""
        now = self._clock()
        with self._lock, immediate(self._db):
            rows = ((now, outcome, jti) for jti, outcome in outcomes.items())
            self._db.executemany("UPDATE huanxin_event SET done = ?, outcome = ? WHERE jti = ?", rows)
            self._db.executemany("DELETE FROM huanxin_filing WHERE act = ?", ((jti,) for jti in outcomes))

    def put_off(self, jti: str, seconds: float, why: str) -> None:
        """Record that an event could not be handled; it is due again after so many seconds, and others go first."""
        with self._lock:
            self._db.execute(
                "UPDATE huanxin_event SET due = ?, attempts = attempts + 1, outcome = ? WHERE jti = ?",
                (self._clock() + seconds, why, jti),
            )

    def outcome(self, jti: str) -> str | None:
        """What came of an event, or what stands in its way; None if nothing has yet."""
        with self._lock:
            row = self._db.execute("SELECT outcome FROM huanxin_event WHERE jti = ?", (jti,)).fetchone()
        return row[0] if row else None

    def about(self, number: str) -> list[Event]:
        """The events about this one number, handled or not."""
        with self._lock:
            rows = self._db.execute(
                "SELECT event FROM huanxin_event WHERE json_extract(event, '$.subject.phone_number') = ?", (number,)
            ).fetchall()
        return [Event(**json.loads(event)) for (event,) in rows]

    def waiting(self) -> int:
        """How many events are not done."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM huanxin_event WHERE done IS NULL").fetchone()[0])

    def alone(self, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Whether nobody else, in this process or another, is at work on the events of this journal while the block lasts;
        False only if it doesn't `wait`. May be nested."""
        return self._turns.taken(wait=wait)

    def filed_together(self, act: str) -> frozenset[str]:
        """The events that the last try to answer this one answered in the same receipt; none if there was no try."""
        with self._lock:
            rows = self._db.execute(
                "SELECT act FROM huanxin_filing WHERE key = (SELECT key FROM huanxin_filing WHERE act = ? AND part = 0)",
                (act,),
            )
            return frozenset(str(one) for (one,) in rows)

    def key_of(self, acts: Sequence[str], part: int, said: str) -> str:
        """The Idempotency-Key of a receipt, or of a part of one, that answers these events. It is the one of the last try if
        that `said` the same (a hash), and else a new one, since news must be heard. Once an event is finished its keys are
        forgotten: what is answered later is another act."""
        with self._lock, immediate(self._db):
            found = self._db.execute(
                "SELECT f.said, f.key, count(*) FROM json_each(?) a JOIN huanxin_filing f ON f.act = a.value AND f.part = ?"
                " GROUP BY f.said, f.key",
                (json.dumps(acts), part),
            ).fetchall()
            if len(found) == 1 and (found[0][0], found[0][2]) == (said, len(acts)):
                return str(found[0][1])
            key = uuid4().hex
            rows = ((act, part, said, key) for act in acts)
            self._db.executemany("INSERT OR REPLACE INTO huanxin_filing (act, part, said, key) VALUES (?, ?, ?, ?)", rows)
            return key

    def take_back(self, notice: str, numbers: Iterable[str]) -> None:
        """Remember that numbers were retracted from a renewal notice, which may not even have come yet."""
        with self._lock, immediate(self._db):
            rows = ((notice, number) for number in numbers)
            self._db.executemany("INSERT OR IGNORE INTO huanxin_taken_back (notice, number) VALUES (?, ?)", rows)

    def taken_back(self, notice: str) -> frozenset[str]:
        """The numbers that this renewal must leave alone."""
        with self._lock:
            return frozenset(
                number for (number,) in self._db.execute("SELECT number FROM huanxin_taken_back WHERE notice = ?", (notice,))
            )

    def note_named(self, notice: str, numbers: Iterable[str]) -> None:
        """Remember which numbers a receipt named that the platform refused: they are named in the next one too."""
        with self._lock, immediate(self._db):
            rows = ((notice, number) for number in numbers)
            self._db.executemany("INSERT OR IGNORE INTO huanxin_named (notice, number) VALUES (?, ?)", rows)

    def named(self, notice: str) -> frozenset[str]:
        """The numbers that refused receipts of a notice named."""
        with self._lock:
            rows = self._db.execute("SELECT number FROM huanxin_named WHERE notice = ?", (notice,))
            return frozenset(number for (number,) in rows)

    def again(self, notice: str, why: str) -> None:
        """Let the events of a notice be handled once more, from now on."""
        with self._lock:
            self._db.execute(
                "UPDATE huanxin_event SET done = NULL, due = ?, outcome = ? WHERE done IS NOT NULL"
                " AND json_extract(event, '$.claims.notice') = ? AND json_extract(event, '$.subject') <> '{}'",
                (self._clock(), why, notice),
            )


def _check(path: Path) -> None:
    """Raises BadJournal, and sqlite3.Error for what is no database or can't be written."""
    if path.is_dir():
        raise BadJournal(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise BadJournal(f"there is no folder {path.parent} for it")
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as db, immediate(db):
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if others := [name for name in tables if not name.startswith(("huanxin_", "sqlite_"))]:
        raise BadJournal(f"{path} holds the table {others[0]}; a journal is a file of its own")
