"""An owner's order through the platform: what is asked, of whom, once; and what a partner may answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.requests import answer_requests, order_request
from huanxin.answer.single import AnswerLine
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.numbers import parse
from huanxin.domain.partners import RENEWAL, Kind, NewPartner, Partner
from huanxin.notify.partners import add_partner
from huanxin.request.ordering import Ordered, Purpose, Wish
from huanxin.store import jobs
from huanxin.store.notify import attempts
from huanxin.store.request import requests
from ordering import imported

NUMBER, FIRST_USE, FROZEN = "+8613800138000", "+8613800138001", "+8613800138002"
SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOWN_AT = Clock().now
Report = Callable[..., Path]


@pytest.fixture
def shops(platform: Platform, report: Report) -> list[Partner]:
    """Three partners; a number sold again on 2026-10-01, one sold for the first time, one that is frozen."""
    lines = [f"{NUMBER},opened,2024-01-05", f"{NUMBER},cancelled,2026-06-01", f"{NUMBER},opened,2026-10-01T15:00:00+08:00",
             f"{FIRST_USE},opened,2026-10-01", f"{FROZEN},cancelled,2026-10-01"]  # fmt: skip
    imported(platform, report(*lines), carrier="cmcc", by="test")
    made = []
    for name in ("晨星商城", "飞燕快递", "云雀音乐"):
        with platform.act("test") as act:
            made.append(add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False).partner)
    return made


def wish(
    number: str = NUMBER, purpose: Purpose = Purpose.RENEW, *, partners: list[Partner], consent: str = "I agree",
    shown_at: datetime = SHOWN_AT,
) -> Wish:  # fmt: skip
    return Wish(purpose=purpose, number=parse(number), partner_ids=[one.id for one in partners], consent_text=consent,
                channel="sms", language="zh_CN", shown_at=shown_at)  # fmt: skip


def answered(platform: Platform, ordered: Ordered, partner: Partner, outcome: str, reason: str = "") -> int:
    line = AnswerLine(line=2, notice=ordered.notices[partner.id], number=NUMBER, outcome=outcome, reason=reason, until="")
    return answer_requests(platform, partner, [line]).new


def test_each_chosen_partner_gets_one_notice_of_one_number_with_the_carriers_day_as_cut_off(
    platform: Platform, shops: list[Partner]
) -> None:
    ordered = order_request(platform, wish(partners=shops[:2]))
    assert ordered.request.cutoff == datetime(2026, 10, 1, tzinfo=SHANGHAI)
    with platform.database.transaction() as tx:
        events = [attempts.latest(tx, shop.id) for shop in shops]
    assert [len(found) for found in events] == [1, 1, 0]
    claims = events[0][0].claims
    assert claims["sub_id"] == {"format": "phone_number", "phone_number": NUMBER}
    assert claims["events"][RENEWAL]["cutoff"] == "2026-09-30T16:00:00.000000Z"
    assert claims["events"][RENEWAL]["scope"] == "request"
    assert claims["txn"] == ordered.notices[shops[0].id]


def test_a_second_click_makes_no_second_order(platform: Platform, shops: list[Partner]) -> None:
    first, second = (order_request(platform, wish(partners=shops)) for _ in range(2))
    assert (first.new, second.new) == (True, False)
    assert second.request.id == first.request.id
    with platform.database.transaction() as tx:
        assert [len(attempts.latest(tx, shop.id)) for shop in shops] == [1, 1, 1]


def test_a_partner_that_refused_can_be_asked_again_and_the_others_are_left_alone(
    platform: Platform, shops: list[Partner]
) -> None:
    first = order_request(platform, wish(partners=shops))
    answered(platform, first, shops[0], "unbound")
    answered(platform, first, shops[1], "refused", "debt")
    again = order_request(platform, wish(partners=shops))
    assert again.new
    assert list(again.notices) == [shops[1].id]


def test_after_the_cool_down_everyone_can_be_asked_again(platform: Platform, shops: list[Partner], clock: Clock) -> None:
    first = order_request(platform, wish(partners=shops))
    for shop in shops:
        answered(platform, first, shop, "absent")
    clock.forward(hours=23)
    assert not order_request(platform, wish(partners=shops)).new
    clock.forward(hours=2)
    assert order_request(platform, wish(partners=shops)).new


@pytest.mark.parametrize("number", [FIRST_USE, FROZEN, "+8613800138009"])
def test_a_number_without_a_former_owner_frozen_or_unknown_is_not_renewed(
    platform: Platform, shops: list[Partner], number: str
) -> None:
    with pytest.raises(Conflict, match=r"138\*\*\*\*80"):
        order_request(platform, wish(number, partners=shops))


def test_nothing_is_ordered_without_consent(platform: Platform, shops: list[Partner]) -> None:
    with pytest.raises(BadInput, match="consent"):
        order_request(platform, wish(partners=shops, consent=" "))


def test_who_leaves_cuts_their_own_ties_up_to_when_they_showed_that_the_number_is_theirs(
    platform: Platform, shops: list[Partner], clock: Clock
) -> None:
    """Between that and the click hours later the number may have passed on, and the ties since are the next owner's."""
    shown_at = clock.now
    clock.forward(hours=7)
    ordered = order_request(platform, wish(FIRST_USE, Purpose.LEAVE, partners=shops[:1], shown_at=shown_at))
    assert ordered.request.cutoff == shown_at
    later = order_request(
        platform, wish(FIRST_USE, Purpose.LEAVE, partners=shops[1:], shown_at=clock.now.replace(year=2027))
    )
    assert later.request.cutoff == clock.now, "no clock that runs ahead cuts what is to come"


