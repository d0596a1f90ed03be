"""Whether a stored bitmap holds one value, read from two small pieces of it instead of the whole.

A Roaring bitmap keeps its values in containers of 65,536, behind a header that says where each lies (the portable format:
github.com/RoaringBitmap/RoaringFormatSpec). Of 8 MB of answers to a batch, one place needs the header of each set and one
container. The container is put behind a header of its own and read by the library as any other bitmap.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from huanxin.numbersets.sharded import load

_LEAST = 512  # bytes: a small set is read whole at once
_RUNS, _NO_RUNS = 12347, 12346
_OFFSETS_FROM = 4
_TWO, _KEY, _OFFSET = Struct("<II"), Struct("<HH"), Struct("<I")
_PLAIN = Struct("<IIHHI")
_WITH_RUNS = Struct("<IBHH")


class Piece(NamedTuple):
    """What has still to be read of a bitmap to know: `length` bytes from `start` (counted from 0), to go behind `head`."""

    start: int
    length: int
    head: bytes

    def holds(self, value: int, data: bytes) -> bool:
        return value in load(self.head + data)


def head_of(count: int) -> int:
    """How many bytes from the start to look into: at least the header of a bitmap of `count` places."""
    return max(_LEAST, 16 + 9 * (count // 65_536 + 1))


def look(head: bytes, length: int, value: int) -> bool | Piece:
    """Whether a bitmap of `length` bytes holds a value, by its first bytes (head_of); or what else to read."""
    if len(head) >= length:
        return value in load(head)
    cookie, count = _TWO.unpack_from(head)
    flags = 0
    if cookie & 0xFFFF == _RUNS:
        count, flags = (cookie >> 16) + 1, 4
        keys = flags + (count + 7) // 8
    else:
        keys = _TWO.size
    offsets = keys + 4 * count
    known = cookie == _NO_RUNS or (flags and count >= _OFFSETS_FROM)
    if not known or offsets + 4 * count > len(head):
        return Piece(0, length, b"")
    at = _container(head, keys, count, value >> 16)
    if at is None:
        return False
    key, size = _KEY.unpack_from(head, keys + 4 * at)
    start = _OFFSET.unpack_from(head, offsets + 4 * at)[0]
    end = length if at == count - 1 else _OFFSET.unpack_from(head, offsets + 4 * at + 4)[0]
    if flags and head[flags + at // 8] >> at % 8 & 1:
        return Piece(start, end - start, _WITH_RUNS.pack(_RUNS, 1, key, size))
    return Piece(start, end - start, _PLAIN.pack(_NO_RUNS, 1, key, size, _PLAIN.size))


def _container(head: bytes, keys: int, count: int, key: int) -> int | None:
    """Which container holds the values with a key; in a batch nearly always the one of the same number."""
    if key < count and _KEY.unpack_from(head, keys + 4 * key)[0] == key:
        return key
    return next((at for at in range(count) if _KEY.unpack_from(head, keys + 4 * at)[0] == key), None)
