"""Which partner was asked of which batch, and what operators waived of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class BatchAsked:
    """One partner's notice of one batch of `numbers`, and how many of them operators waived, the first time at
    `waived_at`."""

    batch_id: int
    numbers: int
    partner_id: int
    partner: str
    required: bool
    sent_at: datetime
    answer_by: datetime
    waived: int
    waived_at: datetime | None


_OF_CARRIER = """
SELECT n.batch_id, b.count AS numbers, n.partner_id, p.name AS partner, n.required, n.sent_at,
    coalesce(n.answer_by, b.answer_by) AS answer_by, coalesce(w.waived, 0) AS waived, w.waived_at
FROM notice n
JOIN batch b ON b.id = n.batch_id
JOIN partner p ON p.id = n.partner_id
LEFT JOIN (
    SELECT batch_id, partner_id, sum(count)::int8 AS waived, min(waived_at) AS waived_at
    FROM waiver
    WHERE NOT EXISTS (SELECT FROM waiver_withdrawal x WHERE x.waiver_id = waiver.id)
    GROUP BY batch_id, partner_id
) w ON w.batch_id = n.batch_id AND w.partner_id = n.partner_id
WHERE b.id IN (
    SELECT c.id
    FROM batch c
    WHERE c.purpose = 'renewal' AND EXISTS (SELECT FROM batch_span s WHERE s.batch_id = c.id AND s.carrier = %s)
    ORDER BY c.id DESC
    LIMIT %s
)
ORDER BY n.batch_id, n.partner_id
"""


def of_carrier(tx: Tx, carrier: str, *, newest: int) -> list[BatchAsked]:
    """What every partner was asked of the newest renewal batches that have numbers of a carrier, by batch and partner."""
    with tx.cursor(row_factory=class_row(BatchAsked)) as cursor:
        return cursor.execute(_OF_CARRIER, (carrier, newest)).fetchall()
