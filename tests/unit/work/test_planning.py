"""A batch that somebody at the console wants is planned by a worker, once, and they find it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from huanxin.acts import Platform
from huanxin.store import jobs
from huanxin.store.plan import batches, plannings
from huanxin.work import planning
from huanxin.work.planning import Planner
from ordering import imported


def test_a_worker_plans_what_was_wanted_once_and_says_what_came_of_it(
    platform: Platform, report: Callable[..., Path]
) -> None:
    lines = ("+8613800138000,cancelled,2026-08-25", "+8613800138001,cancelled,2026-08-25")
    imported(platform, report(*lines), carrier="cmcc", by="test")
    imported(platform, report("+8613000138000,cancelled,2026-08-25", name="b.csv"), carrier="cucc", by="test")
    worker = Planner(platform=platform)
    assert not worker.one_job(), "nobody wants anything"
    with platform.database.transaction() as tx:
        wishes = [planning.order(tx, platform, carrier=carrier, by="li") for carrier in ("cmcc", None, None)]
        assert [one.id for one in plannings.waiting(tx)] == wishes
    assert [worker.one_job() for _ in range(4)] == [True, True, True, False]
    with platform.database.transaction() as tx:
        done = [plannings.get(tx, wish) for wish in wishes]
        known = batches.all_batches(tx)
        assert plannings.waiting(tx) == []
    assert [one and one.batch_id for one in done] == [known[0].id, known[1].id, None], "the third finds nothing due"
    assert [(one.count, one.planned_by) for one in known] == [(2, "li"), (1, "li")]


def test_two_workers_that_take_up_the_same_wish_plan_one_batch(platform: Platform, report: Callable[..., Path]) -> None:
    imported(platform, report("+8613800138000,cancelled,2026-08-25"), carrier="cmcc", by="test")
    with platform.database.transaction() as tx:
        wish = planning.order(tx, platform, carrier=None, by="li")
    with platform.database.transaction() as one:
        assert jobs.claim(one, jobs.PLANNING, platform.now()) is not None
        assert not Planner(platform=platform).one_job(), "it is in the first one's hands"
    assert Planner(platform=platform).one_job()
    assert not Planner(platform=platform).one_job()
    with platform.database.transaction() as tx:
        found = plannings.get(tx, wish)
        assert found is not None
        assert found.batch_id == batches.all_batches(tx)[0].id, "what came of it stays"


def test_few_reports_are_read_in_the_request_and_many_by_a_worker(
    platform: Platform, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(platform, report("+8613800138000,opened,2026-08-25"), carrier="cmcc", by="test")
    with platform.database.transaction() as tx:
        assert not planning.takes_long(tx)
        monkeypatch.setattr(planning, "SMALL", 0)
        assert planning.takes_long(tx)
