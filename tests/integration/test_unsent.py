"""What is sent after a sign-in has ended: said not to be sent, kept for whoever sent it and for nobody else, and offered."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, LiteralString

import httpx
import pytest

import huanxin.web
from huanxin.access import people
from huanxin.domain.numbers import parse
from huanxin.store.access.unsent import KEPT
from huanxin.store.plan import holds
from huanxin.store.report import reports
from huanxin.store.request import requests
from huanxin.web.pages.console import signing
from huanxin.web.pages.unsent import LONG as LONGEST
from huanxin.web.pages.unsent import SECRETS
from operators import PASSWORD, operator, reported, signed_in
from town import FIRST, RECYCLED, Phone, Town, town

NOT_SENT = "您的登录已结束，刚才的内容没有发送"
OFFERED = "您按下按钮时，登录已经结束"
LONG = 9
"""Hours that outlast a sign-in."""


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


def orders(place: Town) -> int:
    with place.platform.database.transaction() as tx:
        return len(requests.of_number(tx, parse(RECYCLED)))


def again(client: httpx.Client, login: str = "li") -> httpx.Response:
    return client.post("/console/sign-in", data={"login": login, "password": PASSWORD})


def test_an_order_of_somebody_whose_sign_in_has_ended_is_offered_to_them_again(place: Town) -> None:
    """It was gone without a word: the owner believed that twelve services were asked."""
    phone = place.phone()
    phone.sign_in()
    place.clock.forward(hours=LONG)
    said = phone.order("晨星商城", "飞燕快递")
    assert said.url.path == "/renew/sign-in"
    assert NOT_SENT in said.text
    assert "内容已为您保留" in said.text
    assert orders(place) == 0
    offered = phone.sign_in()
    assert (offered.url.path, OFFERED in offered.text) == ("/renew/unsent", True)
    assert "晨星商城、飞燕快递" in offered.text
    done = phone.http.post("/renew/unsent/send")
    assert done.url.path.startswith("/renew/orders/")
    assert orders(place) == 1
    assert phone.http.post("/renew/unsent/send").url.path == "/renew", "once"
    assert orders(place) == 1


def test_what_is_dropped_is_not_offered_again(place: Town) -> None:
    phone = place.phone()
    phone.sign_in()
    place.clock.forward(hours=LONG)
    phone.order("晨星商城")
    phone.sign_in()
    assert phone.http.post("/renew/unsent/drop").url.path == "/renew"
    place.clock.forward(minutes=2)
    assert phone.sign_in().url.path == "/renew"
    assert orders(place) == 0


def test_what_one_owner_did_not_get_sent_is_not_offered_to_the_next(place: Town) -> None:
    """Neither to another number at that machine, nor to whoever holds this one by now."""
    phone = place.phone()
    phone.sign_in()
    place.clock.forward(hours=LONG)
    phone.order("晨星商城")
    assert phone.sign_in(FIRST).url.path == "/renew"
    place.report(f"{RECYCLED},transferred,2026-11-24")
    place.clock.forward(minutes=2)
    assert phone.sign_in().url.path == "/renew"
    phone.http.post("/renew/unsent/send")
    assert orders(place) == 0


@pytest.mark.parametrize("cookie", ["", "owner=x.y.z"])
def test_of_a_stranger_nothing_is_kept_and_it_is_said_that_nothing_was_sent(place: Town, cookie: str) -> None:
    stranger = place.phone(Cookie=cookie)
    said = stranger.order("晨星商城")
    assert NOT_SENT in said.text
    assert "内容未能保留" in said.text
    with place.platform.database.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM unsent_form").fetchone() == (0,)


def test_a_copy_of_a_cookie_that_was_signed_out_puts_no_form_before_its_owner(place: Town, li: httpx.Client) -> None:
    """Nor does one from before a new password: its owner would be shown it as their own."""
    copied = li.cookies["operator"]
    li.post("/console/sign-out")
    with httpx.Client(base_url=place.url, headers={"Accept": "text/html", "Cookie": f"operator={copied}"}) as thief:
        for hours in (0, LONG):
            place.clock.forward(hours=hours)
            said = thief.post("/console/holds", data={"reason": "x"})
            assert said.headers["location"].endswith("unsent=lost")
    assert again(li).url.path != "/console/unsent"


def test_nor_does_one_after_somebody_else_signed_out(place: Town, li: httpx.Client) -> None:
    """What was ended was forgotten, by the next sign-out, when its time was over; but it said for a day whose it was."""
    operator(place.platform, "supervisor", login="wang")
    copied = li.cookies["operator"]
    li.post("/console/sign-out")
    place.clock.forward(hours=LONG)
    again(li, "wang")
    li.post("/console/sign-out")
    with httpx.Client(base_url=place.url, headers={"Accept": "text/html", "Cookie": f"operator={copied}"}) as thief:
        assert thief.post("/console/holds", data={"reason": "x"}).headers["location"].endswith("unsent=lost")


def test_a_form_of_another_site_is_not_kept_either(place: Town) -> None:
    phone = place.phone()
    phone.sign_in()
    place.clock.forward(hours=LONG)
    data = {"p": "1", "consent": "yes"}
    assert phone.http.post("/renew/order", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert phone.sign_in().url.path == "/renew"


def test_it_is_kept_for_a_day_and_not_longer(place: Town) -> None:
    phone = place.phone()
    phone.sign_in()
    place.clock.forward(hours=LONG)
    phone.order("晨星商城")
    place.clock.forward(hours=KEPT.total_seconds() / 3600 + 1)
    assert phone.sign_in().url.path == "/renew"


def test_a_sign_in_that_ended_long_ago_says_nothing_any_more(place: Town) -> None:
    phone = place.phone()
    phone.sign_in()
    place.clock.forward(hours=LONG + 24)
    assert "内容未能保留" in phone.order("晨星商城").text


@pytest.fixture
def li(place: Town) -> Iterator[httpx.Client]:
    with closing(signed_in(place.url, place.platform, "supervisor", "operator", login="li")) as client:
        yield client


def test_an_operators_hold_with_its_file_is_offered_again_and_placed(place: Town, li: httpx.Client) -> None:
    order = {
        "source": "市公安局",
        "order": "第17号",
        "reason": "涉诈 13800138000",
        "until": "2027-06-30",
        "review": "2027-01-15",
    }
    file = {"file": ("list.csv", f"number\n{FIRST}\n".encode())}
    place.clock.forward(hours=LONG)
    said = li.post("/console/holds", data=order, files=file)
    assert (said.url.path, NOT_SENT in said.text) == ("/console/sign-in", True)
    offered = again(li)
    assert offered.url.path == "/console/unsent"
    assert all(word in offered.text for word in ("第17号", "list.csv", "涉诈 138****8000"))
    assert "13800138000" not in offered.text
    done = li.post("/console/unsent/send")
    assert done.url.path == "/console/holds"
    with place.platform.database.transaction() as tx:
        (placed,) = holds.all_holds(tx)
        assert (placed.count, placed.order_number) == (1, "第17号")
        kept = str(tx.execute("SELECT * FROM unsent_form").fetchall())
    assert kept == "[]"


def test_what_is_kept_of_one_person_opens_for_no_other_wherever_it_is_moved(place: Town, li: httpx.Client) -> None:
    """Whoever writes in the database, and knows no passphrase, has nobody send a form that is another's."""
    wang = operator(place.platform, "supervisor", "operator", login="wang")
    place.clock.forward(hours=LONG)
    li.post("/console/holds", data={"reason": "x"})
    with place.platform.database.transaction() as tx:
        tx.execute("UPDATE unsent_form SET whose = %s", (str(wang.id),))
    assert again(li, "wang").url.path != "/console/unsent"


