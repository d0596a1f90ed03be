"""The day on which a number became its owner's was wrong: what they ordered by it stands, or is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from huanxin.acts.mending import correct, withdraw
from huanxin.acts.requests import answer_requests, order_request
from huanxin.answer.single import AnswerLine
from huanxin.domain.mended import Mended, What
from huanxin.domain.partners import RETRACTION
from huanxin.request.ordering import Ordered, Purpose, Wish
from huanxin.store.report import reports
from huanxin.store.request import requests
from huanxin.store.request.requests import RETRACT, Request
from huanxin.work.telling import Teller
from phones import Phones
from town import RECYCLED, Town, town

KEPT = "+8613800139990"
SHOP, COURIER, LABELS = "晨星商城", "飞燕快递", "白鹭号码标记"
Correct = Callable[..., Mended]


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


@pytest.fixture
def corrected(place: Town) -> Correct:
    def done(*lines: str) -> Mended:
        path = place.folder / "corrections.csv"
        path.write_text("\n".join(["number,event,at,instead_of", *lines, ""]))
        with place.platform.act("li") as act:
            return correct(act, path, carrier="cmcc", reason="a typo", approved_by="wang")

    return done


def order(place: Town, *names: str, number: str = RECYCLED) -> Ordered:
    wish = Wish(
        purpose=Purpose.RENEW, number=int(number), partner_ids=[place.partners[name].partner.id for name in names],
        consent_text="I agree", channel="sms", language="en", shown_at=place.clock.now,
    )  # fmt: skip
    return order_request(place.platform, wish)


def answered(place: Town, name: str, notice: str, outcome: str) -> None:
    line = AnswerLine(line=2, notice=notice, number=RECYCLED, outcome=outcome, reason="", until="")
    answer_requests(place.platform, place.partners[name].partner, [line])


def of_number(place: Town) -> list[Request]:
    with place.platform.read() as seen:
        return requests.of_number(seen.tx, int(RECYCLED))


def told(place: Town, name: str) -> list[tuple[str, dict[str, object]]]:
    """The events that a partner was or is to be told, oldest first."""
    with place.platform.read() as seen:
        rows = seen.tx.execute(
            "SELECT event, claims FROM delivery WHERE partner_id = %s AND next_at IS NOT NULL ORDER BY seq",
            (place.partners[name].partner.id,),
        ).fetchall()
    return [(event, dict(claims["events"][event])) for event, claims in rows]


def delivered(place: Town, notice: str) -> None:
    with place.platform.database.transaction() as tx:
        tx.execute(
            "UPDATE delivery SET delivered_at = %s, next_at = NULL WHERE notice_id = %s", (place.clock.now, notice)
        )  # fmt: skip


def test_an_order_whose_day_was_too_late_is_taken_back_and_its_owner_told(
    place: Town, corrected: Correct, teller: Teller, phones: Phones
) -> None:
    """Their own ties of two months may be gone. Nobody would have told them, and no partner would have given them back."""
    ordered = order(place, SHOP, COURIER, LABELS)
    for name, outcome in ((SHOP, "unbound"), (COURIER, "absent")):
        delivered(place, ordered.notices[place.partners[name].partner.id])
        answered(place, name, ordered.notices[place.partners[name].partner.id], outcome)
    done = corrected(f"{RECYCLED},opened,2026-08-01,opened 2026-10-01")
    assert done.count(What.ORDERS) == 1
    back, before = of_number(place)
    assert (back.purpose, back.retracts, back.cutoff) == (RETRACT, ordered.request.id, ordered.request.cutoff)
    assert str(before.opened_on) == "2026-08-01", "it goes on with its tenure, so that its owner sees it still"
    with place.platform.read() as seen:
        (notice,) = requests.notices_of(seen.tx, back.id)
        called_off = [one.partner for one in requests.notices_of(seen.tx, before.id) if one.called_off_at]
    assert (notice.partner, called_off) == (SHOP, [LABELS]), "who cut nothing, or was not told, has nothing to give back"
    name, event = told(place, SHOP)[-1]
    assert (name, event["of"], event["scope"]) == (RETRACTION, ordered.notices[notice.partner_id], "request")
    assert not any(name == RETRACTION for name, _ in told(place, COURIER) + told(place, LABELS))
    answered(place, SHOP, notice.id, "restored")
    assert teller.one_job()
    (text,) = phones.texts
    assert "became yours. Your order went by the wrong day" in text
    place.clock.forward(days=30)
    while teller.one_job():
        pass
    assert len(phones.texts) == 1, "what was taken back is not said to be done"
    again = order(place, SHOP)
    assert again.new, "and they may order again at once, by the right day"
    assert again.request.cutoff < before.cutoff


def test_an_owner_whose_day_is_corrected_twice_hears_that_their_order_was_taken_back(
    place: Town, corrected: Correct, teller: Teller, phones: Phones
) -> None:
    """The news went with the first of the two days, and reached nobody once that was none any more."""
    order(place, SHOP)
    corrected(f"{RECYCLED},opened,2026-08-01,opened 2026-10-01")
    corrected(f"{RECYCLED},opened,2026-08-02,opened 2026-08-01")
    assert teller.one_job()
    assert ["wrong day" in text for text in phones.texts] == [True]
    assert order(place, SHOP).new, "and they may order again"


def test_an_order_whose_day_was_too_early_stands_and_is_seen_still(place: Town, corrected: Correct) -> None:
    """It cut less than it might have, and nothing of its owner's. Before, they lost sight of it."""
    ordered = order(place, SHOP)
    done = corrected(f"{RECYCLED},opened,2026-10-03,opened 2026-10-01T15:00:00+08:00")
    assert done.count(What.ORDERS) == 0
    (one,) = of_number(place)
    assert (one.id, str(one.opened_on)) == (ordered.request.id, "2026-10-03")
    phone = place.phone(**{"Accept-Language": "en"})
    phone.sign_in()
    assert phone.http.get(f"/renew/orders/{one.id}").status_code == 200
    assert "order again if you want to" not in phone.http.get(f"/renew/orders/{one.id}").text


