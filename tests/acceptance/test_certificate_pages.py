"""`/verify` as anyone uses it who is shown a certificate, and `/certificate` as its holder does, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from itertools import product
from pathlib import Path

import httpx
import pytest
import zxingcpp
from fastapi.responses import Response
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from acceptance.browsing import SIZES, axe, keep_both, open_tab
from clocks import Clock
from huanxin.acts import Platform, open_platform
from huanxin.acts.desk import certify
from huanxin.disclose import certificate
from huanxin.disclose.certificate import Reason
from huanxin.domain.numbers import parse
from huanxin.request.holding import mark_of
from huanxin.settings import Mode, Settings
from huanxin.store.disclose.certificates import Certificate
from huanxin.store.report.reports import standing_of
from huanxin.web.app import create_app
from huanxin.web.context import Context
from huanxin.web.pages import owners, session
from ordering import imported
from serving import served

NUMBER, OTHER = "+8613800138000", "+8613800138001"
VERDICTS = ("valid", "expired", "revoked", "ended", "moved", "not_ours")
WORDS = {
    "valid": ("证明有效", "is good"), "expired": ("已过期", "has expired"), "revoked": ("已吊销", "was revoked"),
    "ended": ("再次易主", "changed hands again"), "moved": ("无法判断", "can't tell"),
    "not_ours": ("不是本站签发", "not a certificate"),
}  # fmt: skip


@dataclass
class Site:
    """A served platform on which a number was sold again and has a certificate."""

    url: str
    http: httpx.Client
    platform: Platform
    clock: Clock
    context: Context
    made: Certificate
    folder: Path

    def reported(self, *lines: str) -> None:
        file = self.folder / f"{abs(hash(lines))}.csv"
        file.write_text("\n".join(["number,event,at", *lines, ""]))
        imported(self.platform, file, carrier="cmcc", by="test")

    def bring_to(self, verdict: str) -> None:
        """Let happen what makes the certificate read so."""
        if verdict == "expired":
            self.clock.forward(days=181)
        elif verdict == "revoked":
            with self.platform.act("林澈") as act:
                certificate.revoke(act, self.made.id, reason=Reason.MISTAKE, note="<b>secret note</b>")
        elif verdict in ("ended", "moved"):
            self.reported(f"{NUMBER},{'cancelled' if verdict == 'ended' else 'ported_out'},2026-11-20")

    def sign_in(self, page: Page) -> None:
        """As the renewal page does for an owner who is signed in there."""
        with self.platform.database.transaction() as tx:
            mark = mark_of(standing_of(tx, parse(NUMBER)))
        answer = Response()
        claims = {"number": parse(NUMBER), "channel": "test", "mark": mark, "shown": self.clock().isoformat()}
        session.start(answer, self.context, name=owners.COOKIE, kind=owners.KIND, claims=claims)
        name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": self.url}])


@pytest.fixture
def site(dsn: str, tmp_path: Path) -> Iterator[Site]:
    settings = Settings(home=tmp_path / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test", workers=1)
    clock = Clock()
    with open_platform(settings, clock=clock) as platform:
        app = create_app(platform, settings, run_workers=False)
        context: Context = app.state.context
        with served(app) as http:
            made = Site(url=str(http.base_url).rstrip("/"), http=http, platform=platform, clock=clock, context=context,
                        made=None, folder=tmp_path)  # type: ignore[arg-type]  # fmt: skip
            made.reported(f"{NUMBER},cancelled,2026-06-01", f"{NUMBER},opened,2026-10-01")
            made.made = certify(platform, parse(NUMBER), context.signer.signed, by="test")
            yield made


def is_well_made(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    assert axe(page) == [], page.url


def paste(page: Page, site: Site, text: str, lang: str = "zh") -> None:
    page.goto(f"{site.url}/verify?lang={lang}")
    page.locator("#text").evaluate("(field, text) => { field.value = text }", text)
    page.locator("main button").click()


@pytest.mark.parametrize("verdict", VERDICTS)
def test_whoever_pastes_it_reads_in_one_look_how_it_stands(browser: Browser, site: Site, verdict: str) -> None:
    site.bring_to(verdict)
    text = site.made.token[:-6] + "AAAAAA" if verdict == "not_ours" else site.made.token
    for size, (lang, words) in product(SIZES, zip(("zh", "en"), WORDS[verdict], strict=True)):
        page, complaints = open_tab(browser, size)
        paste(page, site, text, lang)
        expect(page.locator("h1")).to_contain_text(words)
        expect(page.locator(".verdict svg")).to_have_count(1)
        page.wait_for_load_state()
        assert ("+86 138 0013 8000" in page.content()) is (verdict != "not_ours"), "their text says the number anyway"
        assert "secret note" not in page.content()
        is_well_made(page)
        assert complaints == []
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_each_page_fits_and_is_accessible_and_the_code_leads_to_a_masked_number(
    browser: Browser, site: Site, size: str, scheme: str
) -> None:
    page, complaints = open_tab(browser, size, scheme=scheme)
    for lang in ("zh", "en"):
        page.goto(f"{site.url}/verify?lang={lang}")
        page.locator("summary").click()
        is_well_made(page)
        page.goto(f"{site.url}/verify/{site.made.id}?lang={lang}")
        assert "138****8000" in page.content()
        assert "0013" not in page.content()
        is_well_made(page)
    if (size, scheme) == ("phone", "light"):
        keep_both(page, "certificate-result")
        page.goto(f"{site.url}/verify")
        keep_both(page, "certificate-verify")
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_number_on_a_changed_paper_is_found_out(browser: Browser, site: Site, scripts: bool) -> None:
    page, _ = open_tab(browser, "phone", scripts=scripts)
    page.goto(f"{site.url}/verify/{site.made.id}")
    for number, words in (("138 0014 8000", "号码不一致"), ("abc", "不是电话号码"), ("138 0013 8000", "号码一致")):
        page.fill("#number", number)
        page.locator("main form button").click()
        expect(page.locator("main")).to_contain_text(words)
    expect(page.locator("main")).to_contain_text("+86 138 0013 8000")
    page.context.close()


def test_after_ten_wrong_numbers_nobody_is_told_any_more(site: Site) -> None:
    answers = [site.http.post(f"/verify/{site.made.id}", data={"number": f"1380013{n:04}"}) for n in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert site.http.post("/verify", data={"text": site.made.token}).status_code == 200, "the text itself still says it"


def test_markup_a_megabyte_and_nothing_are_answered_in_plain_words(browser: Browser, site: Site) -> None:
    page, complaints = open_tab(browser, "phone")
    markup = "<script>document.title='caught'</script><img src=x onerror=alert(1)>"
    paste(page, site, markup)
    expect(page.locator("h1")).to_contain_text("不是本站签发")
    page.wait_for_load_state()
    assert page.title() != "caught"
    assert markup not in page.content()
    answer = site.http.get("/verify/%3Cscript%3Ealert(1)%3C%2Fscript%3E", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert complaints == []
    paste(page, site, "A" * 1_000_000)
    expect(page.get_by_role("alert")).to_contain_text("远长于")
    is_well_made(page)
    assert site.http.post("/verify", data={"text": "  "}).status_code == 422
    assert site.http.post("/verify", content=b"\xff\xfe=%ff&&=;;" * 9).status_code == 422
    assert site.http.post("/verify", content=b"text=" + b"A" * 3_000_000).status_code == 413
    page.context.close()


def test_a_pasted_address_leads_to_its_page_and_no_address_holds_a_number(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "desk")
    paste(page, site, f" {site.platform.issuer}/verify/{site.made.id} ")
    expect(page).to_have_url(f"{site.url}/verify/{site.made.id}")
    answer = site.http.get(f"/verify/{site.made.id}")
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    page.context.close()


def test_a_form_of_another_site_is_refused(site: Site) -> None:
    for address in ("/verify", f"/verify/{site.made.id}"):
        answer = site.http.post(address, data={"number": "1"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403


@pytest.mark.parametrize("size", SIZES)
def test_the_holder_sees_his_certificate_and_takes_it_along(browser: Browser, site: Site, size: str) -> None:
    page, complaints = open_tab(browser, size)
    page.goto(f"{site.url}/certificate")
    expect(page.locator("h1")).to_have_text("您的证明尚未打开")
    complaints.clear()  # the browser says that this was a 403
    site.sign_in(page)
    for lang, words in (("zh", "在此之前，该号码属于他人"), ("en", "belonged to somebody else")):
        page.goto(f"{site.url}/certificate?lang={lang}")
        expect(page.locator(".statement")).to_contain_text(words)
        is_well_made(page)
    picture = Image.open(BytesIO(page.locator(".code svg").screenshot()))
    assert [one.text for one in zxingcpp.read_barcodes(picture)] == [f"{site.platform.issuer}/verify/{site.made.id}"]
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    assert len(PdfReader(download.value.path()).pages) == 1
    with page.expect_download() as download:
        page.get_by_role("link", name="signed text").first.click()
    assert download.value.path().read_text() == site.made.token
    if size == "phone":
        keep_both(page, "certificate-certificate")
    assert complaints == []
    page.context.close()


def test_a_certificate_that_is_over_is_not_printed_any_more(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "phone")
    site.sign_in(page)
    site.bring_to("revoked")
    page.goto(f"{site.url}/certificate.pdf")
    expect(page).to_have_url(f"{site.url}/certificate")
    expect(page.locator(".verdict")).to_contain_text("已吊销")
    assert page.locator(".code").count() == 0
    is_well_made(page)
    site.bring_to("ended")
    page.goto(f"{site.url}/certificate")
    expect(page.locator("h1")).to_have_text("您的证明尚未打开")
    page.context.close()


def test_the_holder_is_signed_out_after_some_hours(browser: Browser, site: Site) -> None:
    page, _ = open_tab(browser, "phone")
    site.sign_in(page)
    page.goto(f"{site.url}/certificate")
    expect(page.locator(".statement")).to_be_visible()
    site.clock.forward(hours=9)
    page.goto(f"{site.url}/certificate")
    expect(page.locator("h1")).to_have_text("您的证明尚未打开")
    page.context.close()


def test_the_holders_sign_in_can_not_be_made_up(site: Site) -> None:
    now = site.clock()
    for kind in ("at+jwt", certificate.KIND):
        with site.platform.database.transaction() as tx:
            mark = mark_of(standing_of(tx, parse(NUMBER)))
        claims = {
            "number": parse(NUMBER),
            "mark": mark,
            "shown": now.isoformat(),
            "exp": int((now + timedelta(hours=1)).timestamp()),
        }
        token = site.context.signer.signed(kind, claims)
        for path in ("/certificate", "/certificate.pdf", "/certificate.jwt"):
            assert site.http.get(path, headers={"Cookie": f"owner={token}"}).status_code == 403
