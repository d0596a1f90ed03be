"""Days, zones and freezes, as the rules have them. Nothing here or beside it is the platform's own code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

ZONES = {
    "cn": ZoneInfo("Asia/Shanghai"),
    "cu": ZoneInfo("Asia/Shanghai"),
    "nz": ZoneInfo("Pacific/Auckland"),
}
"""Three carriers in two zones, five hours apart in the southern summer and four in its winter."""

RANGES = {"cn": "86138", "cu": "86130", "nz": "64211"}
ALLOTTED = ("cn", "cu")
"""Those that said which numbers they were allotted: all of their range."""


def owner_of(number: int) -> str:
    """The carrier whose range a number lies in."""
    return next(code for code, prefix in RANGES.items() if str(number).startswith(prefix))


def today(carrier: str, now: datetime) -> date:
    return now.astimezone(ZONES[carrier]).date()


def earliest_today(now: datetime) -> date:
    """The day that it is where the day began last: nothing is due, or over, a day early."""
    return min(today(carrier, now) for carrier in ZONES)


def midnight(carrier: str, day: date) -> datetime:
    """The instant at which a day begins at a carrier."""
    return datetime.combine(day, time(), ZONES[carrier])


def first_sellable(closed_on: date, freeze: int) -> date:
    """The day of cancellation doesn't count: day 1 of the freeze is the next."""
    day = closed_on
    for _ in range(freeze + 1):
        day += timedelta(days=1)
    return day


def people_work(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # the calendar of that year is not out yet
        return day.isoweekday() not in (6, 7)


def answers_due(now: datetime, carriers: Iterable[str], days: int) -> datetime:
    """The midnight that ends the last of so many working days after today, where that comes last."""
    ends = []
    for carrier in carriers:
        day, left = today(carrier, now), days
        while left:
            day += timedelta(days=1)
            if people_work(day):
                left -= 1
        ends.append(midnight(carrier, day + timedelta(days=1)))
    return max(ends)
