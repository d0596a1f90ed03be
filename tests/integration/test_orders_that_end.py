"""No owner's order ends in a dead end: whatever a partner does or leaves undone, it ends, and can be placed again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from huanxin.acts.requests import answer_requests, call_off, order_request
from huanxin.answer.single import AnswerLine
from huanxin.cli.main import app
from huanxin.domain.operators import Role
from huanxin.domain.partners import Partner
from huanxin.domain.streams import Method
from huanxin.request.ordering import Ordered, Purpose, Wish
from huanxin.store import migrate as migrating
from huanxin.store.connect import partners
from huanxin.store.notify import again, attempts, deliveries
from huanxin.store.request import requests
from huanxin.store.request.requests import RequestNotice
from huanxin.work.telling import Teller
from operators import signed_in
from phones import Phones
from town import RECYCLED, Town, town

SHOP, COURIER = "晨星商城", "飞燕快递"


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
def teller(place: Town, phones: Phones) -> Teller:
    return phones.teller(place.platform)


def order(place: Town, *names: str) -> Ordered:
    wish = Wish(
        purpose=Purpose.RENEW, number=int(RECYCLED), partner_ids=[shop(place, name).id for name in names],
        consent_text="I agree", channel="sms", language="en", shown_at=place.clock.now,
    )  # fmt: skip
    return order_request(place.platform, wish)


def shop(place: Town, name: str) -> Partner:
    return place.partners[name].partner


def answer(place: Town, ordered: Ordered, name: str, outcome: str, until: str = "") -> None:
    line = AnswerLine(line=2, notice=ordered.notices[shop(place, name).id], number=RECYCLED, outcome=outcome, reason="",
                until=until)  # fmt: skip
    answer_requests(place.platform, shop(place, name), [line])


def told(place: Town, ordered: Ordered) -> dict[str, RequestNotice]:
    with place.platform.database.transaction() as tx:
        return {one.partner: one for one in requests.notices_of(tx, ordered.request.id)}


def work(teller: Teller) -> None:
    while teller.one_job():
        pass


def take(place: Town, name: str) -> None:
    """A partner that polls fetches its events and acknowledges them."""
    with place.platform.database.transaction() as tx:
        due = deliveries.to_poll(tx, shop(place, name).id, place.clock.now, enabled=True, limit=9)
        deliveries.acknowledge(tx, shop(place, name).id, [one.jti for one in due], status=200, at=place.clock.now)


def test_the_order_of_a_partner_that_was_down_for_16_days_ends_and_is_placed_again(
    place: Town, teller: Teller, phones: Phones
) -> None:
    first = order(place, SHOP, COURIER)
    answer(place, first, COURIER, "unbound")
    work(teller)
    assert phones.sent == []
    assert not order(place, SHOP).new, "it is under way"
    place.clock.forward(days=16)
    work(teller)
    assert ["1 services are done, 1 need you" in text for text in phones.texts] == [True]
    phone = place.phone()
    phone.sign_in()
    page = phone.http.get(f"/renew/orders/{first.request.id}")
    assert "没有答复" in page.text
    assert "申请已办结，有几家需要您处理" in page.text
    again = phone.http.post(f"{page.url.path}/again", data={"p": str(shop(place, SHOP).id)})
    assert again.url.path != page.url.path
    with place.platform.database.transaction() as tx:
        assert len(requests.of_number(tx, int(RECYCLED))) == 2
    answer(place, first, SHOP, "unbound")
    assert "没有答复" not in phone.http.get(page.url.path).text, "an answer that comes late is shown all the same"
    work(teller)
    assert len(phones.sent) == 1, "and is no second message about the first order"


@pytest.mark.parametrize(("until", "days"), [("2026-12-10", 17), ("", 8), ("2020-01-01", 8), ("9999-12-31", 39)])
def test_an_order_that_a_partner_once_took_on_and_never_did_ends_some_day(
    place: Town, teller: Teller, phones: Phones, until: str, days: int
) -> None:
    first = order(place, SHOP)
    answer(place, first, SHOP, "pending", until)
    place.clock.forward(days=days - 1)
    work(teller)
    assert (phones.sent, order(place, SHOP).new) == ([], False)
    place.clock.forward(days=1)
    work(teller)
    assert len(phones.sent) == 1
    assert order(place, SHOP).new


def test_of_a_partner_that_left_nothing_is_waited_for(place: Town, teller: Teller, phones: Phones) -> None:
    first = order(place, SHOP, COURIER)
    with place.platform.database.transaction() as tx:
        partners.withdraw(tx, shop(place, SHOP).id, reason="closed", by="li", at=place.clock.now)
    answer(place, first, COURIER, "unbound")
    phone = place.phone()
    phone.sign_in()
    page = phone.http.get(f"/renew/orders/{first.request.id}").text
    assert "该应用已退出号码焕新" in page
    assert "申请已办结" in page
    place.clock.forward(days=8)
    work(teller)
    assert ["1 services are done, 1 need you" in text for text in phones.texts] == [True]


def test_a_partner_that_is_told_late_has_its_time_all_the_same(place: Town, teller: Teller, phones: Phones) -> None:
    first = order(place, SHOP)
    place.clock.forward(days=6)
    take(place, SHOP)
    place.clock.forward(days=4)
    work(teller)
    assert (phones.sent, order(place, SHOP).new) == ([], False), "it has known for four days only"
    answer(place, first, SHOP, "unbound")
    work(teller)
    assert ["all 1 services" in text for text in phones.texts] == [True]


def test_who_did_not_answer_keeps_nobody_waiting_for_whom_others_made_wait(
    place: Town, teller: Teller, phones: Phones
) -> None:
    """One is silent, another takes its promised time: the owner hears on the day on which that one is done."""
    first = order(place, SHOP, COURIER)
    answer(place, first, COURIER, "pending", "2026-12-20")
    place.clock.forward(days=12)
    work(teller)
    assert phones.sent == []
    answer(place, first, COURIER, "unbound")
    work(teller)
    assert len(phones.sent) == 1


def test_what_was_not_told_yet_can_be_called_off_and_what_was_cannot(place: Town, teller: Teller, phones: Phones) -> None:
    first = order(place, SHOP, COURIER)
    take(place, COURIER)
    phone = place.phone()
    phone.sign_in()
    address = f"/renew/orders/{first.request.id}"
    done = phone.http.post(f"{address}/call-off")
    assert "已取消 1 家" in done.text
    assert [one.called_off_at is not None for one in told(place, first).values()] == [True, False]
    with place.platform.database.transaction() as tx:
        assert deliveries.to_poll(tx, shop(place, SHOP).id, place.clock.now, enabled=True, limit=9) == []
        assert requests.of_partner(tx, shop(place, SHOP).id, 9) == [], "nor does it stand in its list"
    assert "已经送达" in phone.http.post(f"{address}/call-off", data={"p": str(shop(place, COURIER).id)}).text
    answer(place, first, COURIER, "unbound")
    work(teller)
    assert ["all 1 services" in text for text in phones.texts] == [True], "what was called off is not counted"
    assert order(place, SHOP).new, "who thinks better of it orders it again at once"


def test_an_order_that_is_called_off_altogether_is_no_news_and_comes_back_by_no_way(
    place: Town, teller: Teller, phones: Phones
) -> None:
    first = order(place, SHOP)
    call_off(place.platform, first.request.id, [shop(place, SHOP).id])
    with place.platform.database.transaction() as tx:
        (event,) = attempts.latest(tx, shop(place, SHOP).id)
        again.recover(tx, shop(place, SHOP).id, event.created_at, place.clock.now)
        again.send_again(tx, shop(place, SHOP).id, [event.jti], place.clock.now)
        assert deliveries.to_poll(tx, shop(place, SHOP).id, place.clock.now, enabled=True, limit=9) == []
    place.clock.forward(days=30)
    work(teller)
    assert phones.sent == []
    with place.platform.database.transaction() as tx:
        assert requests.not_done(tx) == []


def test_what_a_worker_is_sending_at_this_moment_is_not_called_off(place: Town) -> None:
    first = order(place, SHOP)
    with place.platform.database.transaction() as sending:
        held = deliveries.claim_for(sending, shop(place, SHOP).id, place.clock.now, Method.POLL, 9)
        assert len(held) == 1
        assert call_off(place.platform, first.request.id, [shop(place, SHOP).id]) == []
    assert call_off(place.platform, first.request.id, [shop(place, SHOP).id]) == [shop(place, SHOP).id]


def test_another_owners_order_is_not_called_off(place: Town) -> None:
    first = order(place, SHOP)
    stranger = place.phone()
    stranger.sign_in("+8613800138001")
    assert stranger.http.post(f"/renew/orders/{first.request.id}/call-off").status_code == 404
    assert told(place, first)[SHOP].called_off_at is None


@pytest.fixture
def older(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A database as it was before orders ended by themselves, and what brings it to the present form."""
    every = migrating.migrations()
    monkeypatch.setattr(migrating, "migrations", lambda: [one for one in every if one[0] < "0030"])
    migrating.migrate(empty_dsn)

    def newer() -> str:
        monkeypatch.setattr(migrating, "migrations", lambda: every)
        migrating.migrate(empty_dsn)
        return make_conninfo(empty_dsn)

    return newer


