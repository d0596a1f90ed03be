"""One way to read and one way to act: who only looks can change nothing, and an order is done whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg
import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.errors import NotFound
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.holds import add_hold, lift_hold
from huanxin.store.acting import Act
from huanxin.store.database import deciding
from huanxin.store.plan import holds
from waiting import until


def place(act: Act) -> None:
    add_hold(act, NumberSet.of([8613800138000]), source="court", order="1", reason="a test", until=date(2030, 1, 1),
             review_on=date(2029, 1, 1))  # fmt: skip


def _place_and_lift_another(act: Act) -> None:
    place(act)
    lift_hold(act, 9_999, reason="there is none")


def test_a_page_that_only_reads_can_not_record_anything_even_by_mistake(platform: Platform) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), platform.read() as seen:
        place(
            Act(
                tx=seen.tx, now=seen.now, plan=seen.plan, rules=seen.rules, issuer=seen.issuer, by="li", clock=platform.clock
            )
        )
    with platform.act("li") as act:  # on the same connection, which may write again
        place(act)
    with platform.read() as seen:
        assert [one.placed_by for one in holds.all_holds(seen.tx)] == ["li"]


def test_an_order_that_fails_at_its_end_has_recorded_nothing(platform: Platform) -> None:
    with pytest.raises(NotFound), platform.act("li") as act:
        _place_and_lift_another(act)
    with platform.read() as seen:
        assert holds.all_holds(seen.tx) == []


def test_a_hold_that_waits_for_a_release_is_dated_when_it_is_recorded(platform: Platform, clock: Clock) -> None:
    """A sale that a report told of while the hold waited was judged without it: it broke no hold."""
    with ThreadPoolExecutor(1) as other:
        with platform.act("wang") as release:
            deciding(release.tx)
            ordered = other.submit(_placed, platform)
            until(lambda: _waits(platform))
            clock.forward(minutes=10)
        ordered.result()
    with platform.read() as seen:
        assert [one.placed_at for one in holds.all_holds(seen.tx)] == [clock.now]


def _placed(platform: Platform) -> None:
    with platform.act("li") as act:
        place(act)


def _waits(platform: Platform) -> bool:
    with platform.read() as seen:
        row = seen.tx.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
    assert row is not None
    return bool(row[0])
