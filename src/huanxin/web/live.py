"""Watching orders: one listener a process hears from the database which order moved, and wakes the pages that show it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from huanxin.store.database import Database
from huanxin.store.request import requests
from huanxin.store.server import outages

_MOST = 20  # of one order; its owner has a phone, a computer, and tabs that were forgotten


@dataclass(frozen=True, kw_only=True, eq=False)
class _Watch:
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)


class Live:
    """`start` and `stop` with the application."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watches: dict[str, set[_Watch]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="live-listen", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake(None)
        self._thread.join(2)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def crowded(self, request_id: str) -> bool:
        """Whether an order is watched by as many as may: each keeps a connection."""
        with self._lock:
            return len(self._watches.get(request_id, ())) >= _MOST

    @contextmanager
    def watching(self, request_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happened to an order, for as long as the block runs."""
        watch = _Watch()
        with self._lock:
            self._watches.setdefault(request_id, set()).add(watch)
        try:
            yield watch.woken
        finally:
            with self._lock:
                self._watches[request_id].discard(watch)
                if not self._watches[request_id]:
                    del self._watches[request_id]

    def _wake(self, request_id: str | None) -> None:
        """Wake those that watch an order, or everybody."""
        with self._lock:
            watched = self._watches if request_id is None else {request_id} & self._watches.keys()
            found = [watch for key in watched for watch in self._watches[key]]
        for watch in found:
            if not watch.loop.is_closed():
                watch.loop.call_soon_threadsafe(watch.woken.set)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._database.listening(requests.CHANNEL) as connection:
                    self._wake(None)  # whatever happened while nobody listened
                    while not self._stopping.is_set():
                        for heard in connection.notifies(timeout=0.5, stop_after=1):
                            for request_id in heard.payload.split():
                                self._wake(request_id)
            except psycopg.OperationalError as error:
                outages.noted(error)
                self._stopping.wait(1.0)
