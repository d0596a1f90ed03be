"""Jobs: what a worker does at an instant, once or again and again, by one worker at a time: whoever has the row's lock.

The outbox is not among them (decision 3): events wait for partners, in an order, many at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psycopg.rows import class_row

from huanxin.domain.clock import APART
from huanxin.store.database import Tx

FOLDER, REMINDERS, SUMMARIES, ESCALATION, PLANNING, NEWS, SPELLING, INVENTORY = (
    "folder", "reminders", "summaries", "escalation", "planning", "news", "spelling", "inventory",
)  # fmt: skip
"""The kinds. A folder's key is its stream, the others' are their rows; reminders, summaries, spelling and inventory are one
each."""

_LONGEST = {NEWS: timedelta(days=90)}
_LONG = timedelta(days=1)
"""No job waits longer: what waits so long was put off by a clock that ran ahead, and is due."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job in somebody's hands. `tries`: in vain, in a row, on so many days (UTC); `tried_on` is the last of them."""

    kind: str
    key: str
    tries: int
    tried_days: int
    tried_on: date | None


def put(tx: Tx, kind: str, key: object = "", *, at: datetime) -> None:
    """Have a job done at an instant, also if it was to be done at another."""
    tx.execute(
        "INSERT INTO job (kind, key, next_at) VALUES (%s, %s, %s) ON CONFLICT (kind, key) DO UPDATE SET next_at = %s",
        (kind, str(key), at, at),
    )


def keep(tx: Tx, kind: str, keys: Iterable[object] = ("",), *, at: datetime) -> None:
    """See to it that there are these jobs; those that there are stay as they are."""
    tx.execute(
        "INSERT INTO job (kind, key, next_at) SELECT %s, u.key, %s FROM unnest(%s::text[]) u (key)"
        " WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.kind = %s AND j.key = u.key) ON CONFLICT DO NOTHING",
        (kind, at, [str(key) for key in keys], kind),
    )


def claim(tx: Tx, kind: str, now: datetime, *, failing: bool | None = None) -> Job | None:
    """The job of a kind that has been due longest, this worker's until its transaction ends; None if none is due that nobody
    has. `failing`: only those that failed the last time, or only those that did not."""
    found = _due(tx, kind, now, failing)
    if found is None and _let_go(tx, kind, now):
        found = _due(tx, kind, now, failing)
    return found


_DUE = """
SELECT kind, key, tries, tried_days, tried_on
FROM job
WHERE kind = %(kind)s AND next_at <= %(now)s AND (%(failing)s::boolean IS NULL OR (tries > 0) = %(failing)s)
ORDER BY next_at
LIMIT 1
FOR UPDATE SKIP LOCKED
"""


def _due(tx: Tx, kind: str, now: datetime, failing: bool | None) -> Job | None:
    with tx.cursor(row_factory=class_row(Job)) as cursor:
        return cursor.execute(
            _DUE,
            {"kind": kind, "now": now, "failing": failing},
        ).fetchone()


def _let_go(tx: Tx, kind: str, now: datetime) -> bool:
    latest = now + _LONGEST.get(kind, _LONG) + APART
    return tx.execute("UPDATE job SET next_at = %s WHERE kind = %s AND next_at > %s", (now, kind, latest)).rowcount > 0


def end(tx: Tx, job: Job, *, next_at: datetime | None = None) -> None:
    """A claimed job is done, for good or until it is due again."""
    if next_at is None:
        tx.execute("DELETE FROM job WHERE kind = %s AND key = %s", (job.kind, job.key))
    else:
        tx.execute(
            "UPDATE job SET next_at = %s, tries = 0, tried_days = 0, tried_on = NULL WHERE kind = %s AND key = %s",
            (next_at, job.kind, job.key),
        )


def wait(tx: Tx, job: Job, *, next_at: datetime) -> None:
    """A claimed job could not be tried now, which was nobody's failure: it is due later."""
    tx.execute("UPDATE job SET next_at = %s WHERE kind = %s AND key = %s", (next_at, job.kind, job.key))


def failed(tx: Tx, job: Job, *, at: datetime, next_at: datetime | None) -> None:
    """A claimed job was tried in vain: it is tried again, or given up (None)."""
    if next_at is None:
        end(tx, job)
        return
    tx.execute(
        "UPDATE job SET next_at = %s, tries = tries + 1, tried_days = tried_days + (tried_on IS DISTINCT FROM %s)::integer,"
        " tried_on = %s WHERE kind = %s AND key = %s",
        (next_at, at.date(), at.date(), job.kind, job.key),
    )
