"""The planner's page: what an operator compares there, what they take away, and whose history they don't see."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from operators import signed_in
from town import Town, town


@pytest.fixture
def here(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        lines = [f"+86138001{n:05},cancelled,{date(2026, 8, 1) + timedelta(days=n % 100)}" for n in range(1000)]
        made.report(*lines)
        yield made


@pytest.fixture
def desk(here: Town) -> Iterator[httpx.Client]:
    with closing(signed_in(here.url, here.platform, "operator", carrier="cmcc")) as browser:
        yield browser


def test_an_operator_compares_freezes_takes_the_months_along_and_hears_what_cannot_be_tried(desk: httpx.Client) -> None:
    shown = desk.get(
        "/console/planner?freeze=90&freeze=180&lead=15&lead=30&faster=飞燕快递", headers={"Accept-Language": "zh"}
    )
    assert shown.status_code == 422, "nobody was told of a batch yet, and the page says so"
    assert "无法推演" in shown.text
    shown = desk.get("/console/planner?freeze=90&freeze=180&lead=15&lead=30", headers={"Accept-Language": "zh"})
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert shown.text.count('<th scope="row" class="pair">冷冻') == 4
    assert "不能说明什么" in shown.text
    assert shown.text.count("data-chart") == 3
    taken = desk.get("/console/planner?freeze=90&freeze=180&lead=15&format=csv")
    assert taken.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(taken.text)))
    assert {(row["freeze_days"], row["lead_days"]) for row in rows} == {("90", "15"), ("180", "15")}
    by_freeze = {
        freeze: sum(int(row["on_sale"]) for row in rows if row["freeze_days"] == freeze) for freeze in ("90", "180")
    }
    assert by_freeze["90"] > by_freeze["180"] > 0
    assert taken.text == desk.get("/console/planner?freeze=90&freeze=180&lead=15&format=csv").text

    shown = desk.get("/console/planner?freeze=30", headers={"Accept-Language": "en"})
    assert shown.status_code == 422
    assert "a freeze has 90 to 720 days" in shown.text
    assert desk.get("/console/planner?days=soon", headers={"Accept-Language": "en"}).status_code == 422
    assert "Side by side" in desk.get("/console/planner", headers={"Accept-Language": "en"}).text


def test_nobody_sees_another_carriers_history(here: Town, desk: httpx.Client) -> None:
    assert desk.get("/console/planner?carrier=cucc").status_code == 403
    with closing(signed_in(here.url, here.platform, "desk")) as shop:
        assert shop.get("/console/planner").status_code == 403
    with closing(signed_in(here.url, here.platform, "regulator")) as watcher:
        assert watcher.get("/console/planner?carrier=cmcc").status_code == 200
        nothing = watcher.get("/console/planner?carrier=cucc", headers={"Accept-Language": "zh"})
        assert (nothing.status_code, "还没有历史数据" in nothing.text) == (200, True)