def test_a_report_is_offered_again_and_taken(place: Town, li: httpx.Client) -> None:
    place.clock.forward(hours=LONG)
    long = "\n" * 200_000  # more than a library of ours takes unasked
    file = {"file": ("r.csv", f"number,event,at\n{FIRST},cancelled,2026-11-20{long}".encode())}
    li.post("/console/reports", data={"carrier": "cmcc"}, files=file)
    assert again(li).url.path == "/console/unsent"
    assert reported(li, li.post("/console/unsent/send")).url.path.startswith("/console/reports/uploads/")
    with place.platform.database.transaction() as tx:
        assert len(reports.all_reports(tx)) == 2


def test_another_operator_at_that_machine_is_offered_nothing(place: Town, li: httpx.Client) -> None:
    """One would propose in their own name what another had in mind."""
    operator(place.platform, "supervisor", login="wang")
    place.clock.forward(hours=LONG)
    li.post("/console/holds", data={"reason": "x"})
    assert again(li, "wang").url.path != "/console/unsent"
    assert li.get("/console/unsent").url.path != "/console/unsent"


def test_a_password_is_never_kept(place: Town, li: httpx.Client) -> None:
    place.clock.forward(hours=LONG)
    said = li.post("/console/me/password", data={"old": PASSWORD, "new": PASSWORD + "x"})
    assert "内容未能保留" in said.text
    with place.platform.database.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM unsent_form").fetchone() == (0,)


@pytest.mark.parametrize("kind", ["data", "files"])
def test_a_form_with_a_secret_in_it_is_not_kept_wherever_it_went(place: Town, li: httpx.Client, kind: str) -> None:
    """A partner types the key of their folder; what an empty field says is no secret."""
    place.clock.forward(hours=LONG)
    sent: dict[str, Any] = {"data": {"reason": "x", "private_key": "-----BEGIN"}}
    if kind == "files":
        sent["files"] = {"file": ("list.csv", b"number\n")}
    assert "内容未能保留" in li.post("/console/holds", **sent).text
    sent["data"]["private_key"] = ""
    assert "内容已为您保留" in li.post("/console/holds", **sent).text


