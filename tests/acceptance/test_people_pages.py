"""The citizens' pages in a real browser, on a phone and at a desk: from the code to the last answer, and out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from acceptance.browsing import SIZES, axe, fits, keep_both, keep_picture, open_tab
from cutting import line_to
from huanxin.work.spelling import Speller
from town import FIRST, RECYCLED, Town, town

MOST_BYTES = 100_000
PAGES = {
    "/renew": "people-home", "/renew/choose": "people-choose", "/renew/missing": "people-missing", "/leave": "people-leave",
    "/leave/choose": "", "/leave/poster": "people-poster", "/dev/sms": "people-dev_sms",
    "/renew/sign-in": "people-sign_in", "/renew/enter?token=x": "people-enter", "/renew/enter": "", "/": "", "/help": "",
}  # fmt: skip
"""By address: the name of its picture in the documents; empty if it is another state of one that has one."""


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        Speller(platform=made.platform).one_job()
        yield made


def sign_in(page: Page, place: Town, number: str = RECYCLED, door: str = "renew") -> None:
    page.goto(f"{place.url}/{door}")
    page.fill("#number", number)
    page.locator("main .button.primary").click()
    page.fill("#code", place.code(number))
    page.locator("main .button.primary").click()
    page.wait_for_url(f"{place.url}/{door}")


@pytest.mark.parametrize("size", SIZES)
def test_the_new_owner_signs_in_orders_and_watches_it_happen(browser: Browser, place: Town, size: str) -> None:
    page, complaints = open_tab(browser, size)
    sign_in(page, place)
    expect(page.locator("h1")).to_have_text("您的号码以前有过机主")
    page.get_by_role("link", name="选择应用，开始焕新").click()
    others, order = page.locator("[data-others]"), page.locator("[data-order]")
    expect(order).to_have_text("向 5 家申请焕新")
    expect(others).to_be_hidden()
    page.fill("#q", "feiyan")
    expect(page.locator(".group:not([data-others]) .pick:visible")).to_have_text("飞燕快递")
    expect(others.locator(".pick")).to_have_count(4)
    expect(others.locator(".pick").first).to_be_visible()
    others.get_by_label("晨星商城").uncheck()
    expect(order).to_have_text("向 4 家申请焕新")
    assert (axe(page), fits(page)) == ([], True)
    page.fill("#q", "没有这个")
    expect(page.locator("[data-none] a")).to_be_visible()
    expect(others.locator(".pick:visible")).to_have_count(4)
    page.fill("#q", "")
    expect(page.locator("[data-none]")).to_be_hidden()
    expect(others).to_be_hidden()
    expect(page.locator(".group .pick").nth(0), "everything is back in its place").to_have_text("晨星商城")
    expect(page.locator(".group .pick").nth(1)).to_have_text("飞燕快递")
    page.get_by_label("晨星商城").check()
    page.get_by_label("我是这个号码的机主").check()
    page.get_by_role("button", name="向 5 家申请焕新").click()
    summary = page.locator("#summary")
    expect(summary).to_have_text("5 家中已完成 0 家")
    place.answer("晨星商城", "unbound")
    expect(summary).to_have_text("5 家中已完成 1 家")
    place.answer("飞燕快递", "refused", "debt")
    expect(page.locator("main")).to_contain_text("这不是您的债务")
    expect(summary).to_contain_text("1 家需要您处理")
    assert axe(page) == []
    if size == "phone":
        keep_both(page, "people-order")
    page.get_by_role("button", name="再问一次 飞燕快递").click()
    expect(page.locator(".rows li")).to_have_count(1)
    page.goto(f"{place.url}/renew")
    expect(page.locator(".order")).to_have_count(2)
    page.locator("a[href='/renew/choose']").click()
    page.get_by_label("我是这个号码的机主").check()
    page.get_by_role("button", name="向 5 家申请焕新").click()
    expect(page.get_by_role("status").first).to_contain_text("没有重复发送")
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh-CN", ("连接已中断。您看到的是", "您的登录已结束", "重新登录", "申请已全部办结")),
        ("en-GB", ("The connection is lost. What you see is of", "Your sign-in has ended", "Sign in again",
                   "Your order is done")),
    ],
)  # fmt: skip
def test_a_live_page_says_when_it_does_not_live_and_goes_on_by_itself(
    browser: Browser, place: Town, lang: str, words: tuple[str, ...]
) -> None:
    """Who waits before a page that has stopped moving takes old news for new."""
    lost, ended, again, done = words
    page, _ = open_tab(browser, "phone", lang=lang)
    news, summary = page.locator("#news"), page.locator("#summary")
    with line_to(urlsplit(place.url).port or 0) as line:
        page.goto(f"{line.url}/renew")
        page.fill("#number", RECYCLED)
        page.locator("main .button.primary").click()
        page.fill("#code", place.code(RECYCLED))
        page.locator("main .button.primary").click()
        page.goto(f"{line.url}/renew/choose")
        page.locator("input[name=consent]").check()
        page.locator("[data-order]").click()
        place.answer("晨星商城", "unbound")
        expect(summary).to_contain_text("1")
        expect(news).to_be_hidden()
        line.cut()
        expect(news).to_contain_text(lost, timeout=15_000)
        expect(news, "of when it is").to_contain_text(re.compile(r"\d?\d:\d\d:\d\d"))
        assert (axe(page), fits(page)) == ([], True)
        place.answer("飞燕快递", "unbound")
        line.mend()
        expect(summary).to_contain_text("2", timeout=15_000)
        expect(news).to_be_hidden()
        page.request.post(f"{line.url}/renew/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
        place.answer("银杏账单提醒", "unbound")
        expect(news).to_contain_text(ended, timeout=15_000)
        expect(news.get_by_role("link")).to_have_text(again)
        expect(summary).not_to_contain_text("3")
        where = page.url
        news.get_by_role("link").click()
        place.clock.forward(minutes=2)
        page.fill("#number", RECYCLED)
        page.locator("main .button.primary").click()
        page.fill("#code", place.code(RECYCLED))
        page.locator("main .button.primary").click()
        page.goto(where)
        expect(page.locator("h1")).not_to_have_text(done)
        for name in ("云雀音乐 <b>", "白鹭号码标记"):
            place.answer(name, "absent")
        expect(page.locator("h1")).to_have_text(done)
        expect(page.locator("[data-now]")).to_have_count(0)
        expect(page.locator("#onward")).to_be_empty()
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_all_of_it_works_without_scripts_in_english(browser: Browser, place: Town, size: str) -> None:
    page, _ = open_tab(browser, size, lang="en-GB", scripts=False)
    sign_in(page, place)
    page.get_by_role("link", name="Choose services and renew").click()
    page.get_by_role("button", name="None").click()
    page.fill("#q", "feiyan")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".group .pick:visible")).to_have_count(1)
    page.get_by_label("飞燕快递").check()
    page.get_by_label("I hold this number").check()
    page.get_by_role("button", name="Choose services first").click()
    expect(page.get_by_role("alert")).to_contain_text("You have chosen one service: 飞燕快递")
    assert fits(page)
    page.get_by_role("button", name="Renew at one service").click()
    expect(page.locator(".rows li")).to_have_count(1)
    place.answer("飞燕快递", "absent")
    page.get_by_role("link", name="See how it stands now").click()
    expect(page.locator("h1")).to_have_text("Your order is done")
    page.context.close()


def test_who_leaves_asks_sees_counts_and_cuts(browser: Browser, place: Town) -> None:
    page, complaints = open_tab(browser, "phone")
    sign_in(page, place, FIRST, "leave")
    page.get_by_label("我是这个号码的机主").check()
    page.get_by_role("button", name="开始查询").click()
    expect(page.locator("h1")).to_have_text("还没有应用答复")
    place.answer("晨星商城", "bound", number=FIRST)
    page.get_by_role("link", name="查看最新进展").click()
    expect(page.locator("h1")).to_have_text("已答复的 1 家中，1 家绑着您的号码")
    place.answer("飞燕快递", "absent", number=FIRST)
    page.reload()
    expect(page.locator("h1")).to_have_text("1 家应用绑着您的号码")
    expect(page.locator("main")).not_to_contain_text("晨星商城")
    page.get_by_role("button", name="显示名称").click()
    expect(page.locator("main")).to_contain_text("晨星商城")
    keep_both(page, "people-asked")
    page.get_by_role("link", name="选择应用并解绑").click()
    page.get_by_label("我是这个号码的机主").check()
    page.get_by_role("button", name="向 5 家申请解绑").click()
    expect(page.locator(".rows li")).to_have_count(5)
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize(("size", "lang"), [("phone", "zh"), ("phone", "en"), ("desk", "zh")])
def test_each_page_fits_is_small_quiet_and_accessible_also_for_elders(
    browser: Browser, place: Town, size: str, lang: str
) -> None:
    page, complaints = open_tab(browser, size)
    sign_in(page, place)
    weights: list[int] = []
    page.on("response", lambda answer: weights.append(len(answer.body())) if answer.status == 200 else None)
    for care in ("off", "30") if size == "phone" else ("off",):
        for address, name in PAGES.items():
            weights.clear()
            page.goto(f"{place.url}{address}{'&' if '?' in address else '?'}lang={lang}&care={care}")
            assert fits(page), (address, care)
            assert axe(page) == [], (address, care)
            assert sum(weights) < MOST_BYTES, (address, sum(weights))
            if name and size == "phone" and care == "off":
                keep_picture(page, name, lang)
    page.goto(f"{place.url}/renew/sign-in?care=off")
    page.fill("#number", FIRST)
    page.locator("main .button.primary").click()
    page.wait_for_url(f"{place.url}/renew/code")
    assert (axe(page), fits(page)) == ([], True)
    if size == "phone":
        keep_picture(page, "people-code", lang)
    assert complaints == []
    page.context.close()


def test_another_language_or_size_keeps_the_way_in_and_the_door(browser: Browser, place: Town) -> None:
    """Else who switches to large text loses what their carrier's app handed over, or ends at another door."""
    page, _ = open_tab(browser, "phone")
    page.goto(f"{place.url}/renew/enter?token=a%26b&to=leave")
    page.get_by_role("link", name="关怀模式").click()
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_class("care care-20")
    expect(page.locator("[name=token]")).to_have_attribute("value", "a&b")
    expect(page.locator("[name=to]")).to_have_attribute("value", "leave")
    expect(page.locator("nav [aria-current]").first).to_have_text("Leave")
    page.context.close()


