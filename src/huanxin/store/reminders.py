"""Reminders as stored: which steps of which notices were decided, and what the operator's webhook is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.domain.deadlines import OVERDUE
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A notice whose last step was not decided yet; `decided` are those that were."""

    id: str
    batch_id: int
    answer_by: datetime
    sent_at: datetime
    decided: list[str]


def waiting(tx: Tx, until: datetime) -> list[Waiting]:
    """The notices to be answered until an instant whose last step was not decided. No answer is read for this."""
    with tx.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            "SELECT n.id, n.batch_id, b.answer_by, n.sent_at,"
            " array(SELECT s.step FROM notice_step s WHERE s.notice_id = n.id) AS decided"
            " FROM notice n JOIN batch b ON b.id = n.batch_id WHERE b.answer_by <= %s"
            " AND NOT EXISTS (SELECT 1 FROM notice_step s WHERE s.notice_id = n.id AND s.step = %s)"
            " ORDER BY n.batch_id, n.partner_id",
            (until, OVERDUE),
        ).fetchall()


def decide(tx: Tx, notice_id: str, step: str, *, still_open: bool, at: datetime) -> None:
    """Record that a step of a notice was decided. A second time can't be recorded."""
    tx.execute(
        "INSERT INTO notice_step (notice_id, step, still_open, decided_at) VALUES (%s, %s, %s, %s)",
        (notice_id, step, still_open, at),
    )


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """What the operator's webhook is to be told."""

    id: int
    body: dict[str, Any]
    tries: int
    tried_days: int
    tried_on: date | None


def add_escalation(tx: Tx, *, batch_id: int, body: dict[str, Any], at: datetime) -> None:
    tx.execute(
        "INSERT INTO escalation (batch_id, body, created_at, next_at) VALUES (%s, %s, %s, %s)",
        (batch_id, Jsonb(body), at, at),
    )


def claim_escalation(tx: Tx, now: datetime) -> Escalation | None:
    """The escalation that has waited longest, locked for this transaction."""
    with tx.cursor(row_factory=class_row(Escalation)) as cursor:
        return cursor.execute(
            "SELECT id, body, attempts AS tries, tried_days, tried_on FROM escalation WHERE next_at <= %s"
            " ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED",
            (now,),
        ).fetchone()


def record_escalation(
    tx: Tx, escalation_id: int, *, at: datetime, answer: str, next_at: datetime | None, taken: bool
) -> None:
    """Record what the webhook answered to an escalation."""
    tx.execute(
        "UPDATE escalation SET attempts = attempts + 1, tried_days = tried_days + (tried_on IS DISTINCT FROM %s)::integer,"
        " tried_on = %s, answer = %s, next_at = %s, delivered_at = %s WHERE id = %s",
        (at.date(), at.date(), answer, next_at, at if taken else None, escalation_id),
    )
