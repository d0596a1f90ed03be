"""The pages of a live server in a real browser: a batch that partners answer over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import SIZES, axe, fits, open_tab
from huanxin.acts import Platform
from huanxin.domain.clock import system_clock
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import Registered, add_partner
from huanxin.settings import Mode, Settings
from huanxin.web.app import create_app
from ordering import imported, plan_now, send_now
from serving import served

NUMBERS = [f"+861380013800{n}" for n in range(5)]


@dataclass(frozen=True, kw_only=True)
class Live:
    """A served platform: its address, its sent batch of five numbers, and its partners."""

    url: str
    batch: int
    music: Registered
    bank: Registered

    def answer(self, partner: Registered, *lines: str) -> None:
        """File a receipt over HTTP, as the partner."""
        with httpx.Client(base_url=self.url, timeout=30) as http:
            who = (partner.partner.client_id, partner.client_secret)
            token = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=who).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            notice = http.get("/partner/v1/notices", headers=headers).json()["notices"][0]["notice"]
            body = "\n".join(["number,outcome,reason,until", *lines, ""])
            http.post(
                f"/partner/v1/notices/{notice}/receipts?complete=true", content=body.encode(),
                headers=headers | {"Content-Type": "text/csv"},
            ).raise_for_status()  # fmt: skip


@pytest.fixture
def live(platform: Platform, report: Callable[..., Path], tmp_path: Path) -> Iterator[Live]:
    today = replace(platform, clock=system_clock)
    day = f"{system_clock() - timedelta(days=100):%Y-%m-%d}"
    imported(today, report(*(f"{number},cancelled,{day}" for number in NUMBERS)), carrier="cmcc", by="li")
    made = []
    for name in ("青禾音乐", "云杉支付"):
        with today.act("li") as act:
            made.append(add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False))
    batch = plan_now(today, by="li")
    assert batch is not None
    send_now(today, batch.id)
    settings = Settings(
        home=tmp_path / "home", database_url=today.database.dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test"
    )
    with served(create_app(today, settings, run_workers=False)) as http:
        yield Live(url=str(http.base_url).rstrip("/"), batch=batch.id, music=made[0], bank=made[1])


def looks_right(page: Page) -> None:
    assert fits(page)
    assert axe(page) == []


@pytest.mark.parametrize("size", SIZES)
def test_somebody_finds_the_batch_and_how_far_it_is_and_is_led_to_who_is_outstanding(
    browser: Browser, live: Live, size: str
) -> None:
    live.answer(live.music, f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},refused,debt,")
    page, complaints = open_tab(browser, size)
    page.goto(live.url)
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    looks_right(page)
    page.get_by_role("link", name="批次").first.click()
    page.locator(f"main a[href='/batches/{live.batch}']").first.click()
    main = page.locator("main")
    expect(main).to_contain_text("2 家接入方中有 1 家尚未答复完毕")
    looks_right(page)
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text(f"Batch {live.batch}")
    assert page.url.startswith(f"{live.url}/batches/{live.batch}")
    assert page.locator("html").get_attribute("lang") == "en"
    looks_right(page)
    page.locator("a.brand").click()
    expect(page).to_have_url(f"{live.url}/")
    expect(page.locator("html"), "the choice is remembered").to_have_attribute("lang", "en")
    live.answer(live.bank)
    page.goto(f"{live.url}/batches/{live.batch}")
    assert "Every partner has answered, or was waived." in main.inner_text(), "the page shows how far it is now"
    facts = page.locator("dl.figures > div").filter(has_text="Numbers noticed").inner_text()
    assert "<10" in facts.split(), "five numbers are too few to be counted in public"
    assert not any(name in page.content() for name in ("云杉支付", "青禾音乐")), "partners are named in the console"
    page.get_by_role("link", name="Sign in and see it").click()
    page.wait_for_url("**/console/sign-in**")
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_page_that_is_not_there_says_so_and_leads_back(browser: Browser, live: Live, size: str) -> None:
    page, complaints = open_tab(browser, size)
    answer = page.goto(f"{live.url}/batches/99?lang=en")
    assert answer is not None
    assert answer.status == 404
    assert "404" in page.locator("main").inner_text()
    looks_right(page)
    page.get_by_role("link", name="To the first page").click()
    expect(page).to_have_url(f"{live.url}/")
    expect(page.locator("dl.figures")).to_have_count(1)
    assert [text for text in complaints if "404" not in text] == []  # the browser notes the 404 itself
    page.context.close()
