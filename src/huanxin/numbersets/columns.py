"""Columns of text into numbers and words, whole columns at a time; where a value fails, its mask says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huanxin.numbersets import phones
from huanxin.numbersets.arrow import pa, pc
from huanxin.numbersets.phones import Home
from huanxin.numbersets.plain import word
from huanxin.words.sentences import Sentence

Mask = npt.NDArray[np.bool_]
_E164 = r"^\+?[1-9][0-9]{6,14}$"
_POWERS = np.array([0] + [10**power for power in range(18)], dtype=np.int64)
_LOW, _HIGH = 10**6, 10**15
_NATIONAL = (13_000_000_000, 19_999_999_999)
"""Chinese mobile numbers without 86, which in a list of numbers with country codes belong to another country."""
_ROUND = 10**7
_NO_NUMBER = Sentence("not an E.164 number; write + and the country code, then digits only, like +8613800138000")


@dataclass(frozen=True, kw_only=True)
class Phones:
    """A column of numbers: (n,) int64, 0 where it is none; which are good; which a spreadsheet has `rounded`."""

    value: npt.NDArray[np.int64]
    good: Mask
    rounded: Mask
    _column: pa.Array
    _home: Home

    def why_not(self, row: int) -> list[str]:
        """Why a row is no number; nothing if it is one."""
        return [] if self.good[row] else self.why(np.array([row]))

    def why(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Why some rows that are not good are no numbers."""
        written = texts(self._column, rows)
        return [
            phones.rounded(text) if self.rounded[row] else phones.why_not(text, self._home) or _NO_NUMBER
            for row, text in zip(rows.tolist(), written, strict=True)
        ]


def numbers(column: pa.Array, home: Home, *, spreadsheets: bool = True) -> Phones:
    """The numbers that `phones.read` makes of a column's values, read as a reader in `home` does.

    Numbers that are stored as such and end in seven zeros were rounded by a spreadsheet on their way, and are not taken;
    the same holds for text where most of a chunk ends so. Not `spreadsheets`: in a list of ranges they do so by right.
    """
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        value, good, rounded = _stored(column, home)
    else:
        text = column if pa.types.is_string(kind) else pc.fill_null(column.cast(pa.string()), "")  # a column of days, say
        value, good, rounded = _written(pc.utf8_trim_whitespace(text), home)
    if not spreadsheets or not rounded.any():
        rounded = np.zeros(len(column), np.bool_)
    good = good & ~rounded
    return Phones(value=np.where(good, value, 0), good=good, rounded=rounded, _column=column, _home=home)


def _stored(column: pa.Array, home: Home) -> tuple[npt.NDArray[np.int64], Mask, Mask]:
    """Numbers that are stored as numbers, and which were rounded."""
    counts = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    whole = (counts >= _LOW) & (counts < _HIGH) & (counts == np.floor(counts))
    value, good = _inferred(np.where(whole, counts, 0).astype(np.int64), home)
    return value, good, good & (value % _ROUND == 0)


def _written(text: pa.Array, home: Home) -> tuple[npt.NDArray[np.int64], Mask, Mask]:
    """Numbers that are written as text, and which were rounded; trimmed already."""
    every = np.ones(len(text), dtype=np.bool_)
    plus = mask_of(pc.starts_with(text, "+"))
    if (fast := _fast_numbers(text, plus)) is not None:
        value, good = (fast, _whole(fast, home)) if plus.all() else _inferred(fast, home)
        if good.all():
            return value, good, ~plus & _mostly_rounded(value)
    text = unquoted(text)
    canonical = mask_of(pc.match_substring_regex(text, _E164))
    plus = canonical & mask_of(pc.starts_with(text, "+"))
    digits = pc.if_else(pa.array(canonical), pc.utf8_ltrim(text, characters="+"), "0")
    said = digits.cast(pa.int64()).to_numpy(zero_copy_only=False)
    value, good = _inferred(np.where(plus, 0, said), home)
    value, good = np.where(plus, said, value), np.where(plus, _whole(said, home), good)
    bare = canonical & ~plus
    rows = np.flatnonzero(every & ~canonical)
    value[rows], good[rows] = _one_by_one(text.take(pa.array(rows)).to_pylist(), home)
    return value, good, bare & _mostly_rounded(np.where(bare, value, 1), int(mask_of(pc.not_equal(text, "")).sum()))


def _mostly_rounded(value: npt.NDArray[np.int64], of: int | None = None) -> Mask:
    """Which of some numbers a spreadsheet rounded before they were written as text: more than one, and most, end so."""
    ends: Mask = value % _ROUND == 0
    count = int(ends.sum())
    return ends if count > 1 and count * 2 > (len(value) if of is None else of) else np.zeros(len(value), np.bool_)


