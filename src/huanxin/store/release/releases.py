"""Releases as stored, and breaches: what should not have happened and did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, dump, load, shard_of
from huanxin.store.database import Tx

ANSWERED_AFTER = "answered-after-release"
"""A breach: a partner's answer reopened numbers that were released since it was told of them."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """Numbers of one batch that were given back to their carriers for sale. `alone`: one person decided on it, not two."""

    id: int
    batch_id: int
    count: int
    released_by: str
    released_at: datetime
    alone: bool
    freeze_days: int
    """those of the freeze that had to have ended"""

    @classmethod
    def of(cls, row: Sequence[Any]) -> Release:
        """From the columns of RELEASE."""
        return cls(**dict(zip(_NAMES, row, strict=True)))


_NAMES = ("id", "batch_id", "count", "released_by", "released_at", "alone", "freeze_days")
_BY_ONE = """
NOT EXISTS (
    SELECT 1
    FROM decided_by_two d
    WHERE d.kind = 'release' AND d.batch_id = r.batch_id AND d.decided_at = r.released_at
) AS alone
"""
_FREEZE = "coalesce(r.freeze_days, (SELECT freeze_days FROM batch WHERE id = r.batch_id)) AS freeze_days"
RELEASE = f"r.id, r.batch_id, r.count, r.released_by, r.released_at, {_BY_ONE}, {_FREEZE}"
"""What a query asks for of a release called r."""


def all_releases(tx: Tx, batch_id: int | None = None) -> list[Release]:
    """Every release, or those of one batch, oldest first."""
    with tx.cursor(row_factory=class_row(Release)) as cursor:
        return cursor.execute(
            f"SELECT {RELEASE} FROM release r WHERE r.batch_id = coalesce(%s, r.batch_id) ORDER BY r.id",
            (batch_id,),
        ).fetchall()


def nothing_more(tx: Tx, batch_id: int, *, until: datetime | None, freeze_days: int) -> None:
    """Note that nothing of a batch can be released before an instant (None: ever), unless a fact comes; see `store.facts`.
    freeze_days: those in force."""
    tx.execute(
        "INSERT INTO nothing_to_release (batch_id, until, freeze_days) VALUES (%s, %s, %s)"
        " ON CONFLICT (batch_id) DO UPDATE SET until = excluded.until, freeze_days = excluded.freeze_days",
        (batch_id, until, freeze_days),
    )


_MAYBE_SOME = """
SELECT b.id
FROM batch b
LEFT JOIN nothing_to_release n ON n.batch_id = b.id AND n.freeze_days <= %s AND coalesce(n.until > %s, true)
WHERE b.purpose = 'renewal' AND n.batch_id IS NULL
ORDER BY b.id
"""


def maybe_some(tx: Tx, *, now: datetime, freeze_days: int) -> list[int]:
    """The renewal batches of which something may be released now, oldest first: all but those that are known to have
    nothing."""
    return [batch_id for (batch_id,) in tx.execute(_MAYBE_SOME, (freeze_days, now))]


def spans_of(tx: Tx, release_id: int) -> dict[tuple[str, date], BitMap]:
    """The places of a release by carrier and day of cancellation."""
    rows = tx.execute(
        "SELECT carrier, closed_on, places FROM release_set WHERE release_id = %s ORDER BY carrier, closed_on",
        (release_id,), binary=True,
    )  # fmt: skip
    return {(carrier, day): load(places) for carrier, day, places in rows}


def counts_of(tx: Tx, release_id: int) -> dict[str, int]:
    """Numbers of a release by carrier."""
    found: dict[str, int] = {}
    for (carrier, _), places in spans_of(tx, release_id).items():
        found[carrier] = found.get(carrier, 0) + len(places)
    return found


_RELEASED_PLACES = """
SELECT s.places
FROM release_set s
JOIN release r ON r.id = s.release_id
WHERE r.batch_id = %s AND (%s::int8 IS NULL OR %s = ANY(r.asked) OR r.asked IS NULL
    AND EXISTS (SELECT FROM notice n WHERE n.batch_id = r.batch_id AND n.partner_id = %s
    AND n.sent_at <= r.released_at))
"""


def released_places(tx: Tx, batch_id: int, *, asked: int | None = None) -> BitMap:
    """The places of a batch that were released so far; only after a partner had been told of it, if one is given."""
    rows = tx.execute(
        _RELEASED_PLACES,
        (batch_id, asked, asked, asked), binary=True,
    )  # fmt: skip
    return BitMap.union(BitMap(), *(load(places) for (places,) in rows))


def released_by_day(tx: Tx) -> dict[str, Counter[date]]:
    """How many numbers were ever released, by carrier and day of cancellation."""
    found: dict[str, Counter[date]] = {}
    with tx.cursor("released", binary=True) as cursor:
        cursor.execute("SELECT carrier, closed_on, places FROM release_set")
        for carrier, closed_on, places in cursor:
            found.setdefault(carrier, Counter())[closed_on] += len(load(places))
    return found


