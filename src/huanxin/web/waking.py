"""Wakes requests that wait for events: one connection to the database for all that wait in this process."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field

import psycopg

from huanxin.store.database import Database
from huanxin.store.notify import deliveries
from huanxin.store.server import outages

_MOST_GATHERING = 1000


@dataclass(kw_only=True)
class Waker:
    """Wakes requests when the database says that there are events. `start`, then `stop`.

    Read `woken` (how often it did) before looking for events, and `wait` with it after finding none: what came in between
    is not missed.
    """

    database: Database
    woken: int = 0
    _waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set)
    _gathering: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._listen, name="waker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        self._stopping.set()
        self.wake()
        if self._thread:
            self._thread.join(timeout)

    def given(self, token: str, seconds: float) -> None:
        """Say that whoever shows this token got everything that waited, and for how long more is to be gathered."""
        now = time.monotonic()
        if len(self._gathering) > _MOST_GATHERING:
            self._gathering = {one: until for one, until in self._gathering.items() if until > now}
        self._gathering[token] = now + seconds

    async def gather(self, token: str) -> None:
        """Wait until it was gathered long enough for a partner: when orders come faster than that, it fetches and answers
        many at a time, at a fraction of the cost. The first of a quiet time doesn't wait."""
        left = self._gathering.get(token, 0.0) - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)

    def wake(self) -> None:
        """Wake all that wait."""
        with self._lock:
            self.woken += 1
            for loop, event in self._waiting:
                loop.call_soon_threadsafe(event.set)

    async def wait(self, woken: int, seconds: float) -> None:
        """Return when it wakes those that wait, or did since `woken` was read, or after some seconds."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self.woken != woken:
                return
            self._waiting.add(entry)
        try:
            await asyncio.wait_for(entry[1].wait(), seconds)
        except TimeoutError:
            return
        finally:
            with self._lock:
                self._waiting.discard(entry)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with self.database.listening(deliveries.CHANNEL) as connection:
                    while not self._stopping.is_set():
                        for heard in connection.notifies(timeout=0.5, stop_after=1):
                            if heard.payload != deliveries.OWNERS:
                                self.wake()
            except psycopg.OperationalError as error:
                outages.noted(error)
                self._stopping.wait(1.0)
