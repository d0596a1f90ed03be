"""Reminders as stored: which steps of which notices were decided, and what the operator's webhook is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.domain.deadlines import OVERDUE
from huanxin.store import jobs
from huanxin.store.database import Tx, storable


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A notice of which a step may fall due; `decided` are those that were. `told_at`: when the partner last filed
    something."""

    id: str
    batch_id: int
    answer_by: datetime
    sent_at: datetime
    told_at: datetime | None
    decided: list[str]


_WAITING = """
WITH decided AS (
    SELECT notice_id, array_agg(step) AS steps, max(decided_at) AS at,
        (array_agg(still_open ORDER BY decided_at DESC))[1] AS still_open
    FROM notice_step
    GROUP BY notice_id
), filed AS (
    SELECT notice_id, max(received_at) AS at, bool_or(counts ? 'pending') AS pending
    FROM receipt
    GROUP BY notice_id
)
SELECT n.id, n.batch_id, coalesce(n.answer_by, b.answer_by) AS answer_by, n.sent_at, f.at AS told_at,
    coalesce(d.steps, '{}') AS decided
FROM notice n
JOIN batch b ON b.id = n.batch_id
LEFT JOIN decided d ON d.notice_id = n.id
LEFT JOIN filed f ON f.notice_id = n.id
WHERE coalesce(n.answer_by, b.answer_by) <= %s AND (d.steps IS NULL OR NOT %s = ANY(d.steps)
    OR (f.pending AND (d.still_open OR f.at >= d.at)))
ORDER BY n.batch_id, n.partner_id
"""


def waiting(tx: Tx, until: datetime) -> list[Waiting]:
    """The notices to be answered until an instant of which the overdue step was not decided, or which their partners may
    still owe an answer that they said was pending. No answer is read for this."""
    with tx.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            _WAITING,
            (until, OVERDUE),
        ).fetchall()


def decide(tx: Tx, notice_id: str, step: str, *, still_open: bool, at: datetime) -> None:
    """Record that a step of a notice was decided. A second time can't be recorded."""
    tx.execute(
        "INSERT INTO notice_step (notice_id, step, still_open, decided_at) VALUES (%s, %s, %s, %s)",
        (notice_id, step, still_open, at),
    )


def add_escalation(tx: Tx, *, batch_id: int, body: dict[str, Any], at: datetime) -> None:
    """Record what the operator's webhook is to be told, and have a worker tell it."""
    row = tx.execute(
        "INSERT INTO escalation (batch_id, body, created_at) VALUES (%s, %s, %s) RETURNING id", (batch_id, Jsonb(body), at)
    ).fetchone()
    assert row is not None
    jobs.put(tx, jobs.ESCALATION, row[0], at=at)


def escalation(tx: Tx, escalation_id: int) -> dict[str, Any]:
    """What the operator's webhook is to be told."""
    row = tx.execute("SELECT body FROM escalation WHERE id = %s", (escalation_id,)).fetchone()
    assert row is not None
    return dict(row[0])


def record_escalation(tx: Tx, escalation_id: int, *, at: datetime, answer: str, taken: bool) -> None:
    """Record what the webhook answered to an escalation."""
    tx.execute(
        "UPDATE escalation SET answer = %s, delivered_at = %s WHERE id = %s",
        (storable(answer), at if taken else None, escalation_id),
    )
