"""Deadlines by the real Chinese calendar: a reminder that comes in a holiday, or a burst of them, helps nobody."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from huanxin.domain.clock import after_working_days, before_working_days
from huanxin.domain.deadlines import OVERDUE, newest_due, steps

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "last"),
    [
        (date(2026, 2, 12), date(2026, 2, 26)),  # Spring Festival: February 15 to 23 off, Saturday the 14th worked
        (date(2026, 2, 13), date(2026, 2, 27)),
        (date(2026, 9, 29), date(2026, 10, 12)),  # National Day: October 1 to 7 off, Saturday the 10th worked
        (date(2026, 11, 24), date(2026, 12, 1)),  # an ordinary week
    ],
)
def test_five_working_days_go_around_holidays_and_count_worked_saturdays(start: date, last: date) -> None:
    assert after_working_days(start, 5) == last
    assert after_working_days(before_working_days(last, 5), 5) == last


def test_reminders_come_on_mornings_of_working_days_around_the_spring_festival() -> None:
    """Answers due on February 25: the second working day before lies ahead of the holiday's nine days."""
    found = steps(at("2026-02-26T00:00"), days=(2, 1), zone=SHANGHAI)
    assert [(step.name, step.at) for step in found] == [
        ("2", at("2026-02-14T09:00")),
        ("1", at("2026-02-24T09:00")),
        (OVERDUE, at("2026-02-26T00:00")),
    ]


def test_after_an_outage_only_the_newest_step_counts() -> None:
    found = steps(at("2026-12-02T00:00"), days=(2, 1), zone=SHANGHAI)
    sent = at("2026-11-24T10:00")

    def due(text: str) -> str | None:
        step = newest_due(found, now=at(text), sent_at=sent)
        return step.name if step else None

    assert [due(day) for day in ("2026-11-27T08:59", "2026-11-27T09:00", "2026-11-30T09:00", "2026-12-05T12:00")] == [
        None,
        "2",
        "1",
        OVERDUE,
    ]


def test_nobody_is_reminded_of_a_notice_by_a_step_that_lies_before_it() -> None:
    found = steps(at("2026-12-02T00:00"), days=(5, 1), zone=SHANGHAI)
    sent = found[0].at + timedelta(hours=1)
    assert newest_due(found, now=sent + timedelta(minutes=1), sent_at=sent) is None