def _whole(value: npt.NDArray[np.int64], home: Home) -> Mask:
    """Which numbers with their country code are whole, of countries where all have one length."""
    good = np.ones(len(value), np.bool_)
    for one in home:
        low, high = one.bounds
        if low and not (good := good & (value >= low) & (value <= high)).all():
            text = pa.array(value).cast(pa.string())
            good |= ~mask_of(pc.starts_with(text, one.code))
    return good


def _inferred(value: npt.NDArray[np.int64], home: Home) -> tuple[npt.NDArray[np.int64], Mask]:
    """Numbers of which the digits alone are known, none with a zero before it; 0 is none."""
    if not home:
        return value, (value >= _LOW) & ((value < _NATIONAL[0]) | (value > _NATIONAL[1]))
    good = np.zeros(len(value), np.bool_)
    if len(home) == 1 and home[0].span:
        span, (low, high) = home[0].span, home[0].bounds
        national = (value >= span[0]) & (value <= span[1])
        good = national | ((value >= low) & (value <= high))
        return np.where(national, value + (low - span[0]), value), good
    rows, value = np.flatnonzero(~good & (value != 0)), value.copy()
    value[rows], good[rows] = _one_by_one(map(str, value[rows].tolist()), home)
    return value, good


def _one_by_one(values: Iterable[str], home: Home) -> tuple[npt.NDArray[np.int64], Mask]:
    """What the careful reader makes of each."""
    found = []
    for text in values:
        try:
            found.append(phones.read(text, home))
        except ValueError:
            found.append(0)
    value = np.array(found, np.int64)
    return value, value != 0


def _fast_numbers(text: pa.Array, plus: Mask) -> npt.NDArray[np.int64] | None:
    """All at once if every one is digits, all with or all without + before them, as E.164 has them; else None."""
    if plus.any() and not plus.all():
        return None
    digits = pc.utf8_slice_codeunits(text, 1) if plus.any() else text
    length = pc.binary_length(digits).to_numpy(zero_copy_only=False)
    if len(length) and (length.max() > 15 or length.min() < 7):  # noqa: PLR2004  # E.164: at most 15 digits
        return None
    if not pc.all(pc.ascii_is_decimal(digits)).as_py():  # the cast reads 0x7d5abcdef01 as a number too
        return None
    values = digits.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return values if bool(np.all(values >= _POWERS[length])) else None


def words(column: pa.Array, codes: Mapping[str, int]) -> npt.NDArray[np.int8]:
    """Words by a table, as `plain.word` reads both: (n,) int8, -1 where the table lacks the word."""
    encoded, known = column.cast(pa.string()).dictionary_encode(), {word(one): code for one, code in codes.items()}
    table = np.array([known.get(word(str(one)), -1) for one in encoded.dictionary.to_pylist()] + [-1], np.int8)
    indices: npt.NDArray[np.int64] = pc.fill_null(encoded.indices, len(table) - 1).to_numpy(zero_copy_only=False)
    return table[indices]


def texts(column: pa.Array, rows: npt.NDArray[np.int64]) -> list[str]:
    """Some rows of a column as text, for a message."""
    taken = column.take(pa.array(rows)).cast(pa.string()).to_pylist()
    return ["" if value is None else _bare(value) if '"' in value else value for value in taken]


def _bare(text: str) -> str:
    """A value without the spaces around it, nor the quotes that a reader of CSV leaves where spaces stand before them."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text


def unquoted(text: pa.Array) -> pa.Array:
    """The same of a column that is trimmed already."""
    quoted = pc.and_(pc.starts_with(text, '"'), pc.match_substring_regex(text, '".*"$'))
    if not pc.any(quoted).as_py():
        return text
    return pc.if_else(quoted, pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(text, 1, -1)), text)


def mask_of(column: pa.Array) -> Mask:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)


def given(column: pa.Array) -> Mask:
    """Which rows have a value: not null and not blank."""
    if not pa.types.is_string(column.type):
        return mask_of(pc.is_valid(column))
    return mask_of(pc.greater(pc.binary_length(unquoted(pc.utf8_trim_whitespace(column))), 0))


def any_given(table: Iterable[pa.Array | pa.ChunkedArray]) -> Mask:
    """Which rows have a value in any of some columns; nothing where there are no columns."""
    masks = [given(one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one) for one in table]
    return np.logical_or.reduce(masks) if masks else np.empty(0, np.bool_)
