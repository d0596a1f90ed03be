"""A day of each of the five roles, from the report to the sale, in a real browser and in both languages.

It passes from hand to hand, as it does at a carrier: an operator reports and has partners told; a week later they propose,
a supervisor decides, a clerk sells, the regulator finds the number that was sold without a word, and the admin sees who
did what. Each also tries the doors of the others.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyotp
import pytest
from openpyxl import Workbook
from playwright.sync_api import Browser, expect

from acceptance.browsing import draw, open_tab
from acceptance.seats import Seat, seat
from huanxin.domain.disclosure import GRADE_NAMES, Grade
from huanxin.domain.operators import Role
from huanxin.figures import summaries
from huanxin.words.i18n import LANGUAGES
from operators import PASSWORD, operator
from town import PARTNERS, Town, town

READY = [f"+861380013810{n}" for n in range(4)]
FREEZING = [f"+861380013820{n}" for n in range(2)]
LATE = "+8613800138300"
BUYER = "13900139000"
REFUSING, SILENT = PARTNERS[1][0], PARTNERS[4][0]
PEOPLE = {"li": Role.OPERATOR, "wang": Role.SUPERVISOR, "dian": Role.DESK, "jian": Role.REGULATOR, "guan": Role.ADMIN}


def counted(place: Town) -> None:
    """What a worker does all day: the figures of the pages."""
    with place.platform.database.transaction() as tx:
        summaries.refresh(tx, place.platform)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_day_of_each_role_from_the_report_to_the_sale(browser: Browser, dsn: str, tmp_path: Path, lang: str) -> None:
    with town(dsn, tmp_path) as place:
        for login, role in PEOPLE.items():
            operator(place.platform, role, login=login)
        with seat(browser, place, lang, "li") as li:
            a_report_with_a_bad_line_is_mended(li, tmp_path)
            a_batch_is_planned_and_sent(li)
        for name, *lines in ((PARTNERS[0][0], f"{READY[0]},unbound,,"), (REFUSING, f"{READY[3]},refused,debt,"),
                             (PARTNERS[2][0],), (PARTNERS[3][0],)):  # fmt: skip
            place.receipt(name, *lines)
        place.clock.forward(days=9)
        counted(place)
        with seat(browser, place, lang, "li") as li, seat(browser, place, lang, "wang") as wang:
            nobody_decides_on_what_he_proposed(wang)
            late_partners_are_reminded_and_waivers_proposed(li)
            late_partners_are_seen_by_name(wang)
            a_hold_is_placed(li, tmp_path)
            what_others_proposed_is_decided(wang)
            the_release_is_proposed(li)
            the_release_is_approved_and_its_list_taken(wang)
            a_number_is_searched(li)
            pool_and_planner_are_read(li)
            li.turned_away("desk", "watch", "people", "audit")
            wang.turned_away("reports", "desk", "people", "audit")
        with seat(browser, place, lang, "dian", size="phone") as dian:
            two_buyers_acknowledge(dian)
            dian.turned_away("batches", "approvals", "numbers", "holds", "pool", "reports", "watch", "breaches", "people")
        place.clock.forward(hours=2)
        opened = place.clock().isoformat()
        place.report(*(f"{one},opened,{opened}" for one in (READY[0], READY[2])))
        counted(place)
        with seat(browser, place, lang, "jian") as jian:
            figures_are_read_and_no_number(jian)
            jian.turned_away("approvals", "numbers", "holds", "desk", "reports", "people", "audit")
        with seat(browser, place, lang, "guan") as guan:
            an_authenticator_is_set_up(guan)
            somebody_is_let_in_and_locked_out(guan, browser)
            who_saw_a_whole_number_is_on_record(guan)
            guan.turned_away("approvals", "numbers", "holds", "desk", "reports")


# The operator -----------------------------------------------------------------------------------------------------------
def a_report_with_a_bad_line_is_mended(li: Seat, folder: Path) -> None:
    page, path = li.page, folder / "monday.csv"
    good = [*(f"{one},cancelled,2026-08-20" for one in READY), *(f"{one},cancelled,2026-09-08" for one in FREEZING)]
    path.write_text("\n".join(["number,event,at", *good, "8.61E+12,cancelled,2026-10-05", ""]))
    li.go("reports")
    page.set_input_files("#file", path)
    page.select_option("#carrier", "cmcc")
    li.press("Upload")
    li.heading("Refused: nothing of this file was taken")
    rows = page.locator("main table").first.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("8.61E+12")
    li.sound()
    page.set_input_files("#file", path)
    page.check("input[name=skip_bad]")
    li.press("Upload")
    li.heading("Take this report?")
    li.sound()
    li.press("Take the report")
    li.heading("Taken as report %(id)s", id=2)
    with page.expect_download() as saved:
        li.press("Download the bad lines (CSV)")
    mended = folder / "mended.csv"
    mended.write_text(saved.value.path().read_text(encoding="utf-8-sig").replace("8.61E+12", LATE, 1), encoding="utf-8")
    page.set_input_files("#file", mended)
    li.press("Upload")
    li.press("Take the report")
    li.heading("Taken as report %(id)s", id=3)


def a_batch_is_planned_and_sent(li: Seat) -> None:
    li.go("batches")
    li.press("Plan a batch")
    li.heading("Batch %(id)s", id=1)
    li.told("The batch is planned. Nobody has been told yet: send it next.")
    li.press("Send it to every partner")
    li.told("Every partner has a notice; workers deliver them now.")


def late_partners_are_reminded_and_waivers_proposed(li: Seat) -> None:
    page = li.page
    li.go("batches/1")
    li.press("Remind all who still have to answer")
    li.told("Reminders are on their way.")
    li.press("Escalate all who are late")
    li.told("Escalated: the late partners, and whoever watches for the platform, are told.")
    for name in (REFUSING, SILENT):
        li.unfold("Propose to go on without a partner's answer")
        page.select_option("#waive-partner", str(li.place.partners[name].partner.id))
        page.fill("#waive-reason", "结清 settled")
        li.press("Propose the waiver")
        li.told("Proposed. Another supervisor has to approve it before anything changes.")
    li.go("approvals")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator("button[value=approved]")).to_have_count(0)
    li.sound()


def the_release_is_proposed(li: Seat) -> None:
    li.go("batches/1")
    li.unfold("Propose the release")
    li.page.fill("#release-reason", "答复齐全 all answered")
    li.press("Propose the release")
    li.told("Proposed. Another supervisor has to approve it before anything is released.")


def a_hold_is_placed(li: Seat, folder: Path) -> None:
    book = Workbook()
    for cell in ("号码", FREEZING[0]):
        book.active.append([cell])
    book.save(folder / "order.xlsx")
    li.go("holds")
    li.unfold("Place a hold")
    days = {"until": "2027-05-01", "review": "2026-12-20"}
    for field, value in {"source": "市公安局", "order": "第17号", "reason": "诈骗", **days}.items():
        li.page.fill(f"#{field}", value)
    li.page.set_input_files("#file", folder / "order.xlsx")
    li.press("Place the hold")
    li.told("The hold is placed. These numbers stay frozen until it ends or is lifted.")
    expect(li.page.locator("#hold-1")).to_contain_text("第17号")


def a_number_is_searched(li: Seat) -> None:
    page = li.page
    li.go("numbers")
    page.fill("#number", READY[3])
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text("138****8103")
    expect(page.locator("main")).to_contain_text("monday.csv")
    expect(page.locator("main")).to_contain_text(li.say("refused"))
    assert READY[3] not in page.content()
    li.sound()
    page.fill("#number", READY[3])
    page.select_option("#purpose", "complaint")
    page.fill("#ticket", "T-17")
    li.press("Search")
    expect(page.locator("#found")).to_have_text(READY[3])


def pool_and_planner_are_read(li: Seat) -> None:
    li.go("pool")
    expect(li.page.locator(".plot canvas").first).to_be_visible()
    li.go("planner")
    li.page.locator("input[name=freeze][value='180']").check()
    li.press("Compare scenarios")
    expect(li.page.locator("main tbody").first.locator("tr").first).to_contain_text("90")


# The supervisor ---------------------------------------------------------------------------------------------------------
def nobody_decides_on_what_he_proposed(wang: Seat) -> None:
    page = wang.page
    wang.go("batches/1")
    wang.unfold("Propose to go on without a partner's answer")
    page.select_option("#waive-partner", str(wang.place.partners[SILENT].partner.id))
    page.fill("#waive-reason", "my own")
    wang.press("Propose the waiver")
    wang.go("approvals")
    own = page.locator(".card").filter(has_text="my own")
    expect(own).to_contain_text(wang.say("Another supervisor has to decide on what you proposed."))
    expect(own.locator("button[value=approved]")).to_have_count(0)
    own.locator("button[value=withdrawn]").click()
    wang.told("Withdrawn. Nothing was changed.")


def what_others_proposed_is_decided(wang: Seat) -> None:
    wang.go("approvals")
    for _ in range(2):
        wang.press("Approve")
        wang.told("Approved and carried out.")
    wang.sound()


def the_release_is_approved_and_its_list_taken(wang: Seat) -> None:
    """Nobody alone gives a number back, nor do two give one back whose freeze goes on."""
    page = wang.page
    wang.go("approvals")
    wang.press("Approve")
    wang.told("Approved and carried out.")
    expect(page.locator(".once[role=status]")).to_contain_text("4")
    wang.go("batches/1")
    row = page.locator("form[action*='/releases/']")
    row.locator("select").select_option("sale")
    row.locator("input[name=ticket]").fill("R-1")
    with page.expect_download() as download:
        row.locator("button:not([name])").click()
    listed = download.value.path().read_text(encoding="utf-8").splitlines()
    assert listed == ["number,sellable_from", *(f"{one},2026-11-19" for one in READY)]
    wang.go("holds")
    expect(page.locator("#hold-1")).to_have_count(1)
    expect(page.locator("#source")).to_have_count(0)


def late_partners_are_seen_by_name(wang: Seat) -> None:
    wang.go("watch?view=late")
    wang.heading("Supervision")
    expect(wang.page.locator("main tbody").first).to_contain_text(SILENT)


# The clerk --------------------------------------------------------------------------------------------------------------
def two_buyers_acknowledge(dian: Seat) -> None:
    page = dian.page
    dian.go("desk")
    page.fill("#numbers", "\n".join((READY[0], FREEZING[0], READY[1])))
    page.keyboard.press("Control+Enter")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody tr").nth(1).locator("a")).to_have_count(0)
    assert not any(name in page.content() for name, _ in PARTNERS)
    dian.sound()
    page.get_by_role("link", name=dian.say("Show them to the buyer")).click()
    expect(page.locator(".card")).to_have_count(2)
    page.locator(".card a").first.click()
    draw(page)
    dian.press("Acknowledge")
    dian.heading("Recorded. Thank you")
    looks_up(dian, READY[1])
    page.get_by_role("link", name=dian.say("Show them to the buyer")).click()
    page.locator(".card a").first.click()
    page.fill("#phone", BUYER)
    dian.press("Send a code")
    page.fill("#code", dian.place.code(f"+86{BUYER}"))
    dian.press("Acknowledge by this code")
    dian.heading("Recorded. Thank you")
    dian.sound()
    page.get_by_role("link", name=dian.say("For the clerk: go on")).click()
    page.fill("#reason", "too dear")
    dian.press("Withdraw")
    dian.go("desk/records")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").first).to_contain_text(dian.say("withdrawn"))
    dian.sound()
    looks_up(dian, FREEZING[0])
    expect(page.locator("tbody tr")).to_contain_text(GRADE_NAMES[Grade.BLOCKED][dian.lang])
    expect(page.locator("tbody tr a")).to_have_count(0)


def looks_up(dian: Seat, number: str) -> None:
    dian.go("desk")
    dian.page.fill("#numbers", number)
    dian.page.keyboard.press("Control+Enter")
    expect(dian.page.locator("tbody tr")).to_have_count(1)


# The regulator ----------------------------------------------------------------------------------------------------------
def figures_are_read_and_no_number(jian: Seat) -> None:
    page = jian.page
    jian.go("watch")
    expect(page.locator("#breaches ~ .scroll").first).to_contain_text("1")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click()
    lines = list(csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert {line["name"] for line in lines} == {name for name, _ in PARTNERS}
    for room in ("batches", "batches/1", "pool", "breaches", "breaches/1", "planner"):
        jian.go(room)
        assert not re.search(r"1380013\d{4}", page.content()), room
        assert page.locator("h1").count() == 1
    jian.go("breaches/1")
    jian.sound()
    page.goto(f"{jian.place.url}/watch")
    assert not re.search(r"1380013\d{4}", page.content())


# The admin --------------------------------------------------------------------------------------------------------------
def an_authenticator_is_set_up(guan: Seat) -> None:
    page = guan.page
    guan.go("me")
    secret = pyotp.TOTP(page.locator("input[name=secret]").input_value())
    page.fill("#code", secret.at(guan.place.clock()))
    guan.press("Use this authenticator")
    guan.told("Your authenticator is in use from now on.")
    guan.press("Sign out")
    guan.place.clock.forward(minutes=1)
    guan.go("people")
    page.fill("#login", "guan")
    page.fill("#password", PASSWORD)
    page.locator("main .button.primary").click()
    page.wait_for_url(re.compile("/sign-in/code"))
    guan.sound()
    page.fill("#code", secret.at(guan.place.clock()))
    page.locator("main .button.primary").click()
    guan.heading("Operators")


def somebody_is_let_in_and_locked_out(guan: Seat, browser: Browser) -> None:
    page = guan.page
    page.fill("#login", "chen")
    page.fill("#name", "陈 <b>")
    page.locator("fieldset input[value=operator]").check()
    page.get_by_role("button", name=guan.say("Add"), exact=True).click()
    first = page.locator("[role=status] code").inner_text()
    row = page.locator("tr").filter(has=page.get_by_role("rowheader", name="chen"))
    expect(row).to_contain_text("陈 <b>")
    guan.sound()
    theirs, _ = open_tab(browser, "desk", lang=guan.lang.replace("_", "-"))
    theirs.goto(f"{guan.place.url}/console/sign-in")
    theirs.fill("#login", "chen")
    theirs.fill("#password", first)
    theirs.locator("main .button.primary").click()
    theirs.fill("#old", first)
    theirs.fill("#new", PASSWORD)
    theirs.locator("form[action='/console/me/password'] button").click()
    expect(theirs.locator(".once[role=status]")).to_have_count(1)
    row.locator("input[value=desk]").check()
    row.get_by_role("button", name=guan.say("Save")).click()
    expect(page.locator("[role=status]")).to_have_count(1)
    theirs.goto(f"{guan.place.url}/console/desk")
    expect(theirs.locator("#numbers")).to_have_count(1)
    row.get_by_role("button", name=guan.say("Lock out")).click()
    expect(row).to_contain_text(guan.say("locked out"))
    theirs.goto(f"{guan.place.url}/console/desk")
    expect(theirs.locator("#password")).to_have_count(1)
    theirs.context.close()


def who_saw_a_whole_number_is_on_record(guan: Seat) -> None:
    guan.go("audit?login=li&kind=unmasked")
    newest = guan.page.locator("main tbody tr").first
    expect(newest).to_contain_text(guan.say("a complaint"))
    expect(newest).to_contain_text("T-17")
    guan.go("audit?login=wang&kind=unmasked")
    expect(guan.page.locator("main tbody tr").first).to_contain_text("R-1")