def test_orders_from_before_end_too_and_nobody_is_told_of_what_is_long_over(
    empty_dsn: str, older: Callable[[], str]
) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as old:
        for name, day in (("rq_old", 1), ("rq_done", 2), ("rq_new", 60)):
            at = datetime(2026, 1, 1, tzinfo=UTC).replace(month=1 + day // 30, day=1 + day % 30)
            old.execute(
                "INSERT INTO request (id, purpose, number, carrier, cutoff, answer_by, channel, language, consent_text,"
                " requested_at) VALUES (%s, 'renew', 8613800138000, 'cmcc', %s, %s, 'sms', 'en', 'yes', %s)",
                (name, at, at, at),
            )
        old.execute("INSERT INTO request_done (request_id, done_at) VALUES ('rq_done', now())")
    with psycopg.connect(older()) as new:
        rows = new.execute(
            "SELECT request_id, done_at IS NOT NULL, EXISTS (SELECT 1 FROM job WHERE kind = 'news' AND key = request_id)"
            " FROM request_news ORDER BY 1"
        )
        assert rows.fetchall() == [("rq_done", True, False), ("rq_new", False, True), ("rq_old", True, False)]
        assert new.execute("SELECT tenures FROM request").fetchall() == [(None,)] * 3


def test_the_platforms_people_call_off_what_no_service_was_told_of_yet(
    place: Town, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order that was a mistake, as its owner says on the phone: who called it off, and why, is on record."""
    ordered = order(place, SHOP, COURIER)
    with place.platform.database.transaction() as tx:
        tx.execute("UPDATE delivery SET delivered_at = %s, next_at = NULL WHERE notice_id = %s",
                   (place.clock.now, ordered.notices[shop(place, SHOP).id]))  # fmt: skip
    for name, value in {"DATABASE_URL": dsn, "MODE": "development", "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(f"HUANXIN_{name}", value)
    asked = ["order", "call-off", ordered.request.id, "--by", "li", "--reason"]
    assert "say why" in CliRunner().invoke(app, [*asked, " "]).output
    assert "called off at services: 1" in CliRunner().invoke(app, [*asked, "a mistake"]).output
    assert "every service was told" in CliRunner().invoke(app, [*asked, "again"]).output
    listed = json.loads(CliRunner().invoke(app, ["order", "list", RECYCLED, "--json"]).stdout.splitlines()[-1])
    assert [(one["name"], one["called_off_by"]) for one in listed["orders"][0]["services"]] == [
        (SHOP, None),
        (COURIER, "li"),
    ]


def test_in_the_console_an_order_is_called_off_on_the_page_of_its_number(place: Town) -> None:
    ordered = order(place, SHOP)
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as li:
        li.headers["Accept-Language"] = "en"
        page = li.post("/console/numbers", data={"number": RECYCLED}).text
        assert "Orders that services were not told of yet" in page
        kept = re.findall(r'name="kept" value="([^"]+)"', page)[-1]
        wrong = li.post("/console/numbers/orders", data={"kept": kept, "order": "rq_other", "reason": "x"})
        assert wrong.status_code == 404
        done = li.post("/console/numbers/orders", data={"kept": kept, "order": ordered.request.id, "reason": "a mistake"})
        assert done.status_code == 200
        assert "the order was called off before the service was told" in done.text
        assert "Orders that services were not told of yet" not in done.text
        again = li.post("/console/numbers/orders", data={"kept": kept, "order": ordered.request.id, "reason": "x"})
        assert again.status_code == 404
    with closing(signed_in(place.url, place.platform, Role.DESK, login="dian")) as dian:
        assert dian.post("/console/numbers/orders", data={"kept": kept, "order": "x", "reason": "x"}).status_code == 403
