"""Sets of numbers, cut into shards by prefix.

A number is an integer (``8613800138000``), so a set of them is a bitmap. A set that covers a country is cut into
shards of a million numbers, one 32-bit Roaring bitmap each: a shard is stored, read and tested alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

SHARD_SIZE = 1_000_000

Numbers = npt.NDArray[np.int64]
"""E.164 numbers as integers, ascending and each once unless a function says otherwise."""


def shard_of(number: int) -> int:
    """The shard that holds a number: all but its last six digits."""
    return number // SHARD_SIZE


def bitmap_of(values: npt.NDArray[np.uint32]) -> BitMap:
    """A bitmap of unsigned 32-bit values; the buffer copy is four times faster than iterating numpy."""
    return BitMap(array("I", values.tobytes()))


def values_of(bitmap: BitMap) -> npt.NDArray[np.uint32]:
    """A bitmap's values, ascending."""
    return np.asarray(bitmap.to_array(), dtype=np.uint32)


def dump(bitmap: BitMap) -> bytes:
    """The bitmap in the portable Roaring format, as stored."""
    bitmap.run_optimize()
    return bytes(bitmap.serialize())


def load(stored: bytes) -> BitMap:
    """The bitmap of bytes that `dump` made."""
    return BitMap.deserialize(stored)


class NumberSet:
    """A set of numbers by shard. Values are shared, never changed in place: treat every bitmap as frozen."""

    __slots__ = ("shards",)

    def __init__(self, shards: Mapping[int, BitMap] | None = None) -> None:
        self.shards: dict[int, BitMap] = {shard: bitmap for shard, bitmap in (shards or {}).items() if bitmap}

    @classmethod
    def of(cls, numbers: Iterable[int] | Numbers) -> NumberSet:
        """The set of some numbers, in any order, repeated or not."""
        values = np.sort(np.asarray(numbers if isinstance(numbers, np.ndarray) else list(numbers), dtype=np.int64))
        if not len(values):
            return cls()
        shards, offsets = np.divmod(values, SHARD_SIZE)
        starts = np.concatenate(([0], np.flatnonzero(shards[1:] != shards[:-1]) + 1))
        parts = np.split(offsets.astype(np.uint32), starts[1:])  # a bitmap takes a value twice and has it once
        return cls({int(shard): bitmap_of(part) for shard, part in zip(shards[starts], parts, strict=True)})

    def numbers(self) -> Numbers:
        """All numbers, ascending."""
        found = np.empty(len(self), dtype=np.int64)
        first = 0
        for shard in sorted(self.shards):
            last = first + len(self.shards[shard])
            np.add(values_of(self.shards[shard]), np.int64(shard * SHARD_SIZE), out=found[first:last])
            first = last
        return found

    def __len__(self) -> int:
        return sum(len(bitmap) for bitmap in self.shards.values())

    def __bool__(self) -> bool:
        return bool(self.shards)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers().tolist())

    def __contains__(self, number: int) -> bool:
        bitmap = self.shards.get(shard_of(number))
        return bitmap is not None and number % SHARD_SIZE in bitmap

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberSet) and self.shards == other.shards

    __hash__ = None  # type: ignore[assignment]  # sets are compared by content, never used as keys

    def __or__(self, other: NumberSet) -> NumberSet:
        merged = dict(self.shards)
        for shard, bitmap in other.shards.items():
            merged[shard] = merged[shard] | bitmap if shard in merged else bitmap
        return NumberSet(merged)

    def __and__(self, other: NumberSet) -> NumberSet:
        common = self.shards.keys() & other.shards.keys()
        return NumberSet({shard: self.shards[shard] & other.shards[shard] for shard in common})

    def __sub__(self, other: NumberSet) -> NumberSet:
        nothing = BitMap()
        return NumberSet({shard: bitmap - other.shards.get(shard, nothing) for shard, bitmap in self.shards.items()})

    def __repr__(self) -> str:
        return f"NumberSet({len(self)} numbers in {len(self.shards)} shards)"


def union(sets: Iterable[NumberSet]) -> NumberSet:
    """The numbers that are in any of the sets."""
    parts: dict[int, list[BitMap]] = {}
    for one in sets:
        for shard, bitmap in one.shards.items():
            parts.setdefault(shard, []).append(bitmap)
    return NumberSet({shard: BitMap.union(*maps) if len(maps) > 1 else maps[0] for shard, maps in parts.items()})
