"""What tells how a platform fares, for whoever watches it: what waits, how long, what fails. Counts and ages, no number.

Each statement reads what waits, by indexes, and not what is done: it costs as much after years.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """The events that wait for one partner: how many, how many of them were tried in vain, and since when the oldest."""

    partner: str
    waiting: int
    failing: int
    oldest: datetime


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """Jobs of a kind: how many are due, how many of all failed the last time, and since when the oldest is due."""

    kind: str
    due: int
    failing: int
    oldest: datetime | None


_OUTBOX = """
SELECT p.name AS partner, count(*) AS waiting, count(*) FILTER (WHERE d.tries > 0) AS failing, min(d.created_at) AS oldest
FROM delivery d
JOIN partner p ON p.id = d.partner_id
WHERE d.next_at IS NOT NULL
GROUP BY p.name
ORDER BY p.name
"""
_JOBS = """
SELECT kind, count(*) FILTER (WHERE next_at <= %(now)s) AS due, count(*) FILTER (WHERE tries > 0) AS failing,
    min(next_at) FILTER (WHERE next_at <= %(now)s) AS oldest
FROM job
WHERE next_at IS NOT NULL
GROUP BY kind
ORDER BY kind
"""


def outbox(tx: Tx) -> list[Outbox]:
    with tx.cursor(row_factory=class_row(Outbox)) as cursor:
        return cursor.execute(_OUTBOX).fetchall()


def job_kinds(tx: Tx, now: datetime) -> list[JobKind]:
    with tx.cursor(row_factory=class_row(JobKind)) as cursor:
        return cursor.execute(_JOBS, {"now": now}).fetchall()


def last_reports(tx: Tx) -> dict[str, datetime]:
    """When each carrier's last report was taken."""
    rows = tx.execute(
        "SELECT DISTINCT ON (carrier) carrier, recorded_at FROM report WHERE kind = 'report' ORDER BY carrier, id DESC"
    )
    return dict(rows.fetchall())
