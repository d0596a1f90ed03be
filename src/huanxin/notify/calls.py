"""Calls to partners, of which some take long: whoever doesn't answer soon is waited for apart, and holds up nobody else."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

log = logging.getLogger("huanxin.calls")
_TRUST = 60.0  # seconds for which who answered soon counts as somebody who does
_MOST = 64  # calls on their way
_T = TypeVar("_T")


class Calls:
    """Threads that call partners; which of them answered soon the last time, and which are waited for apart.

    `soon`: seconds for which a worker waits itself; `patience`: in which whoever answered soon the last time has to answer,
    since that call takes no thread of ours.
    """

    def __init__(self, *, soon: float = 0.25, patience: float = 1.0) -> None:
        self._soon, self._patience = soon, max(soon, patience)
        self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="call")
        self._lock = threading.Lock()
        self._trusted: dict[int, float] = {}
        self._away: Counter[int] = Counter()

    def close(self) -> None:
        """Let what is on its way arrive."""
        self._pool.shutdown()

    def away(self) -> list[int]:
        """The partners that are waited for."""
        with self._lock:
            return list(self._away)

    def may_call(self, partner_id: int) -> bool:
        """Whether a partner is not waited for, and there is room if it hangs."""
        with self._lock:
            return partner_id not in self._away and (len(self._away) < _MOST or self.trusts(partner_id))

    def trusts(self, partner_id: int) -> bool:
        """Whether a partner answered soon the last time, and that was not long ago."""
        return time.monotonic() - self._trusted.get(partner_id, float("-inf")) < _TRUST

    def call(self, partner_id: int, ask: Callable[[float | None], _T]) -> _T | Future[_T]:
        """What a call brings, or the call itself if a worker shall not wait for it. `ask` takes the seconds in which the
        answer has to come (None: as usual)."""
        if self.trusts(partner_id):
            started = time.monotonic()
            found = ask(self._patience)
            self._note(partner_id, soon=time.monotonic() - started < self._patience)
            return found
        asked = self._pool.submit(ask, None)
        try:
            found = asked.result(self._soon)
        except TimeoutError:
            self._note(partner_id, soon=False)
            return asked
        self._note(partner_id, soon=True)
        return found

    def _note(self, partner_id: int, *, soon: bool) -> None:
        if soon:
            self._trusted[partner_id] = time.monotonic()
        else:
            self._trusted.pop(partner_id, None)

    def late(self, calls: Iterable[Future[Any]], seconds: float) -> set[Future[Any]]:
        """Those of some calls that have not come back after so long."""
        return wait(calls, seconds).not_done

    def leave(self, partner_id: int, call: Future[_T], then: Callable[[_T], None]) -> None:
        """Wait for a call apart; what came of it is given to `then`, in a thread of ours."""
        with self._lock:
            self._away[partner_id] += 1

        def came_back(done: Future[_T]) -> None:
            try:
                then(done.result())
            except Exception:  # nobody waits for it; what it was about is due again after a while
                log.exception("what came of a call could not be recorded")
            finally:
                with self._lock:
                    self._away -= Counter([partner_id])

        call.add_done_callback(came_back)