def add_breach(
    tx: Tx, *, kind: str, batch_id: int, partner_id: int | None, receipt_id: str | None, places: BitMap, at: datetime
) -> None:
    """Record what should not have happened to some places of a batch."""
    tx.execute(
        "INSERT INTO breach (kind, batch_id, partner_id, receipt_id, count, places, found_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (kind, batch_id, partner_id, receipt_id, len(places), dump(places), at),
    )


def objections(tx: Tx, batch_id: int) -> list[tuple[datetime, int, BitMap]]:
    """When a partner's answer reopened numbers of a batch after their release, which partner's, and their places."""
    rows = tx.execute(
        "SELECT found_at, partner_id, places FROM breach WHERE batch_id = %s AND kind = %s ORDER BY id",
        (batch_id, ANSWERED_AFTER), binary=True,
    )  # fmt: skip
    return [(at, partner_id, load(places)) for at, partner_id, places in rows]


def add_report_breach(tx: Tx, *, kind: str, report_id: int, numbers: NumberSet, at: datetime) -> None:
    """Record what a report showed that should not have happened to some numbers, of whatever batch or none."""
    row = tx.execute(
        "INSERT INTO breach (kind, report_id, count, found_at) VALUES (%s, %s, %s, %s) RETURNING id",
        (kind, report_id, len(numbers), at),
    ).fetchone()
    assert row is not None
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO breach_set (breach_id, shard, numbers) VALUES (%s, %s, %s)",
            [(row[0], shard, dump(bitmap)) for shard, bitmap in numbers.shards.items()],
        )


@dataclass(frozen=True, kw_only=True)
class Breach:
    """What should not have happened: its kind, and how many numbers it touches; of a batch, or found in a report, whose
    carrier is named."""

    id: int
    kind: str
    batch_id: int | None
    report_id: int | None
    carrier: str | None
    partner: str | None
    count: int
    found_at: datetime


_BREACH = """
SELECT b.id, b.kind, b.batch_id, b.report_id, r.carrier, p.name AS partner, b.count, b.found_at
FROM breach b
LEFT JOIN partner p ON p.id = b.partner_id
LEFT JOIN report r ON r.id = b.report_id
"""


def breaches(tx: Tx) -> list[Breach]:
    """Every recorded breach, oldest first."""
    with tx.cursor(row_factory=class_row(Breach)) as cursor:
        return cursor.execute(f"{_BREACH} ORDER BY b.id").fetchall()


def latest_breaches(tx: Tx, *, kind: str | None, before: int | None, most: int) -> list[Breach]:
    """Breaches of a kind (or all), newest first; `before` one to go on from it."""
    with tx.cursor(row_factory=class_row(Breach)) as cursor:
        return cursor.execute(
            f"{_BREACH} WHERE b.kind = coalesce(%s, b.kind) AND b.id < coalesce(%s, 9223372036854775807)"
            " ORDER BY b.id DESC LIMIT %s",
            (kind, before, most),
        ).fetchall()


def breach_totals(tx: Tx) -> dict[str, int]:
    """Numbers that breaches touch, by kind."""
    return dict(tx.execute("SELECT kind, sum(count)::int8 FROM breach GROUP BY kind ORDER BY kind").fetchall())


def breach(tx: Tx, breach_id: int) -> Breach | None:
    with tx.cursor(row_factory=class_row(Breach)) as cursor:
        return cursor.execute(f"{_BREACH} WHERE b.id = %s", (breach_id,)).fetchone()


def report_breaches_of(tx: Tx, number: int) -> list[Breach]:
    """The breaches that reports showed of one number, oldest first. Reads what breaches name of its shard."""
    with tx.cursor(row_factory=class_row(Breach)) as cursor:
        found = {one.id: one for one in cursor.execute(
            f"{_BREACH} WHERE b.id IN (SELECT breach_id FROM breach_set WHERE shard = %s) ORDER BY b.id", (shard_of(number),)
        )}  # fmt: skip
    rows = tx.execute(
        "SELECT breach_id, numbers FROM breach_set WHERE shard = %s ORDER BY breach_id", (shard_of(number),), binary=True
    )
    return [found[key] for key, numbers in rows if number % SHARD_SIZE in load(numbers)]


def breach_spans(tx: Tx, breach_id: int) -> dict[str, BitMap]:
    """The places of a breach in its batch, by the carrier that froze them; empty for one that was found in a report."""
    rows = tx.execute(
        "SELECT s.carrier, s.places, b.places FROM breach b JOIN batch_span s ON s.batch_id = b.batch_id"
        " WHERE b.id = %s ORDER BY s.carrier",
        (breach_id,), binary=True,
    )  # fmt: skip
    found: dict[str, BitMap] = {}
    for carrier, span, places in rows:
        if here := load(span) & load(places):
            found[carrier] = found.get(carrier, BitMap()) | here
    return found


def breach_numbers(tx: Tx, breach_id: int) -> NumberSet:
    """The numbers of a breach that was found in a report."""
    rows = tx.execute("SELECT shard, numbers FROM breach_set WHERE breach_id = %s", (breach_id,), binary=True)
    return NumberSet({shard: load(numbers) for shard, numbers in rows})
