"""One point in time as people, programs and spreadsheets write it: read as the one day or instant that it can mean, or
refused with the reason. `moments.instants` reads whole columns by the same rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

from huanxin.numbersets.plain import unwrapped
from huanxin.words.sentences import Sentence


class Order(StrEnum):
    """Which comes first in days like 03/04/2026, where a file shows it."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A point in time: naive where the text names no offset from UTC. Not `timed`: the day alone is known."""

    at: datetime
    timed: bool


EXAMPLE = "2026-03-01T08:00:00+08:00"
MOST_FRACTION = 9  # digits
FIRST_SERIAL, LAST_SERIAL = 31_778, 73_050
"""Days that spreadsheets count from 30 December 1899: 1987 to the end of 2099."""
SERIALS_FROM = datetime(1899, 12, 30)  # noqa: DTZ001  # a spreadsheet knows no zone
UNIX = {1: (536_457_600, 4_102_444_800), 1_000: (536_457_600_000, 4_102_444_800_000)}
"""Seconds and milliseconds since 1970, from 1987 to the end of 2099, by how many make a second: no two alike in length."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST = re.compile(r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})| ?年 ?([0-9]{1,2}) ?月 ?([0-9]{1,2}) ?[日号])")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_NAMED = re.compile(r"([0-9]{1,2})[- ]([a-z]{3})[a-z]{0,6}[- ,]{1,2}([0-9]{4})", re.IGNORECASE)
_PACKED = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[T ]?([0-9]{2})([0-9]{2})([0-9]{2})?(\.[0-9]{1,9})?)?", re.IGNORECASE
)
_HALF = r"(上午|下午|[ap]\.?m\.?)"
_APART = re.compile(r"[T ]+|(?=[上下])|(?<=[日号])", re.IGNORECASE)
_SECONDS = rf"[:分]([0-9]{{1,2}})(?:[.,]([0-9]{{1,{MOST_FRACTION}}}))?"
_CLOCK = re.compile(
    rf"(?:{_HALF} ?)?([0-9]{{1,2}})(?:[:时点]([0-9]{{1,2}}))?(?:{_SECONDS})?([时点分秒]?)(?: ?{_HALF})?", re.IGNORECASE
)
_OFFSET = re.compile(r" ?(?:z|(?:utc|gmt)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?|utc|gmt)(?:\[[A-Za-z_/+-]+\])?", re.IGNORECASE)
_FIRST_HALF = ("上午", "am")
_NOON = 12
_HOUR = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])")
"""2026030108 is an hour of 2026 or a second of 2034."""


def read(text: str, *, order: Order | None = None, sheet: bool = False) -> Moment:
    """The point in time that a text means. `order`: what its file shows; `sheet`: it stands in a spreadsheet's cell, where a
    number counts days. Raises ValueError with the reason and the remedy."""
    plain = unwrapped(text)
    if not plain:
        raise ValueError(Sentence("the time is empty; write it like %(example)s", example=EXAMPLE))
    try:
        found = _number(plain, sheet=sheet) or _written(plain, order)
    except (_NoDay, OverflowError) as error:
        raise ValueError(_in_no_calendar(plain)) from error
    if found is None:
        raise ValueError(
            Sentence("time %(time)s can't be read; write it like %(example)s", time=repr(plain), example=EXAMPLE)
        )
    return found


def shown_by(text: str) -> Order | None:
    """Which order a day with its year at the end shows; None for one that shows none, or has its year at the beginning."""
    found = _YEAR_LAST.match(unwrapped(text))
    if not found or (int(found[1]) > _NOON) == (int(found[3]) > _NOON):
        return None
    return Order.DAY if int(found[1]) > _NOON else Order.MONTH


class _NoDay(Exception):
    """A text of the right form that no calendar or clock has."""


def _in_no_calendar(plain: str) -> Sentence:
    return Sentence("no calendar has the time %(time)s; write it like %(example)s", time=repr(plain), example=EXAMPLE)


def _number(plain: str, *, sheet: bool) -> Moment | None:
    """A time that is written as a number, if it is one: packed digits, Unix time, days of a spreadsheet."""
    if found := _PACKED.match(plain):
        rest = plain[found.end() :]
        zone = _offset(rest) if rest else None
        if (not rest or (zone and found[4])) and _possible(found):
            return _made(found, zone)
    if not re.fullmatch(r"[0-9]+(?:\.[0-9]{1,18})?", plain):
        return None
    value = float(plain)
    if sheet and FIRST_SERIAL <= value < LAST_SERIAL:
        at = SERIALS_FROM + timedelta(seconds=round(value * 86_400))
        return Moment(at=at, timed=not value.is_integer())
    for unit, (first, last) in UNIX.items():
        if first <= value < last and not _HOUR.fullmatch(plain):
            microseconds = int(Decimal(plain) * 1_000_000 // unit)
            return Moment(at=datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds), timed=True)
    return None


def _possible(found: re.Match[str]) -> bool:
    """Whether packed digits are a day at all: 1767225600 isn't, and counts seconds."""
    return 1 <= int(found[2]) <= _NOON and 1 <= int(found[3])  # noqa: SIM300


