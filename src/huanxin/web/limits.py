"""How often something may be done: counted in this process, so with several processes so many times as often."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from huanxin.domain.errors import TooMany

_MOST_KEYS = 10_000  # counters kept; past that the oldest go, whose time is over first


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `most` times in `per` for each key. `why` begins the message to whom it stops."""

    most: int
    per: timedelta
    why: str
    _counted: dict[str, tuple[datetime, int]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self, key: str, now: datetime) -> None:
        """Raise TooMany if a key has used up its times."""
        with self._lock:
            begun, count = self._counted.get(key, (now, 0))
        left = begun + self.per - now
        if count >= self.most and left > timedelta():
            wait = int(left.total_seconds()) + 1
            raise TooMany(f"{self.why}; try again in {wait} seconds", wait)

    def count(self, key: str, now: datetime) -> None:
        """Note that a key did it once."""
        with self._lock:
            begun, count = self._counted.pop(key, (now, 0))
            self._counted[key] = (now, 1) if now >= begun + self.per else (begun, count + 1)
            while len(self._counted) > _MOST_KEYS:
                del self._counted[next(iter(self._counted))]

    def use(self, key: str, now: datetime) -> None:
        """Check, then count."""
        self.check(key, now)
        self.count(key, now)
