"""What became of events, as partners and pages see it: each with the attempts that were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from huanxin.store.database import Tx
from huanxin.store.notify.deliveries import DELIVERY, Delivery


def get(tx: Tx, partner_id: int, jti: str) -> Delivery | None:
    """An event of a partner by its id; None for another's as for none."""
    with tx.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(f"{DELIVERY} WHERE d.partner_id = %s AND d.jti = %s", (partner_id, jti)).fetchone()


def latest(
    tx: Tx, partner_id: int, *, notice_id: str | None = None, undelivered: bool = False, limit: int = 100, offset: int = 0
) -> list[Delivery]:
    """A partner's events, newest first; of one notice, or only those that it has not taken."""
    with tx.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(
            f"{DELIVERY} WHERE d.partner_id = %s AND (%s::text IS NULL OR d.notice_id = %s)"
            " AND (NOT %s OR d.delivered_at IS NULL) ORDER BY d.seq DESC LIMIT %s OFFSET %s",
            (partner_id, notice_id, notice_id, undelivered, limit, offset),
        ).fetchall()


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt to deliver an event, and what the partner answered."""

    jti: str
    at: datetime
    status: int | None
    answer: str


def attempts_of(tx: Tx, jtis: Sequence[str]) -> dict[str, list[Attempt]]:
    """Every attempt at some events, by event, oldest first."""
    found: dict[str, list[Attempt]] = {jti: [] for jti in jtis}
    with tx.cursor(row_factory=class_row(Attempt)) as cursor:
        rows = cursor.execute(
            "SELECT jti, at, status, answer FROM delivery_attempt WHERE jti = ANY(%s) ORDER BY at", (list(jtis),)
        )
        for attempt in rows:
            found[attempt.jti].append(attempt)
    return found


def last_taken(tx: Tx, partner_id: int, event: str) -> tuple[datetime, datetime] | None:
    """When the newest event of a name that a partner has taken was made, and when it was taken."""
    row = tx.execute(
        "SELECT created_at, delivered_at FROM delivery WHERE partner_id = %s AND event = %s AND delivered_at IS NOT NULL"
        " ORDER BY seq DESC LIMIT 1",
        (partner_id, event),
    ).fetchone()
    return (row[0], row[1]) if row else None