def test_the_sheet_for_the_desk_is_one_page_whose_code_leads_to_leaving(place: Town) -> None:
    for lang, words in (("zh", "短信验证码"), ("en", "cancel or transfer")):
        answer = place.phone().http.get("/leave/poster.pdf", params={"lang": lang})
        assert answer.headers["content-type"] == "application/pdf"
        assert [words in page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages] == [True]
        picture = pypdfium2.PdfDocument(answer.content)[0].render(scale=2).to_pil()
        assert [one.text for one in zxingcpp.read_barcodes(picture)] == [f"{place.platform.issuer}/leave"]


def test_elders_mode_is_one_tap_away_remembered_and_large_enough(browser: Browser, place: Town) -> None:
    page, _ = open_tab(browser, "phone")
    page.goto(f"{place.url}/")
    page.get_by_role("link", name="关怀模式").click()
    sign_in(page, place)
    for address in ("/renew", "/renew/choose", "/leave"):
        page.goto(f"{place.url}{address}")
        small = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.offsetParent"
            " && [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()))"
            ".filter(e => parseFloat(getComputedStyle(e).fontSize) < 18).map(e => e.outerHTML)"
        )
        assert small == [], address
        low = page.evaluate(
            "[...document.querySelectorAll('a:not(.skip), button, label.pick, #q')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 60).map(e => e.outerHTML)"
        )
        assert low == [], address
    page.get_by_role("link", name="最大").click()
    expect(page.locator("html")).to_have_css("font-size", "30px")
    page.get_by_role("link", name="标准模式").click()
    expect(page.locator("html")).to_have_css("font-size", "16px")
    page.context.close()


