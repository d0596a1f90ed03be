"""Two orders that meet, step by step: one stands before a statement of its own choosing while the other runs as far as it
gets. Nothing is left to luck: a step is a statement, and who waits for whom is asked of PostgreSQL."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg import Cursor, ServerCursor

from huanxin.store.database import Tx

_LOCK = re.compile(r"pg_advisory_xact_lock|\bLOCK TABLE\b|\bFOR UPDATE\b")
_WRITE = re.compile(r"\b(INSERT|COPY|UPDATE|DELETE)\b")
_PATIENCE = 20.0  # seconds; a deadlock ends after one
_here = threading.local()


@dataclass
class Walker:
    """An order in a thread of its own, which stands before the steps at which it is told to: before a lock, before the first
    write of a transaction, before a commit."""

    order: Callable[[], object]
    stops: int | None
    """before which of its steps it stands; None: it goes through"""
    steps: list[str] = field(default_factory=list)
    outcome: object = None
    backend: int | None = None
    standing: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    _written: bool = False

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        _here.walker = self
        try:
            self.outcome = self.order()
        except Exception as error:  # what it came to is compared
            self.outcome = type(error).__name__
        finally:
            self.standing.set()

    def before(self, connection: psycopg.Connection[Any], statement: str) -> None:
        """Called in the order's thread before each statement."""
        self.backend = connection.info.backend_pid
        if statement == "COMMIT":
            step = "commit" if self._written else None
            self._written = False
        elif _LOCK.search(statement):
            step = "lock"
        else:
            step = "write" if _WRITE.search(statement) and not self._written else None
            self._written = self._written or step is not None
        if step is None:
            return
        if len(self.steps) == self.stops:
            self.standing.set()
            assert self.go_on.wait(_PATIENCE)
        self.steps.append(step)


def meet(first: Callable[[], object], at: int, second: Callable[[], object], dsn: str) -> tuple[Walker, Walker]:
    """The first stands before one of its steps; the second goes through, or as far as it gets without the first; then the
    first goes on. Both as they ended."""
    one, two = Walker(first, at), Walker(second, None)
    with psycopg.connect(dsn, autocommit=True) as watching:
        one.start()
        assert one.standing.wait(_PATIENCE)
        two.start()
        ends = time.monotonic() + _PATIENCE
        while not two.standing.wait(0.002) and not _waits(watching, two.backend):
            assert time.monotonic() < ends
        one.go_on.set()
    for walker in (one, two):
        walker.thread.join(_PATIENCE)
        assert not walker.thread.is_alive()
    return one, two


def _waits(watching: psycopg.Connection[Any], backend: int | None) -> bool:
    """Whether a connection waits for a lock."""
    row = watching.execute("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", (backend,)).fetchone()
    return bool(row and row[0])


@contextmanager
def stepping() -> Iterator[None]:
    """Have every statement of a walker's thread announced to it."""

    def announced(of: type, name: str) -> Callable[..., Any]:
        plain = getattr(of, name)

        def call(self: Any, *given: Any, **named: Any) -> Any:
            walker = getattr(_here, "walker", None)
            if walker:
                connection, statement = (self, "COMMIT") if name == "commit" else (self.connection, _text(given[0]))
                walker.before(connection, statement)
            return plain(self, *given, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for of, names in ((Cursor, ("execute", "executemany", "copy")), (ServerCursor, ("execute",)), (Tx, ("commit",))):
            for name in names:
                patch.setattr(of, name, announced(of, name))
        yield


def _text(statement: object) -> str:
    return statement.decode() if isinstance(statement, bytes) else str(statement)
