"""Counts of numbers in columns: how many of a place (a block of ten thousand numbers, or a region) are of a kind and were
cancelled on a day. Millions of numbers become some thousand rows, which are added up by column arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from huanxin.domain.pool import STATES, CellKind, state_of

CELL = np.dtype([("place", "<i8"), ("kind", "i1"), ("closed", "<i4"), ("freeze", "<i2"), ("count", "<i4")])
"""`place`: a number without its last four digits, or whatever it was mapped to; `closed`: the day of cancellation, days
since 1970, 0 for numbers that are not cancelled; `freeze`: days after it on which they can't be sold, by the freeze or
while held."""

Cells = npt.NDArray[np.void]
"""(n,) of CELL."""
Column = npt.NDArray[np.int64] | npt.NDArray[np.int32] | npt.NDArray[np.int16] | npt.NDArray[np.int8] | int

_EPOCH = date(1970, 1, 1).toordinal()
_BITS = {"kind": 4, "closed": 17, "freeze": 14}
NEVER = (1 << _BITS["freeze"]) - 1
"""In place of `freeze`: no day on which they can be sold is to be seen."""
_NEAR = 1 << (63 - sum(_BITS.values()))  # places so near to each other fit into the integer that is left


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    """The day so many days after 1970-01-01."""
    return date.fromordinal(number + _EPOCH)


def tally(place: Column, kind: Column, closed: Column, *, freeze: Column) -> Cells:
    """One cell for each combination that occurs, with how often it does; ascending by place."""
    return _added(place, {"kind": kind, "closed": closed, "freeze": freeze}, None)


def summed(parts: Sequence[Cells]) -> Cells:
    """All cells, those alike in all but the count as one; ascending by place. What adds up to nothing is gone."""
    cells = np.concatenate(parts) if parts else np.empty(0, CELL)
    return _added(cells["place"], {name: cells[name] for name in _BITS}, cells["count"])


WAITING, PLANNED = (CellKind.RESTING, CellKind.HELD), (CellKind.OPEN, CellKind.ANSWERED, CellKind.BLOCKED)
"""Kinds of numbers that no batch has released, by themselves and in a batch: today's freeze binds them too, if it is longer
than that of their batch (lifecycle.freeze_of)."""


def combined(shards: Sequence[Cells], batches: Sequence[Cells], *, freeze_days: int) -> Cells:
    """What reports say of some shards, with those numbers told apart that batches hold.

    Each number of a batch counts as resting (or held) in its shard (domain.pool.of_shard), so it is taken off there.
    """
    own, planned = (np.concatenate(parts) if parts else np.empty(0, CELL) for parts in (shards, batches))
    anyway = planned["kind"] == CellKind.HELD_ANYWAY
    taken = planned.copy()
    taken["kind"], taken["count"] = np.where(anyway, CellKind.HELD, CellKind.RESTING), -planned["count"]
    taken["freeze"][~anyway] = 0
    planned["freeze"][anyway] = NEVER
    for cells, kinds in ((own, WAITING), (taken, WAITING), (planned, PLANNED)):
        waits = np.isin(cells["kind"], kinds)
        cells["freeze"][waits] = np.maximum(cells["freeze"][waits], freeze_days)
    return summed([own, planned, taken])


def in_states(cells: Cells, *, today: date, lead_days: int) -> Cells:
    """The same cells with the number of a state (index into STATES) in place of the kind, as of a day."""
    left = np.clip(cells["closed"] + cells["freeze"] + 1 - day_number(today), 0, lead_days + 1)
    cases, which = np.unique(cells["kind"].astype(np.int64) * (lead_days + 2) + left, return_inverse=True)
    states = [
        STATES.index(state_of(CellKind(case // (lead_days + 2)), days_left=case % (lead_days + 2), lead_days=lead_days))
        for case in cases.tolist()
    ]
    known = cells.copy()
    known["kind"] = np.array(states, np.int8)[which] if len(cells) else known["kind"]
    return known


def moved(cells: Cells, place: npt.NDArray[np.int64]) -> Cells:
    """The same cells at other places, added up there."""
    known = cells.copy()
    known["place"] = place
    return summed([known])


def _added(place: Column, columns: dict[str, Column], counts: npt.NDArray[np.int32] | None) -> Cells:
    """Rows with the same place and columns as one. Everything but the place is packed into one integer, for one sort."""
    key = np.asarray(place, np.int64)
    if not len(key):
        return np.empty(0, CELL)
    first, places = int(key.min()), None
    if int(key.max()) - first < _NEAR:
        key = key - first
    else:
        places, key = np.unique(key, return_inverse=True)
    for name, bits in _BITS.items():
        key = (key << bits) | np.asarray(columns[name], np.int64)
    if counts is None:
        key, total = np.unique(key, return_counts=True)
    else:
        order = np.argsort(key, kind="stable")
        key = key[order]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        total = np.add.reduceat(counts[order].astype(np.int64), starts) if len(starts) else np.zeros(0, np.int64)
        key, total = key[starts][total > 0], total[total > 0]
    cells = np.empty(len(key), CELL)
    cells["count"] = total
    for name, bits in reversed(_BITS.items()):
        cells[name] = key & ((1 << bits) - 1)
        key = key >> bits
    cells["place"] = key + first if places is None else places[key]
    return cells
