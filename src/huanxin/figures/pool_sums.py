"""The cells of the pool added up: a row for each block of ten thousand numbers; counts by carrier, region, state, day."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import zstandard
from pydantic import GetCoreSchemaHandler, PlainSerializer, PlainValidator

from huanxin.acts.platform import Platform
from huanxin.domain.cells import CELL, Cells, combined, in_states, moved, summed
from huanxin.domain.pool import STATES, PoolState
from huanxin.domain.regions import BLOCK, NOWHERE, regions_of_shard
from huanxin.numbersets.sharded import SHARD_SIZE
from huanxin.store.database import Tx
from huanxin.store.figures import pool
from huanxin.store.report import allocations

_AT_ONCE = 200  # shards added up at a time
_BLOCKS = SHARD_SIZE // BLOCK
_LAST = 2**31 - 1

REGIONS = NOWHERE + 1
PREFIX = np.dtype(
    [("prefix", "<i8"), ("owner", "i1"), ("region", "i1"), ("capacity", "<i4"), ("counts", "<i4", (len(STATES),))]
)
"""`prefix`: a block's numbers without their last four digits; `owner`: index into the carriers, -1 for none; `region`: index
into PROVINCES, or NOWHERE; `capacity`: numbers allotted; `counts` by STATES."""
Prefixes = npt.NDArray[np.void]
"""(n,) of PREFIX, ascending."""


@dataclass(frozen=True)
class _Packed:
    """How a summary keeps an array: its bytes, compressed, in base64."""

    kind: np.dtype[np.void]

    def __get_pydantic_core_schema__(self, _: object, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(Annotated[Any, PlainValidator(self._read), PlainSerializer(self._written)])

    def _read(self, text: str) -> npt.NDArray[np.void]:
        return np.frombuffer(zstandard.decompress(base64.b64decode(text)), self.kind)

    def _written(self, rows: npt.NDArray[np.void]) -> str:
        return base64.b64encode(zstandard.compress(rows.tobytes(), 1)).decode()


@dataclass(frozen=True, kw_only=True)
class Sums:
    """The pool as of a day. `days` are cells whose kind is an index into STATES and whose place is
    `owner * REGIONS + region`."""

    today: date
    freeze_days: int
    lead_days: int
    carriers: tuple[str, ...]
    prefixes: Annotated[Prefixes, _Packed(PREFIX)]
    days: Annotated[Cells, _Packed(CELL)]


def add_up(tx: Tx, platform: Platform) -> Sums:
    """Everything that is counted, some shards at a time."""
    carriers = tuple(platform.plan.carriers)
    prefixes, days, first = [], [], 0
    while shards := pool.shards_from(tx, first=first, last=_LAST, most=_AT_ONCE):
        cells = _in_states(tx, shards, platform.rules.freeze_days, platform.today(), platform.rules.lead_days)
        rows = _rows(cells, platform, carriers)
        prefixes.append(rows)
        at = np.searchsorted(rows["prefix"], cells["place"])
        days.append(moved(cells, rows["owner"][at].astype(np.int64) * REGIONS + rows["region"][at]))
        first = shards[-1] + 1
    known = np.concatenate(prefixes) if prefixes else np.empty(0, PREFIX)
    return Sums(
        today=platform.today(), freeze_days=platform.rules.freeze_days, lead_days=platform.rules.lead_days,
        carriers=carriers, prefixes=_with_capacity(tx, platform, carriers, known), days=summed(days),
    )  # fmt: skip


def cells_of(tx: Tx, sums: Sums, *, first: int, last: int) -> Cells:
    """The cells of a range of prefixes, by prefix, state and day, as of the day of the sums. Reads the range's shards."""
    found = pool.shards_from(tx, first=first // _BLOCKS, last=last // _BLOCKS, most=last // _BLOCKS - first // _BLOCKS + 1)
    cells = _in_states(tx, found, sums.freeze_days, sums.today, sums.lead_days)
    return cells[(cells["place"] >= first) & (cells["place"] <= last)]


def _in_states(tx: Tx, shards: list[int], freeze_days: int, today: date, lead_days: int) -> Cells:
    own, batches = pool.cells_in(tx, shards)
    return in_states(combined(own, batches, freeze_days=freeze_days), today=today, lead_days=lead_days)


def _rows(cells: Cells, platform: Platform, carriers: tuple[str, ...]) -> Prefixes:
    """A row for each prefix of some cells."""
    places, which = np.unique(cells["place"], return_inverse=True)
    size = len(places) * len(STATES)
    counts = np.bincount(which * len(STATES) + cells["kind"], weights=cells["count"], minlength=size)
    rows = _empty(places, platform, carriers)
    rows["counts"] = counts.reshape(len(places), len(STATES))
    return rows


def _empty(places: npt.NDArray[np.int64], platform: Platform, carriers: tuple[str, ...]) -> Prefixes:
    """Rows of prefixes with their owner and region and nothing counted."""
    rows = np.zeros(len(places), PREFIX)
    rows["prefix"], rows["capacity"] = places, BLOCK
    shards, which = np.unique(places // _BLOCKS, return_inverse=True)
    index = {code: at for at, code in enumerate(carriers)}
    owners = np.array([index.get(platform.plan.owner(int(shard)) or "", -1) for shard in shards], np.int8)
    regions = [regions_of_shard(int(shard)) for shard in shards]
    if len(shards):
        rows["owner"], rows["region"] = owners[which], np.array(regions)[which, places % _BLOCKS]
    return rows


# Capacity -------------------------------------------------------------------------------------------------------------
def _with_capacity(tx: Tx, platform: Platform, carriers: tuple[str, ...], rows: Prefixes) -> Prefixes:
    """The rows with the capacity of their prefixes, and how much of it was never sold.

    A carrier that gave an allocation file has what that says, and rows also for prefixes of which no number is known; any
    other has all ten thousand numbers of each prefix that appears.
    """
    for code, one in allocations.latest(tx).items():
        if code not in carriers:
            continue
        owner = carriers.index(code)
        prefixes, capacity = blocks_of(allocations.ranges_of(tx, one.id))
        new = _empty(np.setdiff1d(prefixes, rows["prefix"]), platform, carriers)
        rows = np.sort(np.concatenate([rows, new]), order="prefix")
        rows["capacity"][rows["owner"] == owner] = 0
        at = np.searchsorted(rows["prefix"], prefixes)
        rows["capacity"][at], rows["owner"][at] = capacity, owner
    never = rows["capacity"] - rows["counts"].sum(axis=1)
    rows["counts"][:, STATES.index(PoolState.NEVER_SOLD)] = np.maximum(never, 0)
    return rows


def blocks_of(ranges: list[allocations.Range]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The prefixes that some ranges touch, ascending, and how many numbers of each they hold."""
    places, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for first, last in ranges:
        blocks = np.arange(first // BLOCK, last // BLOCK + 1, dtype=np.int64)
        places.append(blocks)
        counts.append(np.minimum(last, blocks * BLOCK + BLOCK - 1) - np.maximum(first, blocks * BLOCK) + 1)
    found, which = np.unique(np.concatenate(places), return_inverse=True)
    return found, np.bincount(which, weights=np.concatenate(counts), minlength=len(found)).astype(np.int64)