def test_targets_are_large_enough_for_thumbs(browser: Browser, place: Town) -> None:
    page, _ = open_tab(browser, "phone")
    sign_in(page, place)
    for address in ("/renew", "/renew/choose", "/leave", "/renew/missing", "/renew/sign-in"):
        page.goto(f"{place.url}{address}")
        low = page.evaluate(
            "[...document.querySelectorAll('main a, main button, main label.pick, .switch')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
        )
        assert low == [], address
    page.context.close()


def test_the_dark_pages_have_enough_contrast(browser: Browser, place: Town) -> None:
    page, _ = open_tab(browser, "phone", scheme="dark")
    sign_in(page, place)
    page.request.post(f"{place.url}/renew/missing", form={"name": ""}, max_redirects=0)  # what is wrong is told on the page
    for address in ("/renew", "/renew/choose", "/leave", "/leave/poster", "/renew/missing"):
        page.goto(f"{place.url}{address}")
        assert axe(page) == [], address
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_order_after_the_sign_in_has_ended_is_offered_again(browser: Browser, place: Town, size: str) -> None:
    page, _ = open_tab(browser, size)
    sign_in(page, place)
    page.goto(f"{place.url}/renew/choose")
    page.get_by_label("我是这个号码的机主").check()
    place.clock.forward(hours=9)
    page.locator("[data-order]").click()
    expect(page.get_by_role("alert")).to_contain_text("刚才的内容没有发送")
    assert (axe(page), fits(page)) == ([], True)
    page.fill("#number", RECYCLED)
    page.locator("main .button.primary").click()
    page.fill("#code", place.code(RECYCLED))
    page.locator("main .button.primary").click()
    expect(page.locator("h1")).to_have_text("这份内容没有发送")
    expect(page.locator("main")).to_contain_text("飞燕快递")
    for lang in ("en", "zh"):
        page.goto(f"{place.url}/renew/unsent?lang={lang}")
        assert (axe(page), fits(page)) == ([], True)
        if size == "phone":
            keep_picture(page, "unsent", lang)
    page.get_by_role("button", name="现在发送").click()
    expect(page.locator("#summary")).to_have_text("5 家中已完成 0 家")
    page.context.close()
