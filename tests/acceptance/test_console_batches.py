"""Batches, approvals, numbers and holds in the console: a day's work, and what each role may not do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook
from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import SIZES, axe, fits, open_tab
from huanxin.domain.operators import Role
from huanxin.store.access import operators
from huanxin.work import planning
from operators import PASSWORD, browsing, operator
from ordering import plan_now, send_now
from town import Town, town

READY = [f"+861380013810{n}" for n in range(4)]
FREEZING = [f"+861380013820{n}" for n in range(2)]
NAMES = ("晨星商城", "飞燕快递", "云雀音乐 <b>", "白鹭号码标记", "银杏账单提醒")


@dataclass(frozen=True, kw_only=True)
class Room:
    """A served platform with one sent batch of six numbers: three partners have answered for all of them, one refuses
    one number, one is silent."""

    town: Town
    batch: int

    def browser_of(self, *roles: Role, login: str) -> Iterator[httpx.Client]:
        with browsing(self.town.url, self.town.platform, *roles, login=login) as http:
            yield http


@pytest.fixture(scope="module")
def room(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with town(module_dsn, tmp_path_factory.mktemp("town")) as made:
        made.report(*(f"{one},cancelled,2026-08-20" for one in READY), *(f"{one},cancelled,2026-08-30" for one in FREEZING))
        batch = plan_now(made.platform, by="test")
        assert batch is not None
        send_now(made.platform, batch.id)
        found = Room(town=made, batch=batch.id)
        made.receipt(NAMES[0], f"{READY[0]},unbound,,", f"{READY[1]},unbound,,")
        made.receipt(NAMES[1], f"{READY[3]},refused,debt,")
        made.receipt(NAMES[2])
        made.receipt(NAMES[3])
        yield found


@pytest.fixture(scope="module")
def li(room: Room) -> Iterator[httpx.Client]:
    """An operator, who proposes."""
    yield from room.browser_of(Role.OPERATOR, login="li")


@pytest.fixture(scope="module")
def wang(room: Room) -> Iterator[httpx.Client]:
    """A supervisor, who decides."""
    yield from room.browser_of(Role.SUPERVISOR, login="wang")


def said(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def partner_id(room: Room, name: str) -> str:
    return str(room.town.partners[name].partner.id)


# What a role may not do -------------------------------------------------------------------------------------------------
POSTS = ("/console/batches", "/console/batches/1", "/console/approvals/1", "/console/numbers", "/console/holds",
         "/console/holds/1/lift", "/console/batches/1/releases/1")  # fmt: skip
GETS = ("/console/batches", "/console/batches/1", "/console/approvals", "/console/numbers", "/console/holds")
MAY = {
    Role.DESK: set[str](),
    Role.REGULATOR: {"/console/batches", "/console/batches/1"},
    Role.ADMIN: {"/console/batches", "/console/batches/1"},
}


@pytest.mark.parametrize("role", MAY)
def test_who_does_not_work_with_batches_changes_nothing_and_sees_no_number(room: Room, role: Role) -> None:
    with browsing(room.town.url, room.town.platform, role, login=f"only-{role}") as http:
        seen = {address for address in GETS if http.get(address).status_code == 200}
        assert seen == MAY[role]
        done = {address: http.post(address, data={"do": "send", "number": READY[0]}).status_code for address in POSTS}
        assert done == dict.fromkeys(POSTS, 403)


def test_an_operator_can_not_approve_what_a_supervisor_proposed_and_does_not_see_it(
    room: Room, li: httpx.Client, wang: httpx.Client
) -> None:
    form = {"do": "waive", "partner": partner_id(room, NAMES[1]), "reason": "settled in court", "numbers": READY[3]}
    wang.post(f"/console/batches/{room.batch}", data=form)
    proposal = re.search(r'id="proposal-(\d+)"', wang.get("/console/approvals").text)
    assert proposal
    assert "settled in court" not in li.get("/console/approvals").text
    refused = li.post(f"/console/approvals/{proposal[1]}?lang=en", data={"do": "approved"})
    assert refused.status_code == 403
    assert "supervisor" in said(refused.text)
    own = wang.post(f"/console/approvals/{proposal[1]}?lang=zh_CN", data={"do": "approved"})
    assert own.status_code == 409
    assert "须由另一位主管决定" in said(own.text)
    assert wang.post(f"/console/approvals/{proposal[1]}", data={"do": "withdrawn"}).status_code == 200


def test_a_supervisor_places_and_lifts_no_hold(wang: httpx.Client) -> None:
    assert wang.get("/console/holds").status_code == 200
    assert wang.post("/console/holds", data={"source": "x"}).status_code == 403
    assert wang.post("/console/holds/1/lift", data={"reason": "x"}).status_code == 403


def test_an_operator_of_another_carrier_sees_neither_the_batch_nor_the_number(room: Room) -> None:
    with browsing(room.town.url, room.town.platform, Role.OPERATOR, carrier="cucc", login="of-cucc") as http:
        assert f"/console/batches/{room.batch}" not in http.get("/console/batches").text
        assert http.get(f"/console/batches/{room.batch}").status_code == 403
        assert http.post(f"/console/batches/{room.batch}", data={"do": "remind"}).status_code == 403
        refused = http.post("/console/numbers?lang=en", data={"number": READY[0]})
        assert refused.status_code == 403
        assert "cancelled" not in said(refused.text)
        with_file = {"file": ("list.csv", f"number\n{READY[0]}\n".encode())}
        fields = {"source": "police", "order": "1", "reason": "x", "until": "2027-01-01", "review": "2026-12-01"}
        assert http.post("/console/holds", data=fields, files=with_file).status_code == 403


def test_nobody_who_is_not_signed_in_makes_the_server_take_a_file(room: Room) -> None:
    with httpx.Client(base_url=room.town.url) as stranger:
        answer = stranger.post("/console/holds", files={"file": ("list.csv", b"number\n+8613800138000\n")})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in")


def test_a_form_of_another_site_does_nothing_in_the_operators_name(room: Room, li: httpx.Client) -> None:
    evil = {"Sec-Fetch-Site": "cross-site"}
    assert li.post(f"/console/batches/{room.batch}", data={"do": "remind"}, headers=evil).status_code == 403


def test_what_can_not_be_done_is_said_in_plain_words_and_changes_nothing(room: Room, li: httpx.Client) -> None:
    address = f"/console/batches/{room.batch}"
    li.get("/console/batches?lang=zh_CN")
    before = li.get(f"{address}?format=csv").text
    nothing_due = li.post("/console/batches", data={"carrier": ""})
    assert "没有到期的号码" in said(nothing_due.text)
    refusals = {
        "escalate": ({}, 409, "没有逾期的答复"),
        "release": ({"reason": "x"}, 409, "现在没有可放且未放的号码"),
        "waive": ({"partner": partner_id(room, NAMES[2]), "reason": "x"}, 409, "没有可豁免的"),
        "retract": ({"reason": "x", "numbers": f"{READY[0]}\n13800138199\n12"}, 422, "第 3 行"),
        "dance": ({}, 422, "dance"),
    }
    for do, (fields, status, words) in refusals.items():
        answer = li.post(address, data={"do": do, **fields})
        assert (answer.status_code, words in said(answer.text)) == (status, True), do
    stranger = li.post(address, data={"do": "retract", "reason": "x", "numbers": "13800138199"})
    assert "138****8199 不在批次" in said(stranger.text)
    assert li.get(f"{address}?format=csv").text == before


def test_where_reports_are_many_a_batch_is_planned_by_a_worker_and_the_page_leads_to_it(
    room: Room, li: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A country's reports take half a minute to read: the page says what goes on, and for whom."""
    monkeypatch.setattr(planning, "SMALL", 0)
    waits = li.post("/console/batches", data={"carrier": ""})
    assert "正在为 li 规划批次" in said(waits.text)
    assert waits.headers["refresh"] == "5", "it looks again by itself, without a script too"
    assert "正在为 li 规划批次" in said(li.get("/console/batches").text)
    assert planning.Planner(platform=room.town.platform).one_job()
    assert "没有到期的号码" in said(li.get(str(waits.url)).text)
    assert "refresh" not in li.get("/console/batches").headers


