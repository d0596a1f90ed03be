"""Workers: threads that do what is due and sleep until something is. Any number of them, on any machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from huanxin.domain.clock import Clock
from huanxin.store import deliveries
from huanxin.store.database import Database

log = logging.getLogger("huanxin.worker")
_SHORTEST_SLEEP = 0.2  # seconds
_LONGEST_SLEEP = 5.0  # seconds; the net under a notification that got lost


@dataclass(kw_only=True)
class Workers:
    """`count` threads that run `jobs`, one after the other, while one of them finds something to do. `start`, then `stop`;
    both return at once. `at_end` is called when the last job is over."""

    database: Database
    clock: Clock
    jobs: Sequence[Callable[[], bool]]
    count: int
    at_end: Callable[[], None] = lambda: None
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
            worked = [self._did(job) for job in self.jobs]
            if any(worked):
                continue
            wait = 1.0 if None in worked else self._pause()
            with self._awake:
                # At least a moment: what is due may be in another worker's hands.
                self._awake.wait(min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, _LONGEST_SLEEP if wait is None else wait)))

    def _did(self, job: Callable[[], bool]) -> bool | None:
        """Whether a job found something to do; None if it failed, which must not keep the others from theirs."""
        try:
            return job()
        except Exception:  # a worker outlives whatever one job meets; what it was is in the log
            log.exception("a job failed; it is tried again")
            return None

    def _pause(self) -> float | None:
        """Seconds until an event falls due; None if none waits."""
        try:
            with self.database.transaction() as tx:
                return deliveries.seconds_until_next(tx, self.clock())
        except Exception:  # as above
            log.exception("the database could not be asked; trying again")
            return 1.0

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
