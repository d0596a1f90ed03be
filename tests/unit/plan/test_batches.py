"""What is due. A number planned too early is renewed for an owner who may come back; one left out is never sold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from clocks import Clock
from holding import hold
from huanxin.acts import Platform
from huanxin.domain.numbers import Carrier, chinese_plan, parse
from huanxin.release.holds import lift_hold
from huanxin.store.plan import batches
from ordering import imported, plan_now

NUMBER = "+8613800138000"
OTHER = "+8613800138001"
Report = Callable[..., Path]


def planned(platform: Platform, carrier: str | None = None) -> list[int]:
    batch = plan_now(platform, by="li", carrier=carrier)
    if batch is None:
        return []
    with platform.database.transaction() as tx:
        return list(batches.numbers_of(tx, batch.id))


def test_a_number_is_due_from_fifteen_days_before_its_freeze_ends_and_not_a_day_earlier(
    platform: Platform, clock: Clock, report: Report
) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-09-10"), carrier="cmcc", by="li")  # sold from 2026-12-10
    clock.now = datetime.fromisoformat("2026-11-24T23:59:59+08:00")
    assert planned(platform) == []
    clock.forward(seconds=1)
    assert planned(platform) == [parse(NUMBER)]


def test_a_held_number_is_due_once_the_hold_is_lifted(platform: Platform, report: Report) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-08-20", f"{OTHER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    order = hold(platform, [parse(NUMBER)])
    assert planned(platform) == [parse(OTHER)]
    with platform.act("wang") as act:
        lift_hold(act, order, reason="cleared")
    assert planned(platform) == [parse(NUMBER)]


def test_a_number_is_planned_once_in_each_tenure(platform: Platform, clock: Clock, report: Report) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    assert planned(platform) == [parse(NUMBER)]
    assert planned(platform) == []
    clock.forward(days=200)
    lines = (f"{NUMBER},opened,2026-12-01", f"{NUMBER},cancelled,2027-03-01")
    imported(platform, report(*lines, name="next.csv"), carrier="cmcc", by="li")
    assert planned(platform) == [parse(NUMBER)]


def test_one_carriers_batch_leaves_the_others_numbers_for_theirs(platform: Platform, report: Report) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    imported(platform, report("+8613000130000,cancelled,2026-08-20", name="cucc.csv"), carrier="cucc", by="li")
    assert planned(platform, "cucc") == [8613000130000]
    assert planned(platform) == [parse(NUMBER)]


def test_the_answer_is_due_when_the_day_has_ended_at_every_carrier_of_the_batch(platform: Platform, report: Report) -> None:
    west = Carrier(code="west", name="West", zone=ZoneInfo("America/New_York"), prefixes=("1212",))
    both = replace(platform, plan=chinese_plan({"west": west}))
    imported(both, report(f"{NUMBER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    imported(both, report("+12125551234,cancelled,2026-08-20", name="west.csv"), carrier="west", by="li")
    batch = plan_now(both, by="li")
    assert batch is not None
    # In New York it is still Monday: five working days end on Monday, November 30; in China on Tuesday, December 1.
    assert batch.answer_by == datetime.fromisoformat("2026-12-02T00:00:00+08:00")
    assert batch.count == 2
