"""What of the outbox waits until an instant, and can't wait longer than so long."""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg import sql

from huanxin.domain.clock import APART
from huanxin.store.database import Tx

_TABLES, _LONGEST = ("delivery", "recycled_feed"), timedelta(days=1)


def let_go(tx: Tx, now: datetime) -> int:
    """Let everything be due now that waits longer than anything of its kind may: a clock that ran ahead has put it off. How
    many there were."""
    found = 0
    for table in _TABLES:
        done = tx.execute(
            sql.SQL("UPDATE {} SET next_at = %s WHERE next_at > %s").format(sql.Identifier(table)),
            (now, now + _LONGEST + APART),
        )
        found += done.rowcount
    return found
