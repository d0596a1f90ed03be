"""What waits until an instant, and can't wait longer than so long."""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg import sql

from huanxin.domain.clock import APART
from huanxin.store.database import Tx

_LONGEST = {
    "delivery": timedelta(days=1), "recycled_feed": timedelta(days=1), "escalation": timedelta(days=1),
    "request_news": timedelta(days=90),
}  # fmt: skip


def let_go(tx: Tx, now: datetime) -> int:
    """Let everything be due now that waits longer than anything of its kind may: a clock that ran ahead has put it off. How
    many there were."""
    found = 0
    for table, longest in _LONGEST.items():
        done = tx.execute(
            sql.SQL("UPDATE {} SET next_at = %s WHERE next_at > %s").format(sql.Identifier(table)),
            (now, now + longest + APART),
        )
        found += done.rowcount
    return found
