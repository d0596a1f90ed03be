"""How long an answer to an owner's order is waited for: to the last instant of the day that the partner was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from huanxin.domain.answers import Outcome
from huanxin.request.ending import answer_by, is_open, waits_until
from huanxin.store.request.requests import RequestNotice

CHINA = ZoneInfo("Asia/Shanghai")
SENT = datetime(2026, 11, 24, 2, tzinfo=UTC)  # a Tuesday
BY = datetime(2026, 12, 2, tzinfo=CHINA)  # five working days later its day is over
INSTANT = timedelta(microseconds=1)
NOTICE = RequestNotice(
    id="n1", request_id="r1", partner_id=1, withdrawn=False, partner="shop", kind="app", number=8613800138000,
    purpose="renew", cutoff=SENT, answer_by=BY, sent_at=SENT, delivered_at=SENT, receipt=None, outcome=None, reason=None,
    until_day=None, answered_at=None, called_off_by=None, called_off_why=None, called_off_at=None,
)  # fmt: skip


def waited(notice: RequestNotice) -> datetime | None:
    return waits_until(notice, zone=CHINA, days=5)


def test_an_answer_is_waited_for_until_its_day_is_over_and_not_an_instant_longer() -> None:
    """Else an order would neither be open, nor could its owner place it again."""
    assert waited(NOTICE) == BY
    assert is_open(NOTICE, BY - INSTANT, zone=CHINA, days=5)
    assert not is_open(NOTICE, BY, zone=CHINA, days=5)


@pytest.mark.parametrize(
    "ended", [{"outcome": Outcome.UNBOUND}, {"outcome": Outcome.REFUSED}, {"called_off_at": SENT}, {"withdrawn": True}]
)
def test_no_answer_is_waited_for_that_was_given_or_will_never_be(ended: dict[str, object]) -> None:
    assert waited(replace(NOTICE, **ended)) is None  # type: ignore[arg-type]
    assert not is_open(replace(NOTICE, **ended), SENT, zone=CHINA, days=5)  # type: ignore[arg-type]


def test_a_partner_that_was_told_late_has_its_days_from_then_on() -> None:
    late = replace(NOTICE, delivered_at=SENT + timedelta(days=7))
    assert answer_by(late, zone=CHINA, days=5) == BY + timedelta(days=7)
    assert answer_by(replace(NOTICE, delivered_at=None), zone=CHINA, days=5) == BY
    assert answer_by(replace(NOTICE, delivered_at=SENT - timedelta(days=7)), zone=CHINA, days=5) == BY


def test_a_partner_that_puts_it_off_is_waited_for_through_the_day_that_it_named() -> None:
    until = replace(NOTICE, outcome=Outcome.PENDING, until_day=date(2026, 12, 10))
    assert waited(until) == datetime(2026, 12, 11, tzinfo=CHINA)
    assert waited(replace(until, until_day=date(2026, 11, 25))) == BY, "never shorter than without a word"
    assert waited(replace(until, until_day=None)) == BY