def test_who_never_was_a_new_owner_gets_back_what_was_cut(place: Town) -> None:
    """A whole file was wrong: the number never changed hands, so every tie that was cut was theirs."""
    place.report(f"{KEPT},opened,2024-01-05")
    place.report(f"{KEPT},cancelled,2026-06-01", f"{KEPT},opened,2026-10-01")
    with place.platform.read() as seen:
        wrong = reports.latest(seen.tx)
    ordered = order(place, SHOP, number=KEPT)
    delivered(place, ordered.notices[place.partners[SHOP].partner.id])
    with place.platform.act("li") as act:
        done = withdraw(act, wrong, reason="of another carrier", approved_by="wang")
    assert done.count(What.ORDERS) == 1
    name, event = told(place, SHOP)[-1]
    assert (name, event["of"]) == (RETRACTION, ordered.notices[place.partners[SHOP].partner.id])


def test_a_correction_that_fails_takes_no_order_back(place: Town) -> None:
    """What is only rehearsed tells nobody anything."""
    ordered = order(place, SHOP)
    path = place.folder / "corrections.csv"
    path.write_text(f"number,event,at,instead_of\n{RECYCLED},opened,2026-08-01,opened 2026-10-01\n")
    with place.platform.rehearse("li") as act:
        assert correct(act, path, carrier="cmcc", reason="a typo", approved_by="?").count(What.ORDERS) == 1
    assert [one.id for one in of_number(place)] == [ordered.request.id]


def test_the_page_of_an_order_that_was_taken_back_says_so_in_both_languages(place: Town, corrected: Correct) -> None:
    ordered = order(place, SHOP)
    corrected(f"{RECYCLED},opened,2026-08-01,opened 2026-10-01")
    for language, words in (("en", "to an earlier one"), ("zh-CN", "更早")):
        place.clock.forward(hours=1)
        phone = place.phone(**{"Accept-Language": language})
        phone.sign_in()
        page = phone.http.get(f"/renew/orders/{ordered.request.id}")
        assert words in page.text
        assert len(own_orders(phone.http.get("/renew").text)) == 1, "what takes an order back is no order"


def own_orders(page: str) -> list[str]:
    return [part for part in page.split("/renew/orders/")[1:] if part[:3] == "rq_"]
