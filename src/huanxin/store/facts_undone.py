"""Facts that undo others, each with who undid it and why: the other half of `store.facts`, by the same rules.

What was undone stays on record; whoever reads facts leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from huanxin.store.database import Tx, recording_facts
from huanxin.store.notify.deliveries import tell_watchers
from huanxin.store.report import settled


def batch_call_off(tx: Tx, batch_id: int, *, reason: str, by: str, at: datetime) -> None:
    """Record that a batch of which nobody was told is called off."""
    recording_facts(tx)
    tx.execute(
        "INSERT INTO batch_call_off (batch_id, reason, called_off_by, called_off_at) VALUES (%s, %s, %s, %s)",
        (batch_id, reason, by, at),
    )
    settled.plan_anew(tx)


def waiver_withdrawal(tx: Tx, waiver_id: int, *, reason: str, by: str, at: datetime) -> None:
    """Record that what a waiver covers is waited for again."""
    recording_facts(tx)
    tx.execute(
        "INSERT INTO waiver_withdrawal (waiver_id, reason, withdrawn_by, withdrawn_at) VALUES (%s, %s, %s, %s)",
        (waiver_id, reason, by, at),
    )


def request_mend(tx: Tx, request_id: str, *, report_id: int, opened_on: date | None, of_day: int) -> None:
    """Record that an order goes on with its tenure, as a report that mends others names it now."""
    tx.execute(
        "INSERT INTO request_mend (request_id, report_id, opened_on, of_day) VALUES (%s, %s, %s, %s)",
        (request_id, report_id, opened_on, of_day),
    )


_REQUEST_CALL_OFF = """
WITH waits AS (
    SELECT n.id, n.partner_id
    FROM request_notice n
    WHERE n.request_id = %(request)s AND n.partner_id = ANY(%(partners)s) AND
        NOT EXISTS (SELECT 1 FROM request_answer a WHERE a.notice_id = n.id) AND
        NOT EXISTS (SELECT 1 FROM request_call_off o WHERE o.notice_id = n.id)
), free AS (
    SELECT d.jti
    FROM delivery d
    JOIN waits w ON w.id = d.notice_id
    WHERE d.delivered_at IS NULL
    FOR UPDATE OF d SKIP LOCKED
), stopped AS (UPDATE delivery d SET next_at = NULL FROM free WHERE d.jti = free.jti RETURNING d.jti), off AS (
    INSERT INTO request_call_off (notice_id, called_off_at, called_off_by, reason)
    SELECT w.id, %(at)s, %(by)s, %(reason)s
    FROM waits w
    WHERE NOT EXISTS (
        SELECT 1
        FROM delivery d
        WHERE d.notice_id = w.id AND d.jti NOT IN (SELECT jti FROM stopped)
    )
    RETURNING notice_id
)
SELECT w.partner_id
FROM off
JOIN waits w ON w.id = off.notice_id
ORDER BY 1
"""


def request_call_off(
    tx: Tx, request_id: str, partner_ids: Sequence[int], *, by: str, reason: str = "", at: datetime
) -> list[int]:
    """Call a request off at those of some partners that were not told of it and have not answered; at which that was done.
    An event that a worker holds is on its way."""
    rows = tx.execute(
        _REQUEST_CALL_OFF,
        {"request": request_id, "partners": list(partner_ids), "at": at, "by": by, "reason": reason},
    ).fetchall()
    tell_watchers(tx, [request_id] if rows else [])
    return [partner_id for (partner_id,) in rows]
