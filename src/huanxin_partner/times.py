"""Stored times: the latest instant that one may stand for, so that no tie is taken for older than it is (DESIGN: rule 2)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_LEAST = timedelta(microseconds=1)
# A stored day or time stands for no instant later than this after it, read as UTC: a day lasts 24 hours, a zone is less
# than 24 hours away, and digits that were left out make less than a second.
MOST_MEANT = timedelta(days=2, seconds=1)
_FRACTION = re.compile(r"[.,](\d+)")
_WITH_SECONDS = re.compile(r"\d\d:\d\d:\d\d")


def latest_instant(value: object, zone: tzinfo) -> datetime | None:
    """The latest instant, in UTC, that a stored time may stand for; None if it can't be read.

    A time is a `datetime`, a `date`, RFC 3339, `YYYY-MM-DD HH:MM:SS`, a day, or Unix seconds. One without a zone is in
    `zone`. Digits that were left out may have been anything: a day counts until its end, a second until the next.
    """
    try:
        if isinstance(value, datetime):
            return _in_utc(value, zone) + _left_out(value) - _LEAST
        if isinstance(value, date):
            return _in_utc(datetime.combine(value, time.max), zone)
        if isinstance(value, int | float):
            step = timedelta(seconds=1) if value == int(value) else _LEAST
            return datetime.fromtimestamp(value, UTC) + step - _LEAST
        if not isinstance(value, str):
            return None
        text = value.strip()
        if (day := _day(text)) is not None:
            return _in_utc(datetime.combine(day, time.max), zone)
        return _in_utc(datetime.fromisoformat(text), zone) + _step(text) - _LEAST
    except (ValueError, OverflowError, OSError):
        return None


def _in_utc(read: datetime, zone: tzinfo) -> datetime:
    """The later of the two instants that a clock put back shows the same time at."""
    if read.tzinfo:
        return read.astimezone(UTC)
    return max(read.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _left_out(read: datetime) -> timedelta:
    """How much later a `datetime` may be whose column or program keeps seconds or milliseconds only."""
    if read.microsecond % 1000:
        return _LEAST
    return timedelta(milliseconds=1) if read.microsecond else timedelta(seconds=1)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _step(text: str) -> timedelta:
    """How much later than it says a time may be whose last digits were left out."""
    if fraction := _FRACTION.search(text):
        return max(_LEAST, timedelta(seconds=0.1 ** len(fraction[1])))
    return timedelta(seconds=1) if _WITH_SECONDS.search(text) else timedelta(minutes=1)
