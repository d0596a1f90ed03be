"""Orders that real partners' servers answer, watched live; and questions before leaving."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from huanxin.domain.numbers import parse
from huanxin.domain.partners import INQUIRY, Kind, NewPartner
from huanxin.notify.partners import Registered, add_partner
from huanxin.store.notify import attempts
from huanxin.store.request import requests
from processes import free_port, running
from town import FIRST, RECYCLED, Town, settings_of, town
from waiting import until

OLD = "2020-01-01T00:00:00Z"
CLI = "import sys; from huanxin_partner.cli import main; sys.exit(main())"


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    port = free_port()
    settings = settings_of(dsn, tmp_path).model_copy(update={"issuer": f"http://127.0.0.1:{port}"})
    with town(dsn, tmp_path, settings=settings, workers=True, port=port) as made:
        yield made


@pytest.fixture
def site(place: Town, tmp_path: Path) -> Iterator[Path]:
    """The database of a small site that runs `huanxin-partner receive`, with an old account on the number."""
    path, port = tmp_path / "site.db", free_port()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
        db.execute("INSERT INTO users (phone, since) VALUES (?, ?)", (RECYCLED, OLD))
    with place.platform.act("test") as act:
        place.partners["小站"] = made = add_partner(
            act, NewPartner(name="小站", kind=Kind.APP, endpoint=f"http://127.0.0.1:{port}/events/", wants_inquiry=True),
            https_only=False,
        )  # fmt: skip
    config = tmp_path / "partner.toml"
    config.write_text(
        f'issuer = "{place.platform.issuer}"\nclient_id = "{made.partner.client_id}"\ndatabase = "{path}"\n'
        'table = "users"\nnumber_column = "phone"\nbound_at_column = "since"\n',
        encoding="utf-8",
    )
    command = ["-c", CLI, "receive", "--config", str(config)]
    with running(command, port, HUANXIN_PARTNER_CLIENT_SECRET=made.client_secret):
        yield path


def bound(site: Path) -> bool:
    with closing(sqlite3.connect(site, timeout=10)) as db:
        return bool(db.execute("SELECT phone FROM users").fetchone() == (RECYCLED,))


def ended(stream: httpx.Response, seconds: float = 60) -> str:
    """What a stream of events said until it ended."""
    found, ends = "", time.monotonic() + seconds
    for part in stream.iter_text():
        found += part
        assert time.monotonic() < ends, f"the stream did not end: {found}"
    return found


def outcome(place: Town, purpose: str) -> str | None:
    with place.platform.database.transaction() as tx:
        (order,) = [one for one in requests.of_number(tx, parse(RECYCLED)) if one.purpose == purpose]
        return requests.notices_of(tx, order.id)[0].outcome


def test_a_receiver_of_the_package_cuts_the_old_account_while_the_page_shows_it_happen(place: Town, site: Path) -> None:
    phone = place.phone()
    phone.sign_in()
    page = phone.order("小站").url.path
    with phone.http.stream("GET", f"{page}/events", headers={"Accept": "text/event-stream"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = ended(stream)
    assert events.endswith("event: end\ndata: done\n\n")
    assert "1 \\u5bb6\\u4e2d\\u5df2\\u5b8c\\u6210 1 \\u5bb6" in events
    assert not bound(site)
    assert outcome(place, "renew") == "unbound"
    until(lambda: len(place.sms(RECYCLED)) == 2)
    assert "已全部完成" in place.sms(RECYCLED)[0]


def test_who_leaves_asks_first_sees_counts_then_names_and_cuts(place: Town, site: Path) -> None:
    phone = place.phone()
    phone.sign_in(to="leave")
    assert phone.http.post("/leave/ask", data={}).url.path == "/leave", "nobody is asked without consent"
    page = phone.http.post("/leave/ask", data={"consent": "yes"})
    until(lambda: outcome_of(place, "小站") == "bound")
    assert bound(site), "a question cuts nothing"
    place.answer("晨星商城", "absent")
    shown = phone.http.get(page.url.path).text
    assert "已答复的 2 家中，1 家绑着您的号码" in shown, "who has not answered yet is not counted as having none"
    assert "小站" not in shown
    assert "小站" in phone.http.get(page.url.path, params={"names": "1"}).text
    assert len(place.sms(RECYCLED)) == 1, "a question ends without an SMS"
    phone.http.post("/leave/order", data={"p": [str(place.partners["小站"].partner.id)], "consent": "yes"})
    until(lambda: not bound(site))
    until(lambda: outcome(place, "leave") == "unbound")


def outcome_of(place: Town, name: str) -> str | None:
    with place.platform.database.transaction() as tx:
        return requests.of_partner(tx, place.partners[name].partner.id, 1)[0].outcome


def test_only_partners_that_take_questions_are_asked_and_learn_no_more_than_the_number(place: Town) -> None:
    phone = place.phone()
    phone.sign_in(to="leave")
    phone.http.post("/leave/ask", data={"consent": "yes"})
    with place.platform.database.transaction() as tx:
        sent = {name: attempts.latest(tx, one.partner.id) for name, one in place.partners.items()}
    assert {name for name, found in sent.items() if found} == {"晨星商城", "飞燕快递"}
    (event,) = sent["晨星商城"]
    assert event.claims["sub_id"] == {"format": "phone_number", "phone_number": RECYCLED}
    assert event.claims["events"][INQUIRY]["purpose"] == "inquire"


def token(place: Town, partner: Registered) -> dict[str, str]:
    granted = httpx.post(
        f"{place.url}/oauth/token", data={"grant_type": "client_credentials"},
        auth=(partner.partner.client_id, partner.client_secret),
    ).json()  # fmt: skip
    return {"Authorization": f"Bearer {granted['access_token']}", "Content-Type": "text/csv"}


def test_a_partner_lists_its_requests_and_answers_many_in_one_file_whole_or_not_at_all(place: Town) -> None:
    for number in (RECYCLED, FIRST):
        phone = place.phone()
        phone.sign_in(number, to="leave")
        phone.http.post("/leave/order", data={"p": [str(place.partners["晨星商城"].partner.id)], "consent": "yes"})
    shop = place.partners["晨星商城"]
    headers = token(place, shop)
    listed = httpx.get(f"{place.url}/partner/v1/notices", headers=headers).json()["notices"]
    assert {one["number"] for one in listed} == {RECYCLED, FIRST}
    lines = [f"{one['notice']},{one['number']},unbound,," for one in listed]
    address = f"{place.url}/partner/v1/receipts"
    heading = "notice,number,outcome,reason,until\n"
    bad = httpx.post(address, content=heading + lines[0] + "\n" + lines[1].replace("unbound", "gone"), headers=headers)
    assert bad.status_code == 422
    assert [one["line"] for one in bad.json()["errors"]] == [3]
    answers = [httpx.post(address, content=heading + "\n".join(lines), headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].json()["accepted"] == {"unbound": 2}
    assert answers[0].json()["receipts"] == answers[1].json()["receipts"]


def test_one_notice_is_answered_at_its_address_and_not_by_another_partner(place: Town) -> None:
    phone = place.phone()
    phone.sign_in()
    phone.order("晨星商城")
    (notice,) = httpx.get(
        f"{place.url}/partner/v1/notices", headers=token(place, place.partners["晨星商城"])
    ).json()["notices"]  # fmt: skip
    address = f"{place.url}/partner/v1/notices/{notice['notice']}/receipts"
    content = f"number,outcome,reason,until\n{RECYCLED},refused,debt,2026-12-31\n"
    other = httpx.post(address, content=content, headers=token(place, place.partners["飞燕快递"]))
    assert other.status_code == 404
    mine = token(place, place.partners["晨星商城"])
    taken = httpx.post(address, content=content, headers=mine)
    assert taken.status_code == 201, taken.text
    assert taken.json()["accepted"] == {"refused": 1}
    settled = httpx.post(f"{address}?complete=true", content="number,outcome,reason,until\n", headers=mine)
    assert settled.json()["accepted"] == {"absent": 1}
