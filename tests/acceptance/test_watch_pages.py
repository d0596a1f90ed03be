"""The public reads the bulletin and takes its data; the regulator finds out who is late. One server, a real browser."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing

import httpx
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from acceptance.browsing import SIZES, axe, fits, open_tab
from clocks import Clock
from huanxin.acts import Platform, open_platform
from huanxin.settings import Mode, Settings
from huanxin.web.app import create_app
from huanxin.web.pages.watch.words import TABLES
from operators import signed_in
from serving import served
from watching import PARTNERS, Past, make_past

LICENCE = "数据可自由使用，请注明来源。"


class Place:
    """A served platform with a past."""

    def __init__(self, url: str, platform: Platform, past: Past) -> None:
        self.url, self.platform, self.past = url, platform, past

    def sign_in(self, context: BrowserContext, *roles: str, carrier: str | None = None) -> None:
        with closing(signed_in(self.url, self.platform, *roles, carrier=carrier)) as client:
            context.add_cookies([{"name": "operator", "value": client.cookies["operator"], "url": self.url}])


@pytest.fixture(scope="module")
def place(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    settings = Settings(
        home=tmp_path_factory.mktemp("watch"), database_url=module_dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test",
        watch_licence=LICENCE,
    )  # fmt: skip
    with open_platform(settings, clock=Clock()) as platform:
        past = make_past(platform)
        with served(create_app(platform, settings, run_workers=False)) as http:
            yield Place(str(http.base_url).rstrip("/"), platform, past)


@pytest.mark.parametrize(("size", "lang"), [("phone", "zh"), ("desk", "en")])
def test_somebody_reads_the_bulletin_and_finds_no_company_by_name(
    browser: Browser, place: Place, size: str, lang: str
) -> None:
    page, complaints = open_tab(browser, size)
    renewed = sum(count for (*_, figure), count in place.past.cells.items() if figure == "renewed")
    page.goto(f"{place.url}/?lang={lang}")
    page.get_by_role("link", name={"zh": "公报", "en": "Bulletin"}[lang], exact=True).click()
    expect(page.locator("h1")).to_have_text({"zh": "号码焕新公报", "en": "Bulletin of renewed numbers"}[lang])
    expect(page.locator(".figures .big").first).to_have_text(str(renewed))
    expect(page.locator(".plot canvas")).to_have_count(5)
    assert fits(page)
    assert axe(page) == []
    page.locator("a[href='/watch?month=2026-10#carriers']").first.click()
    page.wait_for_url("**/watch?month=2026-10#carriers")
    expect(page.locator("#carriers")).to_contain_text("2026-10")
    text = page.locator("main").inner_text()
    assert not any(name in text for name, _, _ in PARTNERS)
    assert "<10" in text
    assert LICENCE in text
    page.emulate_media(media="print")
    expect(page.locator(".no-print, .top nav")).to_have_count(2)
    assert not any(one.is_visible() for one in page.locator(".no-print, .top nav").all()), "links are no use on paper"
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_regulator_finds_who_is_late_and_who_refuses_and_takes_it_along(
    browser: Browser, place: Place, size: str
) -> None:
    page, complaints = open_tab(browser, size)
    place.sign_in(page.context, "regulator")
    page.goto(f"{place.url}/console/watch")
    expect(page.locator("h1")).to_have_text("监管")
    assert axe(page) == []
    page.locator("a[href^='?view=late']").first.click()
    rows = page.locator("tbody").first.locator("tr")
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="九成用时不超过").click()
    expect(rows.first).to_contain_text("白鹭号码标记")
    assert "8613800" not in page.content()
    assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    lines = list(csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [(line["name"], line["overdue"]) for line in lines][:1] == [("白鹭号码标记", "1")]
    page.goto(f"{place.url}/console/watch?view=refusing&sort=refused&lang=en")
    expect(page.locator("h1")).to_have_text("Supervision")
    expect(page.locator("tbody").first).to_contain_text("unpaid debt")
    assert complaints == []
    page.context.close()


def test_a_clerk_in_a_shop_does_not_see_who_is_late(place: Place) -> None:
    for roles, status in ((("desk",), 403), (("operator",), 403), (("supervisor",), 200), (("admin",), 200)):
        with closing(signed_in(place.url, place.platform, *roles)) as client:
            assert client.get("/console/watch").status_code == status, roles


def test_who_works_for_one_carrier_sees_its_own_figures_only(place: Place) -> None:
    with closing(signed_in(place.url, place.platform, "supervisor", carrier="ctcc")) as client:
        page = client.get("/console/watch?lang=en").text
    assert "China Telecom" in page
    assert "China Mobile" not in page
    assert "省公安厅" not in page


def test_csv_json_and_parquet_say_the_same_and_any_site_may_read_them(place: Place) -> None:
    with httpx.Client(base_url=place.url, timeout=30) as http:
        listed = http.get("/watch/data")
        assert set(listed.json()["tables"]) == set(TABLES)
        assert listed.headers["access-control-allow-origin"] == "*"
        for table in TABLES:
            as_csv, as_json, as_parquet = (http.get(f"/watch/data/{table}.{form}") for form in ("csv", "json", "parquet"))
            body = as_json.json()
            assert (body["schema"], body["threshold"], body["licence"]) == ("huanxin-watch/1", 10, LICENCE)
            rows = body["rows"]
            assert rows, table
            columns = pq.read_table(io.BytesIO(as_parquet.content))
            assert columns.to_pylist() == rows
            assert columns.schema.metadata[b"licence"].decode() == LICENCE
            written = [
                {key: "" if value is None else value if isinstance(value, str) else json.dumps(value)
                 for key, value in row.items()} for row in rows
            ]  # fmt: skip
            assert list(csv.DictReader(as_csv.text.splitlines())) == written
        assert http.get("/watch/data/people.csv").status_code == 404
        assert http.get("/watch?month=1999-01").status_code == 404


def test_no_small_count_is_in_the_data(place: Place) -> None:
    with httpx.Client(base_url=place.url, timeout=30) as http:
        rows = [row for table in ("totals", "carriers", "regions", "breaches")
                for row in http.get(f"/watch/data/{table}.json").json()["rows"]]  # fmt: skip
    assert {row["note"] for row in rows} == {"", "<10", "*"}
    assert [row for row in rows if row["value"] in range(1, 10)] == []
    assert [row for row in rows if (row["value"] is None) != bool(row["note"])] == []
