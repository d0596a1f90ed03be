"""How often one caller may do something: counted in this process, in memory that stays small."""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from huanxin.domain.clock import within
from huanxin.domain.errors import TooMany
from huanxin.words.sentences import Sentence

_CALLERS = 10_000  # that are remembered; beyond, the one that was quiet longest is forgotten
_STRIPES = 64  # callers that share one wait for each other
_V6_NETWORK = 64  # bits: what one household or machine is given


@dataclass(kw_only=True)
class Limit:
    """At most `most` times within `per`, for each caller. May be used from several threads. `what` is a Sentence if a page
    may show it."""

    what: str
    most: int
    per: timedelta
    clock: Callable[[], datetime]
    _times: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _one_by_one: list[threading.Lock] = field(default_factory=lambda: [threading.Lock() for _ in range(_STRIPES)])

    def take(self, caller: str) -> None:
        """Count one more. Raises TooMany if it would be one too many, and then it is not counted."""
        with self._lock:
            self._refuse(caller)
            self._add(caller)

    @contextmanager
    def trying(self, caller: str) -> Iterator[Callable[[], None]]:
        """A try of which only a wrong one counts: what is yielded counts it. A caller's tries are made one after another,
        since those made at the same time would all be made before any is known to be wrong. Raises TooMany if one more
        would be one too many."""
        with self._one_by_one[hash(caller) % _STRIPES]:
            with self._lock:
                self._refuse(caller)
            yield partial(self._count, caller)

    def _count(self, caller: str) -> None:
        with self._lock:
            self._add(caller)

    def _refuse(self, caller: str) -> None:
        now, times = self.clock(), self._times.get(caller, deque())
        while times and not within(times[0], self.per, now):
            times.popleft()
        if len(times) >= self.most:
            wait = math.ceil((times[0] + self.per - now).total_seconds())
            said = Sentence(
                "%(what)s: at most %(most)s times within %(minutes)s min; try again in %(wait)s s",
                what=self.what, most=self.most, minutes=int(self.per.total_seconds() // 60), wait=wait,
            )  # fmt: skip
            raise TooMany(said, retry_after=wait)

    def _add(self, caller: str) -> None:
        self._times.setdefault(caller, deque()).append(self.clock())
        self._times.move_to_end(caller)
        while len(self._times) > _CALLERS:
            self._times.popitem(last=False)


def network_of(address: str | None) -> str:
    """The caller behind an IP address: for IPv6 its /64, since all of that is one caller's."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:  # as some proxies write an IPv4 address
        found = found.ipv4_mapped
    if found.version == 4:  # noqa: PLR2004  # IPv4
        return str(found)
    return str(ipaddress.ip_network((found, _V6_NETWORK), strict=False))
