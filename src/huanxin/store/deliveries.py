"""The outbox: events recorded with the fact that they tell of, pushed until the partner has taken them.

A worker holds the row's lock while it pushes, in one transaction: no two workers push the same event, and when one
dies, its lock goes with it and the next takes over at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pyroaring import BitMap

from huanxin.numbersets.sharded import dump, load
from huanxin.store.database import Tx

CHANNEL = "huanxin_delivery"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An event on its way to a partner's endpoint."""

    jti: str
    partner_id: int
    endpoint: str
    claims: dict[str, Any]
    attempts: int
    created_at: datetime


def add(
    tx: Tx, *, jti: str, partner_id: int, notice_id: str | None, claims: dict[str, Any], at: datetime, push: bool
) -> None:
    """Record an event for a partner; `push` if it has an endpoint, else it waits to be polled."""
    tx.execute(
        "INSERT INTO delivery (jti, partner_id, notice_id, claims, created_at, next_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (jti, partner_id, notice_id, Jsonb(claims), at, at if push else None),
    )


def wake_workers(tx: Tx) -> None:
    """Tell the workers, when this transaction is committed, that there is something to push."""
    tx.execute(f"NOTIFY {CHANNEL}")


def claim_due(tx: Tx, now: datetime) -> Delivery | None:
    """The event that has waited longest of those due, locked for this transaction; None if there is none."""
    with tx.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(
            "SELECT d.jti, d.partner_id, p.endpoint, d.claims, d.attempts, d.created_at FROM delivery d"
            " JOIN partner p ON p.id = d.partner_id WHERE d.next_at <= %s AND p.endpoint IS NOT NULL"
            " ORDER BY d.next_at LIMIT 1 FOR UPDATE OF d SKIP LOCKED",
            (now,),
        ).fetchone()


def record_attempt(
    tx: Tx, jti: str, *, at: datetime, status: int | None, answer: str, next_at: datetime | None, delivered: bool
) -> None:
    """Record what a push met with: `status` is the HTTP status (None if there was none), `answer` the partner's words."""
    tx.execute("INSERT INTO delivery_attempt (jti, at, status, answer) VALUES (%s, %s, %s, %s)", (jti, at, status, answer))
    tx.execute(
        "UPDATE delivery SET attempts = attempts + 1, next_at = %s, delivered_at = %s WHERE jti = %s",
        (next_at, at if delivered else None, jti),
    )


def seconds_until_next(tx: Tx, now: datetime) -> float | None:
    """Seconds until something falls due (0 if something is); None if nothing waits."""
    row = tx.execute(
        "SELECT extract(epoch FROM min(next_at) - %s) FROM (SELECT next_at FROM delivery WHERE next_at IS NOT NULL"
        " UNION ALL SELECT next_at FROM recycled_feed WHERE next_at IS NOT NULL) waiting",
        (now,),
    ).fetchone()
    return max(0.0, float(row[0])) if row and row[0] is not None else None


def waiting(tx: Tx) -> int:
    """How many events and feeds are not delivered yet."""
    row = tx.execute(
        "SELECT (SELECT count(*) FROM delivery WHERE next_at IS NOT NULL)"
        " + (SELECT coalesce(sum(total - done), 0) FROM recycled_feed WHERE next_at IS NOT NULL)"
    ).fetchone()
    assert row is not None
    return int(row[0])


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Numbers of one shard, opened anew on a day, of which a partner is told one by one; `done` of them are told."""

    report_id: int
    partner_id: int
    client_id: str
    endpoint: str
    shard: int
    day: date
    numbers: BitMap
    done: int
    attempts: int


def add_feed(tx: Tx, *, report_id: int, partner_id: int, shard: int, day: date, numbers: BitMap, at: datetime) -> None:
    """Record that a partner is to be told of some numbers that have a new owner."""
    tx.execute(
        "INSERT INTO recycled_feed (report_id, partner_id, shard, day, numbers, total, next_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (report_id, partner_id, shard, day, dump(numbers), len(numbers), at),
    )


def claim_due_feed(tx: Tx, now: datetime) -> Feed | None:
    """The feed that has waited longest of those due, locked for this transaction; None if there is none."""
    row = tx.execute(
        "SELECT f.report_id, f.partner_id, p.client_id, p.endpoint, f.shard, f.day, f.numbers, f.done, f.attempts"
        " FROM recycled_feed f JOIN partner p ON p.id = f.partner_id"
        " WHERE f.next_at <= %s AND p.endpoint IS NOT NULL ORDER BY f.next_at LIMIT 1 FOR UPDATE OF f SKIP LOCKED",
        (now,), binary=True,
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    report_id, partner_id, client_id, endpoint, shard, day, numbers, done, attempts = row
    return Feed(
        report_id=report_id, partner_id=partner_id, client_id=client_id, endpoint=endpoint, shard=shard, day=day,
        numbers=load(numbers), done=done, attempts=attempts,
    )  # fmt: skip


def advance_feed(tx: Tx, feed: Feed, *, done: int, attempts: int, next_at: datetime | None) -> None:
    """Record how far a feed has come and when it goes on; `next_at` None when all are told or it was given up."""
    tx.execute(
        "UPDATE recycled_feed SET done = %s, attempts = %s, next_at = %s"
        " WHERE report_id = %s AND partner_id = %s AND day = %s AND shard = %s",
        (done, attempts, next_at, feed.report_id, feed.partner_id, feed.day, feed.shard),
    )
