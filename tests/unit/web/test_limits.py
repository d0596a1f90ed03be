"""Limits: who guesses secrets is stopped, who waits goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clocks import Clock
from huanxin.domain.errors import TooMany
from huanxin.web.limits import Limit


def test_the_last_time_allowed_passes_and_the_next_says_how_long_to_wait() -> None:
    clock, limit = Clock(), Limit(most=2, per=timedelta(seconds=60), why="too fast")
    limit.use("a", clock())
    clock.forward(seconds=10)
    limit.use("a", clock())
    with pytest.raises(TooMany, match="too fast; try again in 51 seconds") as caught:
        limit.use("a", clock())
    assert caught.value.retry_after == 51


def test_who_is_stopped_goes_on_after_the_time_and_others_are_not_stopped() -> None:
    clock, limit = Clock(), Limit(most=1, per=timedelta(seconds=60), why="too fast")
    limit.use("a", clock())
    limit.use("b", clock())
    clock.forward(seconds=60)
    limit.use("a", clock())
    with pytest.raises(TooMany):
        limit.use("a", clock())


def test_names_that_are_made_up_do_not_fill_the_memory() -> None:
    clock, limit = Clock(), Limit(most=1, per=timedelta(seconds=60), why="too fast")
    for n in range(10_005):
        limit.count(str(n), clock())
    assert len(limit._counted) == 10_000
