"""The database's clock, as stored: what it says, what was last seen of it, who confirmed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from huanxin.store.database import Tx

_FORGOTTEN = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class DatabaseClock:
    """What the database says: its time, whether its clocks may be simulated, the newest confirmation by a person."""

    at: datetime
    simulated: bool
    confirmation: int


@dataclass(frozen=True, kw_only=True)
class SureTime:
    """A time that was not in doubt, and the seconds since a boot at which it was seen; `elapsed` is None if that was another
    machine, or before its last boot."""

    at: datetime
    elapsed: float | None


def database_clock(tx: Tx) -> DatabaseClock:
    row = tx.execute(
        "SELECT clock_now(), c.simulated, (SELECT coalesce(max(id), 0) FROM clock_confirmation) FROM clock c"
    ).fetchone()
    assert row is not None
    return DatabaseClock(at=row[0], simulated=row[1], confirmation=row[2])


def seen(tx: Tx, boot: str) -> SureTime:
    """The newest time that was seen and of which this boot knows how long ago that was; else the newest of all."""
    row = tx.execute(
        "SELECT at, CASE WHEN boot = %(boot)s THEN elapsed END FROM clock_seen"
        " ORDER BY boot = %(boot)s DESC, at DESC LIMIT 1",
        {"boot": boot},
    ).fetchone()
    assert row is not None
    return SureTime(at=row[0], elapsed=row[1])


_NEWEST_FACT = """
SELECT greatest((SELECT recorded_at FROM report ORDER BY id DESC LIMIT 1),
    (SELECT planned_at FROM batch ORDER BY id DESC LIMIT 1),
    (SELECT received_at FROM receipt ORDER BY seq DESC LIMIT 1),
    (SELECT waived_at FROM waiver ORDER BY seq DESC LIMIT 1),
    (SELECT released_at FROM release ORDER BY id DESC LIMIT 1),
    (SELECT requested_at FROM request ORDER BY seq DESC LIMIT 1),
    (SELECT acknowledged_at FROM disclosure ORDER BY seq DESC LIMIT 1))
"""


def newest_fact(tx: Tx) -> datetime | None:
    """When the newest of the facts was recorded that may change what happens; None if there is none."""
    row = tx.execute(_NEWEST_FACT).fetchone()
    found: datetime | None = row[0] if row else None
    return found


def note_seen(tx: Tx, boot: str, *, at: datetime, elapsed: float) -> None:
    """Note a time that is not in doubt."""
    tx.execute("DELETE FROM clock_seen WHERE boot <> %s AND at < %s", (boot, at - _FORGOTTEN))
    tx.execute(
        "INSERT INTO clock_seen (boot, at, elapsed) VALUES (%s, %s, %s)"
        " ON CONFLICT (boot) DO UPDATE SET at = excluded.at, elapsed = excluded.elapsed",
        (boot, at, elapsed),
    )


def confirm(tx: Tx, boot: str, *, at: datetime, expected: datetime, elapsed: float, reason: str, by: str) -> None:
    """Record that somebody says that the clock is right; what was seen before counts no more."""
    tx.execute(
        "INSERT INTO clock_confirmation (at, expected, reason, confirmed_by) VALUES (%s, %s, %s, %s)",
        (at, expected, reason, by),
    )
    tx.execute("DELETE FROM clock_seen")
    note_seen(tx, boot, at=at, elapsed=elapsed)
