"""The clock, passed in so that a test or a simulation can set it; and days that people work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

from huanxin.domain import holidays
from huanxin.domain.errors import BadInput
from huanxin.numbersets import times
from huanxin.words.sentences import Sentence

Clock = Callable[[], datetime]
"""Gives the present instant, aware, in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)


APART = timedelta(minutes=1)
"""How far apart clocks may be that agree."""


def within(at: datetime, span: timedelta, now: datetime) -> bool:
    """Whether something happened within a span before now. What lies ahead was noted by a clock that ran ahead, and binds
    nobody."""
    return now - span < at <= now + APART


def lasts(until: datetime | None, longest: timedelta, now: datetime) -> bool:
    """Whether what can last so long at the most goes on. What would last longer was set by a clock that ran ahead, and is
    over."""
    return until is not None and now < until <= now + longest + APART


def passed(text: str, *, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant that somebody means by a day (its end in a zone, or now, if it is today) or by a time, in that zone unless
    it names another. Raises BadInput for what lies ahead or is neither."""
    try:
        found = times.read(text)
    except ValueError as error:
        raise BadInput(
            Sentence("%(text)s is no day and no time; write 2026-11-24 or 2026-11-24T18:00:00+08:00", text=text)
        ) from error
    at = found.at if found.at.tzinfo else found.at.replace(tzinfo=zone)
    if at > now:
        raise BadInput(Sentence("%(text)s has not come yet; the record is known up to now", text=text))
    if found.timed:
        return at
    return min(now, datetime.combine(at.date() + timedelta(days=1), time(), zone) - timedelta(microseconds=1))


def is_working_day(day: date) -> bool:
    """Whether people in China work on a day, by the State Council's holiday notice.

    The notice for a year comes out in the November before; until it is in the calendar package, the law's own days off.
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return not holidays.is_day_off(day)


def by_law(day: date | datetime) -> bool:
    """Whether the working days about a day are counted by the law alone, since the notice of its year is not known yet."""
    try:
        chinese_calendar.is_workday(date(day.year, day.month, day.day))
    except NotImplementedError:
        return True
    return False


def after_working_days(start: date, days: int, works: Callable[[date], bool] = is_working_day) -> date:
    """The working day that comes `days` working days after `start`, which is not counted."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= works(day)
    return day


def counted_anew(deadline: datetime, since: datetime, zones: Collection[ZoneInfo], days: int) -> datetime:
    """A deadline that was counted from an instant on: where that was by the law alone, and the notice of its year is known
    now, as the notice has it."""

    def worked(day: date) -> bool:
        return is_working_day(day) if day.year < deadline.year else not holidays.is_day_off(day)

    counted = deadline == answer_by(since, zones, days, worked)
    return answer_by(since, zones, days) if counted else deadline


def answer_by(
    now: datetime, zones: Iterable[ZoneInfo], days: int, works: Callable[[date], bool] = is_working_day
) -> datetime:  # fmt: skip
    """The end of the day by which partners answer a notice: `days` working days after `now` (aware), today not counted.

    zones: of the carriers whose numbers the notice has. Where they differ, the day that ends last is the one, so that
    no carrier's partners get less time than the rule gives them.
    """
    ends = []
    for zone in zones:
        last_day = after_working_days(now.astimezone(zone).date(), days, works)
        ends.append(datetime.combine(last_day + timedelta(days=1), time(), zone))
    return max(ends)


def zone_of_deadline(deadline: datetime, zones: Collection[ZoneInfo], otherwise: ZoneInfo) -> ZoneInfo:
    """The zone of those (of a notice's carriers) in which a deadline ends a day; `otherwise` if none is that any more."""
    return next((zone for zone in sorted(zones, key=str) if deadline.astimezone(zone).time() == time()), otherwise)


def before_working_days(end: date, days: int) -> date:
    """The working day that comes `days` working days before `end`, which is not counted."""
    day = end
    while days > 0:
        day -= timedelta(days=1)
        days -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """Working days after `start`, which is not counted, until `end`, which is; 0 if it is no later."""
    return sum(is_working_day(start + timedelta(days=day)) for day in range(1, (end - start).days + 1))
