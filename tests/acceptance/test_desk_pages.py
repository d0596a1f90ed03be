"""The shop desk in a real browser: the clerk looks numbers up, the buyer reads, chooses and signs on the screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import axe, draw, fits, keep_picture, open_tab
from huanxin.store.disclose import disclosures
from operators import PASSWORD, operator
from selling import CLEAN, HELD, SPARE, WAIVED, Shop, served_shop


@pytest.fixture(scope="module")
def place(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    with served_shop(module_dsn, tmp_path_factory.mktemp("shop")) as (shop, http):
        operator(shop.platform, "desk", "operator", carrier="cmcc", login="clerk")
        yield shop, str(http.base_url).rstrip("/")


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/console/sign-in?to=/console/desk")
    page.fill("#login", "clerk")
    page.fill("#password", PASSWORD)
    page.locator("main .button.primary").click()
    page.wait_for_url(f"{url}/console/desk")


@pytest.mark.parametrize(
    ("size", "lang", "number", "words"),
    [
        ("phone", "zh-CN", CLEAN, ("展示给买家", "继续阅读", "确认", "全部确认", "已记录", "不可销售")),
        ("desk", "en", WAIVED, ("Show them to the buyer", "Read on", "Acknowledge", "not all confirmed", "Recorded",
                                "not for sale")),
    ],
    ids=["phone-zh", "desk-en"],
)  # fmt: skip
def test_the_buyer_reads_chooses_and_signs(
    browser: Browser, place: tuple[Shop, str], size: str, lang: str, number: int, words: tuple[str, ...]
) -> None:
    (shop, url), (page, complaints) = place, open_tab(browser, size, lang=lang)
    show, read_on, acknowledge, grade, recorded, blocked = words
    sign_in(page, url)
    assert (axe(page), fits(page)) == ([], True)
    page.fill("#numbers", f"+{number}\n+{HELD}\n+{SPARE[0]}")
    page.locator("main .button.primary").first.click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody tr").nth(1)).to_contain_text(blocked)
    assert (axe(page), fits(page)) == ([], True)
    keep_picture(page, "console-desk", lang)
    page.get_by_role("link", name=show).click()
    expect(page.locator(".card")).to_have_count(2)
    assert (axe(page), fits(page)) == ([], True)
    whole = page.locator(".number").evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    assert whole, "the buyer sees a number to its last digit"
    keep_picture(page, "console-desk_show", lang)
    page.get_by_role("link", name=f"{read_on} +{number}").click()
    expect(page.locator(".buyer")).to_contain_text(grade)
    send = page.get_by_role("button", name=acknowledge, exact=True)
    expect(send).to_be_disabled()
    draw(page)
    expect(send).to_be_enabled()
    assert (axe(page), fits(page)) == ([], True)
    keep_picture(page, "console-desk_choose", lang)
    seen = page.locator(".told").inner_text()
    send.click()
    expect(page.locator("h1")).to_contain_text(recorded)
    expect(page.get_by_role("button")).to_have_count(0)
    assert (axe(page), fits(page)) == ([], True)
    keep_picture(page, "console-desk_thanks", lang)
    assert str(number) not in page.url + page.content(), "and neither does what is not the buyer's to see"
    page.get_by_role("link", name="营业员：继续" if lang == "zh-CN" else "For the clerk: go on").click()
    expect(page.locator(".signed path")).to_have_count(1)
    expect(page.locator(".statement")).to_have_text(seen)
    assert (axe(page), fits(page)) == ([], True)
    with shop.platform.database.transaction() as tx:
        kept = disclosures.all_standing_of(tx, [number])[number][0]
        text = disclosures.text_of(tx, kept.text_sha256)
    assert (kept.method, text.language, text.text) == ("signature", lang.replace("-", "_"), seen)
    keep_picture(page, "console-desk_record", lang)
    page.goto(f"{url}/console/desk/records")
    keep_picture(page, "console-desk_records", lang)
    assert (axe(page), fits(page)) == ([], True)
    page.goto(f"{url}/console/breaches")
    assert (axe(page), fits(page)) == ([], True)
    assert complaints == []


CAMERA = """
    const codes = [["tel:+%s"], ["tel:+%s", "https://example.org"], []];
    window.BarcodeDetector = class {
      static async getSupportedFormats() { return ["qr_code"]; }
      async detect() { return (codes.shift() || []).map((rawValue) => ({ rawValue })); }
    };
    const screen = document.createElement("canvas");
    const pen = screen.getContext("2d");
    setInterval(() => pen.fillRect(0, 0, 9, 9), 50);
    Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia: async () => screen.captureStream() } });
"""
"""A browser that reads codes, and a camera before which two are held: there is none where tests run."""


def look_up(page: Page) -> None:
    """By key, which nothing waits for by itself: until the answer has its scripts, nobody can scan on."""
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")


def test_a_scanner_or_a_camera_adds_numbers_one_below_the_other_and_asks_for_nothing_half_way(
    browser: Browser, place: tuple[Shop, str]
) -> None:
    page, complaints = open_tab(browser, "desk")
    sign_in(page, place[1])
    expect(page.locator("[data-camera]")).to_be_hidden()
    page.keyboard.type(f"{SPARE[2]}\n{SPARE[3]}\n")
    assert "list=" not in page.url, "a scanner's Enter is a new line"
    look_up(page)
    expect(page.locator("tbody tr")).to_have_count(2)
    page.keyboard.type(f"{SPARE[4]}\n")
    expect(page.locator("#numbers")).to_have_value(f"+{SPARE[2]}\n+{SPARE[3]}\n{SPARE[4]}\n")
    page.add_init_script(CAMERA % (SPARE[5], SPARE[5]))
    page.fill("#numbers", f"{SPARE[4]}")
    look_up(page)
    page.get_by_role("button", name="用摄像头扫码").click()
    expect(page.locator("#numbers")).to_have_value(f"+{SPARE[4]}\n+{SPARE[5]}\n")
    expect(page.locator("[role=status]")).to_have_text("此码中没有号码。")
    assert axe(page) == []
    page.get_by_role("button", name="停止").click()
    expect(page.locator("video")).to_be_hidden()
    assert complaints == []


def test_without_scripts_a_code_is_the_way_and_a_sheet_goes_to_the_printer(
    browser: Browser, place: tuple[Shop, str]
) -> None:
    page, _ = open_tab(browser, "desk", scripts=False)
    sign_in(page, place[1])
    page.fill("#numbers", f"{SPARE[1]}")
    page.locator("main .button.primary").first.click()
    page.locator("tbody a").first.click()
    expect(page.locator("canvas")).to_be_hidden()
    expect(page.locator("#phone")).to_be_visible()
    expect(page.get_by_role("link", name="纸质版")).to_be_visible()
