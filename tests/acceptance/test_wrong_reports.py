"""What a carrier goes through: its first day, a month that was not its own, a wrong date, a file that was forgotten, and an
owner who had been back before the number was given back for sale.

In a real browser and in both languages, with what the two people who mend, a service, an owner, a clerk at a shop and the
regulator see of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from acceptance.browsing import open_tab
from acceptance.seats import Seat, seat
from huanxin.domain.operators import Role
from huanxin.figures import summaries
from huanxin.words.i18n import LANGUAGES
from operators import operator
from town import PARTNERS, RECYCLED, Town, town

SERVED, RESTING, AGO = (f"+861380013840{n}" for n in range(3))
FOREIGN = [f"+861380013850{n}" for n in range(2)]
OWN = "+8613800138600"
PEOPLE = {"li": Role.OPERATOR, "wang": Role.SUPERVISOR, "dian": Role.DESK, "jian": Role.REGULATOR}
SHOP = PARTNERS[0][0]


def counted(place: Town) -> None:
    """What a worker does all day: the figures of the pages."""
    with place.platform.database.transaction() as tx:
        summaries.refresh(tx, place.platform)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_carrier_mends_what_it_said(browser: Browser, dsn: str, tmp_path: Path, lang: str) -> None:
    with town(dsn, tmp_path) as place:
        for login, role in PEOPLE.items():
            operator(place.platform, role, login=login)
        with seat(browser, place, lang, "li") as li, seat(browser, place, lang, "wang") as wang:
            the_first_day_is_told(li, tmp_path)
            a_month_of_somebody_else_is_taken_and_partners_are_told(li, tmp_path)
            it_is_withdrawn_by_two(li, wang)
            the_service_hears_that_it_is_taken_back(place)
            an_owner_orders_by_a_day_that_is_too_late(place, browser, lang)
            the_date_is_corrected_by_two(li, wang, tmp_path)
            the_owner_sees_why_and_may_order_again(place, browser, lang)
            a_file_that_was_forgotten_comes_late(li, tmp_path)
        every_service_answers(place)
        place.clock.forward(days=2)
        counted(place)
        with seat(browser, place, lang, "li") as li, seat(browser, place, lang, "wang") as wang:
            what_is_due_is_released(li, wang)
            an_owner_was_back_before_the_release(li, tmp_path)
        with seat(browser, place, lang, "dian", size="phone") as dian:
            the_clerk_can_not_sell_it(dian)
        counted(place)
        with seat(browser, place, lang, "jian") as jian:
            the_regulator_sees_the_breach(jian)


def uploaded(li: Seat, path: Path, *lines: str, heading: str = "number,event,at", first_day: bool = False) -> None:
    path.write_text("\n".join([heading, *lines, ""]))
    li.go("reports")
    li.page.set_input_files("#file", path)
    if first_day:
        li.page.check("input[name=kind][value=baseline]")
    li.page.select_option("#carrier", "cmcc")
    li.press("Upload")
    li.press("Take the report")


def taken(li: Seat) -> None:
    expect(li.page.locator("h1")).to_have_text(re.compile(li.say("Taken as report %(id)s", id=r"\d+")))


def the_first_day_is_told(li: Seat, folder: Path) -> None:
    """Else every reclaim of a number that was cancelled before sinks its file."""
    states = (f"{SERVED},in_service,2020-05-01", f"{RESTING},frozen,2026-08-20", f"{AGO},frozen,2026-11-01")
    uploaded(li, folder / "first-day.csv", *states, heading="number,state,since", first_day=True)
    taken(li)
    expect(li.page.locator("main table").first).to_contain_text(li.say("frozen"))
    li.sound()
    uploaded(li, folder / "second-day.csv", f"{AGO},reclaimed,2026-11-20")
    taken(li)
    li.go("numbers")
    li.page.fill("#number", AGO)
    li.press("Search")
    expect(li.page.locator("main")).to_contain_text("second-day.csv")


def a_month_of_somebody_else_is_taken_and_partners_are_told(li: Seat, folder: Path) -> None:
    uploaded(li, folder / "august.csv", *(f"{one},cancelled,2026-08-21" for one in FOREIGN))
    taken(li)
    li.go("batches")
    li.press("Plan a batch")
    li.press("Send it to every partner")
    li.told("Every partner has a notice; workers deliver them now.")


def it_is_withdrawn_by_two(li: Seat, wang: Seat) -> None:
    li.go("reports")
    li.page.fill("#withdraw-report", "4")
    li.page.fill("#withdraw-reason", "另一家运营商的八月")
    li.press("Propose the withdrawal")
    li.heading("Approvals")
    wang.go("approvals")
    card = wang.page.locator(".card").filter(has_text="另一家运营商的八月")
    expect(card).to_contain_text(wang.say("taken back from the batch"))
    with wang.page.expect_download() as preview:
        card.get_by_role("link", name=wang.say("What it would do now, as CSV")).click()
    shown = [line.split(",")[0] for line in preview.value.path().read_text("utf-8-sig").splitlines()[1:]]
    assert sorted(shown) == ["138****8500", "138****8501"]
    wang.sound()
    wang.press("Approve")
    wang.told("Approved and carried out.")
    li.go("reports")
    expect(li.page.locator("#report-4")).to_contain_text(re.compile(li.say("Withdrawn by report %(id)s", id=r"\d+")))
    li.sound()


def the_service_hears_that_it_is_taken_back(place: Town) -> None:
    with as_partner(place, SHOP) as http:
        told = http.get("/partner/v1/notices").json()["notices"]
    assert [(one["purpose"], one["count"]) for one in told] == [("retraction", 2), ("renewal", 3)]


@contextmanager
def as_partner(place: Town, name: str) -> Iterator[httpx.Client]:
    who = place.partners[name]
    with httpx.Client(base_url=place.url, timeout=30) as http:
        granted = http.post("/oauth/token", data={"grant_type": "client_credentials"},
                            auth=(who.partner.client_id, who.client_secret)).json()  # fmt: skip
        http.headers["Authorization"] = f"Bearer {granted['access_token']}"
        yield http


def an_owner_orders_by_a_day_that_is_too_late(place: Town, browser: Browser, lang: str) -> None:
    place.clock.forward(hours=1)
    phone = place.phone(**{"Accept-Language": lang.replace("_", "-")})
    phone.sign_in()
    assert phone.order(SHOP).status_code == 200


def the_date_is_corrected_by_two(li: Seat, wang: Seat, folder: Path) -> None:
    path = folder / "corrections.csv"
    path.write_text(f"number,event,at,instead_of\n{RECYCLED},opened,2026-09-01,opened 2026-10-01\n")
    li.go("reports")
    li.page.set_input_files("#correct-file", path)
    li.page.select_option("#correct-carrier", "cmcc")
    li.page.fill("#correct-reason", "typo 笔误")
    li.press("Propose the correction")
    wang.go("approvals")
    card = wang.page.locator(".card").filter(has_text="typo 笔误")
    expect(card).to_contain_text(wang.say("order taken back, since it went by a day that was too late"))
    wang.press("Approve")
    wang.told("Approved and carried out.")
    li.go("numbers")
    li.page.fill("#number", RECYCLED)
    li.press("Search")
    expect(li.page.locator("main")).to_contain_text("corrections.csv")
    expect(li.page.locator("main")).to_contain_text(
        li.say("an order was taken back, since the day that it went by was corrected")
    )


def the_owner_sees_why_and_may_order_again(place: Town, browser: Browser, lang: str) -> None:
    place.clock.forward(hours=1)
    page, complaints = open_tab(browser, "phone", lang=lang.replace("_", "-"))
    told = Seat(page=page, complaints=complaints, place=place, lang=lang)
    page.goto(f"{place.url}/renew")
    page.fill("#number", RECYCLED)
    page.keyboard.press("Enter")
    page.wait_for_selector("#code")
    page.fill("#code", place.code(RECYCLED))
    page.keyboard.press("Enter")
    page.locator("a[href*='/renew/orders/']").first.click()
    expect(page.locator(".problem[role=alert]")).to_be_visible()
    expect(page.locator(".problem[role=alert] a")).to_have_text(told.say("Order again"))
    told.sound()
    page.context.close()


def a_file_that_was_forgotten_comes_late(li: Seat, folder: Path) -> None:
    """It is older than what is on record, and fits in."""
    uploaded(li, folder / "newer.csv", f"{OWN},opened,2024-01-05", f"{OWN},cancelled,2026-08-20")
    taken(li)
    uploaded(li, folder / "forgotten.csv", f"{OWN},cancelled,2025-03-01", f"{OWN},opened,2025-07-01")
    taken(li)
    li.go("numbers")
    li.page.fill("#number", OWN)
    li.press("Search")
    expect(li.page.locator("main")).to_contain_text("forgotten.csv")


def every_service_answers(place: Town) -> None:
    for name, _ in PARTNERS:
        with as_partner(place, name) as http:
            for one in http.get("/partner/v1/notices").json()["notices"]:
                if not one.get("number"):
                    address = f"/partner/v1/notices/{one['notice']}/receipts?complete=true"
                    nothing = b"number,outcome,reason,until\n"
                    http.post(address, content=nothing, headers={"Content-Type": "text/csv"}).raise_for_status()


def what_is_due_is_released(li: Seat, wang: Seat) -> None:
    li.go("batches/1")
    li.unfold("Propose the release")
    li.page.fill("#release-reason", "答复齐全 all answered")
    li.press("Propose the release")
    wang.go("approvals")
    wang.press("Approve")
    wang.told("Approved and carried out.")


def an_owner_was_back_before_the_release(li: Seat, folder: Path) -> None:
    """The carrier says so only now: it is told at once that it may not sell the number."""
    uploaded(li, folder / "back.csv", f"{RESTING},reclaimed,2026-11-23")
    taken(li)
    li.go("breaches")
    expect(li.page.locator("main")).to_contain_text(li.say("released, though the report that it stood on was wrong"))
    li.sound()


def the_clerk_can_not_sell_it(dian: Seat) -> None:
    dian.go("desk")
    dian.page.fill("#numbers", "\n".join((RESTING, FOREIGN[0])))
    dian.page.keyboard.press("Control+Enter")
    expect(dian.page.locator("tbody tr")).to_have_count(2)
    expect(dian.page.locator("tbody tr a")).to_have_count(0)
    dian.sound()


def the_regulator_sees_the_breach(jian: Seat) -> None:
    jian.go("breaches")
    expect(jian.page.locator("main")).to_contain_text(jian.say("released, though the report that it stood on was wrong"))
    assert RESTING not in jian.page.content()
    jian.sound()