def test_whatever_a_page_hides_while_it_is_typed_is_a_secret() -> None:
    pages = Path(huanxin.web.__file__).parent.rglob("templates/**/*.html")
    hidden = [one for page in pages for one in re.findall(r"<input[^>]*type=.password[^>]*>", page.read_text("utf-8"))]
    assert len(hidden) >= 5
    assert {re.findall(r'name="(\w+)"', one)[0] for one in hidden} <= SECRETS


def test_what_is_kept_is_unreadable_where_it_lies(place: Town, li: httpx.Client) -> None:
    place.clock.forward(hours=LONG)
    li.post("/console/holds", data={"reason": "a telling reason"})
    with place.platform.database.transaction() as tx:
        (sealed,) = tx.execute("SELECT sealed FROM unsent_form").fetchone() or (b"",)
    assert b"telling" not in sealed


def test_a_form_that_is_too_long_is_said_to_be_lost(place: Town, li: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "ROOM", replace(signing.ROOM, most=1000))
    place.clock.forward(hours=LONG)
    form = b'--x\r\nContent-Disposition: form-data; name="carrier"\r\n\r\n' + b"c" * 2000 + b"\r\n--x--\r\n"
    for body in (form, iter([form])):  # its length said before, or not
        said = li.post("/console/reports", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert said.headers["location"].endswith("unsent=lost") if said.is_redirect else "内容未能保留" in said.text


def test_owners_forms_are_kept_as_far_as_they_are_short(place: Town, phone: Phone) -> None:
    """Whoever may sign in for nothing would fill the disk."""
    phone.sign_in()
    place.clock.forward(hours=LONG)
    assert "内容未能保留" in phone.http.post("/renew/order", data={"p": "1", "x": "y" * 70_000}).text
    with place.platform.database.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM unsent_form").fetchone() == (0,)


def test_a_sign_in_that_ends_before_the_offer_is_taken_up_loses_nothing(place: Town, phone: Phone) -> None:
    """The button of the offer was kept in place of what it offered."""
    phone.sign_in()
    place.clock.forward(hours=LONG)
    phone.order("晨星商城")
    phone.sign_in()
    place.clock.forward(hours=LONG)
    assert "内容已为您保留" in phone.http.post("/renew/unsent/send").text
    assert phone.sign_in().url.path == "/renew/unsent"
    phone.http.post("/renew/unsent/send")
    assert orders(place) == 1


@pytest.mark.parametrize("became", ["set_byte(sealed, 300, get_byte(sealed, 300) # 1)", "sha512(sealed)", "''"])
def test_what_nobody_can_open_any_more_stops_no_sign_in(place: Town, li: httpx.Client, became: LiteralString) -> None:
    """The platform got another passphrase, or sealed in another way when it was kept: the way in led to a page of an error
    for a day."""
    place.clock.forward(hours=LONG)
    li.post("/console/holds", data={"reason": "x"})
    with place.platform.database.transaction() as tx:
        tx.execute("UPDATE unsent_form SET sealed = " + became)
    assert again(li).url.path == "/console/batches"
    assert li.get("/console/unsent").url.path == "/console/batches"


def test_whoever_was_locked_out_meanwhile_sends_nothing(place: Town, li: httpx.Client) -> None:
    place.clock.forward(hours=LONG)
    li.post("/console/holds", data={"reason": "x"})
    with place.platform.act("guan") as act:
        people.set_enabled(act, "li", False)
    assert again(li).status_code == 401
    assert li.post("/console/unsent/send").url.path == "/console/sign-in"


def test_if_the_server_fails_what_was_kept_is_kept_still(place: Town, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    phone.sign_in()
    place.clock.forward(hours=LONG)
    phone.order("晨星商城")
    phone.sign_in()

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("huanxin.acts.requests.order", broken)
        assert phone.http.post("/renew/unsent/send").status_code == 500
    assert orders(place) == 0
    phone.http.post("/renew/unsent/send")
    assert orders(place) == 1


@pytest.fixture
def phone(place: Town) -> Phone:
    return place.phone()


def test_a_form_that_says_it_is_too_long_is_not_waited_for(place: Town, li: httpx.Client) -> None:
    """Of the whole of it, up to what may be kept would be read first, and held in memory."""
    place.clock.forward(hours=LONG)
    where = httpx.URL(place.url)
    lines = [
        "POST /console/reports HTTP/1.1", f"Host: {where.netloc.decode()}", f"Cookie: operator={li.cookies['operator']}",
        "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {LONGEST + 1}", "", "",
    ]  # fmt: skip
    with socket.create_connection((where.host, where.port or 0), timeout=10) as line:
        line.sendall("\r\n".join(lines).encode())
        assert b"unsent=lost" in line.recv(65_536)
