"""The benchmark of the pages asks for what it says, over a store of the shape that it names. Nothing is timed here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clocks import Clock
from huanxin.acts import Platform, open_platform
from huanxin.bench import country
from huanxin.bench.asking import PageAsked, add_operators, ask_all
from huanxin.domain.answers import Purpose
from huanxin.domain.lifecycle import fold
from huanxin.figures import history, summaries
from huanxin.simulate import planner
from huanxin.store.plan import batches
from huanxin.store.release import releases
from huanxin.store.report import reports
from huanxin.web.app import create_app
from serving import served
from town import settings_of


def test_the_store_of_a_half_year_says_the_same_in_every_place(platform: Platform, clock: Clock) -> None:
    """What is frozen by the reports is what the batches hold and nobody bought; every answer and release is there."""
    country.make(platform, weeks=6, numbers=2_000, partners=41, seed=1, say=lambda _: None)
    with platform.database.transaction() as tx:
        known = batches.all_batches(tx, Purpose.RENEWAL)
        states = [fold(facts) for _, facts in reports.facts_by_shard(tx)]
        told = history.answered(tx, platform, country.CARRIER)
        released = [sum(one.count for one in releases.all_releases(tx, batch.id)) for batch in known]
        sold = sum(one.accepted for one in reports.all_reports(tx) if "-sold" in one.file_name)
        plan = planner.plan(tx, platform, country.CARRIER, planner.Choices())
    assert [one.count for one in known] == [2_000] * 6
    assert len(np.unique(np.concatenate([_numbers(platform, one.id) for one in known]))) == 12_000
    assert [bool(count) for count in released] == [True, True, False, False, False, False], (
        "17 days after the plan, but for the newest"
    )
    frozen = sum(len(places) for state in states for places in state.frozen().values())
    assert frozen + sold == 12_000
    assert sum(one.counts.unbound for one in told) > 0
    assert len(told) == 6 * 41
    assert [one.answered_at for one in told if one.partner == "partner 40"] == [None] * 6, "one of forty never answers"
    assert sum(plan.history.frozen.values()) + plan.history.for_sale == frozen
    assert plan.history.waived > 0
    assert plan.history.back == pytest.approx((0, 0, 0, 0, 0, 40 / 2_040)), "4 of each 204 are taken back on the fifth day"


def _numbers(platform: Platform, batch_id: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    with platform.database.transaction() as tx:
        return np.asarray(batches.numbers_of(tx, batch_id).numbers())


@pytest.mark.parametrize(
    ("status", "ms", "says"),
    [(404, (1.0,), "not there"), (405, (1.0,), "not there"), (422, (1.0,), "answered 422"), (200, (10.0, 20.0), ""),
     (200, (310.0, 20.0), "over 300 ms, 1 of 2 times")],
)  # fmt: skip
def test_a_page_that_is_slow_broken_or_missing_is_named(status: int, ms: tuple[float, ...], says: str) -> None:
    assert PageAsked(name="/", status=status, kb=1.0, ms=ms, most=300).remark == says


def test_every_page_that_is_timed_is_the_page_that_is_meant(dsn: str, tmp_path: Path) -> None:
    """A form that the page doesn't expect, or an error page, would be measured as a very quick one."""
    settings = settings_of(dsn, tmp_path)
    with open_platform(settings) as platform:
        country.make(platform, weeks=5, numbers=400, partners=41, seed=1, say=lambda _: None)
        add_operators(platform)
        with platform.database.transaction() as tx:
            summaries.refresh(tx, platform)
        with served(create_app(platform, settings, run_workers=False)) as client:
            asked = ask_all(platform, client, times=1)
    assert [(one.name, one.status, one.remark) for one in asked if not (one.there and one.right and one.status < 400)] == []
    assert {"/", "/watch", "/console/desk", "search a number", "approve the release", "/partner/live", "/renew/choose"} <= {
        one.name for one in asked
    }
    assert PageAsked(name="/", status=200, kb=1.0, ms=(1.0,), most=300, right=False).remark == "answered with another page"
