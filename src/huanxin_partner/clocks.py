"""The clock of a file: the machine's, or one that a test or a simulation sets, if the file was made for that."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

FARTHEST = 86_400.0  # seconds; what is due later was put off by a clock that ran ahead
_SCHEMA = "CREATE TABLE IF NOT EXISTS huanxin_clock (simulated INTEGER NOT NULL)"


def take_clock(db: sqlite3.Connection, clock: Callable[[], float]) -> bool:
    """Whether a file, which has no other table yet if it is new, is for simulated clocks: that is said when it is made.
    Raises ValueError for such a clock on one that is not: on real people nothing is decided by a made-up time."""
    new = not db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table'").fetchone()
    db.execute(_SCHEMA)
    if new:
        db.execute("INSERT INTO huanxin_clock (simulated) VALUES (?)", (clock is not time.time,))
    simulated = bool(db.execute("SELECT max(simulated) FROM huanxin_clock").fetchone()[0])
    if clock is not time.time and not simulated:
        raise ValueError("this file was not made for simulated clocks; use it without a clock, or make another")
    return simulated
