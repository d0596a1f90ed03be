"""Columns of times, whole columns at a time, as `times.read` reads one; where a value fails, its mask says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from huanxin.numbersets import times
from huanxin.numbersets.arrow import pa, pc
from huanxin.numbersets.columns import Mask, mask_of, texts, unquoted
from huanxin.numbersets.times import Order
from huanxin.words.sentences import Sentence

_SECOND, _DAY = 1_000_000, 86_400_000_000  # microseconds
_EPOCH, _START = date(1970, 1, 1), datetime(1970, 1, 1)  # noqa: DTZ001  # of times without a zone
_FIRST_DAY, _LAST_DAY = (date.min - _EPOCH).days, (date.max - _EPOCH).days
_MICROSECOND = timedelta(microseconds=1)
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_LOCAL = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt ]{_CLOCK}$"
_ZONED = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt ]{_CLOCK}([Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})$"
_USUAL = (
    r"^(?P<year>[0-9]{4})(?P<one>[-/.年])(?P<month>[0-9]{1,2})(?P<two>[-/.月])(?P<day>[0-9]{1,2})(?P<end>日?)"
    r"(?:[ Tt](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2}))?)?$"
)
"""What programs and spreadsheets write most: with slashes or dots, without zeros before digits."""
_PACKED = (
    r"^(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2}))?$"
)
_YEAR_LAST = r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}"


@dataclass(frozen=True, kw_only=True)
class Times:
    """Points in time as columns of one length: `at`, microseconds UTC; `day`, since 1970 in a zone; `timed`: where the
    instant is known, and not the day alone; `good`: where it could be read at all."""

    at: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    timed: Mask
    good: Mask
    _column: pa.Array
    _order: Order | None = None
    _sheet: bool = False

    def why_not(self, row: int) -> str:
        """Why a row that is not good is no time."""
        [text] = texts(self._column, np.array([row]))
        try:
            times.read(text, order=self._order, sheet=self._sheet)
        except ValueError as error:
            reason: Sentence = error.args[0]
            return reason
        return Sentence("time %(time)s can't be read; write it like %(example)s", time=repr(text), example=times.EXAMPLE)

    @property
    def unclear(self) -> bool:
        """Whether it has days of which others in the file may show what they mean."""
        return self._order is None and not self.good.all() and bool(len(_with_year_last(self._column)))


def shown(column: pa.Array) -> set[Order]:
    """Which orders of day and month a column shows."""
    return {order for text in _with_year_last(column) if (order := times.shown_by(text))}


def _with_year_last(column: pa.Array) -> list[str]:
    if not pa.types.is_string(column.type):
        return []
    found: list[str] = pc.unique(column.filter(pc.match_substring_regex(column, _YEAR_LAST))).to_pylist()
    return found


def instants(column: pa.Array, zone: str, *, order: Order | None = None, sheet: bool = False) -> Times:
    """What a column says of times. A date, or a time without an offset, is read in `zone` (rule 2). A date is its first
    instant. A time without an offset that a day has twice, when clocks go back, is known as well as a date."""
    kind, every = column.type, np.ones(len(column), dtype=np.bool_)
    if pa.types.is_string(kind):
        stamps, timed = _parsed(pc.utf8_trim_whitespace(column), zone, order, sheet=sheet)
    elif pa.types.is_timestamp(kind):
        local = column.cast(pa.timestamp("us", kind.tz))
        stamps, timed = _in_zone(local, zone), ~_twice(local, zone)
    elif pa.types.is_date(kind):
        stamps, timed = _in_zone(column.cast(pa.timestamp("us")), zone), ~every
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        stamps, timed = _parsed(_digits(column), zone, order, sheet=sheet)
    else:
        stamps, timed = pa.nulls(len(column), pa.timestamp("us", zone)), ~every
    good = mask_of(pc.is_valid(stamps))
    stamps = pc.fill_null(stamps, 0)
    days = pc.local_timestamp(stamps).cast(pa.int64()).to_numpy(zero_copy_only=False) // _DAY
    good = good & (days >= _FIRST_DAY) & (days <= _LAST_DAY)
    at = stamps.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return Times(at=at, day=days, timed=timed, good=good, _column=column, _order=order, _sheet=sheet)


def _digits(column: pa.Array) -> pa.Array:
    """Numbers as the text that they are read from."""
    if pa.types.is_integer(column.type):
        return pc.fill_null(column.cast(pa.string()), "")
    return pa.array(["" if one is None else repr(one).removesuffix(".0") for one in column.to_pylist()], pa.string())


def _in_zone(column: pa.Array, zone: str) -> pa.Array:
    if column.type.tz is None:
        return pc.assume_timezone(column, zone, ambiguous="earliest", nonexistent="earliest")
    return column.cast(pa.timestamp("us", zone))


def _twice(local: pa.Array, zone: str) -> Mask:
    """Which times a day has twice in a zone; none of those that know theirs."""
    if local.type.tz is not None:
        return np.zeros(len(local), np.bool_)
    later = pc.assume_timezone(local, zone, ambiguous="latest", nonexistent="earliest")
    return mask_of(pc.fill_null(pc.not_equal(later, _in_zone(local, zone)), False))


def _parsed(text: pa.Array, zone: str, order: Order | None, *, sheet: bool) -> tuple[pa.Array, Mask]:
    """The instants, null where there is none, and which of them have a time."""
    try:
        return text.cast(pa.timestamp("us", zone)), np.ones(len(text), dtype=np.bool_)  # all have a time with its offset
    except pa.ArrowInvalid:
        pass
    text, nothing = unquoted(text), pa.scalar(None, pa.string())
    zoned = _tried(pc.if_else(pc.match_substring_regex(text, _ZONED), text, nothing), pa.timestamp("us", zone))
    bare = pc.match_substring_regex(text, _DATE)
    local = _tried(pc.if_else(pc.or_(pc.match_substring_regex(text, _LOCAL), bare), text, nothing), pa.timestamp("us"))
    timed = ~mask_of(bare)
    for form in (_USUAL, _PACKED):
        left = mask_of(pc.is_null(pc.coalesce(zoned, _in_zone(local, zone))))
        if left.any():
            found, has_time = _by_parts(text, form)
            local, timed = pc.coalesce(local, found), np.where(left, has_time, timed)
    left = mask_of(pc.is_null(zoned)) & mask_of(pc.is_null(local)) & mask_of(pc.not_equal(text, ""))
    if left.any():
        rows = np.flatnonzero(left)
        said = _one_by_one(text.take(pa.array(rows)).to_pylist(), order, sheet=sheet)
        known, away, has_time = (np.array(part) for part in zip(*said, strict=True))
        zoned = _put(zoned, rows, known, away & (known != _NONE))
        local = _put(local, rows, known, ~away & (known != _NONE))
        timed[rows] = has_time
    return pc.coalesce(zoned, _in_zone(local, zone)), timed & ~_twice(local, zone)


_NONE = int(np.iinfo(np.int64).min)


def _one_by_one(values: Iterable[str], order: Order | None, *, sheet: bool) -> list[tuple[int, bool, bool]]:
    """What the careful reader makes of each: microseconds since 1970, whether they are of UTC, whether it has a time."""
    known: dict[str, tuple[int, bool, bool]] = {}
    found = []
    for text in values:
        if text not in known:
            try:
                one = times.read(text, order=order, sheet=sheet)
                away = one.at.tzinfo is not None
                start = _START.replace(tzinfo=UTC) if away else _START
                known[text] = ((one.at - start) // _MICROSECOND, away, one.timed)
            except ValueError:
                known[text] = (_NONE, False, True)
        found.append(known[text])
    return found


def _put(stamps: pa.Array, rows: npt.NDArray[np.int64], values: npt.NDArray[np.int64], which: Mask) -> pa.Array:
    """The same with some values in rows that had none."""
    if not which.any():
        return stamps
    whole, missing = np.zeros(len(stamps), np.int64), np.ones(len(stamps), np.bool_)
    whole[rows[which]], missing[rows[which]] = values[which], False
    return pc.coalesce(stamps, pa.array(whole, mask=missing).cast(pa.timestamp("us")).cast(stamps.type))


def _by_parts(text: pa.Array, form: str) -> tuple[pa.Array, Mask]:
    """Times of a form, null where a text has another or no calendar has it, and which have a time of day."""
    found = pc.extract_regex(text, form)
    part = {field.name: found.field(at) for at, field in enumerate(found.type)}
    count = {
        name: pc.if_else(pc.equal(pc.fill_null(part[name], ""), ""), "0", pc.fill_null(part[name], "0")).cast(pa.int64())
        .to_numpy(zero_copy_only=False)
        for name in ("year", "month", "day", "hour", "minute", "second")
    }  # fmt: skip
    has_time = mask_of(pc.not_equal(pc.fill_null(part["hour"], ""), ""))
    good = mask_of(pc.is_valid(found)) & (count["year"] > 0) & (count["month"] >= 1) & (count["month"] <= 12)  # noqa: PLR2004
    good &= (count["hour"] < 24) & (count["minute"] < 60) & (count["second"] < 60)  # noqa: PLR2004  # 24:00 is read with care
    if "one" in part:
        good &= mask_of(pc.fill_null(_alike(part), False))
    months = np.where(good, (count["year"] - 1970) * 12 + count["month"] - 1, 0).astype("datetime64[M]")
    first, last = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    good &= (count["day"] >= 1) & (count["day"] <= (last - first).astype(np.int64))
    seconds = (count["hour"] * 60 + count["minute"]) * 60 + count["second"]
    at = (first.astype(np.int64) + count["day"] - 1) * _DAY + seconds * _SECOND
    return pa.array(np.where(good, at, 0), mask=~good).cast(pa.timestamp("us")), has_time


def _alike(part: dict[str, pa.Array]) -> pa.Array:
    """Where what stands between the parts of a day belongs together."""
    chinese = pc.and_(pc.equal(part["one"], "年"), pc.and_(pc.equal(part["two"], "月"), pc.equal(part["end"], "日")))
    return pc.or_(chinese, pc.and_(pc.equal(part["one"], part["two"]), pc.equal(part["end"], "")))


def _tried(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast what can be cast; a value of the right form that no calendar has (30 February) becomes null."""
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        values = []
        for value in text.to_pylist():
            try:
                values.append(None if value is None else pa.scalar(value, pa.string()).cast(kind).as_py())
            except pa.ArrowInvalid:
                values.append(None)
        return pa.array(values, kind)
