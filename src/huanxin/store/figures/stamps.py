"""What a batch's figures depend on, defined once: a stamp changes whenever a fact is recorded that they are counted from.

Facts are counted, since they are numbered before they are committed: a lower number may come after a higher one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from huanxin.store.database import Tx

_STAMPS = """
WITH back AS (
    SELECT b.id, array(SELECT r.id FROM batch r WHERE r.retracts = b.id ORDER BY r.id) AS ids
    FROM batch b
    WHERE b.purpose = 'renewal' AND (b.id = ANY(%(ids)s) OR (%(ids)s::int8[] IS NULL
        AND NOT EXISTS (SELECT FROM batch_call_off o WHERE o.batch_id = b.id)))
)
SELECT b.id,
    EXISTS (SELECT FROM notice WHERE batch_id = b.id),
    ROW(
        (SELECT count(*) FROM notice WHERE batch_id = b.id OR batch_id = ANY(back.ids)),
        (SELECT count(*) FROM receipt WHERE batch_id = b.id OR batch_id = ANY(back.ids)),
        (SELECT ROW(count(*), count(x.waiver_id))
            FROM waiver w LEFT JOIN waiver_withdrawal x ON x.waiver_id = w.id WHERE w.batch_id = b.id),
        (SELECT count(*) FROM release WHERE batch_id = b.id),
        back.ids
    )::text,
    ROW(
        (SELECT ROW(count(*), max(e.id))
            FROM report e LEFT JOIN report_touch t ON t.report_id = e.id
            WHERE e.id > b.seen_report AND (t.report_id IS NULL OR b.id = ANY(t.batches))),
        (SELECT ROW(count(DISTINCT h.hold_id), count(DISTINCT l.hold_id))
            FROM hold_set h
            JOIN batch_set s ON s.batch_id = b.id AND s.shard = h.shard
            LEFT JOIN hold_lift l ON l.hold_id = h.hold_id)
    )::text
FROM back JOIN batch b ON b.id = back.id
ORDER BY b.id
"""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a batch's figures depend on. `own`: its notices, answers, waivers, releases and retractions; `around`: the
    reports that affect it (`store.report.affected`) and holds on any of its shards."""

    sent: bool
    own: str
    around: str

    def __str__(self) -> str:
        return f"{self.own} {self.around}"


def of_batches(tx: Tx, batch_ids: Iterable[int] | None = None) -> dict[int, Stamp]:
    """The stamps of renewal batches, some or all that stand, by batch."""
    ids = None if batch_ids is None else list(batch_ids)
    rows = tx.execute(_STAMPS, {"ids": ids}).fetchall()
    return {int(batch): Stamp(sent=sent, own=str(own), around=str(around)) for batch, sent, own, around in rows}


def of_past(tx: Tx) -> str:
    """What carriers' histories are made of: reports and releases."""
    row = tx.execute("SELECT ROW((SELECT count(*) FROM report), (SELECT count(*) FROM release))::text").fetchone()
    assert row is not None
    return str(row[0])
