"""Workers: threads that push what is due and sleep until something is. Any number of them, on any machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from huanxin.domain.clock import Clock
from huanxin.store import deliveries
from huanxin.store.database import Database

log = logging.getLogger("huanxin.worker")
_LONGEST_SLEEP = 5.0  # seconds; the net under a notification that got lost


@dataclass(kw_only=True)
class Workers:
    """`count` threads that run `job` while it finds something to do. `start`, then `stop`; both return at once."""

    database: Database
    clock: Clock
    job: Callable[[], bool]
    count: int
    at_end: Callable[[], None] = lambda: None
    """closes what the job holds open"""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _awake: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(self.count)]
        self._threads.append(threading.Thread(target=self._listen, name="worker-listen", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Let every thread end the job it is at."""
        self._stopping.set()
        self._wake_all()
        for thread in self._threads:
            thread.join(timeout)
        self.at_end()

    def wait(self) -> None:
        """Block until `stop` is called from a signal handler or another thread."""
        self._stopping.wait()

    def _wake_all(self) -> None:
        with self._awake:
            self._awake.notify_all()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                if self.job():
                    continue
                with self.database.transaction() as tx:
                    wait = deliveries.seconds_until_next(tx, self.clock())
            except Exception:  # a worker outlives whatever one job meets; what it was is in the log
                log.exception("a job failed; it is tried again")
                wait = 1.0
            with self._awake:
                # At least a moment: what is due may be in another worker's hands.
                self._awake.wait(min(_LONGEST_SLEEP, max(0.05, _LONGEST_SLEEP if wait is None else wait)))

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with self.database.listening(deliveries.CHANNEL) as connection:
                    while not self._stopping.is_set():
                        for _ in connection.notifies(timeout=1.0, stop_after=1):
                            self._wake_all()
            except psycopg.OperationalError:
                log.warning("the database can't be reached; listening again in a second")
                self._stopping.wait(1.0)
