"""Counts of the pool by shard and batch as stored, and which facts they count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from pyroaring import BitMap

from huanxin.domain.cells import CELL, Cells
from huanxin.numbersets.sharded import load
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


_SHARDS_OF = """
SELECT shard FROM report_set WHERE report_id = ANY(%(reports)s)
UNION SELECT shard FROM report_void WHERE voided_by = ANY(%(reports)s)
UNION SELECT shard FROM hold_set WHERE hold_id = ANY(%(holds)s)
ORDER BY shard
"""


def shards_of(tx: Tx, *, reports: list[int], holds: list[int]) -> list[int]:
    """The shards that these reports and holds name, or take something back of, ascending."""
    rows = tx.execute(_SHARDS_OF, {"reports": reports, "holds": holds})
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
