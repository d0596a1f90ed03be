"""A database that can't be reached is said to be so once a minute, however many meet it."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

import psycopg

from huanxin.domain.errors import ClockInDoubt

log = logging.getLogger("huanxin.database")
_EVERY = 60.0  # seconds
_NOT_REACHED = ("08", "53", "57")
"""Classes of SQLSTATE: the connection, what the server lacks (room, slots), its end by an operator or a crash."""


@dataclass(kw_only=True)
class _Said:
    at: float = -_EVERY
    lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self) -> bool:
        with self.lock:
            now = time.monotonic()
            due = now >= self.at + _EVERY
            self.at = now if due else self.at
        return due


_said, _said_by_driver, _said_of_clock = _Said(), _Said(), _Said()


def noted(error: BaseException) -> bool:
    """Whether an error says that the database can't be reached, or its clock is in doubt, which is then in the log if it
    wasn't in the last minute."""
    if isinstance(error, ClockInDoubt):
        if _said_of_clock.due():
            log.warning("%s", error)
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    if error.sqlstate is not None and not error.sqlstate.startswith(_NOT_REACHED):
        return False
    if _said.due():
        log.warning("the database can't be reached, which is tried again all the time: %s", " ".join(str(error).split()))
    return True


class _Rarely(logging.Filter):
    """What the driver says of each lost connection and each try."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno < logging.WARNING or _said_by_driver.due()


for name in ("psycopg", "psycopg.pool"):
    logging.getLogger(name).addFilter(_Rarely())