def test_the_owner_is_told_once_when_the_last_partner_has_answered(platform: Platform, shops: list[Partner]) -> None:
    ordered = order_request(platform, wish(partners=shops[:2]))
    answered(platform, ordered, shops[0], "unbound")
    with platform.database.transaction() as tx:
        assert jobs.claim(tx, jobs.NEWS, platform.now()) is None
    answered(platform, ordered, shops[1], "pending")
    answered(platform, ordered, shops[1], "absent")
    answered(platform, ordered, shops[1], "absent")
    with platform.database.transaction() as tx:
        found = jobs.claim(tx, jobs.NEWS, platform.now())
        assert found is not None
        request, done_at = requests.news(tx, found.key)
        assert (request.id, done_at) == (ordered.request.id, platform.now())
        jobs.end(tx, found)
    with platform.database.transaction() as tx:
        assert jobs.claim(tx, jobs.NEWS, platform.now() + timedelta(days=1)) is None


def test_the_same_answer_again_changes_nothing(platform: Platform, shops: list[Partner]) -> None:
    ordered = order_request(platform, wish(partners=shops[:1]))
    assert [answered(platform, ordered, shops[0], "refused", "debt") for _ in range(2)] == [1, 0]
    assert answered(platform, ordered, shops[0], "unbound") == 1


@pytest.mark.parametrize(
    ("number", "outcome", "until", "why"),
    [
        (FIRST_USE, "unbound", "", "not the one"),
        (NUMBER, "deleted", "", "can't answer"),
        (NUMBER, "refused", "", "needs its reason"),
        (NUMBER, "pending", "0226-11-20", "from 2000-01-01 on"),
        (NUMBER, "pending", "soon", "can't be read"),
        (NUMBER, "pending", "2026-W49-2", "can't be read"),
        (NUMBER, "pending", "2026-12-01 or so", "can't be read"),
    ],
)
def test_a_receipt_with_one_bad_line_is_refused_whole(
    platform: Platform, shops: list[Partner], number: str, outcome: str, until: str, why: str
) -> None:
    ordered = order_request(platform, wish(partners=shops[:1]))
    notice = ordered.notices[shops[0].id]
    other = order_request(platform, wish(FIRST_USE, Purpose.LEAVE, partners=shops[:1])).notices[shops[0].id]
    good = AnswerLine(line=2, notice=other, number=FIRST_USE, outcome="unbound", reason="", until="")
    bad = AnswerLine(line=3, notice=notice, number=number, outcome=outcome, reason="", until=until)
    with pytest.raises(BadInput) as refused:
        answer_requests(platform, shops[0], [good, bad])
    assert [fault.line for fault in refused.value.faults] == [3]
    assert why in refused.value.faults[0].reason
    with platform.database.transaction() as tx:
        assert all(one.outcome is None for one in requests.of_partner(tx, shops[0].id, 10))


@pytest.mark.parametrize(
    ("until", "day"), [("2026-12-04", 4), ("2026-12-04T12:00:00+08:00", 4), ("2026-12-04T20:00:00Z", 5)]
)
def test_an_instant_until_which_a_partner_needs_time_is_a_day_of_the_numbers_carrier(
    platform: Platform, shops: list[Partner], until: str, day: int
) -> None:
    ordered = order_request(platform, wish(partners=shops[:1]))
    notice = ordered.notices[shops[0].id]
    line = AnswerLine(line=2, notice=notice, number=NUMBER, outcome="pending", reason="", until=until)
    answer_requests(platform, shops[0], [line])
    with platform.database.transaction() as tx:
        assert [one.until_day for one in requests.of_partner(tx, shops[0].id, 10)] == [date(2026, 12, day)]


def test_a_partner_can_not_answer_anothers_notice(platform: Platform, shops: list[Partner]) -> None:
    ordered = order_request(platform, wish(partners=shops[:2]))
    line = AnswerLine(line=2, notice=ordered.notices[shops[0].id], number=NUMBER, outcome="unbound", reason="", until="")
    with pytest.raises(BadInput) as refused:
        answer_requests(platform, shops[1], [line])
    assert "no notice" in refused.value.faults[0].reason
