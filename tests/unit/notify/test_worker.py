"""Workers outlive what one job meets, and wake at once when there is something to push."""

from __future__ import annotations

import logging
import threading

import pytest

from clocks import Clock
from huanxin.notify.worker import Workers
from huanxin.store import deliveries
from huanxin.store.database import Database


def test_a_job_that_fails_is_logged_and_the_worker_goes_on(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    jobs: list[int] = []
    again = threading.Event()

    def job() -> bool:
        jobs.append(len(jobs))
        if len(jobs) == 1:
            raise RuntimeError("the partner's answer can't be read")
        again.set()
        return False

    workers = Workers(database=database, clock=clock, job=job, count=1)
    with caplog.at_level(logging.ERROR, "huanxin.worker"):
        workers.start()
        assert again.wait(10)
        workers.stop()
    assert "can't be read" in caplog.text


def test_a_worker_that_sleeps_wakes_when_something_is_recorded(database: Database, clock: Clock) -> None:
    """The longest sleep is five seconds; nobody waits that long for a notice."""
    rounds = threading.Semaphore(0)

    def job() -> bool:
        rounds.release()
        return False

    workers = Workers(database=database, clock=clock, job=job, count=1)
    workers.start()
    assert rounds.acquire(timeout=10)
    woken = False
    for _ in range(8):  # until the listener is connected; far less than the sleep in all
        with database.transaction() as tx:
            deliveries.wake_workers(tx)
        woken = woken or rounds.acquire(timeout=0.5)
    workers.stop()
    assert woken
