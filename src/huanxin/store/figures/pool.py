"""Counts of the pool by shard and batch as stored, and which facts they count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from pyroaring import BitMap

from huanxin.domain.cells import CELL, Cells
from huanxin.numbersets.sharded import NumberSet, dump, load
from huanxin.store.database import Tx

REPORTS = 0
"""In place of a batch: what reports and holds say."""


def uncounted_reports(tx: Tx) -> list[int]:
    """Reports that no cell counts yet. By name rather than by the newest one: an older number may be committed later."""
    return [int(row[0]) for row in tx.execute(
        "SELECT r.id FROM report r WHERE NOT EXISTS (SELECT FROM pool_seen s WHERE s.what = 'report' AND s.id = r.id)"
    )]  # fmt: skip


def seen(tx: Tx, what: str) -> dict[int, str]:
    """The facts of a kind that cells count, with their stamps."""
    return {int(key): str(stamp) for key, stamp in tx.execute("SELECT id, stamp FROM pool_seen WHERE what = %s", (what,))}


def see(tx: Tx, what: str, stamps: Mapping[int, str]) -> None:
    """Note that cells count these facts as they are now."""
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO pool_seen (what, id, stamp) VALUES (%s, %s, %s)"
            " ON CONFLICT (what, id) DO UPDATE SET stamp = excluded.stamp",
            [(what, key, stamp) for key, stamp in stamps.items()],
        )


def forget(tx: Tx, what: str, keys: Iterable[int]) -> None:
    """Note that cells count these facts no more."""
    tx.execute("DELETE FROM pool_seen WHERE what = %s AND id = ANY(%s)", (what, list(keys)))


def shards_of(tx: Tx, *, reports: list[int], holds: list[int]) -> list[int]:
    """The shards that these reports and holds name, ascending."""
    rows = tx.execute(
        "SELECT shard FROM report_set WHERE report_id = ANY(%s) UNION SELECT shard FROM hold_set WHERE hold_id = ANY(%s)"
        " ORDER BY shard",
        (reports, holds),
    )
    return [int(row[0]) for row in rows]


def held_in(tx: Tx, *, shards: list[int], holds: list[int]) -> dict[int, dict[int, BitMap]]:
    """What holds name in some shards, by shard and hold."""
    found: dict[int, dict[int, BitMap]] = {}
    for shard, hold, numbers in tx.execute(
        "SELECT shard, hold_id, numbers FROM hold_set WHERE shard = ANY(%s) AND hold_id = ANY(%s)", (shards, holds),
        binary=True,
    ):  # fmt: skip
        found.setdefault(shard, {})[hold] = load(numbers)
    return found


def batch_stamps(tx: Tx) -> dict[int, str]:
    """By renewal batch: what changes whenever a fact comes that its numbers' states depend on, but for reports and holds."""
    rows = tx.execute(
        "SELECT b.id, ROW((SELECT max(seq) FROM receipt WHERE batch_id = b.id),"
        " (SELECT max(seq) FROM waiver WHERE batch_id = b.id), (SELECT max(id) FROM release WHERE batch_id = b.id),"
        " (SELECT count(*) FROM notice WHERE batch_id = b.id), (SELECT max(id) FROM batch r WHERE r.retracts = b.id))::text"
        " FROM batch b WHERE b.purpose = 'renewal' ORDER BY b.id"
    )
    return {int(key): str(stamp) for key, stamp in rows}


def planned_in(tx: Tx, shards: list[int]) -> dict[int, dict[int, BitMap]]:
    """What renewal batches hold of some shards, by shard and batch."""
    found: dict[int, dict[int, BitMap]] = {}
    rows = tx.execute(
        "SELECT s.shard, b.id, s.numbers FROM batch_set s JOIN batch b ON b.id = s.batch_id"
        " WHERE s.shard = ANY(%s) AND b.purpose = 'renewal'",
        (shards,), binary=True,
    )  # fmt: skip
    for shard, batch_id, numbers in rows:
        found.setdefault(shard, {})[batch_id] = load(numbers)
    return found


def note_left(tx: Tx, left: Mapping[tuple[int, int], BitMap]) -> set[int]:
    """Keep which numbers left the freeze of their batch, by batch and shard; the batches for which that is news."""
    shards = sorted({shard for _, shard in left})
    rows = tx.execute("SELECT batch_id, shard, numbers FROM pool_left WHERE shard = ANY(%s)", (shards,), binary=True)
    known = {(batch_id, shard): load(numbers) for batch_id, shard, numbers in rows}
    news = {key: places for key, places in left.items() if places != known.get(key, BitMap())}
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO pool_left (batch_id, shard, numbers) VALUES (%s, %s, %s)"
            " ON CONFLICT (batch_id, shard) DO UPDATE SET numbers = excluded.numbers",
            [(*key, dump(places)) for key, places in news.items()],
        )
    return {batch_id for batch_id, _ in news}


def left_of(tx: Tx, batch_id: int) -> NumberSet:
    """The numbers that left the freeze of a batch since it was planned."""
    rows = tx.execute("SELECT shard, numbers FROM pool_left WHERE batch_id = %s", (batch_id,), binary=True)
    return NumberSet({shard: load(numbers) for shard, numbers in rows})


def put(tx: Tx, *, batch_id: int, by_shard: Mapping[int, Cells]) -> None:
    """Keep the cells of a batch in place of all those before; of REPORTS, in place of those of the shards named."""
    if batch_id == REPORTS:
        tx.execute("DELETE FROM pool_cells WHERE batch_id = %s AND shard = ANY(%s)", (batch_id, list(by_shard)))
    else:
        tx.execute("DELETE FROM pool_cells WHERE batch_id = %s", (batch_id,))
    with tx.cursor() as cursor, cursor.copy("COPY pool_cells (shard, batch_id, cells) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(("int4", "int8", "bytea"))
        for shard, cells in by_shard.items():
            copy.write_row((shard, batch_id, cells.tobytes()))


def shards_from(tx: Tx, *, first: int, last: int, most: int) -> list[int]:
    """The first shards of a range that have cells, ascending."""
    rows = tx.execute(
        "SELECT DISTINCT shard FROM pool_cells WHERE shard BETWEEN %s AND %s ORDER BY shard LIMIT %s", (first, last, most)
    )
    return [int(row[0]) for row in rows]


def cells_in(tx: Tx, shards: list[int]) -> tuple[list[Cells], list[Cells]]:
    """The cells of some shards: what reports say, and what batches say."""
    own: list[Cells] = []
    batches: list[Cells] = []
    rows = tx.execute("SELECT batch_id, cells FROM pool_cells WHERE shard = ANY(%s)", (shards,), binary=True)
    for batch_id, cells in rows:
        (own if batch_id == REPORTS else batches).append(np.frombuffer(cells, CELL))
    return own, batches
