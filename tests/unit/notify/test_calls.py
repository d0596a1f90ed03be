"""Calls that take long: how long somebody waits for them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from huanxin.notify.calls import Calls


def test_a_worker_waits_for_several_calls_only_as_long_as_it_says() -> None:
    """One partner of which some calls hang would hold up whoever comes after it."""
    calls, answer = Calls(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        quick, hangs = pool.submit(lambda: None), pool.submit(answer.wait, 30)
        started = time.monotonic()
        late = calls.late([quick, hangs], 0.1)
        waited = time.monotonic() - started
        answer.set()
    calls.close()
    assert (late, waited < 10) == ({hangs}, True)
