"""What a partner's tables hold and its stores answer, in plain Python: one account a row, with the time it was bound at.

It shares no code with `huanxin_partner`, which it judges (test_ties).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEAST = timedelta(microseconds=1)


# How times are written, and until when one may have been ---------------------------------------------------------------
def _floor(instant: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, UTC)


def _beijing(instant: datetime) -> datetime:
    return instant.astimezone(SHANGHAI).replace(tzinfo=None)


def _day_ends(instant: datetime) -> datetime:
    day = instant.astimezone(SHANGHAI).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) - LEAST


def precise(instant: datetime) -> datetime:
    """Programs that keep fewer digits than a column shows print zeros."""
    if instant.microsecond % 1000:
        return instant
    return instant + timedelta(milliseconds=1 if instant.microsecond else 1000) - LEAST


def _second(instant: datetime) -> datetime:
    return _floor(instant, 1) + timedelta(seconds=1) - LEAST


WRITTEN: dict[str, tuple[Callable[[datetime], object], Callable[[datetime], datetime | None]]] = {
    "RFC 3339": (lambda at: at.isoformat(timespec="microseconds"), precise),
    "in Beijing": (lambda at: str(_beijing(at).replace(microsecond=0)), _second),
    "minutes": (lambda at: f"{_beijing(at):%Y-%m-%d %H:%M}", lambda at: _floor(at, 60) + timedelta(minutes=1) - LEAST),
    "a day": (lambda at: f"{_beijing(at):%Y-%m-%d}", _day_ends),
    "a day without lines": (lambda at: f"{_beijing(at):%Y%m%d}", _day_ends),
    "seconds": (lambda at: int(at.timestamp()), _second),
    "seconds as text": (lambda at: str(int(at.timestamp())), _second),
    "milliseconds": (lambda at: int(at.timestamp()) * 1000, _second),
    "an integer of a day": (lambda at: int(f"{_beijing(at):%Y%m%d}"), lambda _: None),
    "an hour": (lambda at: f"{_beijing(at):%Y-%m-%dT%H}", lambda _: None),
    "a week": (lambda at: f"{_beijing(at):%G-W%V}", lambda _: None),
    "a day of a week": (lambda at: f"{_beijing(at):%G-W%V-%u}", lambda _: None),
    "a day of the year": (lambda at: f"{_beijing(at):%Y-%j}", lambda _: None),
    "infinity": (lambda _: "infinity", lambda _: None),
    "zero": (lambda _: "0000-00-00 00:00:00", lambda _: None),
    "nothing": (lambda _: None, lambda _: None),
}


# What becomes of them -------------------------------------------------------------------------------------------------
@dataclass
class Row:
    """An account. `until`: the last instant at which it may have been bound; None if nobody can say."""

    number: str | None
    stored: object
    until: datetime | None
    open: bool = True

    def is_older(self, cutoff: datetime) -> bool:
        return self.until is not None and self.until < cutoff


@dataclass
class Lost:
    """A number that a row lost. It is that very row that gets it back, and only while it says the same time."""

    row: Row
    key: int
    stored: object
    back: bool = False


@dataclass
class Table:
    """What a table holds, and what was cut in it by number and cut-off. `unique`: a number stands in it once."""

    unique: bool
    rows: dict[int, Row] = field(default_factory=dict)
    lost: dict[tuple[str, datetime], list[Lost]] = field(default_factory=dict)

    def holders(self, number: str) -> list[Row]:
        return [row for row in self.rows.values() if row.number == number]

    def unbind(self, number: str, cutoff: datetime) -> str:
        lost, found = self.lost.setdefault((number, cutoff), []), set()
        for key, row in self.rows.items():
            if row.number != number or not row.open:
                continue
            if row.until is None:
                found.add("refused")
            elif not row.is_older(cutoff) or any(one.key == key for one in lost):  # it has come back since it was cut
                found.add("kept")
            else:
                lost.append(Lost(row=row, key=key, stored=row.stored))
                row.number = None
        if any(not one.back for one in lost):
            found.add("unbound")
        return next((outcome for outcome in ("refused", "unbound", "kept") if outcome in found), "absent")

    def restore(self, number: str, cutoff: datetime) -> str:
        lost = self.lost.get((number, cutoff), [])
        taken = any(row.open or not row.is_older(cutoff) for row in self.holders(number))
        fit = [one for one in lost if not one.back and not taken and self._may_return(one)]
        if self.unique and self.holders(number):
            fit = []
        if self.unique:
            fit = sorted(fit, key=lambda one: one.row.until or cutoff)[-1:]
        for one in fit:
            one.row.number, one.back = number, True
        return "absent" if not lost else "restored" if all(one.back for one in lost) else "irreversible"

    def _may_return(self, one: Lost) -> bool:
        row = self.rows.get(one.key)
        return row is one.row and row.open and row.number is None and row.stored == one.stored
