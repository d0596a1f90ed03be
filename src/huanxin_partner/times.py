"""Stored times: the latest instant that one may stand for, so that no tie is taken for older than it is (DESIGN: rule 2).

What isn't beyond doubt is not read. Everything that reads a stored time reads it here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import cache

_LEAST = timedelta(microseconds=1)
# A stored day or time stands for no instant later than this after it, read as UTC: a day lasts 24 hours, a zone is less
# than 24 hours away, and digits that were left out make less than a second.
MOST_MEANT = timedelta(days=2, seconds=1)
# Nobody tied anything to a mobile number before, nor will so late: what says so is a zero date (0001, 1900, 1970, 1980), an
# "infinity", or a number that counts something else.
EARLIEST, LATEST = datetime(1985, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ZONE = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_DAY = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}")
_ISO = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(?:[.,]([0-9]+))?)? ?{_ZONE}?")
_NUMBER = re.compile(r"([0-9]+)(?:\.[0-9]+)?")
_DAY_AND_HOUR = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-4])")
_MOST = 10**30
_UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}
_DIGITS = {10: 1, 13: 1_000, 16: 1_000_000}  # of Unix times from 2001 to 2286, in these units of a second
_DIRECTIVES = {
    "Y": "[0-9]{4}", "y": "[0-9]{2}", "m": "[0-9]{2}", "d": "[0-9]{2}", "j": "[0-9]{3}", "G": "[0-9]{4}", "V": "[0-9]{2}",
    "u": "[1-7]", "H": "[0-9]{2}", "M": "[0-9]{2}", "S": "[0-9]{2}", "f": "([0-9]{1,6})", "z": _ZONE, "%": "%",
}  # fmt: skip
_OF_A_DAY = ({"Y", "m", "d"}, {"y", "m", "d"}, {"Y", "j"}, {"y", "j"}, {"G", "V", "u"})
_STEPS = {"S": timedelta(seconds=1), "M": timedelta(minutes=1), "H": timedelta(hours=1)}  # the finest first


class BadForm(ValueError):
    """A form of times that can't be used; the text says which there are."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Reads the times of a column. One without a zone is in `zone`. `form` says how they are written, where a column holds
    neither dates nor times of the database's own: `seconds`, `milliseconds` or `microseconds` (Unix), or a pattern of
    `strptime` such as `%Y%m%d`.

    Without a form, RFC 3339, `YYYY-MM-DD HH:MM[:SS]`, `YYYY-MM-DD`, text of eight digits (a day), and Unix times by their
    digits (10 of seconds, 13 of milliseconds, 16 of microseconds) are read. Weeks, days of the year, hours without minutes,
    integers such as 20260601, and whatever lies before 1985 or after 2199, are in doubt.
    """

    zone: tzinfo = UTC
    form: str = ""

    def __post_init__(self) -> None:
        """Raises BadForm."""
        if self.form and self.form not in _UNITS:
            _directives(self.form)

    def latest(self, value: object) -> datetime | None:
        """The latest instant, in UTC, that a stored time may stand for; None if it is in doubt. Digits that were left out
        may have been anything: a day counts until its end, a second until the next."""
        try:
            read = self._read(value)
        except (ValueError, OverflowError, OSError, ArithmeticError):
            return None
        return read if read and EARLIEST <= read < LATEST else None

    def _read(self, value: object) -> datetime | None:
        if isinstance(value, datetime):
            return self._until(value, _LEAST)
        if isinstance(value, date):
            return self._day(value)
        if not isinstance(value, str | int | float | Decimal):
            return None
        if self.form in _UNITS:
            return _unix(Decimal(str(value).strip()), _UNITS[self.form])
        if self.form:
            # SQLite's REAL of a number such as 20260601; one of a million digits would take minutes to write down.
            whole = isinstance(value, float | Decimal) and -_MOST < value < _MOST and value == int(value)
            return self._by_pattern(str(int(value) if whole else value))
        return self._text(value.strip()) if isinstance(value, str) else _recognised(str(value))

    def _text(self, text: str) -> datetime | None:
        if _DAY.fullmatch(text):
            return self._day(date.fromisoformat(text))
        found = _ISO.fullmatch(text.upper())
        if found is None:
            return _recognised(text)
        step = timedelta(seconds=0.1 ** len(found[2])) if found[2] else timedelta(seconds=1 if found[1] else 60)
        return self._until(datetime.fromisoformat(f"{text[:10]}T{text[11:].upper().replace(' ', '')}"), step)

    def _by_pattern(self, text: str) -> datetime | None:
        directives = _directives(self.form)
        found = re.fullmatch(_expression(self.form), text)
        if found is None:
            return None
        read = datetime.strptime(text, self.form)  # noqa: DTZ007  # its zone is added where it is made UTC
        if "f" in directives:
            return self._until(read, timedelta(seconds=0.1 ** len(found[1])))
        step = next((step for name, step in _STEPS.items() if name in directives), None)
        return self._until(read, step) if step else self._day(read.date())

    def _day(self, day: date) -> datetime:
        return self._in_utc(datetime.combine(day, time.max))

    def _until(self, read: datetime, step: timedelta) -> datetime:
        """The last instant of a time that leaves out what is below `step`, or what its column or program didn't keep."""
        return self._in_utc(read) + max(step, _left_out(read)) - _LEAST

    def _in_utc(self, read: datetime) -> datetime:
        """The later of the two instants that a clock put back shows the same time at."""
        if read.tzinfo:
            return read.astimezone(UTC)
        return max(read.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def latest_instant(value: object, zone: tzinfo, form: str = "") -> datetime | None:
    """See Times. Raises BadForm."""
    return Times(zone=zone, form=form).latest(value)


def _left_out(read: datetime) -> timedelta:
    """How much later a `datetime` may be whose column or program keeps seconds or milliseconds only."""
    if read.microsecond % 1000:
        return _LEAST
    return timedelta(milliseconds=1) if read.microsecond else timedelta(seconds=1)


def _recognised(text: str) -> datetime | None:
    """The last instant of a Unix time that is known by its digits. 2026060112 is a second of 2034, or an hour of 2026."""
    found = _NUMBER.fullmatch(text)
    unit = _DIGITS.get(len(found[1])) if found else None
    return None if unit is None or _DAY_AND_HOUR.match(text) else _unix(Decimal(text), unit)


def _unix(number: Decimal, unit: int) -> datetime | None:
    """The last instant of a Unix time in so many parts of a second. Raises ArithmeticError and OverflowError."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):  # infinity, or no number
        return None
    step = Decimal(1) if number == number.to_integral_value() else Decimal(1).scaleb(exponent)
    read = _EPOCH + timedelta(microseconds=int(number * 1_000_000 // unit))
    return read + max(timedelta(microseconds=int(step * 1_000_000 // unit)), _left_out(read)) - _LEAST


@cache
def _directives(form: str) -> set[str]:
    """The directives of a pattern. Raises BadForm for one that doesn't tell a day, or has others than times need."""
    parts = re.findall(r"%(.?)", form, re.DOTALL)
    found = set(parts) - {"%"}
    hours = [name for name in "HMSf" if name in found]
    if (
        len(parts) != len(found) + parts.count("%") or not found <= _DIRECTIVES.keys()
        or not any(needed <= found for needed in _OF_A_DAY) or "HMSf"[: len(hours)] != "".join(hours)
    ):  # fmt: skip
        raise BadForm(
            f"{form!r} is no form of a time: write {', '.join(_UNITS)}, or a pattern that tells a day and, if it goes on,"
            " hours before minutes before seconds, such as %Y%m%d or %d/%m/%Y %H:%M:%S"
        )
    return found


@cache
def _expression(form: str) -> str:
    """A pattern as a regular expression: strptime would take 2026112 for two days."""
    parts = re.split(r"%(.)", form)
    return "".join(_DIRECTIVES[part] if place % 2 else re.escape(part) for place, part in enumerate(parts))
