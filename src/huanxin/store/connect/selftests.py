"""Self-tests: runs, and what came of each scenario, recorded as it ends. In the live schema.

Whoever runs one holds a lock of the account on a connection of its own. When its process dies, PostgreSQL lets the lock go,
and a run that has no end is known to be interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.domain.accounts import RunState, SelfTest
from huanxin.domain.errors import Conflict
from huanxin.store.database import Database, Tx
from huanxin.words.sentences import Sentence

_SPACE = 7306  # any constant: the seed of these locks' keys


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """What came of one scenario: `found` is what was seen, as `zh` and `en`, and `mend`, the code of how to mend it."""

    position: int
    scenario: str
    state: str
    seconds: float
    found: dict[str, str]
    at: datetime


@contextmanager
def alone(database: Database, account_id: str) -> Iterator[None]:
    """Be the only one that runs a self-test of an account. Raises Conflict if another does."""
    with Tx.connect(database.dsn, autocommit=True) as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", (account_id, _SPACE)).fetchone()
        if not row or not row[0]:
            raise Conflict(Sentence("a self-test of this account is under way; wait for its end, or look at its steps"))
        yield


def add_run(tx: Tx, *, run_id: str, account_id: str, endpoint: str, by: str, at: datetime) -> None:
    """Record that a self-test begins."""
    tx.execute(
        "INSERT INTO selftest_run (id, account_id, endpoint, started_by, started_at) VALUES (%s, %s, %s, %s, %s)",
        (run_id, account_id, endpoint, by, at),
    )


def add_step(tx: Tx, run_id: str, step: StepDone) -> None:
    """Record what came of a scenario."""
    tx.execute(
        "INSERT INTO selftest_step (run_id, position, scenario, state, seconds, found, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (run_id, step.position, step.scenario, step.state, step.seconds, Jsonb(step.found), step.at),
    )


def end_run(tx: Tx, run_id: str, outcome: RunState, *, at: datetime) -> None:
    """Record what came of a self-test."""
    tx.execute("INSERT INTO selftest_end (run_id, outcome, at) VALUES (%s, %s, %s)", (run_id, outcome.value, at))


def of_account(tx: Tx, account_id: str, *, limit: int = 50) -> list[SelfTest]:
    """An account's self-tests, newest first."""
    found = _read(tx, account_id, limit)
    if any(run.state is RunState.RUNNING for run in found) and not _under_way(tx, account_id):
        # Looked at again: one that ended between the two looks has its end now.
        found = [_cut_short(run) for run in _read(tx, account_id, limit)]
    return found


def get(tx: Tx, account_id: str, run_id: str) -> SelfTest | None:
    """A self-test of an account; None for another's as for none."""
    return next((run for run in of_account(tx, account_id, limit=1000) if run.id == run_id), None)


def steps_of(tx: Tx, run_id: str) -> list[StepDone]:
    """What came of the scenarios so far, in order."""
    with tx.cursor(row_factory=class_row(StepDone)) as cursor:
        return cursor.execute(
            "SELECT position, scenario, state, seconds, found, at FROM selftest_step WHERE run_id = %s ORDER BY position",
            (run_id,),
        ).fetchall()


_READ = """
SELECT r.id, r.account_id, r.endpoint, r.started_by, r.started_at, coalesce(e.outcome, 'running'), e.at
FROM selftest_run r
LEFT JOIN selftest_end e ON e.run_id = r.id
WHERE r.account_id = %s
ORDER BY r.seq DESC
LIMIT %s
"""


def _read(tx: Tx, account_id: str, limit: int) -> list[SelfTest]:
    rows = tx.execute(
        _READ,
        (account_id, limit),
    )
    return [
        SelfTest(id=id_, account_id=account, endpoint=endpoint, started_by=by, started_at=at, state=RunState(state),
                 ended_at=ended)
        for id_, account, endpoint, by, at, state, ended in rows
    ]  # fmt: skip


_UNDER_WAY = """
SELECT EXISTS (
    SELECT 1
    FROM pg_locks, hashtextextended(%s, %s) AS key
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::bigint << 32 | objid::bigint) = key
)
"""


def _under_way(tx: Tx, account_id: str) -> bool:
    """Whether somebody holds the lock. A 64-bit key stands in pg_locks as its two halves, objsubid 1."""
    row = tx.execute(
        _UNDER_WAY,
        (account_id, _SPACE),
    ).fetchone()
    assert row is not None
    return bool(row[0])


def _cut_short(run: SelfTest) -> SelfTest:
    if run.state is not RunState.RUNNING:
        return run
    return SelfTest(
        id=run.id, account_id=run.account_id, endpoint=run.endpoint, started_by=run.started_by,
        started_at=run.started_at, state=RunState.INTERRUPTED, ended_at=None,
    )  # fmt: skip
