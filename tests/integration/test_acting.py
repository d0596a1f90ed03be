"""One way to read and one way to act: who only looks can change nothing, and an order is done whole or not at all."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from huanxin.acts import Platform
from huanxin.domain.errors import NotFound
from huanxin.numbersets.sharded import NumberSet
from huanxin.plan.holds import add_hold, lift_hold
from huanxin.store.acting import Act
from huanxin.store.plan import holds


def place(act: Act) -> None:
    add_hold(act, NumberSet.of([8613800138000]), source="court", order="1", reason="a test", until=date(2030, 1, 1),
             review_on=date(2029, 1, 1))  # fmt: skip


def _place_and_lift_another(act: Act) -> None:
    place(act)
    lift_hold(act, 9_999, reason="there is none")


def test_a_page_that_only_reads_can_not_record_anything_even_by_mistake(platform: Platform) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), platform.read() as seen:
        place(Act(tx=seen.tx, now=seen.now, plan=seen.plan, rules=seen.rules, issuer=seen.issuer, by="li"))
    with platform.act("li") as act:  # on the same connection, which may write again
        place(act)
    with platform.read() as seen:
        assert [one.placed_by for one in holds.all_holds(seen.tx)] == ["li"]


def test_an_order_that_fails_at_its_end_has_recorded_nothing(platform: Platform) -> None:
    with pytest.raises(NotFound), platform.act("li") as act:
        _place_and_lift_another(act)
    with platform.read() as seen:
        assert holds.all_holds(seen.tx) == []
