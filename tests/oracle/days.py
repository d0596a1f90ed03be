"""Days, zones and freezes, as the rules have them. Nothing here or beside it is the platform's own code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
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
        return day.isoweekday() not in (6, 7) and day not in free_by_law(day.year)


FESTIVALS = Path(__file__).parents[2] / "src/huanxin/domain/data/festivals.csv"


@cache
def free_by_law(year: int) -> set[date]:
    """The thirteen days that the law gives, and for each at a week-end the next day that isn't free already."""
    lunar = {line[:4]: line.split(",")[1:] for line in FESTIVALS.read_text().split()}.get(str(year))
    if lunar is None:
        return set()
    new_year, boats, moon = (date.fromisoformat(f"{year}-{one}") for one in lunar)
    bright = [day for day, name in chinese_calendar.get_solar_terms(date(year, 4, 1), date(year, 4, 9)) if name == "清明"]
    fixed = [date(year, month, day) for month, day in ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))]
    given = sorted([*fixed, *bright, boats, moon, *(new_year + timedelta(days=n) for n in range(-1, 3))])
    free = set(given)
    for day in sorted(set(given)):
        count = given.count(day) if day.isoweekday() in (6, 7) else given.count(day) - 1
        for _ in range(count):
            instead = day
            while instead in free or instead.isoweekday() in (6, 7):
                instead += timedelta(days=1)
            free.add(instead)
    return free


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
