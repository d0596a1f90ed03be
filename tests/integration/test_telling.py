"""Who is told by SMS how an order ended: whoever placed it, for as long as the number is theirs, however late the news."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import huanxin
from huanxin.work.telling import Teller
from phones import Phones
from town import FIRST, RECYCLED, Phone, Town, town


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


def work(teller: Teller) -> None:
    while teller.one_job():
        pass


def ordered(place: Town, *names: str, number: str = RECYCLED, door: str = "renew") -> Phone:
    phone = place.phone()
    phone.sign_in(number, door)
    chosen = [str(place.partners[name].partner.id) for name in names]
    answer = phone.http.post(f"/{door}/order", data={"p": chosen, "consent": "yes"})
    assert "/orders/" in answer.url.path
    return phone


def test_after_a_transfer_the_next_owner_is_not_told_what_the_former_one_ordered(
    place: Town, teller: Teller, phones: Phones
) -> None:
    """ "1 services are done, 1 need you" tells that somebody ordered before, and was refused."""
    ordered(place, "晨星商城", "飞燕快递")
    place.answer("晨星商城", "refused", "debt")
    place.report(f"{RECYCLED},transferred,2026-11-23")
    place.answer("飞燕快递", "unbound")
    work(teller)
    place.clock.forward(days=400)
    work(teller)
    assert phones.sent == []


def test_a_leavers_order_that_is_answered_after_the_sale_is_news_for_nobody(
    place: Town, teller: Teller, phones: Phones
) -> None:
    ordered(place, "晨星商城", number=FIRST, door="leave")
    place.report(f"{FIRST},cancelled,2026-11-24")
    work(teller)
    place.clock.forward(days=97)
    place.report(f"{FIRST},opened,2027-02-28")
    place.answer("晨星商城", "unbound", number=FIRST)
    work(teller)
    place.clock.forward(days=400)
    work(teller)
    assert phones.sent == []


def test_of_two_owners_since_this_morning_the_second_neither_hears_nor_sees_what_the_first_ordered(
    place: Town, teller: Teller, phones: Phones
) -> None:
    place.report(f"{RECYCLED},transferred,2026-11-24T08:00:00+08:00")
    phone = ordered(place, "晨星商城")
    order = phone.http.get("/renew").text.split('href="/renew/orders/')[1].split('"')[0]
    place.clock.forward(hours=2)
    place.report(f"{RECYCLED},cancelled,2026-11-24T09:30:00+08:00", f"{RECYCLED},opened,2026-11-24T10:00:00+08:00")
    place.answer("晨星商城", "refused", "debt")
    work(teller)
    assert phones.sent == []
    heir = place.phone()
    assert order not in heir.sign_in().text
    assert heir.http.get(f"/renew/orders/{order}").status_code == 404


def test_who_takes_the_number_back_from_its_freeze_is_told_then(place: Town, teller: Teller, phones: Phones) -> None:
    ordered(place, "晨星商城")
    place.report(f"{RECYCLED},cancelled,2026-11-24")
    place.answer("晨星商城", "unbound")
    work(teller)
    assert phones.sent == [], "nobody holds it"
    place.clock.forward(days=30)
    place.report(f"{RECYCLED},reclaimed,2026-12-20")
    place.clock.forward(days=1)
    work(teller)
    assert len(phones.sent) == 1


def test_news_that_comes_on_the_last_day_is_tried_for_as_long_as_any_other(
    place: Town, teller: Teller, phones: Phones
) -> None:
    """Answers have five working days; the SMS was given up three days after the order."""
    ordered(place, "晨星商城")
    place.clock.forward(days=7)
    place.answer("晨星商城", "unbound")
    phones.down = True
    for _ in range(24):
        place.clock.forward(hours=2)
        work(teller)
    phones.down = False
    place.clock.forward(hours=6)
    work(teller)
    assert len(phones.sent) == 1


def test_a_clock_that_ran_on_while_nobody_worked_loses_no_news(place: Town, teller: Teller, phones: Phones) -> None:
    ordered(place, "晨星商城")
    place.answer("晨星商城", "unbound")
    place.clock.forward(days=20)
    phones.down = True
    work(teller)
    place.clock.forward(minutes=2)
    work(teller)
    phones.down = False
    place.clock.forward(minutes=3)
    work(teller)
    assert len(phones.sent) == 1


def test_a_gateway_that_never_takes_it_is_left_alone_in_the_end(place: Town, teller: Teller, phones: Phones) -> None:
    ordered(place, "晨星商城")
    place.answer("晨星商城", "unbound")
    phones.down = True
    for _ in range(60):
        work(teller)
        place.clock.forward(hours=6)
    phones.down = False
    work(teller)
    assert phones.sent == []


def test_a_code_from_before_the_number_changed_hands_lets_nobody_in(place: Town) -> None:
    """The code shows who held the number when it was sent; typed after a transfer it would let the former owner in."""
    phone = place.phone()
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    place.report(f"{RECYCLED},transferred,2026-11-23")
    answer = phone.http.post("/renew/code", data={"code": place.code(RECYCLED)})
    assert answer.status_code == 422
    assert phone.http.get("/renew").url.path == "/renew/sign-in"


def test_a_leavers_cut_off_is_when_the_code_was_sent_and_not_the_click(place: Town) -> None:
    sent = place.clock.now
    phone = place.phone()
    phone.http.post("/renew/sign-in", data={"number": FIRST, "to": "leave"})
    place.clock.forward(minutes=4)
    phone.http.post("/renew/code", data={"code": place.code(FIRST)})
    place.clock.forward(hours=5)
    phone.http.post("/leave/order", data={"p": [str(place.partners["晨星商城"].partner.id)], "consent": "yes"})
    with place.platform.database.transaction() as tx:
        assert tx.execute("SELECT cutoff FROM request").fetchall() == [(sent,)]


def test_nothing_is_sent_to_a_number_but_by_the_one_way_that_asks_whose_it_is() -> None:
    """A sender that forgets to ask tells a former owner's news to the next one."""
    house = Path(huanxin.__file__).parent
    sends = [
        file.relative_to(house).as_posix()
        for file in house.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "send" and ast.unparse(node.value).endswith("gateway")
    ]
    assert sends == ["request/sms.py"]
