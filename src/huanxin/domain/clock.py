"""The clock, passed in so that a test or a simulation can set it; and days that people work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import chinese_calendar

Clock = Callable[[], datetime]
"""Gives the present instant, aware, in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)


def is_working_day(day: date) -> bool:
    """Whether people in China work on a day, by the State Council's holiday notice.

    The notice for a year comes out in the November before; until it is in the calendar package, Monday to Friday.
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5  # noqa: PLR2004  # Monday is 0, Saturday 5


def after_working_days(start: date, days: int) -> date:
    """The working day that comes `days` working days after `start`, which is not counted."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


def before_working_days(end: date, days: int) -> date:
    """The working day that comes `days` working days before `end`, which is not counted."""
    day = end
    while days > 0:
        day -= timedelta(days=1)
        days -= is_working_day(day)
    return day
