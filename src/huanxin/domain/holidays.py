"""The days on which nobody in China has to work, by the law alone, for years whose notice is not known yet.

Measures on Holidays for National Annual Festivals and Memorial Days (State Council, as amended on 10 November 2024),
articles 2 and 6: 1 January; New Year's Eve and the first three days of the first lunar month; Qingming; 1 and 2 May; Dragon
Boat; Mid-Autumn; 1 to 3 October. One that falls on a Saturday or a Sunday is made up for on a working day, which is the next
one here: the notice may choose another, and moves week-ends about.

`data/festivals.csv` has the first day of the first lunar month, the fifth of the fifth and the fifteenth of the eighth,
drawn from the package lunardate; a test holds them to the moon, and to the notices of past years. Qingming is the calendar
package's.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from functools import cache
from importlib import resources

import chinese_calendar

_SATURDAY = 5  # Monday is 0
_DAY = timedelta(days=1)
LAST_YEAR = 2099
"""Of the file; after it, Monday to Friday are working days."""


def is_day_off(day: date) -> bool:
    """Whether a day is a Saturday, a Sunday or a holiday by the law."""
    return day.weekday() >= _SATURDAY or day in _days_off(day.year)


@cache
def _days_off(year: int) -> frozenset[date]:
    """The holidays of a year, and the days that make up for those at week-ends. All lie in the year itself."""
    found: set[date] = set()
    own = sorted(statutory(year))
    for day in own:
        off = day
        while off in found or off.weekday() >= _SATURDAY or (off != day and off in own):
            off += _DAY
        found |= {day, off}
    return frozenset(found)


@cache
def statutory(year: int) -> tuple[date, ...]:
    """The holidays themselves; a day that two fall on stands twice, since each gives a day off."""
    if year not in _festivals():
        return ()
    spring, dragon_boat, mid_autumn = _festivals()[year]
    qingming = next(
        day for day, name in chinese_calendar.get_solar_terms(date(year, 4, 1), date(year, 4, 10)) if name == "清明"
    )
    return (
        date(year, 1, 1), *(spring + _DAY * after for after in (-1, 0, 1, 2)), qingming, date(year, 5, 1), date(year, 5, 2),
        dragon_boat, mid_autumn, *(date(year, 10, day) for day in (1, 2, 3)),
    )  # fmt: skip


@cache
def _festivals() -> dict[int, tuple[date, ...]]:
    text = (resources.files("huanxin.domain") / "data" / "festivals.csv").read_text(encoding="ascii")
    rows = csv.reader(text.splitlines()[1:])
    return {int(year): tuple(date.fromisoformat(f"{year}-{day}") for day in days) for year, *days in rows}
