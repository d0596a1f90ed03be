"""Batches as stored: the numbers by shard, the places by carrier and day of cancellation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pyroaring import BitMap

from huanxin.domain.answers import Purpose
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, bitmap_of, dump, load, shard_of, values_of
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The numbers that are renewed together (or taken back together), and what their notices say."""

    id: int
    purpose: str
    retracts: int | None
    count: int
    cutoff: datetime
    answer_by: datetime
    freeze_days: int
    seen_report: int
    files: dict[str, dict[str, str | int]]
    planned_by: str
    planned_at: datetime
    reason: str
    """of a retraction that an operator ordered; empty if the carrier's reports made it"""


_COLUMNS = (
    "id, purpose, retracts, count, cutoff, answer_by, freeze_days, seen_report, files, planned_by, planned_at, reason"
)  # fmt: skip


def add(
    tx: Tx, *, purpose: Purpose, retracts: int | None, numbers: NumberSet, cutoff: datetime, answer_by: datetime,
    freeze_days: int, seen_report: int, files: Mapping[str, Mapping[str, str | int]], by: str, at: datetime,
    reason: str = "",
) -> int:  # fmt: skip
    """Record a batch; its id."""
    row = tx.execute(
        "INSERT INTO batch (purpose, retracts, count, cutoff, answer_by, freeze_days, seen_report, files, planned_by,"
        " planned_at, reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (
            purpose.value,
            retracts,
            len(numbers),
            cutoff,
            answer_by,
            freeze_days,
            seen_report,
            Jsonb(dict(files)),
            by,
            at,
            reason,
        ),
    ).fetchone()
    assert row is not None
    first = 0
    with (
        tx.cursor() as cursor,
        cursor.copy("COPY batch_set (batch_id, shard, first, numbers) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(("int8", "int4", "int4", "bytea"))
        for shard in sorted(numbers.shards):
            copy.write_row((row[0], shard, first, dump(numbers.shards[shard])))
            first += len(numbers.shards[shard])
    return int(row[0])


def add_spans(tx: Tx, batch_id: int, spans: Mapping[tuple[str, date], BitMap]) -> None:
    """Record which places of a batch each carrier cancelled on which day."""
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO batch_span (batch_id, carrier, closed_on, places) VALUES (%s, %s, %s, %s)",
            [(batch_id, carrier, day, dump(places)) for (carrier, day), places in spans.items()],
        )


def get(tx: Tx, batch_id: int) -> Batch | None:
    with tx.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM batch WHERE id = %s", (batch_id,)).fetchone()


def all_batches(tx: Tx, purpose: Purpose | None = None) -> list[Batch]:
    """Every batch, or those of one purpose, oldest first."""
    with tx.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM batch WHERE purpose = coalesce(%s, purpose) ORDER BY id",
            (purpose and purpose.value,),
        ).fetchall()


def retractions_of(tx: Tx, batch_id: int) -> list[Batch]:
    """The retractions that take numbers back from a batch, oldest first."""
    with tx.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM batch WHERE retracts = %s ORDER BY id", (batch_id,)).fetchall()


def numbers_of(tx: Tx, batch_id: int, shards: Iterable[int] | None = None) -> NumberSet:
    """The numbers of a batch, all or those of some shards."""
    wanted = None if shards is None else list(shards)
    rows = tx.execute(
        "SELECT shard, numbers FROM batch_set WHERE batch_id = %s AND (%s::int4[] IS NULL OR shard = ANY(%s))",
        (batch_id, wanted, wanted), binary=True,
    )  # fmt: skip
    return NumberSet({shard: load(numbers) for shard, numbers in rows})


def places_of(tx: Tx, batch_id: int, numbers: NumberSet) -> BitMap:
    """The places of those numbers that are in a batch. Reads only their shards of it."""
    rows = tx.execute(
        "SELECT shard, first, numbers FROM batch_set WHERE batch_id = %s AND shard = ANY(%s)",
        (batch_id, list(numbers.shards)), binary=True,
    )  # fmt: skip
    found = [np.empty(0, dtype=np.uint32)]
    for shard, first, stored in rows:
        here = load(stored)
        places = np.searchsorted(values_of(here), values_of(here & numbers.shards[shard]))
        found.append((places + first).astype(np.uint32))
    return bitmap_of(np.concatenate(found))


def roster(tx: Tx, batch_id: int) -> Roster:
    """A batch's numbers in order. Read a few shards at a time: ten million numbers then take 40 MB and no more."""
    row = tx.execute("SELECT count FROM batch WHERE id = %s", (batch_id,)).fetchone()
    with tx.cursor("roster") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT shard, first, numbers FROM batch_set WHERE batch_id = %s", (batch_id,), binary=True)
        parts = ((first, values_of(load(numbers)) + np.int64(shard * SHARD_SIZE)) for shard, first, numbers in cursor)
        return Roster.of_parts(row[0] if row else 0, parts)


def spans(tx: Tx, batch_id: int) -> dict[tuple[str, date], BitMap]:
    rows = tx.execute(
        "SELECT carrier, closed_on, places FROM batch_span WHERE batch_id = %s ORDER BY carrier, closed_on",
        (batch_id,), binary=True,
    )  # fmt: skip
    return {(carrier, day): load(places) for carrier, day, places in rows}


def carriers(tx: Tx) -> dict[int, frozenset[str]]:
    """The carriers whose numbers each renewal batch holds, by batch."""
    rows = tx.execute("SELECT batch_id, array_agg(DISTINCT carrier) FROM batch_span GROUP BY batch_id")
    return {batch_id: frozenset(found) for batch_id, found in rows}


def planned_batches(tx: Tx, shards: Iterable[int], purpose: Purpose) -> list[tuple[datetime, NumberSet]]:
    """(planned at, numbers within some shards) of every batch of a purpose."""
    rows = tx.execute(
        "SELECT b.id, b.planned_at, s.shard, s.numbers FROM batch_set s JOIN batch b ON b.id = s.batch_id"
        " WHERE s.shard = ANY(%s) AND b.purpose = %s",
        (list(shards), purpose.value), binary=True,
    )  # fmt: skip
    found: dict[int, tuple[datetime, dict[int, BitMap]]] = {}
    for batch_id, planned_at, shard, numbers in rows:
        found.setdefault(batch_id, (planned_at, {}))[1][shard] = load(numbers)
    return [(planned_at, NumberSet(maps)) for planned_at, maps in found.values()]


def newest_number(tx: Tx) -> int | None:
    """One of the numbers that were planned last; None before the first plan. Reads one shard."""
    row = tx.execute(
        "SELECT shard, numbers FROM batch_set ORDER BY batch_id DESC, shard DESC LIMIT 1", binary=True
    ).fetchone()
    return row[0] * SHARD_SIZE + load(row[1])[0] if row else None


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Where a number stands in a batch."""

    batch_id: int
    purpose: str
    place: int


def memberships(tx: Tx, number: int) -> list[Membership]:
    """The batches that hold a number, oldest first. Reads the number's shard only."""
    rows = tx.execute(
        "SELECT s.batch_id, b.purpose, s.first, s.numbers FROM batch_set s JOIN batch b ON b.id = s.batch_id"
        " WHERE s.shard = %s ORDER BY s.batch_id",
        (shard_of(number),), binary=True,
    )  # fmt: skip
    offset = number % SHARD_SIZE
    found = [(batch_id, purpose, first, load(numbers)) for batch_id, purpose, first, numbers in rows]
    return [
        Membership(batch_id=batch_id, purpose=purpose, place=first + numbers.rank(offset) - 1)
        for batch_id, purpose, first, numbers in found
        if offset in numbers
    ]
