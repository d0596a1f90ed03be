"""Workers outlive what one job meets, and wake at once when there is something to push."""

from __future__ import annotations

import logging
import threading

import pytest

from clocks import Clock
from huanxin.store.database import Database
from huanxin.store.notify import deliveries
from huanxin.work.loop import Workers


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

    workers = Workers(database=database, clock=clock, jobs=[job], count=1)
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

    workers = Workers(database=database, clock=clock, jobs=[job], count=1)
    workers.start()
    assert rounds.acquire(timeout=10)
    woken = False
    for _ in range(8):  # until the listener is connected; far less than the sleep in all
        with database.transaction() as tx:
            deliveries.wake_workers(tx)
        woken = woken or rounds.acquire(timeout=0.5)
    workers.stop()
    assert woken


def test_a_notification_calls_only_the_jobs_that_it_concerns(database: Database, clock: Clock) -> None:
    """Else every order has every worker ask the database for everything that it could do."""
    asked = {"events": threading.Semaphore(0), "owners": threading.Semaphore(0)}

    def events() -> bool:
        asked["events"].release()
        return False

    def owners() -> bool:
        asked["owners"].release()
        return False

    concerns = {deliveries.EVENTS: [events], deliveries.OWNERS: [owners]}
    workers = Workers(database=database, clock=clock, jobs=[events, owners], count=1, concerns=concerns)
    workers.start()
    assert all(one.acquire(timeout=10) for one in asked.values())
    called = False
    for _ in range(4):  # until the listener is connected
        with database.transaction() as tx:
            deliveries.wake_workers(tx, deliveries.OWNERS)
        called = called or asked["owners"].acquire(timeout=0.5)
    workers.stop()
    assert called
    assert not asked["events"].acquire(blocking=False)
