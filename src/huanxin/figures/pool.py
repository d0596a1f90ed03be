"""The pool, counted: cells by shard and by batch, each made again only when its facts changed, and added up for the pages.

Reports and holds change the cells of the shards that they name; whatever a batch's figures depend on
(`store.figures.stamps`) changes those of the batch.
Nothing here holds more than some shards, or one batch, at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

import numpy as np
from pyroaring import BitMap

from huanxin.acts.platform import Platform
from huanxin.domain.cells import CELL, NEVER, Cells, day_number, summed, tally
from huanxin.domain.pool import CellKind, of_batch, of_shard
from huanxin.domain.regions import BLOCK
from huanxin.figures.pool_sums import Sums, add_up
from huanxin.figures.projection import Projection, everything
from huanxin.numbersets.sharded import SHARD_SIZE, values_of
from huanxin.release.gate import LoadedGate, load_gate
from huanxin.store.database import Tx
from huanxin.store.figures import pool, stamps
from huanxin.store.figures.summaries import SummaryKind
from huanxin.store.plan import holds
from huanxin.store.report import affected, settled

AT_ONCE = 50  # shards in memory at a time
_BLOCKS = SHARD_SIZE // BLOCK


def make(tx: Tx, platform: Platform, keys: Collection[str] = ("",)) -> Mapping[str, Sums]:
    """The pool's sums, under no key."""
    count(tx, platform)
    return dict.fromkeys(keys, add_up(tx, platform))


POOL = Projection(
    kind=SummaryKind("pool", Sums), facts=lambda tx, platform: {"": everything(tx, platform)}, make=make,
    rest=timedelta(minutes=1),
)  # fmt: skip
"""It takes seconds at a country's size, so it rests before it is made again."""


def count(tx: Tx, platform: Platform) -> tuple[int, int]:
    """Make the cells that are stale; how many shards and batches that were.

    What is stale is asked before the facts are read: a fact that comes meanwhile is counted again the next time.
    """
    until = {one.id: one.until_day for one in holds.all_holds(tx) if one.binds(platform.today())}
    binding = list(until)
    affected.look(tx)
    bound = pool.seen(tx, "hold")
    new = pool.uncounted_reports(tx)
    current = {key: f"{stamp} {binding}" for key, stamp in stamps.of_batches(tx).items()}
    counted = pool.seen(tx, "batch")
    shards = pool.shards_of(tx, reports=new, holds=sorted(set(binding) ^ set(bound)))
    for start in range(0, len(shards), AT_ONCE):
        _count_shards(tx, platform, shards[start : start + AT_ONCE], until)
    stale = {key: stamp for key, stamp in current.items() if counted.get(key) != stamp}
    for key in stale:
        loaded = load_gate(platform.within(tx), key)
        pool.put(tx, batch_id=key, by_shard=dict(_by_shard(batch_cells(loaded, until))))
    called_off = counted.keys() - current.keys()
    for key in called_off:
        pool.put(tx, batch_id=key, by_shard={})
    pool.forget(tx, "batch", called_off)
    pool.forget(tx, "hold", set(bound) - set(binding))
    pool.see(tx, "hold", dict.fromkeys(binding, ""))
    pool.see(tx, "report", dict.fromkeys(new, ""))
    pool.see(tx, "batch", stale)
    return len(shards), len(stale)


def _count_shards(tx: Tx, platform: Platform, shards: list[int], until: Mapping[int, date]) -> None:
    """Count what reports and holds (`until`: the last day of each) say of some shards."""
    held = pool.held_in(tx, shards=shards, holds=list(until))
    made: dict[int, Cells] = {}
    for shard, state in settled.states(tx, shards):
        ends = _by_end(held.get(shard, {}), until)
        spans = of_shard(state, platform.plan.owner(shard), BitMap.union(BitMap(), *(some for _, some in ends)))
        made[shard] = summed([
            _cells_of(shard, kind, day, places & some, 0 if day is None else _held_days(day, end))
            for (kind, day), places in spans.items()
            for end, some in (ends if kind is CellKind.HELD else ((date.min, places),))
        ])  # fmt: skip
    pool.put(tx, batch_id=pool.REPORTS, by_shard=made)


def _by_end(held: Mapping[int, BitMap], until: Mapping[int, date]) -> list[tuple[date, BitMap]]:
    """What holds name, by the last day on which any of them binds it; each once."""
    found, seen = [], BitMap()
    for hold in sorted(held, key=until.__getitem__, reverse=True):
        found.append((until[hold], held[hold] - seen))
        seen = seen | held[hold]
    return found


def _held_days(closed: date, end: date) -> int:
    """For how many days after its cancellation a number is held: so many as a freeze that would end as late (rule 1)."""
    return min(max((end - closed).days, 0), NEVER)


def _cells_of(shard: int, kind: CellKind, day: date | None, places: BitMap, held_days: int) -> Cells:
    """One cell for each block that some numbers of a shard lie in."""
    counts = np.bincount(values_of(places) // BLOCK, minlength=_BLOCKS)
    blocks = np.flatnonzero(counts)
    cells = np.zeros(len(blocks), CELL)
    cells["place"], cells["count"] = shard * _BLOCKS + blocks, counts[blocks]
    cells["kind"], cells["closed"], cells["freeze"] = kind, 0 if day is None else day_number(day), held_days
    return cells


def batch_cells(loaded: LoadedGate, until: Mapping[int, date]) -> Cells:
    """The cells of a batch. What is held is left out: its shard counts it, in whatever batch it is; but for what the end of
    the hold (`until`: the last day of each) doesn't free."""
    gate, numbers = loaded.gate, loaded.roster.numbers
    kinds = np.full(len(numbers), CellKind.HELD, np.int8)
    for kind, places in of_batch(gate).items():
        kinds[values_of(places)] = kind
    left = BitMap.union(BitMap(), *gate.retracted.values())
    kinds[values_of(left)] = CellKind.HELD
    closed = np.zeros(len(numbers), np.int32)
    for (_, day), places in gate.spans.items():
        closed[values_of(places)] = day_number(day)
    rests = np.where(kinds == CellKind.HELD_ANYWAY, 0, loaded.batch.freeze_days)
    for end, places in _by_end(gate.held, until):
        at = values_of(places)
        rests[at] = np.clip(day_number(end) - closed[at], 0, NEVER)
    kept = kinds != CellKind.HELD
    return tally(numbers[kept] // BLOCK, kinds[kept], closed[kept], freeze=rests[kept])


def _by_shard(cells: Cells) -> Iterator[tuple[int, Cells]]:
    shards, starts = np.unique(cells["place"] // _BLOCKS, return_index=True)
    yield from zip(shards.tolist(), np.split(cells, starts[1:]), strict=True) if len(shards) else ()
