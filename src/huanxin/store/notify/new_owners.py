"""Numbers with new owners, of which partners are told one by one: a cursor in a set, not a row a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pyroaring import BitMap

from huanxin.numbersets.sharded import dump, load
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Numbers of one shard, opened anew on a day of the carrier that reported it, of which a partner is told one by one;
    `done` of them are told."""

    report_id: int
    carrier: str
    partner_id: int
    client_id: str
    endpoint: str | None
    inbox: str | None
    sealed_authorization: str | None
    alg: str
    shard: int
    day: date
    numbers: BitMap
    done: int
    attempts: int


def add(tx: Tx, *, report_id: int, partner_id: int, shard: int, day: date, numbers: BitMap, at: datetime) -> None:
    """Record that a partner is to be told of some numbers that have a new owner."""
    tx.execute(
        "INSERT INTO recycled_feed (report_id, partner_id, shard, day, numbers, total, next_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (report_id, partner_id, shard, day, dump(numbers), len(numbers), at),
    )


_CLAIM_DUE = """
SELECT f.report_id, r.carrier, f.partner_id, p.client_id, s.endpoint, s.inbox, s."authorization", s.alg,
    f.shard, f.day, f.numbers, f.done, f.attempts
FROM recycled_feed f
JOIN report r ON r.id = f.report_id
JOIN partner p ON p.id = f.partner_id
JOIN stream s ON s.partner_id = f.partner_id
WHERE f.next_at <= %s AND s.method = %s AND s.status = 'enabled' AND f.partner_id = coalesce(%s,
    f.partner_id) AND f.partner_id <> ALL(%s)
ORDER BY f.next_at
LIMIT 1
FOR UPDATE OF f SKIP LOCKED
"""


def claim_due(tx: Tx, now: datetime, method: str, partner_id: int | None = None, *, but: Sequence[int] = ()) -> Feed | None:
    """The feed that has waited longest of those due on streams of a method (of one partner, of none `but` these), locked for
    this transaction."""
    row = tx.execute(
        _CLAIM_DUE,
        (now, method, partner_id, list(but)), binary=True,
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    report_id, carrier, partner, client_id, endpoint, inbox, sealed, alg, shard, day, numbers, done, attempts = row
    return Feed(
        report_id=report_id, carrier=carrier, partner_id=partner, client_id=client_id, endpoint=endpoint, inbox=inbox,
        sealed_authorization=sealed, alg=alg, shard=shard, day=day, numbers=load(numbers), done=done, attempts=attempts,
    )  # fmt: skip


_ADVANCE = """
UPDATE recycled_feed f
SET done = %s, attempts = %s, next_at = CASE
    WHEN (SELECT s.endpoint FROM stream s WHERE s.partner_id = f.partner_id) IS NOT DISTINCT FROM %s THEN %s
    ELSE least(%s, %s) END
WHERE report_id = %s AND partner_id = %s AND day = %s AND shard = %s
"""


def advance(tx: Tx, feed: Feed, *, done: int, attempts: int, next_at: datetime | None, at: datetime) -> None:
    """Record how far a feed has come and when it goes on: at once if the partner has another endpoint by now; `next_at` None
    when all are told."""
    tx.execute(
        _ADVANCE,
        (done, attempts, feed.endpoint, next_at, next_at, at, feed.report_id, feed.partner_id, feed.day, feed.shard),
    )


_AFRESH = """
UPDATE recycled_feed f
SET next_at = %s, attempts = 0
FROM (
    SELECT report_id, partner_id, day, shard
    FROM recycled_feed
    WHERE partner_id = %s AND next_at > %s
    FOR UPDATE SKIP LOCKED
) waiting
WHERE (f.report_id, f.partner_id, f.day, f.shard) = (waiting.report_id, waiting.partner_id, waiting.day,
    waiting.shard)
"""


def afresh(tx: Tx, partner_id: int, now: datetime) -> None:
    """Let what a partner is still to be told go on now, whatever it waits for."""
    tx.execute(
        _AFRESH,
        (now, partner_id, now),
    )


def drop(tx: Tx, partner_id: int) -> None:
    """Give up what a partner was still to be told of numbers with new owners."""
    tx.execute("UPDATE recycled_feed SET next_at = NULL WHERE partner_id = %s AND next_at IS NOT NULL", (partner_id,))
