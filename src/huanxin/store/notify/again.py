"""Sending events again: those that somebody chose, those that were not taken, those that wait for a new way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from huanxin.domain.partners import RETRACTION
from huanxin.store.database import Tx
from huanxin.store.notify import new_owners
from huanxin.store.notify.deliveries import NOT_CALLED_OFF

_AFRESH = "next_at = least(next_at, %(now)s), tries = 0, tried_days = 0, tried_on = NULL"


def send_again(tx: Tx, partner_id: int, jtis: Sequence[str], now: datetime) -> int:
    """Let some events of a partner be sent again now, whatever came of them; how many events that makes. The retractions of
    a notice follow it once more: a partner that is told again to cut is told again what to spare."""
    return _again(tx, "d.jti = ANY(%(jtis)s)", {"partner_id": partner_id, "jtis": list(jtis), "now": now})


def recover(tx: Tx, partner_id: int, since: datetime, now: datetime) -> int:
    """Let every event made since an instant that the partner has not taken be sent now; how many, and what follows, as
    `send_again`."""
    chosen = "d.created_at >= %(since)s AND d.delivered_at IS NULL"
    return _again(tx, chosen, {"partner_id": partner_id, "since": since, "now": now})


def _again(tx: Tx, chosen: str, values: dict[str, Any]) -> int:
    first = f"{chosen} AND {NOT_CALLED_OFF}"
    statement = f"""
        WITH first AS (
            SELECT d.subject, min(d.seq) AS seq
            FROM delivery d
            WHERE d.partner_id = %(partner_id)s AND {first}
            GROUP BY d.subject
        )
        UPDATE delivery d
        SET {_AFRESH}
        FROM first
        WHERE d.partner_id = %(partner_id)s AND d.subject = first.subject
            AND (({first}) OR (d.seq > first.seq AND d.event = %(retraction)s))
    """
    return tx.execute(statement, values | {"retraction": RETRACTION}).rowcount


def afresh(tx: Tx, partner_id: int, now: datetime) -> None:
    """Let what waits for a partner be sent now, with all its tries before it: it can be reached as it could not before.
    What a worker has in hand is left to it (`record_attempts`)."""
    tx.execute(
        f"UPDATE delivery SET {_AFRESH} WHERE jti IN (SELECT jti FROM delivery WHERE partner_id = %(partner_id)s"
        " AND next_at IS NOT NULL FOR UPDATE SKIP LOCKED)",
        {"partner_id": partner_id, "now": now},
    )
    new_owners.afresh(tx, partner_id, now)
