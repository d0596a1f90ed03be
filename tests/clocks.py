"""Clocks that a test sets: one that a process comes with, and those of a whole machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from psycopg import sql

from huanxin.domain.clock import system_clock
from huanxin.store.database import Database
from huanxin.store.one_clock import OneClock

JUST = timedelta(seconds=20)
"""that a test may take"""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(kw_only=True)
class World:
    """A machine and a database whose clocks can be set, and the seconds that the machine counts, which can't."""

    database: Database
    boot: str = "first"
    own_ahead: timedelta = timedelta()
    database_ahead: timedelta = timedelta()
    passed: timedelta = timedelta()
    """that went by beside the real time"""
    _began: datetime = field(default_factory=system_clock)

    def set_database(self, ahead: timedelta) -> None:
        """Put the database's clock ahead of the real time, and of what passed beside it."""
        self.database_ahead = ahead
        with self.database.transaction() as tx:
            told = sql.SQL("CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql AS {}")
            seconds = (self.passed + ahead).total_seconds()
            body = f"SELECT clock_timestamp() + interval '{seconds} seconds'"
            tx.execute(told.format(sql.Literal(body)))

    def set_machine(self, ahead: timedelta) -> None:
        """Put the clock of a machine ahead that has both the process and the database, as with the embedded one."""
        self.own_ahead = ahead
        self.set_database(ahead)

    def let_pass(self, span: timedelta) -> None:
        self.passed += span
        self.set_database(self.database_ahead)

    def true(self) -> datetime:
        return system_clock() + self.passed

    def process(self) -> OneClock:
        """A process that starts on this machine now."""
        return OneClock(
            self.database, own=lambda: self.true() + self.own_ahead, boot=self.boot,
            elapsed=lambda: 1e5 + (self.true() - self._began).total_seconds(),
        )  # fmt: skip

    def is_right(self, clock: OneClock) -> bool:
        return abs(clock() - self.true()) < JUST
