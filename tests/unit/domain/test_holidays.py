"""Holidays by the law: held to the notices of past years, to the moon, and to a second reading of the law."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest

from huanxin.domain import holidays
from oracle.days import free_by_law

FIRST, LAST_NOTICE = 2004, max(chinese_calendar.constants.holidays).year
NEW_MOON, MONTH = datetime(2000, 1, 6, 18, 14, tzinfo=UTC), 29.530588853  # days


@pytest.mark.parametrize("year", range(2025, LAST_NOTICE + 1))
def test_the_notices_since_the_law_was_changed_give_every_day_of_it(year: int) -> None:
    notice = chinese_calendar.constants.holidays
    assert len(holidays.statutory(year)) == 13
    assert [day for day in holidays.statutory(year) if day not in notice] == []


@pytest.mark.parametrize("year", range(2008, LAST_NOTICE + 1))
def test_the_festivals_of_past_years_are_those_of_their_notices(year: int) -> None:
    names = chinese_calendar.constants.holidays
    _, _, spring, *_ = holidays.statutory(year)
    boats, moon = holidays.statutory(year)[8:10]
    assert names[spring] == "Spring Festival"
    assert names[moon] in ("Mid-autumn Festival", "National Day")
    assert names.get(boats) == "Dragon Boat Festival" or boats.weekday() >= 5, "a week-end is named where it is moved only"


@pytest.mark.parametrize("year", range(FIRST, holidays.LAST_YEAR + 1))
def test_the_festivals_stand_in_the_moons_month_where_they_should(year: int) -> None:
    """The moon is no more than 14 hours ahead of its mean or behind it, and a day has 24."""
    _, _, spring, *_ = holidays.statutory(year)
    boats, full = holidays.statutory(year)[8:10]
    assert date(year, 1, 21) <= spring <= date(year, 2, 21)
    for day, age in ((spring, 0), (boats, 4), (full, 14)):
        noon = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
        off = ((noon - NEW_MOON) / timedelta(days=1) - age + MONTH / 2) % MONTH - MONTH / 2
        assert abs(off) < 1.2, (day, off)
    assert date(year, 5, 27) <= boats <= date(year, 6, 26)
    assert date(year, 9, 7) <= full <= date(year, 10, 8)


@pytest.mark.parametrize("year", range(LAST_NOTICE + 1, holidays.LAST_YEAR + 1))
def test_a_second_reading_of_the_law_gives_the_same_days(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=count) for count in range(365)]
    free = free_by_law(year)
    assert [day for day in days if holidays.is_day_off(day)] == [day for day in days if day.weekday() >= 5 or day in free]
    assert sum(day.weekday() < 5 for day in free) == 13, "a holiday at a week-end is made up for"
