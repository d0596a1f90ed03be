"""When something happened to each number of a set: instants beside the set, in the order of its numbers, and as stored.

They are microseconds since 1970 in UTC. Stored they are counted from two days before the day that the set is of (no zone is
that far from UTC), in whole seconds if all are whole, so that each takes three bytes; where all are the same, one is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.int64]

NO_TIME = int(np.iinfo(np.int64).min)
"""Of an event of which only the day is known."""
_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {3: 1_000_000, 4: 1_000, 5: 1}
"""Microseconds that are counted in, by the bytes that four days of them take."""


def counted(instant: datetime) -> int:
    """An aware instant as it is counted here."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def dump_all(sets: Sequence[Instants], days: Sequence[int]) -> list[bytes | None]:
    """The instants of some sets, each of a day (since 1970), as stored; None for one of which only the day is known. All at
    once, since a report has thousands of small sets."""
    sizes = np.array([len(one) for one in sets])
    if not len(sizes):
        return []
    every, starts = np.concatenate(sets), np.concatenate(([0], np.cumsum(sizes)))
    first, last = np.minimum.reduceat(every, starts[:-1]), np.maximum.reduceat(every, starts[:-1])
    if last.max() == NO_TIME:
        return [None] * len(sets)
    since = np.where(every == NO_TIME, -1, every - np.repeat((np.array(days) - 2) * _DAY, sizes))
    known = since >= 0
    widths = np.full(len(sets), max(_UNITS))
    for width, unit in sorted(_UNITS.items(), reverse=True):
        widths[~np.logical_or.reduceat(known & (since % unit != 0), starts[:-1])] = width
    units = np.array([_UNITS.get(width, 1) for width in range(max(_UNITS) + 1)])[widths]
    counted = np.where(known, since // np.repeat(units, sizes) + 1, 0).astype("<u8").view(np.uint8).reshape(-1, 8)
    ends = np.where(first == last, starts[:-1] + 1, starts[1:])
    return [
        None if nothing else bytes((width,)) + counted[start:end, :width].tobytes()
        for start, end, width, nothing in zip(
            starts.tolist(), ends.tolist(), widths.tolist(), (last == NO_TIME).tolist(), strict=False
        )
    ]


def dump(one: Instants, day: int) -> bytes | None:
    """The same of one set, which is not empty."""
    return dump_all([one], [day])[0]


def load(stored: bytes | None, day: int, count: int) -> Instants:
    """The instants of a set of so many numbers, of what `dump_all` made."""
    if stored is None:
        return np.full(count, NO_TIME, np.int64)
    width = stored[0]
    packed = np.frombuffer(stored, np.uint8, offset=1).reshape(-1, width)
    wide = np.zeros((len(packed), 8), np.uint8)
    wide[:, :width] = packed
    counted = wide.view("<u8").reshape(-1).astype(np.int64)
    found = np.where(counted == 0, NO_TIME, (counted - 1) * _UNITS[width] + (day - 2) * _DAY)
    return np.broadcast_to(found, (count,)) if len(found) == 1 else found
