"""Who takes long to answer is waited for apart: the worker goes on, nothing is pushed twice meanwhile, nothing gets lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws

from huanxin.notify.calls import Calls
from huanxin.notify.pushing import Pusher
from ordering import imported
from receiving import Receiver, receiving
from ssf_world import POLL, Caller, World
from waiting import until

NUMBERS = [f"+86138001380{n:02d}" for n in range(60)]


class Slow(Receiver):
    """Answers when it is let to; `first` events at once."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.go = 0, threading.Event()
        self.meanwhile = self.wait

    def wait(self, _: str) -> None:
        if len(self.got) > self.first:
            assert self.go.wait(30)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    with receiving(made):
        yield made
        made.go.set()


@pytest.fixture
def pusher(world: World) -> Iterator[Pusher]:
    made = replace(world.pusher(), calls=Calls(soon=0.05, patience=0.3))
    yield made
    made.close()


def events(one: Caller, count: int) -> None:
    for _ in range(count):
        one.verify()
        one.platform.clock.forward(seconds=10)  # type: ignore[attr-defined]


def pushed_until(pusher: Pusher, done: Callable[[], bool]) -> None:
    """Push what is due, again after what takes long has come back, until it is so."""

    def so() -> bool:
        while pusher.one_job():
            pass
        return done()

    until(so)


def heard(slow: Slow) -> set[str]:
    """The events that came, however often each."""
    return {json.loads(jws.extract_compact(token.encode()).payload)["jti"] for token in slow.got}


def taken(one: Caller) -> int:
    return sum(event.delivered_at is not None for event in one.events())


def test_a_worker_does_not_wait_for_who_takes_long_and_nobody_pushes_it_again_meanwhile(
    world: World, pusher: Pusher, slow: Slow
) -> None:
    one = world.partner(endpoint=slow.url)
    events(one, 3)
    started = time.monotonic()
    assert pusher.one_job()
    assert time.monotonic() - started < 5
    other = world.pusher()
    assert not pusher.one_job()
    assert not other.one_job(), "in another process either"
    assert (len(slow.got), taken(one)) == (1, 0)
    slow.go.set()
    until(lambda: taken(one) == 1)
    assert len(slow.got) == 1
    pushed_until(pusher, lambda: taken(one) == 3)
    assert len(heard(slow)) == 3


class JustTooLate(Calls):
    """The call comes back in the moment in which it is left to itself."""

    def call(self, partner_id: int, ask: Callable[[float | None], Any]) -> Any:
        asked: Future[Any] = self._pool.submit(ask, None)
        wait([asked])
        return asked


def test_a_call_that_comes_back_while_it_is_left_to_itself_does_not_wait_for_its_own_worker(
    world: World, pusher: Pusher
) -> None:
    """It waited for the rows that its worker still held, and the worker for it."""
    with receiving() as quick:
        one = world.partner(endpoint=quick.url)
        events(one, 2)
        late = replace(pusher, calls=JustTooLate())
        while late.one_job():
            pass
        assert taken(one) == 2
        late.close()


def test_a_partner_that_answers_one_event_and_hangs_at_the_next_holds_up_nobody(
    world: World, pusher: Pusher, slow: Slow
) -> None:
    hangs = world.partner(endpoint=slow.url)
    slow.first = 1
    events(hangs, 20)
    started = time.monotonic()
    assert pusher.one_job()
    assert time.monotonic() - started < 10
    assert taken(hangs) == 1
    with receiving() as good:
        other = world.partner("bank", endpoint=good.url)
        events(other, 5)
        assert pusher.one_job()
        assert taken(other) == 5
    slow.go.set()
    until(lambda: not pusher.calls.away())
    world.clock.forward(minutes=2)
    pushed_until(pusher, lambda: taken(hangs) == 20)


def test_what_was_lent_to_a_worker_that_died_is_pushed_by_the_next_after_half_a_minute(
    world: World, pusher: Pusher, slow: Slow
) -> None:
    one = world.partner(endpoint=slow.url)

    def only_the_first(_: str) -> None:
        if len(slow.got) == 1:
            slow.go.wait(30)

    slow.meanwhile = only_the_first
    events(one, 1)
    assert pusher.one_job()
    assert world.context().outbound.longest <= 15
    world.clock.forward(seconds=20)
    assert not world.pusher().one_job()
    world.clock.forward(seconds=11)
    assert world.pusher().one_job()
    assert taken(one) == 1


def test_what_a_partner_took_in_another_way_while_a_push_hung_stays_taken(world: World, pusher: Pusher, slow: Slow) -> None:
    one = world.partner(endpoint=slow.url)
    slow.status = 503
    events(one, 1)
    assert pusher.one_job()
    delivery = {"method": POLL}
    one.call("PATCH", "/ssf/streams", json={"stream_id": one.stream()["stream_id"], "delivery": delivery})
    (jti,) = one.poll()["sets"]
    assert one.poll(ack=[jti]) == {"sets": {}}
    slow.go.set()
    until(lambda: len(one.attempts(jti)) == 2)
    assert one.poll() == {"sets": {}}
    assert one.events()[0].next_at is None


@pytest.mark.parametrize("first", [0, 10], ids=["from the start", "after some"])
def test_numbers_with_new_owners_wait_for_a_slow_partner_apart_too(
    world: World, pusher: Pusher, slow: Slow, report: Callable[..., Path], first: int
) -> None:
    one = world.partner(endpoint=slow.url, recycled=True)
    slow.first = first
    closed, opened = (report(*(f"{number},{event}" for number in NUMBERS), name=f"{event[:3]}.csv")
                      for event in ("cancelled,2026-08-01", "opened,2026-11-25"))  # fmt: skip
    imported(world.live, closed, carrier="cmcc", by="li")
    world.clock.forward(hours=24)
    imported(world.live, opened, carrier="cmcc", by="li")
    started = time.monotonic()
    assert pusher.one_job()
    assert time.monotonic() - started < 10
    assert (len(slow.got), one.events()) == (first + 1, [])
    assert not pusher.one_job()
    slow.go.set()
    until(lambda: not pusher.calls.away())

    def all_told() -> bool:
        world.clock.forward(seconds=10)  # for what was trusted and failed, which is tried again
        return len(heard(slow)) == len(NUMBERS)

    pushed_until(pusher, all_told)
