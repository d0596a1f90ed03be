"""Things that are done again and again, by one worker at a time: whoever gets the row's lock does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from huanxin.domain.clock import APART, lasts
from huanxin.store.database import Tx

_LONGEST = timedelta(days=1)


def claim(tx: Tx, name: str, now: datetime) -> int | None:
    """Take a thing that is due, for this transaction; how often it failed in a row. None if it isn't due, or another
    worker is at it."""
    known = tx.execute("SELECT next_at FROM recurring WHERE name = %s", (name,)).fetchone()
    if known is None:
        tx.execute("INSERT INTO recurring (name, next_at) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, now))
    elif lasts(known[0], _LONGEST, now):
        return None
    row = tx.execute(
        "SELECT failures FROM recurring WHERE name = %s AND (next_at <= %s OR next_at > %s) FOR UPDATE SKIP LOCKED",
        (name, now, now + _LONGEST + APART),
    ).fetchone()
    return None if row is None else int(row[0])


def failing(tx: Tx, names: Sequence[str]) -> set[str]:
    """Those of some things that failed the last time."""
    rows = tx.execute("SELECT name FROM recurring WHERE name = ANY(%s) AND failures > 0", (list(names),))
    return {name for (name,) in rows}


def done(tx: Tx, name: str, *, next_at: datetime, failures: int = 0) -> None:
    """Say when a claimed thing is due again, and how often it has failed in a row."""
    tx.execute("UPDATE recurring SET next_at = %s, failures = %s WHERE name = %s", (next_at, failures, name))
