"""Workers: threads that do what is due and sleep until something is. Any number of them, on any machine.

Jobs that may wait long for somebody have threads of their own, so that the others are done meanwhile. A job that finds
nothing to do rests, for all threads together, until a notification or the next due time: eight threads that all ask the
database for all jobs after each event took more of it than the events themselves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from huanxin.domain.clock import Clock
from huanxin.store.database import Database
from huanxin.store.notify import deliveries
from huanxin.store.server import outages

log = logging.getLogger("huanxin.worker")
_SHORTEST_SLEEP = 0.2  # seconds
_LEAST_REST = 0.02  # seconds; a job that found nothing is not asked again sooner, however often somebody calls
_LONGEST_SLEEP = 5.0  # seconds; the net under a notification that got lost


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Jobs, by their place among all, that some threads share; `awake` wakes one of them."""

    jobs: Sequence[int]
    count: int
    awake: threading.Condition


@dataclass(kw_only=True)
class Workers:
    """`count` threads that run `jobs`, one after the other, while one of them finds something to do. `start`, then `stop`;
    both return at once. `at_end` is called when the last job is over.

    `apart`: jobs that may take long, and how many threads each has. `concerns`: the jobs to call, by what a notification
    says; the others look by themselves. Without it, all are called.
    """

    database: Database
    clock: Clock
    jobs: Sequence[Callable[[], bool]]
    count: int
    apart: Mapping[Callable[[], bool], int] = field(default_factory=dict)
    at_end: Callable[[], None] = lambda: None
    concerns: Mapping[str, Sequence[Callable[[], bool]]] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _groups: list[_Group] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _rests: dict[int, tuple[float, float]] = field(default_factory=dict)  # of jobs that found nothing: since and until when
    _calls: Counter[int] = field(default_factory=Counter)  # of jobs, so far

    def start(self) -> None:
        together = range(len(self.jobs))
        shares = [(together, self.count), *(([len(self.jobs) + n], count) for n, count in enumerate(self.apart.values()))]
        self._groups = [_Group(jobs=jobs, count=count, awake=threading.Condition(self._lock)) for jobs, count in shares]
        self._threads = [
            threading.Thread(target=self._work, args=(group,), name=f"worker-{place}-{n}", daemon=True)
            for place, group in enumerate(self._groups)
            for n in range(group.count)
        ]
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

    @property
    def _all(self) -> list[Callable[[], bool]]:
        return [*self.jobs, *self.apart]

    def _wake_all(self) -> None:
        with self._lock:
            for group in self._groups:
                group.awake.notify_all()

    def _call(self, about: str) -> None:
        """There may be something to do: one thread of each group looks, and calls the next if there is."""
        called = self.concerns.get(about, self._all)
        places = {place for place, job in enumerate(self._all) if job in called}
        with self._lock:
            for place in places:
                self._calls[place] += 1
                if place in self._rests:
                    since, until = self._rests[place]
                    self._rests[place] = (since, min(until, since + _LEAST_REST))
            for group in self._groups:
                if places.intersection(group.jobs):
                    group.awake.notify()

    def _work(self, group: _Group) -> None:
        every = self._all
        while not self._stopping.is_set():
            calls = self._calls.copy()
            worked = {job: self._did(every[job]) for job in self._ready(group)}
            self._note(group, worked, calls)
            if any(worked.values()):
                continue
            with self._lock:
                until = min((self._rests[job][1] for job in group.jobs if job in self._rests), default=0.0)
                group.awake.wait(max(_LEAST_REST, until - time.monotonic()))

    def _ready(self, group: _Group) -> list[int]:
        """The jobs to ask now. One whose rest is over is asked by this thread alone for the moment."""
        now = time.monotonic()
        with self._lock:
            ready = [job for job in group.jobs if self._rests.get(job, (0.0, 0.0))[1] <= now]
            self._rests |= {job: (now, now + _SHORTEST_SLEEP) for job in ready if job in self._rests}
        return ready

    def _note(self, group: _Group, worked: Mapping[int, bool | None], calls: Counter[int]) -> None:
        """Let the jobs rest that found nothing: at least a moment, since what is due may be in another worker's hands; no
        longer if somebody called since they looked."""
        idle = [job for job, did in worked.items() if not did]
        rest = _SHORTEST_SLEEP
        if idle and not any(worked.values()):
            wait = 1.0 if None in worked.values() else self._pause()
            rest = min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, _LONGEST_SLEEP if wait is None else wait))
        now = time.monotonic()
        with self._lock:
            found = [job for job, did in worked.items() if did and self._rests.pop(job, None)]
            for one in idle:
                self._rests[one] = (now, now + (rest if calls[one] == self._calls[one] else _LEAST_REST))
            if found:
                group.awake.notify()

    def _did(self, job: Callable[[], bool]) -> bool | None:
        """Whether a job found something to do; None if it failed, which must not keep the others from theirs."""
        try:
            return job()
        except Exception as error:  # a worker outlives whatever one job meets; what it was is in the log
            if not outages.noted(error):
                log.exception("a job failed; it is tried again")
            return None

    def _pause(self) -> float | None:
        """Seconds until an event falls due; None if none waits."""
        try:
            with self.database.transaction() as tx:
                return deliveries.seconds_until_next(tx, self.clock())
        except Exception as error:  # as above
            if not outages.noted(error):
                log.exception("the database could not be asked; trying again")
            return 1.0

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with self.database.listening(deliveries.CHANNEL) as connection:
                    while not self._stopping.is_set():
                        for heard in connection.notifies(timeout=1.0, stop_after=1):
                            self._call(heard.payload)
            except psycopg.OperationalError as error:
                outages.noted(error)
                self._stopping.wait(1.0)
