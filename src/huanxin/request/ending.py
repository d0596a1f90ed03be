"""When an order has ended for its owner, whatever a partner does: silence is no answer, and nobody waits for ever."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from huanxin.domain import clock
from huanxin.domain.answers import Outcome
from huanxin.store.request.requests import RequestNotice

LONGEST_PENDING = timedelta(days=30)
"""How long after its answer-by a partner that took an order on may still say "pending" before the owner may ask anew."""


def answer_by(notice: RequestNotice, *, zone: ZoneInfo, days: int) -> datetime:
    """The end of the day by which a partner answers: `days` working days after it was told, if that was later than when it
    was to be told. What it could not know was not late."""
    if notice.delivered_at is None:
        return notice.answer_by
    return max(notice.answer_by, clock.answer_by(notice.delivered_at, [zone], days))


def waits_until(notice: RequestNotice, *, zone: ZoneInfo, days: int) -> datetime | None:
    """Until when an answer is waited for; None if none is: it was given, or the order was called off, or the partner is
    withdrawn and will give none."""
    if notice.outcome not in (None, Outcome.PENDING) or notice.called_off_at or notice.withdrawn:
        return None
    due = answer_by(notice, zone=zone, days=days)
    if notice.outcome is None or notice.until_day is None:
        return due
    last = min(notice.until_day, (due + LONGEST_PENDING).astimezone(zone).date())
    return max(due, datetime.combine(last + timedelta(days=1), time(), zone))


def is_open(notice: RequestNotice, now: datetime, *, zone: ZoneInfo, days: int) -> bool:
    """Whether an answer is still waited for."""
    until = waits_until(notice, zone=zone, days=days)
    return until is not None and now < until
