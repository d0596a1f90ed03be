"""The console under the hand: by keyboard alone, on a phone, and a long batch whose actions are not at its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import SIZES, axe, fits, open_tab
from holding import hold
from huanxin.numbersets.sharded import NumberSet
from huanxin.web.pages.console.batches import views as batch_pages
from operators import operator, signed_in
from ordering import plan_now, retracted, send_now
from town import FROZEN, RECYCLED, Town, town

NUMBERS = [8613800138100 + at for at in range(12)]


@dataclass(frozen=True, kw_only=True)
class Room:
    """A served platform with a sent batch, three of whose numbers were taken back one by one, and a hold."""

    town: Town
    batch: int

    @contextmanager
    def seat(
        self, browser: Browser, *roles: str, size: str = "desk", scripts: bool = True, scheme: str = "light"
    ) -> Iterator[Page]:
        """A browser in which somebody with these roles has signed in."""
        page, complaints = open_tab(browser, size, lang="en", scripts=scripts, scheme=scheme)
        client = signed_in(self.town.url, self.town.platform, *roles)
        page.context.add_cookies([{"name": "operator", "value": client.cookies["operator"], "url": self.town.url}])
        client.close()
        yield page
        assert complaints == []
        page.context.close()


@pytest.fixture(scope="module")
def room(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with town(module_dsn, tmp_path_factory.mktemp("town")) as made:
        days = [f"2026-08-{26 + at // 2}" for at in range(len(NUMBERS))]
        made.report(*(f"+{number},cancelled,{day}" for number, day in zip(NUMBERS, days, strict=True)))
        platform = made.platform
        batch = plan_now(platform, by="test")
        assert batch is not None
        send_now(platform, batch.id)
        for number in NUMBERS[:3]:
            retracted(platform, batch.id, NumberSet.of([number]), reason=f"wrongly cancelled {number % 10}", by="li")
        day = platform.today()
        hold(platform, [int(FROZEN)], source="反诈中心", order="第17号", reason="涉诈，待核查", until=day.replace(year=2027))
        yield Room(town=made, batch=batch.id)


# By keyboard ------------------------------------------------------------------------------------------------------------
def test_a_day_goes_by_without_the_mouse(browser: Browser, room: Room) -> None:
    """A room by two keys, a row by j and k, its page by Enter, a number's search by one key from anywhere."""
    with room.seat(browser, "operator") as page:
        page.goto(f"{room.town.url}/console/holds")
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_url("**/console/batches")
        page.keyboard.press("j")
        expect(page.locator("tbody tr").first.locator("a")).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/console/batches/{room.batch}")
        page.keyboard.press("/")
        page.wait_for_url("**/console/numbers")
        expect(page.locator("#number")).to_be_focused()
        page.keyboard.type(RECYCLED)
        page.keyboard.press("Enter")
        expect(page.locator("#found")).to_be_focused()
        page.keyboard.press("/")
        expect(page.locator("#number")).to_be_focused()
    operator(room.town.platform, "desk", login="aa")
    operator(room.town.platform, "desk", login="ab")
    with room.seat(browser, "admin") as page:
        page.goto(f"{room.town.url}/console/people")
        for key, login in (("j", "aa"), ("j", "ab"), ("k", "aa"), ("k", "aa")):
            page.keyboard.press(key)
            expect(page.get_by_role("link", name=login, exact=True)).to_be_focused()


def test_no_shortcut_takes_a_letter_from_whoever_types_or_from_the_browser(browser: Browser, room: Room) -> None:
    with room.seat(browser, "operator") as page:
        page.goto(f"{room.town.url}/console/numbers")
        page.locator("#ticket").focus()
        page.keyboard.type("g b/j?")
        expect(page.locator("#ticket")).to_have_value("g b/j?")
        expect(page.locator("dialog.shortcuts")).to_be_hidden()
        page.goto(f"{room.town.url}/console/batches")
        page.keyboard.press("Control+j")
        page.keyboard.press("Alt+g")
        page.keyboard.press("b")
        expect(page.locator("tbody a").first).not_to_be_focused()
        assert page.url.endswith("/console/batches")


def test_a_room_that_is_not_ones_own_has_no_shortcut(browser: Browser, room: Room) -> None:
    with room.seat(browser, "regulator") as page:
        page.goto(f"{room.town.url}/console/watch")
        page.keyboard.press("?")
        expect(page.locator("dialog.shortcuts")).not_to_contain_text("Holds")
        page.keyboard.press("Escape")
        for key in "gh/":
            page.keyboard.press(key)
        assert page.url.endswith("/console/watch")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_shortcuts_are_listed_in_both_languages_and_can_be_turned_off_for_good(
    browser: Browser, room: Room, lang: str
) -> None:
    """WCAG 2.1.4: whoever speaks to their computer would set off one key after the other."""
    with room.seat(browser, "supervisor") as page:
        page.goto(f"{room.town.url}/console/batches?lang={lang}")
        page.keyboard.press("?")
        box = page.locator("dialog.shortcuts")
        expect(box.locator("h2")).to_have_text({"zh": "键盘快捷键", "en": "Keyboard shortcuts"}[lang])
        expect(box.locator("dt").filter(has_text="g b")).to_have_count(1)
        assert axe(page) == []
        box.locator("input").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        expect(page.locator("tbody a").first).not_to_be_focused()
        page.goto(f"{room.town.url}/console/approvals")
        for key in "?gb":
            page.keyboard.press(key)
        expect(box).to_be_hidden()
        assert page.url.endswith("/console/approvals")
        page.locator(".keys button").click()
        box.locator("input").check()
        box.locator("button").click()
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_url("**/console/batches")


