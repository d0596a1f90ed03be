"""Limits: who guesses secrets is stopped, who waits goes on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from clocks import Clock
from huanxin.domain.errors import TooMany
from huanxin.web.limits import Limit, network_of

MINUTE = timedelta(seconds=60)


def test_the_last_time_allowed_passes_and_the_next_says_how_long_to_wait() -> None:
    clock = Clock()
    limit = Limit(what="guessing", most=2, per=MINUTE, clock=clock)
    limit.take("a")
    clock.forward(seconds=10)
    limit.take("a")
    with pytest.raises(TooMany, match=r"guessing: at most 2 .* try again in 50 s") as caught:
        limit.take("a")
    assert caught.value.retry_after == 50


def test_who_is_stopped_goes_on_after_the_time_and_others_are_not_stopped() -> None:
    clock = Clock()
    limit = Limit(what="guessing", most=1, per=MINUTE, clock=clock)
    limit.take("a")
    limit.take("b")
    clock.forward(seconds=60)
    limit.take("a")
    with pytest.raises(TooMany):
        limit.take("a")


def test_what_only_counts_afterwards_stops_the_next() -> None:
    limit = Limit(what="wrong secrets", most=1, per=MINUTE, clock=Clock())
    with limit.trying("a"):
        pass
    with limit.trying("a") as wrong:
        wrong()
    with pytest.raises(TooMany), limit.trying("a"):
        pytest.fail("it was tried")
    with limit.trying("b"):
        pass


def test_who_tries_many_secrets_in_one_instant_is_counted_before_the_next_is_tried() -> None:
    """Fifty tries that come together were all made before the first was known to be wrong."""
    limit, tried = Limit(what="wrong secrets", most=5, per=MINUTE, clock=Clock()), []

    def guess(_: int) -> None:
        with suppress(TooMany), limit.trying("a") as wrong:
            tried.append(1)
            time.sleep(0.005)  # a look into the database
            wrong()

    with ThreadPoolExecutor(20) as guessers:
        list(guessers.map(guess, range(50)))
    assert len(tried) == 5


def test_names_that_are_made_up_do_not_fill_the_memory() -> None:
    limit = Limit(what="guessing", most=1, per=MINUTE, clock=Clock())
    for n in range(10_005):
        limit.take(str(n))
    assert len(limit._times) == 10_000


def test_people_behind_a_proxy_that_writes_addresses_its_own_way_are_not_one_caller() -> None:
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") != network_of("::ffff:192.0.2.2")
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
