"""Batches that somebody at the console wants planned: a worker does it, since that reads every report there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from huanxin.store import jobs
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Planning:
    """One wish, for a carrier or all (None). `ended_at`: None while it waits or is under way; `batch_id`: what came of it,
    None if nothing was due."""

    id: int
    carrier: str | None
    ordered_by: str
    ordered_at: datetime
    batch_id: int | None
    ended_at: datetime | None


_SELECT = """
SELECT p.id, p.carrier, p.ordered_by, p.ordered_at, e.batch_id, e.ended_at
FROM planning p
LEFT JOIN planning_end e ON e.planning_id = p.id
"""


def order(tx: Tx, *, carrier: str | None, by: str, at: datetime) -> int:
    """Record the wish, and have a worker carry it out; its id."""
    row = tx.execute(
        "INSERT INTO planning (carrier, ordered_by, ordered_at) VALUES (%s, %s, %s) RETURNING id", (carrier, by, at)
    ).fetchone()
    assert row is not None
    jobs.put(tx, jobs.PLANNING, row[0], at=at)
    return int(row[0])


def end(tx: Tx, planning_id: int, *, batch_id: int | None, at: datetime) -> None:
    """Record what came of it."""
    tx.execute(
        "INSERT INTO planning_end (planning_id, batch_id, ended_at) VALUES (%s, %s, %s)",
        (planning_id, batch_id, at),
    )


def get(tx: Tx, planning_id: int) -> Planning | None:
    with tx.cursor(row_factory=class_row(Planning)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE p.id = %s", (planning_id,)).fetchone()


def waiting(tx: Tx) -> list[Planning]:
    """The wishes that were not carried out yet, oldest first."""
    with tx.cursor(row_factory=class_row(Planning)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE e.planning_id IS NULL ORDER BY p.id").fetchall()
