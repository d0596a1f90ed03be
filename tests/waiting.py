"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something to become so: looked for often at first, then ever less, since looking takes the time of whatever
    is waited for."""
    end, pause = time.monotonic() + seconds, 0.01
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(pause)
        pause = min(0.2, pause * 1.4)
