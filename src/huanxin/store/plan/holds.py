"""Holds: an authority's orders that keep numbers frozen longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, load, shard_of
from huanxin.store.database import Tx

_SLACK = timedelta(days=2)  # wherever a day begins and ends


@dataclass(frozen=True, kw_only=True)
class Hold:
    """One order. It binds until the end of `until_day`, or until it was lifted."""

    id: int
    source: str
    order_number: str
    reason: str
    until_day: date
    review_on: date | None
    count: int
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str | None
    replaces: int | None
    """the hold that was lifted for some of its numbers, and goes on here for the others"""
    goes_on: int | None
    """the hold that goes on for the others, if this one was lifted for some"""

    @property
    def named(self) -> str:
        """Whose order it is, and which."""
        return f"{self.source}, {self.order_number}" if self.order_number else self.source

    def binds(self, today: date) -> bool:
        return self.lifted_at is None and today <= self.until_day

    def review_overdue(self, today: date) -> bool:
        """Whether the day on which somebody was to look at it again has passed while it still binds."""
        return self.binds(today) and self.review_on is not None and self.review_on < today


_SELECT = """
SELECT h.id, h.source, h.order_number, h.reason, h.until_day, h.review_on, h.count, h.placed_by, h.placed_at,
    l.lifted_by, l.lifted_at, l.reason AS lift_reason, h.replaces,
    (SELECT n.id FROM hold n WHERE n.replaces = h.id) AS goes_on
FROM hold h
LEFT JOIN hold_lift l ON l.hold_id = h.id
"""


def in_force(tx: Tx, *, source: str, order: str, until: date, count: int) -> list[int]:
    """The holds of an order on this many numbers until a day that were not lifted."""
    rows = tx.execute(
        "SELECT h.id FROM hold h WHERE h.source = %s AND h.order_number = %s AND h.until_day = %s AND h.count = %s"
        " AND NOT EXISTS (SELECT FROM hold_lift l WHERE l.hold_id = h.id) ORDER BY h.id",
        (source, order, until, count),
    )
    return [hold_id for (hold_id,) in rows]


def all_holds(tx: Tx) -> list[Hold]:
    """Every hold, oldest first, lifted ones too."""
    with tx.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(f"{_SELECT} ORDER BY h.id").fetchall()


def get(tx: Tx, hold_id: int) -> Hold | None:
    with tx.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE h.id = %s", (hold_id,)).fetchone()


def numbers_of(tx: Tx, hold_id: int) -> NumberSet:
    """The numbers that a hold names."""
    rows = tx.execute("SELECT shard, numbers FROM hold_set WHERE hold_id = %s", (hold_id,), binary=True)
    return NumberSet({shard: load(numbers) for shard, numbers in rows})


def held_among(tx: Tx, numbers: NumberSet, today: date) -> dict[int, NumberSet]:
    """Those of some numbers that holds keep frozen on a day, by hold. Reads their shards only."""
    rows = tx.execute(
        "SELECT s.hold_id, s.shard, s.numbers FROM hold_set s JOIN hold h ON h.id = s.hold_id WHERE s.shard = ANY(%s)"
        " AND h.until_day >= %s AND NOT EXISTS (SELECT FROM hold_lift l WHERE l.hold_id = h.id) ORDER BY s.hold_id",
        (list(numbers.shards), today), binary=True,
    ).fetchall()  # fmt: skip
    found: dict[int, dict[int, BitMap]] = {}
    for hold_id, shard, stored in rows:
        here = load(stored) & numbers.shards[shard]
        if here:
            found.setdefault(hold_id, {})[shard] = here
    return {hold_id: NumberSet(maps) for hold_id, maps in found.items()}


def naming(tx: Tx, numbers: NumberSet, since: date) -> list[tuple[Hold, NumberSet]]:
    """The holds that name some numbers, each with those, but for such as had ended some days before a day."""
    rows = tx.execute(
        "SELECT hold_id, shard, numbers FROM hold_set WHERE shard = ANY(%s)", (list(numbers.shards),), binary=True
    )
    found: dict[int, dict[int, BitMap]] = {}
    for hold_id, shard, stored in rows:
        if here := load(stored) & numbers.shards[shard]:
            found.setdefault(hold_id, {})[shard] = here
    with tx.cursor(row_factory=class_row(Hold)) as cursor:
        known = cursor.execute(
            f"{_SELECT} WHERE h.id = ANY(%s) AND %s <= h.until_day AND (l.lifted_at IS NULL OR l.lifted_at >= %s)"
            " ORDER BY h.id",
            (list(found), since - _SLACK, since - _SLACK),
        ).fetchall()
    return [(one, NumberSet(found[one.id])) for one in known]


def of_number(tx: Tx, number: int) -> list[Hold]:
    """The holds that name a number, oldest first, lifted ones too. Reads the number's shard only."""
    offset = number % SHARD_SIZE
    rows = tx.execute("SELECT hold_id, numbers FROM hold_set WHERE shard = %s", (shard_of(number),), binary=True)
    naming = [hold_id for hold_id, numbers in rows if offset in load(numbers)]
    with tx.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE h.id = ANY(%s) ORDER BY h.id", (naming,)).fetchall()


def shards(tx: Tx) -> dict[int, list[int]]:
    """The shards of the numbers that each hold names, by hold."""
    return dict(tx.execute("SELECT hold_id, array_agg(shard) FROM hold_set GROUP BY hold_id").fetchall())
