"""A served platform, and a partner of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clocks import Clock
from huanxin.acts import Platform
from ordering import imported, plan_now, send_now
from ssf_world import Caller, World, opened


@pytest.fixture
def world(platform: Platform, dsn: str, tmp_path: Path, clock: Clock) -> Iterator[World]:
    with opened(platform, dsn, tmp_path, clock) as made:
        yield made


@pytest.fixture
def careful_world(platform: Platform, dsn: str, tmp_path: Path, clock: Clock) -> Iterator[World]:
    """A platform that is not in development mode."""
    with opened(platform, dsn, tmp_path, clock, development=False) as made:
        yield made


@pytest.fixture
def music(world: World) -> Caller:
    """A partner whose stream is polled."""
    return world.partner()


Batch = Callable[..., int]


@pytest.fixture
def send(world: World, report: Callable[..., Path]) -> Batch:
    """Cancels numbers, plans and sends a batch of them; how many notices that made."""

    def make(*numbers: str, name: str = "cancelled.csv") -> int:
        path = report(*(f"{number},cancelled,2026-08-20" for number in numbers), name=name)
        imported(world.live, path, carrier="cmcc", by="li")
        batch = plan_now(world.live, by="li")
        assert batch is not None
        return len(send_now(world.live, batch.id))

    return make
