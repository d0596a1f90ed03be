"""Every two orders that change what may happen, one in the midst of the other: what they come to is what they would have
come to in turn. Else a release, or a waiver, is decided by what is no longer so.

The server is set to an isolation level that none of this would stand: the database layer sets its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.errors import HuanxinError
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.rules import Rules
from huanxin.store.database import LIVE, Database
from huanxin.store.migrate import migrate
from meeting import build, facts, judged_again, sold_at, writers
from ordering import imported
from stepping import meet, stepping

CORE = ("refusal", "waiver", "hold", "reclaim", "release", "plan", "retraction", "order")
MORE = {
    "settling": ("release", "keyed", "approval"), "keyed": ("keyed", "settling"),
    "approval": ("refusal", "approval", "waiver"), "proposal": ("proposal", "release"),
    "lifting": ("lifting", "release"), "sale": ("disclosure", "hold", "release"),
    "transfer": ("order",), "sending": ("release", "retraction", "reclaim", "sending"), "cut": ("cut with a key", "order"),
    "cut with a key": ("cut with a key", "cut"), "disclosure": ("sale", "hold", "refusal", "disclosure"),
}  # fmt: skip
PAIRS = dict.fromkeys(CORE, CORE) | MORE
"""Those that meet in each run; with HUANXIN_SOAK everything meets everything, at every step: some minutes."""
SOAK = bool(os.environ.get("HUANXIN_SOAK"))
WORLD = "huanxin_test_world"
_names = count(1)
Came = tuple[list[tuple[str, object]], dict[str, Any]]
"""What each of two orders came to, by name, and all facts after them."""


@contextmanager
def opened(dsn: str) -> Iterator[Platform]:
    with Database(dsn, max_connections=3) as database:
        yield Platform(
            database=database,
            plan=chinese_plan(),
            rules=Rules(),
            issuer="http://127.0.0.1:1",
            clock=Clock(),
            development=True,
        )


class Meetings:
    """Orders that meet, each time in a copy of the same world."""

    def __init__(self, server: str, folder: Path) -> None:
        self.server = server
        self._create(WORLD, "template1")
        dsn = make_conninfo(server, dbname=WORLD)
        migrate(dsn, LIVE, simulated=True)
        with opened(dsn) as platform:
            self.orders = writers(folder, build(platform, folder))
        self.sold = sold_at(folder, Clock().now + timedelta(minutes=2.5))
        self._in_turn: dict[tuple[str, str], Came] = {}

    def stops(self, name: str, *, locks: bool = SOAK) -> list[int]:
        """The steps of an order before which it stands: the first, the first write and the commit of each transaction."""
        with self._world() as platform:
            steps = meet(partial(self.orders[name], platform), 10**6, lambda: None, platform.database.dsn)[0].steps
        return [at for at, step in enumerate(steps) if locks or at == 0 or step != "lock"]

    def in_turn(self, first: str, second: str) -> Came:
        if (first, second) not in self._in_turn:
            with self._world() as platform:
                came = [(name, outcome_of(partial(self.orders[name], platform))) for name in (first, second)]
                self._in_turn[first, second] = sorted(came, key=str), facts(platform)
        return self._in_turn[first, second]

    def at(self, stop: int, first: str, second: str) -> Came:
        """The second comes in the midst of the first."""
        with self._world() as platform:
            one, two = meet(
                partial(self.orders[first], platform), stop, partial(self.orders[second], platform), platform.database.dsn
            )
            return sorted([(first, one.outcome), (second, two.outcome)], key=str), facts(platform)

    def sold_in_the_midst(self, stop: int, first: str) -> tuple[object, int]:
        """Five minutes pass in the midst of an order, and a report of sales in between is taken. How many of these it finds
        stopped, and how many whoever judges it again when all is on record."""
        with self._world() as platform:

            def report() -> int:
                assert isinstance(platform.clock, Clock)
                platform.clock.forward(minutes=5)
                return imported(platform, self.sold, carrier="cmcc", by="li").stopped

            one, two = meet(partial(self.orders[first], platform), stop, report, platform.database.dsn)
            assert one.outcome not in ("AssertionError", "DeadlockDetected")
            return two.outcome, judged_again(platform)

    @contextmanager
    def _world(self) -> Iterator[Platform]:
        name = f"{WORLD}_{next(_names)}"
        self._create(name, WORLD)
        with opened(make_conninfo(self.server, dbname=name)) as platform:
            yield platform
        self._do("DROP DATABASE {} WITH (FORCE)", name)

    def _create(self, name: str, template: str) -> None:
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._do("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        self._do("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'", name)

    def _do(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def outcome_of(order: Callable[[], object]) -> object:
    try:
        return order()
    except HuanxinError as error:
        return type(error).__name__


@pytest.fixture(scope="module")
def meetings(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meetings]:
    with stepping():
        yield Meetings(postgres, tmp_path_factory.mktemp("meetings"))


@pytest.mark.parametrize("first", PAIRS)
def test_what_two_orders_come_to_is_what_they_come_to_in_turn(meetings: Meetings, first: str) -> None:
    stops = meetings.stops(first)
    for second in meetings.orders if SOAK else PAIRS[first]:
        possible = [meetings.in_turn(first, second), meetings.in_turn(second, first)]
        for stop in stops:
            found = meetings.at(stop, first, second)
            assert found in possible, f"{second} before step {stop} of {first}"


@pytest.mark.parametrize("stopping", ["hold", "lifting", "retraction", "refusal"])
def test_sales_that_are_reported_while_something_stops_them_are_judged_as_the_record_has_it(
    meetings: Meetings, stopping: str
) -> None:
    """What takes minutes to be recorded would else be on record from before a sale that nobody held against it, or the
    other way round: the authority is told of no breach, or the carrier accused of one."""
    for stop in meetings.stops(stopping, locks=True):
        found, again = meetings.sold_in_the_midst(stop, stopping)
        assert found == again, f"before step {stop} of {stopping}"
