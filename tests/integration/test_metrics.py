"""What whoever runs the platform sees of it, without anybody else seeing it too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from huanxin.acts import Platform
from huanxin.store.database import Tx
from huanxin.store.figures import vitals
from huanxin.web.app import create_app
from serving import served
from town import PARTNERS, RECYCLED, Town, settings_of, town

SHOP = PARTNERS[0][0]


def sample(text: str, name: str, **labels: str) -> list[float]:
    return [
        one.value for family in text_string_to_metric_families(text) for one in family.samples
        if one.name == name and labels.items() <= one.labels.items()
    ]  # fmt: skip


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@contextmanager
def guarded(place: Town, tmp_path: Path) -> Iterator[httpx.Client]:
    settings = settings_of("", tmp_path).model_copy(update={"metrics_token": "let me in"})
    with served(create_app(place.platform, settings, run_workers=False)) as http:
        yield http


def test_what_waits_is_told_by_partner_with_its_age_and_no_number(place: Town) -> None:
    """An event that waits for hours is what whoever is woken at night has to see."""
    phone = place.phone()
    phone.sign_in()
    assert phone.order(SHOP).status_code == 200
    place.clock.forward(hours=3)
    text = httpx.get(f"{place.url}/metrics").text
    assert sample(text, "huanxin_database_up") == [1]
    assert sample(text, "huanxin_events_waiting", partner=SHOP) == [1]
    assert sample(text, "huanxin_events_oldest_seconds", partner=SHOP) == [3 * 3600]
    assert sample(text, "huanxin_report_age_seconds", carrier="cmcc") == [3 * 3600]
    assert sample(text, "huanxin_jobs_due", kind="news")
    assert sample(text, "huanxin_http_requests_total", route="/renew/order", method="POST")[0] >= 1
    assert RECYCLED[3:] not in text


def test_an_address_that_nobody_serves_makes_no_series_of_its_own(place: Town) -> None:
    """Else a stranger could fill the memory of whoever collects them."""
    for n in range(20):
        httpx.get(f"{place.url}/none/{n}")
        httpx.request(f"X{n}", f"{place.url}/none")
    text = httpx.get(f"{place.url}/metrics").text
    assert len({line.split(" ")[0] for line in text.splitlines() if "none" in line and "requests_total" in line}) <= 4


def test_strangers_see_nothing_of_it(place: Town, tmp_path: Path) -> None:
    through = httpx.get(f"{place.url}/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert through.status_code == 403, "a proxy on this machine stands between"
    with guarded(place, tmp_path) as http:
        assert http.get("/metrics").status_code == 401
        assert http.get("/metrics", headers={"Authorization": "Bearer let me out"}).status_code == 401
        assert http.get("/metrics", headers={"Authorization": "Bearer let me in"}).status_code == 200


def test_however_often_it_is_asked_the_database_is_asked_seldom(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = vitals.outbox

    def counted(tx: Tx) -> list[vitals.Outbox]:
        asked.append(1)
        return real(tx)

    monkeypatch.setattr(vitals, "outbox", counted)
    with httpx.Client(base_url=place.url) as http:
        for _ in range(10):
            assert http.get("/metrics").status_code == 200
    assert len(asked) <= 2


def test_a_database_that_is_away_is_a_figure_and_readiness_answers_in_time(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load balancer that waits for half a minute sends everybody here meanwhile."""

    def waits(_: Platform) -> object:
        time.sleep(3)
        raise AssertionError

    monkeypatch.setattr(Platform, "read", waits)
    answer = httpx.get(f"{place.url}/readyz", timeout=10)
    assert (answer.status_code, answer.elapsed.total_seconds() < 2.5) == (503, True)