@pytest.mark.parametrize("scripts", [True, False])
def test_after_a_search_one_reads_on_at_the_result(browser: Browser, room: Room, scripts: bool) -> None:
    """Not at the top again, with the whole form before it; without a script the address says where to."""
    with room.seat(browser, "operator", "desk", scripts=scripts) as page:
        page.goto(f"{room.town.url}/console/numbers")
        page.locator("#number").fill(RECYCLED)
        page.locator("main .button.primary").click()
        expect(page.locator("#found")).to_have_text("138****8000")
        assert page.url.endswith("/console/numbers#found"), "the number stands in no address"
        expect(page.locator("#found")).to_be_focused()
        page.goto(f"{room.town.url}/console/desk")
        expect(page.locator("#numbers")).to_be_focused()
        page.locator("#numbers").fill(RECYCLED)
        page.locator("main .button.primary").click()
        page.wait_for_url("**#found")
        expect(page.locator("h2#found")).to_be_focused()


# A batch on one page ----------------------------------------------------------------------------------------------------
def test_what_can_be_done_with_a_batch_stands_right_under_its_figures(browser: Browser, room: Room) -> None:
    """It stood below four screens of tables."""
    with room.seat(browser, "supervisor") as page:
        page.goto(f"{room.town.url}/console/batches/{room.batch}")
        place = page.locator("#act").bounding_box()
        assert place
        assert place["y"] < SIZES["desk"][1], "not to be seen without scrolling"
        heads = page.locator("main h2").all_inner_texts()
        assert heads.index("Act on it") < heads.index("How the partners answered")
        folded = page.locator("details.line")
        expect(folded).to_have_count(3)
        for one in folded.all():
            box = one.bounding_box()
            assert box
            assert box["height"] < 60, "a retraction is one line until it is opened"
            expect(one.locator("summary")).to_contain_text(re.compile(r"no answer yet\s5"))
        folded.first.locator("summary").click()
        expect(folded.first).to_contain_text("wrongly cancelled 2")
        expect(folded.first.locator("tbody tr")).to_have_count(5)


def test_the_partners_of_a_batch_can_be_filtered_and_many_are_folded(
    browser: Browser, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are 239 of them in reality."""
    monkeypatch.setattr(batch_pages, "FIRST", 3)
    with room.seat(browser, "supervisor") as page:
        page.goto(f"{room.town.url}/console/batches/{room.batch}")
        page.get_by_role("link", name=re.compile("refused")).click()
        expect(page.locator("main")).to_contain_text("No partner of this batch is in this state.")
        page.get_by_role("link", name=re.compile("waiting for answers")).click()
        tables = page.get_by_role("region", name="Answers by partner")
        expect(tables.locator("tbody tr")).to_have_count(3)
        page.locator("summary").filter(has_text="2 more").click()
        expect(tables.locator("tbody tr")).to_have_count(5)


# On a phone -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_to_be_done_is_within_a_phones_screen(browser: Browser, room: Room, scheme: str) -> None:
    """Save, Lock out and Lift stood far to the right of it, with no sign that there was anything."""
    with room.seat(browser, "operator", "admin", size="phone", scheme=scheme) as page:
        for address, words in (("people", ("Save", "Lock out")), ("holds", ("Lift",)), ("reports", ("report.csv",))):
            page.goto(f"{room.town.url}/console/{address}")
            row = page.locator(".stack tbody tr").first
            for text in words:
                box = row.get_by_text(text).first.bounding_box()
                assert box
                assert 0 <= box["x"] <= box["x"] + box["width"] <= SIZES["phone"][0], (address, text)
            frame = page.locator(".scroll:has(.stack)").first
            assert frame.evaluate("one => one.scrollWidth <= one.clientWidth"), address
            assert (fits(page), axe(page)) == (True, []), address


def test_a_table_of_cards_is_still_a_table_to_a_screen_reader(browser: Browser, room: Room) -> None:
    with room.seat(browser, "operator", size="phone") as page:
        page.goto(f"{room.town.url}/console/holds")
        table = page.get_by_role("table")
        expect(table.get_by_role("columnheader")).to_have_count(8)
        row = table.get_by_role("row").nth(1)
        expect(row.get_by_role("cell")).to_have_count(7)
        expect(row.get_by_role("rowheader")).to_have_text("1")
        assert row.get_by_role("cell").nth(1).evaluate("one => getComputedStyle(one, '::before').content") == '"Reason"'


# What one writes --------------------------------------------------------------------------------------------------------
def test_whoever_writes_a_reason_sees_before_sending_it_how_it_will_be_shown(browser: Browser, room: Room) -> None:
    """Else they learn from a colleague that the number which they wrote down can't be read."""
    with room.seat(browser, "operator") as page:
        page.goto(f"{room.town.url}/console/batches/{room.batch}?lang=en")
        page.get_by_text("Take numbers back, for good").click()
        field = page.locator("#retract-reason")
        expect(page.locator("label[for=retract-reason]")).to_contain_text("phone numbers in it are shown masked")
        field.fill("OA-2026-1130, asked for on 2026-11-30")
        preview = page.locator("#retract-reason + .hint")
        expect(preview).to_be_empty()
        field.fill("OA-2026-1130, call 138 0013 8000 or +8613900139000")
        expect(preview).to_have_text("Will be shown as: OA-2026-1130, call 138****8000 or 139****9000")