def test_who_sent_a_batch_is_on_record(room: Room, li: httpx.Client) -> None:
    li.get("/console/batches?lang=zh_CN")
    assert "每家接入方都有了通知" in said(li.post(f"/console/batches/{room.batch}", data={"do": "send"}).text)
    with room.town.platform.database.transaction() as tx:
        sent = operators.events(tx, kind="batch-sent")
    assert [(one.recorded_by, one.detail) for one in sent] == [("li", {"batch": room.batch})]


# One number -------------------------------------------------------------------------------------------------------------
def test_a_number_shows_its_facts_masked_and_whole_only_for_a_recorded_purpose(room: Room, li: httpx.Client) -> None:
    plain = li.post("/console/numbers?lang=en", data={"number": "138 0013 8103"})
    words = said(plain.text)
    assert READY[3] not in plain.text
    assert "138****8103" in words
    assert "report.csv" in words, "a tenure without the report that says so"
    assert "refused" in words
    assert "rc_" in plain.text, "an answer without its receipt"
    without = li.post("/console/numbers?lang=en", data={"number": READY[3], "purpose": "complaint"})
    assert without.status_code == 422
    whole = li.post("/console/numbers?lang=en", data={"number": READY[3], "purpose": "complaint", "ticket": "T-17"})
    assert READY[3] in whole.text
    with room.town.platform.database.transaction() as tx:
        person = operators.by_login(tx, "li")
        assert person
        records = [one.detail for one in operators.events(tx, operator_id=person.id, kind="unmasked")]
    assert records == [{"number": READY[3], "purpose": "complaint", "ticket": "T-17"}]
    sheet = li.post("/console/numbers", data={"number": READY[3], "format": "csv"})
    assert READY[3] not in sheet.text
    assert "138****8103" in sheet.text


