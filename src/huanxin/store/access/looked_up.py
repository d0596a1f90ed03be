"""How many numbers each person looked up, by the hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from huanxin.store.database import Tx

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class LookedUp:
    """What one person looked up within an hour; `blocked`: how many of the numbers were not for sale."""

    numbers: int
    blocked: int


def within(tx: Tx, operator_id: int, now: datetime) -> LookedUp:
    """What somebody looked up within the hour so far. Whoever looks up as this person waits until this transaction ends, so
    that two at once don't go one beyond a limit."""
    row = tx.execute(
        "INSERT INTO looked_up (operator_id, hour, numbers, blocked) VALUES (%s, %s, 0, 0)"
        " ON CONFLICT (operator_id, hour) DO UPDATE SET numbers = looked_up.numbers RETURNING numbers, blocked",
        (operator_id, hour_of(now)),
    ).fetchone()
    assert row is not None
    return LookedUp(numbers=row[0], blocked=row[1])


def add(tx: Tx, operator_id: int, now: datetime, *, numbers: int, blocked: int) -> None:
    """Count what somebody looked up, after `within` in the same transaction."""
    tx.execute(
        "UPDATE looked_up SET numbers = numbers + %s, blocked = blocked + %s WHERE operator_id = %s AND hour = %s",
        (numbers, blocked, operator_id, hour_of(now)),
    )


def hour_of(now: datetime) -> datetime:
    """The hour in which an instant lies."""
    return now.replace(minute=0, second=0, microsecond=0)
