"""The pages and the report in a real browser: phone and desk, light and dark, Chinese and English.

Nothing is fetched from a network: pages and their static files are handed to the browser by the test itself.
"""

from __future__ import annotations

import mimetypes
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import page_samples as samples
from acceptance.browsing import SIZES, axe, fits, keep_picture, open_tab
from huanxin.web.pages.render import STATIC, batch_page, batches_page, error_page, error_view, help_page, home_page
from huanxin.web.pages.report import write_report
from huanxin.web.pages.views import BatchesView
from huanxin.words.i18n import LANGUAGES

ORIGIN = "http://pages.huanxin.test"
PAGES = ("home", "help", "batches", "empty", "batch", "unsent", "error", "report")
PICTURED = ("home", "help", "batches", "batch", "error")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Every page in every language, as HTML."""
    made: dict[tuple[str, str], str] = {}
    for lang in LANGUAGES:
        path = tmp_path_factory.mktemp("report") / "report.html"
        write_report(path, samples.report(), lang)
        made |= {
            ("home", lang): home_page(lang, samples.home(), 10),
            ("help", lang): help_page(lang),
            ("batches", lang): batches_page(lang, samples.latest(), 10),
            ("empty", lang): batches_page(lang, BatchesView(), 10),
            ("batch", lang): batch_page(lang, samples.public_batch(), 10, samples.CUTOFF),
            ("unsent", lang): batch_page(lang, replace(samples.public_batch(), told=0), 10, samples.CUTOFF),
            ("error", lang): error_page(lang, error_view(500, "7f3a90")),
            ("report", lang): path.read_text(encoding="utf-8"),
        }
    return made


def open_page(browser: Browser, html: str, size: str, scheme: str, lang: str = "zh_CN") -> tuple[Page, list[str]]:
    """The page, loaded by a reader of a language, and whatever the browser complained about."""
    page, complaints = open_tab(browser, size, scheme=scheme, lang=lang.replace("_", "-"))

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0] or "text/plain")
        elif path == "/page":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        else:
            route.fulfill(status=404, body="")

    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/page")
    return page, complaints


@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("desk", "dark")])  # what fits and what shows are apart
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_fits_and_is_accessible(
    browser: Browser, pages: dict[tuple[str, str], str], name: str, lang: str, size: str, scheme: str
) -> None:
    page, complaints = open_page(browser, pages[name, lang], size, scheme, lang)
    if size == "phone" and name in PICTURED:
        keep_picture(page, name, lang)
    assert complaints == []
    assert fits(page)
    drawn = page.evaluate(
        "[...document.querySelectorAll('.plot')].filter(p => p.offsetParent && !p.querySelector('canvas')).length"
    )
    assert drawn == 0, "a chart was not drawn"
    assert axe(page) == []
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_report_shows_its_twin_on_one_click(browser: Browser, pages: dict[tuple[str, str], str], size: str) -> None:
    page, complaints = open_page(browser, pages["report", "zh_CN"], size, "light")
    assert "差错" in page.locator("h1:visible").inner_text()
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1:visible")).to_contain_text("stale ties cut")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title("Report of a demo run · Huanxin")
    expect(page.locator(".plot:visible canvas")).to_have_count(4)
    assert fits(page)
    assert axe(page) == []
    page.reload()
    assert page.locator("html").get_attribute("lang") == "en", "the address remembers the language"
    assert complaints == []
    page.context.close()


def test_a_reader_of_english_needs_no_click_to_read_the_report(browser: Browser, pages: dict[tuple[str, str], str]) -> None:
    for lang, words in (("en-GB", "stale ties cut"), ("fr", "差错")):
        page, _ = open_page(browser, pages["report", "zh_CN"], "desk", "light", lang)
        assert words in page.locator("h1:visible").inner_text()
        page.context.close()


def test_the_tables_say_it_all_without_scripts(browser: Browser, pages: dict[tuple[str, str], str]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(pages["report", "zh_CN"])
    assert page.locator("table:visible").count() >= 4
    assert page.locator(".plot:visible").count() == 0
    context.close()


def test_print_is_light_even_from_a_dark_screen(browser: Browser, pages: dict[tuple[str, str], str]) -> None:
    page, _ = open_page(browser, pages["report", "zh_CN"], "desk", "dark")
    paper = "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()"
    dark = page.evaluate(paper)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(paper) == "#fcfbf8" != dark
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(paper) == dark
    page.context.close()