def _made(found: re.Match[str], zone: timezone | None) -> Moment:
    day = _day(int(found[1]), int(found[2]), int(found[3]))
    if not found[4]:
        return Moment(at=day, timed=False)
    at = day + _since_midnight(int(found[4]), int(found[5]), int(found[6] or 0), (found[7] or "")[1:])
    return Moment(at=at.replace(tzinfo=zone), timed=True)


def _written(plain: str, order: Order | None) -> Moment | None:
    if found := _YEAR_FIRST.match(plain):
        year, month, day = int(found[1]), int(found[3] or found[5]), int(found[4] or found[6])
    elif found := _NAMED.match(plain):
        if found[2].lower() not in _MONTHS:
            return None
        year, month, day = int(found[3]), _MONTHS.index(found[2].lower()) + 1, int(found[1])
    elif found := _YEAR_LAST.match(plain):
        year, (month, day) = int(found[4]), _ordered(plain, int(found[1]), int(found[3]), order)
    else:
        return None
    start = _day(year, month, day)
    return Moment(at=start, timed=False) if found.end() == len(plain) else _timed(start, plain, found.end())


def _timed(start: datetime, plain: str, end: int) -> Moment | None:
    """A day with what stands behind it, if that is a time."""
    apart = _APART.match(plain, end)
    clock = _CLOCK.match(plain, apart.end()) if apart else None
    if not clock:
        return None
    ending, half = plain[clock.end() :], (clock[1] or clock[7] or "").lower().replace(".", "")
    zone = _offset(ending) if ending else None
    if (ending and not zone) or not (clock[3] or half or clock[6] or zone):  # an hour alone may be anything
        return None
    at = start + _since_midnight(_hour(int(clock[2]), half), int(clock[3] or 0), int(clock[4] or 0), clock[5] or "")
    return Moment(at=at.replace(tzinfo=zone), timed=True)


def _ordered(plain: str, first: int, second: int, order: Order | None) -> tuple[int, int]:
    """Month and day."""
    if first == second:
        return first, second
    shown = order
    if first > _NOON or second > _NOON:
        shown = Order.DAY if first > _NOON else Order.MONTH
    if shown is None:
        raise ValueError(
            Sentence(
                "%(time)s may be two days, and nothing in the file shows whether the day or the month comes first; write it "
                "like 2026-03-01", time=plain,
            )
        )  # fmt: skip
    return (second, first) if shown is Order.DAY else (first, second)


def _day(year: int, month: int, day: int) -> datetime:
    try:
        return datetime(year, month, day)  # noqa: DTZ001  # its zone comes later
    except ValueError as error:
        raise _NoDay from error


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    if half in _FIRST_HALF:
        if hour > _NOON:
            raise _NoDay
        return hour % _NOON
    if hour == 0:  # noon, say some, and others midnight
        raise _NoDay
    return hour if hour >= _NOON else hour + _NOON


def _since_midnight(hour: int, minute: int, second: int, fraction: str) -> timedelta:
    """24:00 is the end of the day."""
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second or fraction.strip("0"))):  # noqa: PLR2004
        raise _NoDay
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int((fraction + "000000")[:6]))


def _offset(text: str) -> timezone | None:
    """An offset from UTC; None if it is none."""
    found = _OFFSET.fullmatch(text)
    if not found:
        return None
    if not found[1]:
        return UTC
    hours, minutes = int(found[2]), int(found[3] or 0)
    if hours > 18 or minutes > 59:  # noqa: PLR2004
        raise _NoDay
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(away if found[1] == "+" else -away)
