"""A company connects by itself, on pages: from nothing to a self-test that says what to mend, and on to going live."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import SIZES, axe, fits, keep_both, open_tab
from huanxin.acts import Platform, open_platform
from huanxin.domain.accounts import RunState
from huanxin.onboarding.accounts import Onboarding
from huanxin.onboarding.selftest import Patience
from huanxin.settings import Mode, Settings
from huanxin.store.connect import selftests
from huanxin.web.app import create_app
from serving import served

CREDULOUS = 202


class Company:
    """A company's server: it shows `challenge` where the platform looks, and takes any event without looking at it."""

    challenge = ""

    def __init__(self) -> None:
        company = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.say(200 if company.challenge else 404, company.challenge.encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.say(CREDULOUS, b"")

            def say(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.domain = f"127.0.0.1:{self.server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Company]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        thread.start()
        yield self
        self.server.shutdown()
        thread.join()
        self.server.server_close()


@dataclass
class Site:
    """A served platform with its sandbox."""

    url: str
    app: FastAPI
    platform: Platform

    @property
    def onboarding(self) -> Onboarding:
        found: Onboarding = self.app.state.onboarding
        return found


@pytest.fixture
def site(dsn: str, tmp_path: Path) -> Iterator[Site]:
    settings = Settings(home=tmp_path / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test", workers=2)
    with open_platform(settings) as platform, open_platform(settings, sandbox=True) as sandbox:
        app = create_app(platform, settings, sandbox=sandbox)
        app.state.onboarding.selftests.patience = Patience(few=1.0, many=1.0)
        with served(app) as http:
            yield Site(url=str(http.base_url).rstrip("/"), app=app, platform=platform)


@pytest.fixture
def company() -> Iterator[Company]:
    with Company().running() as running:
        yield running


def register(page: Page, site: Site, company: Company, name: str = "晨星 <i>商城</i>") -> tuple[str, str]:
    """Register on the page; the credentials that it shows once."""
    page.goto(f"{site.url}/partner")
    page.get_by_role("link", name="接入一项服务").click()
    page.fill("#name", name)
    page.fill("#domain", company.domain)
    page.get_by_role("button", name="登记").click()
    return shown_once(page)


def shown_once(page: Page) -> tuple[str, str]:
    """The client id and the secret, once the page that shows them is there: a click waits for its first byte only."""
    codes = page.locator(".once code")
    expect(codes).to_have_count(3)
    _, client_id, secret = codes.all_inner_texts()
    return client_id, secret


@pytest.mark.parametrize("size", SIZES)
def test_a_company_registers_proves_its_domain_and_learns_what_its_receiver_does_wrong(
    browser: Browser, site: Site, company: Company, size: str
) -> None:
    page, complaints = open_tab(browser, size)
    _, secret = register(page, site, company)
    expect(page.locator("body")).to_contain_text("晨星 <i>商城</i>")
    assert (axe(page), fits(page)) == ([], True)
    page.reload()
    assert page.url == f"{site.url}/partner/sandbox/account", "the form sent again is no stranger's"
    assert secret not in page.content(), "a secret is shown once"

    company.challenge = page.locator("dt:has-text('内容仅为') + dd").inner_text()
    page.get_by_role("button", name="现在查看").click()
    expect(page.locator(".checklist li").nth(1)).to_contain_text("完成")

    page.get_by_role("link", name="事件流", exact=True).click()
    page.fill("#endpoint", f"http://{company.domain}/events")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    assert (axe(page), fits(page)) == ([], True)

    page.get_by_role("link", name="接入", exact=True).click()
    if size == "phone":
        keep_both(page, "partner-account")
    page.get_by_role("button", name="开始自测").click()
    expect(page.get_by_role("status")).to_contain_text("未通过", timeout=60_000)
    forged = page.locator(".checklist li", has_text="伪造的签名")
    expect(forged).to_contain_text("未通过")
    expect(forged.locator("p"), "it says how to mend it").to_have_count(2)
    assert (axe(page), fits(page)) == ([], True)
    if size == "phone":
        keep_both(page, "partner-selftest")
    page.goto(f"{page.url.partition('?')[0]}?lang=en")
    expect(page.locator("body")).to_contain_text("a forged signature")
    assert complaints == []
    page.context.close()


def test_a_domain_without_the_challenge_is_not_proven_and_the_page_says_what_was_found(
    browser: Browser, site: Site, company: Company
) -> None:
    page, _ = open_tab(browser, "desk")
    register(page, site, company)
    company.challenge = "something else"
    page.get_by_role("button", name="现在查看").click()
    expect(page.get_by_role("alert")).to_contain_text("something else")
    assert axe(page) == []
    page.context.close()


def test_only_after_a_passed_self_test_and_a_persons_word_the_live_credentials_are_shown(
    browser: Browser, site: Site, company: Company
) -> None:
    page, _ = open_tab(browser, "phone")
    for address, name in (("/partner", "partner-start"), ("/partner/register", "partner-register")):
        page.goto(f"{site.url}{address}")
        assert (axe(page), fits(page)) == ([], True)
        keep_both(page, name)
    client_id, _ = register(page, site, company)
    company.challenge = page.locator("dt:has-text('内容仅为') + dd").inner_text()
    page.get_by_role("button", name="现在查看").click()
    page.goto(f"{site.url}/partner/sandbox/stream")
    page.fill("#endpoint", f"http://{company.domain}/events")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_be_visible()
    page.goto(f"{site.url}/partner/sandbox/account")
    assert page.get_by_role("button", name="正式上线").count() == 0

    account = site.onboarding.of_client(client_id)
    now = site.platform.now()
    with site.platform.database.transaction() as tx:
        selftests.add_run(
            tx, run_id="run_1", account_id=account.id, endpoint=f"http://{company.domain}/events", by="t", at=now
        )
        selftests.end_run(tx, "run_1", RunState.PASSED, at=now)
    site.onboarding.admit(account, required=True, by="值班长")
    page.reload()
    page.fill("#endpoint", f"http://{company.domain}/live")
    page.get_by_role("button", name="正式上线").click()
    live_id, live_secret = shown_once(page)
    assert live_id != client_id
    assert axe(page) == []
    page.get_by_role("link", name="前往正式页面").click()
    expect(page.locator("body")).to_contain_text(live_id)
    assert page.locator(".banner").count() == 0
    assert live_secret not in page.content()
    page.context.close()


def test_a_rehearsal_notice_goes_out_now_and_is_called_a_rehearsal(browser: Browser, site: Site, company: Company) -> None:
    page, _ = open_tab(browser, "desk")
    register(page, site, company)
    page.get_by_role("button", name="立即发送演练通知").click()
    expect(page.locator(".banner")).to_contain_text("演练")
    expect(page.locator("h1")).to_contain_text("rehearsal_")
    with site.platform.database.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM public.batch").fetchone() == (0,), "nothing of it is among the real facts"
    page.context.close()


def test_a_stranger_can_not_see_anothers_self_test(browser: Browser, site: Site, company: Company) -> None:
    page, _ = open_tab(browser, "desk")
    register(page, site, company)
    other, _ = open_tab(browser, "desk")
    mine, _ = register(other, site, company, name="另一家")
    first = site.onboarding.everyone()[0].account
    with site.platform.database.transaction() as tx:
        selftests.add_run(tx, run_id="run_1", account_id=first.id, endpoint="http://x", by="t", at=site.platform.now())
    answer = other.goto(f"{site.url}/partner/sandbox/selftest/run_1")
    assert answer is not None
    assert answer.status == 404
    assert first.sandbox_client_id != mine
    page.context.close()
    other.context.close()
