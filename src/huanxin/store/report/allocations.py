"""What carriers were allotted, as stored: ranges of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, load, shard_of
from huanxin.store.database import Tx

Range = tuple[int, int]
"""The first and the last number."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """A file that names all that a carrier was allotted."""

    id: int
    carrier: str
    file_name: str
    count: int
    recorded_by: str
    recorded_at: datetime


def latest(tx: Tx) -> dict[str, Allocation]:
    """The allocation that holds, by carrier."""
    with tx.cursor(row_factory=class_row(Allocation)) as cursor:
        rows = cursor.execute(
            "SELECT DISTINCT ON (carrier) id, carrier, file_name, count, recorded_by, recorded_at FROM allocation"
            " ORDER BY carrier, id DESC"
        ).fetchall()
    return {one.carrier: one for one in rows}


def allotted(tx: Tx, numbers: Mapping[int, str]) -> set[int]:
    """Those numbers that the allocation of their carrier names, or a baseline as never sold. numbers: number to carrier."""
    known = latest(tx)
    checked = [(number, known[carrier].id) for number, carrier in numbers.items() if carrier in known]
    rows = tx.execute(
        "SELECT w.number FROM unnest(%s::int8[], %s::int8[]) w (number, allocation) WHERE EXISTS (SELECT FROM"
        " allocation_range r WHERE r.allocation_id = w.allocation AND w.number BETWEEN r.first AND r.last)",
        ([number for number, _ in checked], [allocation for _, allocation in checked]),
    )
    found = {number for (number,) in rows}
    unsold = unsold_in(tx, {shard_of(number) for number in numbers})
    return found | {number for number in numbers if number in unsold}


def newest(tx: Tx) -> int:
    """The id of the newest allocation; 0 before the first."""
    return int((tx.execute("SELECT coalesce(max(id), 0) FROM allocation").fetchone() or (0,))[0])


def shards_of(tx: Tx) -> dict[int, str]:
    """Every shard of which a carrier's allocation names numbers, with the carrier that was the first to name some."""
    rows = tx.execute(
        "SELECT DISTINCT ON (s) s, a.carrier FROM allocation_range r JOIN allocation a ON a.id = r.allocation_id,"
        " generate_series(r.first / %(size)s, r.last / %(size)s) s WHERE a.id = ANY(%(known)s) ORDER BY s, a.id",
        {"size": SHARD_SIZE, "known": [one.id for one in latest(tx).values()]},
    )
    return {int(shard): carrier for shard, carrier in rows}


def unsold_in(tx: Tx, shards: Iterable[int]) -> NumberSet:
    """Numbers of some shards that a baseline called never sold. What was reported of them since is not looked at."""
    found: dict[int, BitMap] = {}
    rows = tx.execute(
        "SELECT u.shard, u.numbers FROM unsold_set u WHERE u.shard = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM report w WHERE w.withdraws = u.report_id)",
        (list(shards),), binary=True,
    )  # fmt: skip
    for shard, numbers in rows:
        found[shard] = found.get(shard, BitMap()) | load(numbers)
    return NumberSet(found)


def ranges_of(tx: Tx, allocation_id: int) -> list[Range]:
    """The ranges of an allocation, ascending."""
    rows = tx.execute("SELECT first, last FROM allocation_range WHERE allocation_id = %s ORDER BY first", (allocation_id,))
    return [(int(first), int(last)) for first, last in rows]
