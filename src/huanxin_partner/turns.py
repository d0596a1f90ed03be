"""Taking turns over threads and processes, so that no two do at once what has to be done in one go."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_PATIENT = 60.0  # seconds in one call of SQLite; whoever waits asks again after it


class Turns:
    """One at a time has the turn, among all that name the same file; who has it may take it again. It ends with its
    process, however that ends: SQLite's lock on a file is the operating system's, and nothing is ever written to it."""

    def __init__(self, path: Path) -> None:
        self._path, self._here, self._depth = path, threading.RLock(), 0

    @contextmanager
    def taken(self, *, wait: bool = True) -> Iterator[bool]:
        """Have the turn while the block lasts; False if another has it and this one doesn't wait."""
        if not self._here.acquire(blocking=wait):
            yield False
            return
        try:
            if self._depth:
                yield True
                return
            with closing(sqlite3.connect(self._path, timeout=_PATIENT if wait else 0, isolation_level=None)) as lock:
                mine = _locked(lock, wait=wait)
                self._depth = int(mine)
                try:
                    yield mine
                finally:
                    self._depth = 0
        finally:
            self._here.release()


def _locked(lock: sqlite3.Connection, *, wait: bool) -> bool:
    while True:
        try:
            lock.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            if not wait:
                return False
        else:
            return True
