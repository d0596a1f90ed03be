"""Notices as stored: what each partner was told for each batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What one partner was told for one batch. `required` is what the partner was when it was told; `answer_by`: the end of
    its own time, which began then."""

    id: str
    batch_id: int
    partner_id: int
    partner: str
    kind: str
    required: bool
    sent_at: datetime
    sent_by: str
    """empty if nobody kept it"""
    answer_by: datetime
    delivered_at: datetime | None
    attempts: int


_ANSWER_BY = "coalesce(n.answer_by, b.answer_by)"
_SELECT = f"""
SELECT n.id, n.batch_id, n.partner_id, p.name AS partner, p.kind, n.required, n.sent_at, n.sent_by,
    {_ANSWER_BY} AS answer_by, d.delivered_at, coalesce(d.attempts, 0) AS attempts
FROM notice n
JOIN batch b ON b.id = n.batch_id
JOIN partner p ON p.id = n.partner_id
LEFT JOIN LATERAL (SELECT delivered_at,
    attempts FROM delivery WHERE notice_id = n.id ORDER BY seq LIMIT 1) d ON true
"""


def get(tx: Tx, notice_id: str) -> Notice | None:
    with tx.cursor(row_factory=class_row(Notice)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE n.id = %s", (notice_id,)).fetchone()


def of_batch(tx: Tx, batch_id: int) -> list[Notice]:
    """The notices of a batch, in the order of partners."""
    with tx.cursor(row_factory=class_row(Notice)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE n.batch_id = %s ORDER BY n.partner_id", (batch_id,)).fetchall()


_TOLD = f"""
SELECT n.id, n.batch_id, n.partner_id, p.name AS partner, p.kind, n.required, n.sent_at, n.sent_by,
    {_ANSWER_BY} AS answer_by, NULL AS delivered_at, 0 AS attempts
FROM notice n
JOIN batch b ON b.id = n.batch_id
JOIN partner p ON p.id = n.partner_id
WHERE n.batch_id = %s
ORDER BY n.partner_id
"""


def told(tx: Tx, batch_id: int) -> list[Notice]:
    """The same without what became of the events that told of them: nobody has to look through those to judge answers."""
    with tx.cursor(row_factory=class_row(Notice)) as cursor:
        return cursor.execute(
            _TOLD,
            (batch_id,), binary=True,
        ).fetchall()  # fmt: skip


def of_partner(tx: Tx, partner_id: int) -> list[Notice]:
    """The notices of a partner, newest first."""
    with tx.cursor(row_factory=class_row(Notice)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE n.partner_id = %s ORDER BY n.batch_id DESC", (partner_id,)).fetchall()
