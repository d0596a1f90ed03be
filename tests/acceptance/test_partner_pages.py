"""The partner pages as a partner's people use them: in a real browser, on a platform that really pushes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import SIZES, axe, fits, keep_both, keep_picture, open_tab
from huanxin.acts import Platform, open_platform
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import Registered, add_partner
from huanxin.settings import Mode, Settings
from huanxin.web.app import create_app
from ordering import imported, plan_now, send_now
from serving import served
from waiting import until

NUMBERS = [f"+86138001380{n:02d}" for n in range(60)]


@dataclass
class Site:
    """A served platform on which a shop, whose endpoint is out of reach, and a courier have a notice each."""

    url: str
    http: httpx.Client
    platform: Platform
    shop: Registered
    courier: Registered
    shop_notice: str
    courier_notice: str


@pytest.fixture
def site(dsn: str, tmp_path: Path) -> Iterator[Site]:
    settings = Settings(home=tmp_path / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test", workers=2)
    with open_platform(settings) as platform, open_platform(settings, sandbox=True) as sandbox:
        with platform.act("test") as act:
            shop, courier = (
                add_partner(act, NewPartner(name=name, kind=Kind.APP, endpoint=endpoint), https_only=False)
                for name, endpoint in (("晨星商城 <b>", "http://127.0.0.1:9/events"), ("飞燕快递", None))
            )  # fmt: skip
        day = (platform.now() - timedelta(days=85)).date()
        report = tmp_path / "report.csv"
        report.write_text("\n".join(["number,event,at", *(f"{n},cancelled,{day}T08:00:00+08:00" for n in NUMBERS), ""]))
        imported(platform, report, carrier="cmcc", by="test")
        batch = plan_now(platform, by="test")
        assert batch is not None
        told = {one.partner_id: one.id for one in send_now(platform, batch.id)}
        with served(create_app(platform, settings, sandbox=sandbox)) as http:
            yield Site(
                url=str(http.base_url).rstrip("/"), http=http, platform=platform, shop=shop, courier=courier,
                shop_notice=told[shop.partner.id], courier_notice=told[courier.partner.id],
            )  # fmt: skip


def sign_in(page: Page, site: Site, who: Registered) -> None:
    page.goto(f"{site.url}/partner/sign-in")
    page.fill("#client_id", who.partner.client_id)
    page.fill("#client_secret", who.client_secret)
    page.locator("main button").click()
    expect(page.locator("h1")).to_have_text("通知")


def file_receipt(site: Site) -> None:
    granted = site.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"},
        auth=(site.shop.partner.client_id, site.shop.client_secret),
    ).json()  # fmt: skip
    lines = [*(f"{number},unbound,," for number in NUMBERS[:40]), f"{NUMBERS[40]},refused,debt,", ""]
    answer = site.http.post(
        f"/partner/v1/notices/{site.shop_notice}/receipts", content="number,outcome,reason,until\n" + "\n".join(lines),
        headers={"Authorization": f"Bearer {granted['access_token']}", "Content-Type": "text/csv"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("size", SIZES)
def test_a_partner_sees_what_was_not_delivered_why_and_sends_it_again(browser: Browser, site: Site, size: str) -> None:
    file_receipt(site)
    page, complaints = open_tab(browser, size)
    sign_in(page, site, site.shop)
    page.get_by_role("link", name=site.shop_notice).click()
    expect(page.locator("body")).to_contain_text("欠费")
    expect(page.locator("body")).to_contain_text("127.0.0.1 拒绝连接")
    page.wait_for_load_state()
    before = page.locator(".attempts li").count()
    page.get_by_role("button", name="立即重发").click()
    expect(page.get_by_role("status")).to_contain_text("正在重新发送")

    def pushed_again() -> bool:
        page.reload()
        return page.locator(".attempts li").count() > before

    until(pushed_again)
    assert complaints == []
    assert axe(page) == []
    page.context.close()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_each_page_fits_is_quiet_and_accessible(browser: Browser, site: Site, size: str, lang: str) -> None:
    page, complaints = open_tab(browser, size)
    sign_in(page, site, site.shop)
    pages = {
        "/partner/live": "overview", f"/partner/live/notices/{site.shop_notice}": "notice",
        "/partner/live/deliveries": "deliveries", "/partner/live/deliveries?undelivered=true": "",
        "/partner/live/keys": "keys", "/partner/live/stream": "stream",
    }  # fmt: skip
    for address, name in pages.items():
        joint = "&" if "?" in address else "?"
        page.goto(f"{site.url}{address}{joint}lang={lang}")
        assert fits(page), address
        assert axe(page) == [], address
        if name and size == "phone":
            keep_picture(page, f"partner-{name}", lang)
    assert complaints == []
    page.context.close()


def test_everything_not_taken_since_a_time_goes_out_again(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "desk")
    sign_in(page, site, site.shop)
    page.get_by_role("link", name="投递", exact=True).click()
    page.fill("#since", "2020-01-01T00:00")
    page.get_by_role("button", name="补发").click()
    expect(page.get_by_role("status")).to_contain_text("1 个事件")
    page.context.close()


def test_a_new_secret_is_shown_once_and_the_old_one_goes_on(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "phone")
    sign_in(page, site, site.shop)
    page.get_by_role("link", name="密钥").click()
    page.get_by_role("button", name="生成新密钥").click()
    shown = page.locator(".once pre").inner_text()
    page.goto(f"{site.url}/partner/live/keys")
    assert shown not in page.content()
    for secret in (shown, site.shop.client_secret):
        auth = (site.shop.partner.client_id, secret)
        assert site.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=auth).status_code == 200
    page.context.close()


def test_a_partner_can_not_open_anothers_notice(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "desk")
    sign_in(page, site, site.shop)
    answer = page.goto(f"{site.url}/partner/live/notices/{site.courier_notice}")
    assert answer is not None
    assert answer.status == 404
    assert "飞燕" not in page.content()
    page.context.close()


def test_a_form_of_another_site_does_nothing_in_the_partners_name(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "desk")
    sign_in(page, site, site.shop)
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = site.http.post("/partner/live/keys/rotate", data={"hours": "0"}, headers=headers | {"Cookie": cookie})
        assert answer.status_code == 403
    auth = (site.shop.partner.client_id, site.shop.client_secret)
    assert site.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=auth).status_code == 200
    page.context.close()


def test_wrong_credentials_get_a_hint_and_no_way_in(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "phone")
    page.goto(f"{site.url}/partner/sign-in?lang=en")
    page.fill("#client_id", site.shop.partner.client_id)
    page.fill("#client_secret", site.courier.client_secret)
    page.locator("main button").click()
    expect(page.get_by_role("alert")).to_contain_text("don't belong together")
    page.goto(f"{site.url}/partner/sign-in")
    keep_both(page, "partner-sign_in")
    page.goto(f"{site.url}/partner/live")
    expect(page).to_have_url(f"{site.url}/partner/sign-in")
    assert axe(page) == []
    page.context.close()
