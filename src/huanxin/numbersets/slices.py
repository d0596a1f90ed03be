"""One container of a stored bitmap, without reading the others.

The portable Roaring format (RoaringFormatSpec) begins with a table of its containers, each of which holds the values with
the same upper 16 bits and lies in one piece. Whoever asks for one value reads the table and one container: of a million
places, one sixteenth. The container is put behind a table of its own and unpacked by the library.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pyroaring import BitMap

from huanxin.numbersets.sharded import load

HEAD = 1920
"""Bytes that are read first: enough for the table of a set of 16 million values."""
CONTAINER_BITS = 16
"""A value's bits above these say which container holds it."""
_RUNS, _NO_RUNS = 12347, 12346  # the cookies of the format
_OFFSETS_FROM = 4  # a table of fewer containers with runs has no offsets


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Where a container lies in its set: `start` and `size` in bytes; `head`: the table of a set of this container alone."""

    start: int
    size: int
    head: bytes

    def load(self, container: bytes) -> BitMap:
        """The values of the container."""
        return load(self.head + container)


def slice_of(head: bytes, length: int, key: int) -> Slice | None:
    """The container `key` of a set that begins with `head` and is `length` bytes long; None if the set has no value in it.
    Raises ValueError if the beginning does not tell, and the whole has to be read."""
    cookie = int.from_bytes(head[:4], "little")
    runs = cookie & 0xFFFF == _RUNS
    if not runs and cookie != _NO_RUNS:
        raise ValueError("not a set in the portable Roaring format")
    count = (cookie >> 16) + 1 if runs else int.from_bytes(head[4:8], "little")
    flags = head[4 : 4 + (count + 7) // 8] if runs else b""
    table = 4 + len(flags) if runs else 8
    if (runs and count < _OFFSETS_FROM) or table + count * 8 > len(head):
        raise ValueError("the table has no offsets, or is longer than the beginning")
    at = _where(head, table, count, key)
    if at is None:
        return None
    offsets = table + count * 4 + at * 4
    start = int.from_bytes(head[offsets : offsets + 4], "little")
    end = int.from_bytes(head[offsets + 4 : offsets + 8], "little") if at + 1 < count else length
    entry = head[table + at * 4 : table + at * 4 + 4]
    alone = struct.pack("<I", _RUNS) + b"\x01" + entry
    if not (runs and flags[at // 8] >> (at % 8) & 1):
        alone = struct.pack("<II", _NO_RUNS, 1) + entry + struct.pack("<I", 16)
    return Slice(start=start, size=end - start, head=alone)


def _where(head: bytes, table: int, count: int, key: int) -> int | None:
    """Where in the table a container stands: mostly none before it is missing, else it is looked for."""
    at = table + key * 4
    if key < count and int.from_bytes(head[at : at + 2], "little") == key:
        return key
    keys = struct.unpack_from(f"<{count * 2}H", head, table)[::2]
    return keys.index(key) if key in keys else None
