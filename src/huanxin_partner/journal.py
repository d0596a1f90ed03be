"""The events that were taken, in a small SQLite file: a replay is known again, and what a crash interrupted goes on."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from pathlib import Path

from huanxin_partner.tokens import Event


class Journal:
    """Events by `jti`, first come first served. May be used from several threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS huanxin_event (jti TEXT PRIMARY KEY, event TEXT NOT NULL, received REAL NOT NULL,"
            " done REAL, outcome TEXT)"
        )

    def take(self, event: Event) -> bool:
        """Record an event; False if it is here already (a replay changes nothing)."""
        stored = json.dumps(vars(event))
        with self._lock:
            return bool(
                self._db.execute(
                    "INSERT OR IGNORE INTO huanxin_event (jti, event, received) VALUES (?, ?, ?)",
                    (event.jti, stored, time.time()),
                ).rowcount
            )

    def next(self) -> Event | None:
        """The oldest event that is not done."""
        with self._lock:
            row = self._db.execute(
                "SELECT event FROM huanxin_event WHERE done IS NULL ORDER BY received, jti LIMIT 1"
            ).fetchone()
        return Event(**json.loads(row[0])) if row else None

    def finish(self, jti: str, outcome: str) -> None:
        """Record that an event was handled, and what came of it."""
        with self._lock:
            self._db.execute("UPDATE huanxin_event SET done = ?, outcome = ? WHERE jti = ?", (time.time(), outcome, jti))

    def waiting(self) -> int:
        """How many events are not done."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM huanxin_event WHERE done IS NULL").fetchone()[0])
