"""Releases as stored, and breaches: what should not have happened and did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.numbersets.sharded import dump, load
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Release:
    """Numbers of one batch that were given back to their carriers for sale."""

    id: int
    batch_id: int
    count: int
    released_by: str
    released_at: datetime


def add(tx: Tx, *, batch_id: int, spans: Mapping[tuple[str, date], BitMap], by: str, at: datetime) -> Release:
    """Record a release of some places, by carrier and day of cancellation."""
    count = sum(len(places) for places in spans.values())
    row = tx.execute(
        "INSERT INTO release (batch_id, count, released_by, released_at) VALUES (%s, %s, %s, %s) RETURNING id",
        (batch_id, count, by, at),
    ).fetchone()
    assert row is not None
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO release_set (release_id, carrier, closed_on, places) VALUES (%s, %s, %s, %s)",
            [(row[0], carrier, day, dump(places)) for (carrier, day), places in spans.items()],
        )
    return Release(id=int(row[0]), batch_id=batch_id, count=count, released_by=by, released_at=at)


def all_releases(tx: Tx, batch_id: int | None = None) -> list[Release]:
    """Every release, or those of one batch, oldest first."""
    with tx.cursor(row_factory=class_row(Release)) as cursor:
        return cursor.execute(
            "SELECT id, batch_id, count, released_by, released_at FROM release"
            " WHERE batch_id = coalesce(%s, batch_id) ORDER BY id",
            (batch_id,),
        ).fetchall()


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


def released_places(tx: Tx, batch_id: int) -> BitMap:
    """The places of a batch that were released so far."""
    rows = tx.execute(
        "SELECT s.places FROM release_set s JOIN release r ON r.id = s.release_id WHERE r.batch_id = %s",
        (batch_id,), binary=True,
    )  # fmt: skip
    return BitMap.union(BitMap(), *(load(places) for (places,) in rows))


def add_breach(
    tx: Tx, *, kind: str, batch_id: int, partner_id: int | None, receipt_id: str | None, places: BitMap, at: datetime
) -> None:
    """Record what should not have happened to some places of a batch."""
    tx.execute(
        "INSERT INTO breach (kind, batch_id, partner_id, receipt_id, count, places, found_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (kind, batch_id, partner_id, receipt_id, len(places), dump(places), at),
    )


@dataclass(frozen=True, kw_only=True)
class Breach:
    """What should not have happened: its kind, and how many numbers it touches."""

    kind: str
    batch_id: int
    partner: str | None
    count: int
    found_at: datetime


def breaches(tx: Tx) -> list[Breach]:
    """Every recorded breach, oldest first."""
    with tx.cursor(row_factory=class_row(Breach)) as cursor:
        return cursor.execute(
            "SELECT b.kind, b.batch_id, p.name AS partner, b.count, b.found_at FROM breach b"
            " LEFT JOIN partner p ON p.id = b.partner_id ORDER BY b.id"
        ).fetchall()