def test_a_number_that_nobody_reported_is_unknown_not_free(li: httpx.Client) -> None:
    assert "not known to be free" in said(li.post("/console/numbers?lang=en", data={"number": "13800139999"}).text)
    assert li.post("/console/numbers", data={"number": "12"}).status_code == 422


# Holds ------------------------------------------------------------------------------------------------------------------
def test_a_hold_comes_in_as_a_workbook_and_a_bad_line_refuses_it_whole(tmp_path: Path, li: httpx.Client) -> None:
    fields = {"source": "市公安局", "order": "第17号", "reason": "诈骗", "until": "2027-05-01", "review": "2026-12-15"}

    def sent(*cells: object) -> httpx.Response:
        book = Workbook()
        for cell in ("号码", *cells):
            book.active.append([cell])
        book.save(tmp_path / "list.xlsx")
        return li.post(
            "/console/holds?lang=en", data=fields, files={"file": ("list.xlsx", (tmp_path / "list.xlsx").read_bytes())}
        )

    refused = sent("+8613800139001", "8.61E+12", 1380013900)
    assert refused.status_code == 422
    assert re.findall(r"Line (\d):", said(refused.text)) == ["3", "4"]
    assert "No hold is in this state" in said(refused.text)
    placed = sent("+8613800139001", 8613800139002)
    assert "第17号" in placed.text
    assert "Nothing was changed" in said(sent("+8613800139001", 8613800139002).text), "a form that is sent twice"
    proposed = li.post("/console/holds/1/lift?lang=en", data={"reason": "order revoked"})
    assert "Another supervisor has to approve it before anything changes" in said(proposed.text)
    assert "order revoked" in li.get("/console/approvals").text
    assert li.post("/console/holds/1/lift", data={"reason": "again"}).status_code == 409
    assert "第17号" in li.get("/console/holds?state=all&format=csv").text


# In a browser ------------------------------------------------------------------------------------------------------------
def enter(page: Page, room: Room, login: str) -> None:
    page.goto(f"{room.town.url}/console/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.locator("main button").first.click()
    expect(page.locator("h1")).to_have_text("批次")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_each_room_fits_is_quiet_and_accessible(browser: Browser, room: Room, size: str, lang: str) -> None:
    login = f"{size}-{lang}"
    operator(room.town.platform, Role.OPERATOR, Role.SUPERVISOR, login=login)
    page, complaints = open_tab(browser, size)
    enter(page, room, login)
    for address in ("batches", f"batches/{room.batch}", "approvals", "holds?state=all", "partners", "numbers"):
        page.goto(f"{room.town.url}/console/{address}{'&' if '?' in address else '?'}lang={lang}")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert fits(page), address
        assert axe(page) == [], address
    page.fill("#number", READY[3])
    page.locator("main form button").first.click()
    expect(page.locator("#found")).to_have_text("138****8103")
    assert READY[3] not in page.url
    assert fits(page)
    assert axe(page) == []
    assert complaints == []
    page.context.close()
