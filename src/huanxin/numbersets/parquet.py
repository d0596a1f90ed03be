"""A Parquet file's columns as those that are read here: text, whole numbers, days and times; every other type is refused
with what to write instead, since no program that fails on it later could say so.
"""

from __future__ import annotations

from datetime import UTC, datetime

from huanxin.numbersets.arrow import pa, pc
from huanxin.sentences import Sentence

_DAY = 86_400
_FIRST = int(datetime(1, 1, 2, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
"""Seconds since 1970 that a calendar has, in any zone."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def plain(column: pa.Array, name: str) -> pa.Array:
    """A column as text without nulls, integers, dates or timestamps of at most microseconds. Raises ValueError with what is
    wrong and what to do."""
    try:
        return _plain(column, name)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ValueError(_unfit(name, column.type)) from error


def _unfit(name: str, kind: pa.DataType) -> Sentence:
    return Sentence("column %(name)s is %(type)s; write it as text", name=name, type=kind)


def _plain(column: pa.Array, name: str) -> pa.Array:
    kind, types = column.type, pa.types
    if column.null_count == len(column):  # as pandas writes an optional column that nobody filled: of any type
        return pa.array([""] * len(column), pa.string())
    if types.is_dictionary(kind):
        return _plain(column.dictionary_decode(), name)
    if types.is_floating(kind) or (types.is_decimal(kind) and kind.scale != 0):
        raise ValueError(
            Sentence(
                "the values of column %(name)s are stored as decimals (%(type)s); export them as text", name=name, type=kind
            )
        )
    if types.is_timestamp(kind) or types.is_date(kind):
        return _instants(column)
    if types.is_integer(kind) and not types.is_uint64(kind):
        return column
    if types.is_integer(kind) or types.is_decimal(kind):
        return pc.fill_null(column.cast(pa.string()), "")
    return pc.fill_null(_text(column, name), "")


def _text(column: pa.Array, name: str) -> pa.Array:
    kind, types = column.type, pa.types
    bytes_only = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    words = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if not words and not bytes_only and not types.is_fixed_size_binary(kind):
        raise ValueError(_unfit(name, kind))
    try:
        text = column if words else column.cast(pa.binary()).cast(pa.string())
        text = text.cast(pa.string())
        text.validate(full=True)  # Parquet's text may hold any bytes
    except pa.ArrowInvalid as error:
        raise ValueError(
            Sentence("column %(name)s holds bytes that are no text in UTF-8; write it as text", name=name)
        ) from error
    return text


def _instants(column: pa.Array) -> pa.Array:
    """Dates or timestamps; as text, which names the row that can't be read, where one lies beyond every calendar."""
    kind = column.type
    column.slice(0, 1).cast(pa.string())  # fails if nobody knows its time zone
    if pa.types.is_date32(kind):
        counts, low, high = column.cast(pa.int32()), _FIRST // _DAY, _LAST // _DAY
    else:
        each = _PER_SECOND["ms" if pa.types.is_date64(kind) else kind.unit]
        counts, low, high = column.cast(pa.int64()), _FIRST * each, _LAST * each
    ends = pc.min_max(counts).as_py()
    if ends["min"] < low or ends["max"] >= high:
        return pc.fill_null(column.cast(pa.string()), "")
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column
