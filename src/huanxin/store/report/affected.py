"""Which batches a report touches: it says of some of their numbers that they left the freeze after the batch was planned.

A day's report of a country names none of most batches' numbers, so whoever judges a batch need not read it. A report that
nobody has looked at yet may touch any batch. What was found holds for good: sets of reports and batches never change, and a
batch is planned while no report is being recorded, so that those it did not know find it when they are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyroaring import BitMap

from huanxin.domain.leaving import Left, rested
from huanxin.domain.lifecycle import EVENTS, UNFREEZING
from huanxin.numbersets.sharded import NumberSet, load
from huanxin.store.database import Tx
from huanxin.store.plan import batches

_AT_ONCE = 100  # shards in memory at a time
_CODES = [EVENTS.index(event) for event in UNFREEZING]


def look(tx: Tx, only: int | None = None) -> int:
    """Look at the reports (or one) that nobody has looked at; how many those were."""
    new = [int(row[0]) for row in tx.execute(
        "SELECT r.id FROM report r WHERE r.id = coalesce(%s, r.id)"
        " AND NOT EXISTS (SELECT FROM report_touch t WHERE t.report_id = r.id) ORDER BY r.id",
        (only,),
    )]  # fmt: skip
    touched: dict[int, set[int]] = {report: set() for report in new}
    rows = tx.execute(
        "SELECT DISTINCT shard FROM report_set WHERE report_id = ANY(%s) AND event = ANY(%s) ORDER BY shard", (new, _CODES)
    )
    shards = [int(row[0]) for row in rows]
    for start in range(0, len(shards), _AT_ONCE):
        _look_in(tx, shards[start : start + _AT_ONCE], touched)
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO report_touch (report_id, batches) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [(report, sorted(batches)) for report, batches in touched.items()],
        )
    return len(new)


def note(tx: Tx, report_id: int, left: Iterable[tuple[int, Left]]) -> None:
    """Note which batches a report touches, by what it took out of the freeze, given with its shard."""
    found = {one.batch_id for one in batches.renewed_since(tx, rested(left, *UNFREEZING))}
    tx.execute(
        "INSERT INTO report_touch (report_id, batches) VALUES (%s, %s) ON CONFLICT DO NOTHING", (report_id, sorted(found))
    )


def mended(tx: Tx, report_id: int, numbers: NumberSet) -> None:
    """Note that a report mended what others said of some numbers: it touches every batch that holds one of them."""
    rows = tx.execute(
        "SELECT s.batch_id, s.shard, s.numbers FROM batch_set s JOIN batch b ON b.id = s.batch_id"
        " WHERE b.purpose = 'renewal' AND s.shard = ANY(%s)",
        (list(numbers.shards),), binary=True,
    )  # fmt: skip
    touched = {batch for batch, shard, stored in rows if load(stored).intersect(numbers.shards[shard])}
    tx.execute("INSERT INTO report_touch (report_id, batches) VALUES (%s, %s)", (report_id, sorted(touched)))


def _look_in(tx: Tx, shards: list[int], touched: dict[int, set[int]]) -> None:
    """Add what is touched in some shards. A batch that every one of the reports touches is looked at no more."""
    done = set.intersection(*touched.values())
    planned = tx.execute(
        "SELECT s.shard, s.batch_id, b.seen_report, s.numbers FROM batch_set s JOIN batch b ON b.id = s.batch_id"
        " WHERE s.shard = ANY(%s) AND b.purpose = 'renewal' AND b.seen_report < %s AND b.id <> ALL(%s)",
        (shards, max(touched), sorted(done)), binary=True,
    ).fetchall()  # fmt: skip
    of_shard: dict[int, list[tuple[int, int, bytes]]] = {}
    for shard, batch, seen, numbers in planned:
        of_shard.setdefault(shard, []).append((batch, seen, numbers))
    said = tx.execute(
        "SELECT shard, report_id, numbers FROM report_set WHERE shard = ANY(%s) AND report_id = ANY(%s)"
        " AND event = ANY(%s) ORDER BY shard",
        (list(of_shard), list(touched), _CODES), binary=True,
    )  # fmt: skip
    now, ours = -1, list[tuple[int, int, BitMap]]()
    for shard, report, stored in said:
        if shard != now:
            now, ours = shard, [(batch, seen, load(numbers)) for batch, seen, numbers in of_shard[shard]]
        theirs = load(stored)
        for batch, seen, numbers in ours:
            if seen < report and batch not in touched[report] and numbers.intersect(theirs):
                touched[report].add(batch)


_REPORTS_OF = """
SELECT r.id
FROM batch b
JOIN report r ON r.id > b.seen_report
LEFT JOIN report_touch t ON t.report_id = r.id
WHERE b.id = %s AND (t.report_id IS NULL OR b.id = ANY(t.batches))
ORDER BY r.id
"""


def reports_of(tx: Tx, batch_id: int) -> list[int]:
    """The later reports that touch a batch, or that nobody has looked at."""
    return [int(row[0]) for row in tx.execute(_REPORTS_OF, (batch_id,))]
