"""Batches as stored: the numbers by shard, the places by carrier and day of cancellation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

import numpy as np
import numpy.typing as npt
from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.domain.answers import Purpose
from huanxin.domain.errors import Conflict
from huanxin.domain.lifecycle import Cancellation
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import (  # fmt: skip
    SHARD_SIZE,
    Numbers,
    NumberSet,
    bitmap_of,
    load,
    shard_of,
    union,
    values_of,
)
from huanxin.store.answer.parts_of_sets import BEGINNING, Beginning, among
from huanxin.store.database import Tx
from huanxin.words.sentences import Sentence


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
    mended_by: int | None = None
    """of a retraction: the report that mended what the batch stood on"""
    called_off_at: datetime | None = None
    called_off_by: str | None = None
    called_off_why: str | None = None
    """of a batch that was called off before it was sent: it holds no number any more"""


_BATCH = """
SELECT b.id, b.purpose, b.retracts, b.count, b.cutoff, b.answer_by, b.freeze_days, b.seen_report, b.files, b.planned_by,
    b.planned_at, b.reason, b.mended_by, o.called_off_at, o.called_off_by, o.reason AS called_off_why
FROM batch b
LEFT JOIN batch_call_off o ON o.batch_id = b.id
"""
_STANDS = "NOT EXISTS (SELECT FROM batch_call_off o WHERE o.batch_id = b.id)"
"""Of a batch b: it was not called off."""


def get(tx: Tx, batch_id: int) -> Batch | None:
    with tx.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(f"{_BATCH} WHERE b.id = %s", (batch_id,)).fetchone()


def refuse_called_off(batch: Batch) -> None:
    """Raise Conflict for a batch that was called off: nothing is done with it any more."""
    if batch.called_off_at:
        raise Conflict(
            Sentence(
                "batch %(batch)s was called off by %(who)s on %(day)s: its numbers are due again, in another batch",
                batch=batch.id, who=batch.called_off_by, day=f"{batch.called_off_at:%Y-%m-%d}",
            )
        )  # fmt: skip


def all_batches(tx: Tx, purpose: Purpose | None = None, *, called_off: bool = False) -> list[Batch]:
    """Every batch, or those of one purpose, oldest first; those that were called off only if they are asked for."""
    with tx.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(
            f"{_BATCH} WHERE b.purpose = coalesce(%s, b.purpose) AND (%s OR o.batch_id IS NULL) ORDER BY b.id",
            (purpose and purpose.value, called_off),
        ).fetchall()


def retractions_of(tx: Tx, batch_id: int) -> list[Batch]:
    """The retractions that take numbers back from a batch, oldest first."""
    with tx.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(f"{_BATCH} WHERE b.retracts = %s ORDER BY b.id", (batch_id,)).fetchall()


def numbers_of(tx: Tx, batch_id: int, shards: Iterable[int] | None = None) -> NumberSet:
    """The numbers of a batch, all or those of some shards."""
    wanted = None if shards is None else list(shards)
    rows = tx.execute(
        "SELECT shard, numbers FROM batch_set WHERE batch_id = %s AND (%s::int4[] IS NULL OR shard = ANY(%s))",
        (batch_id, wanted, wanted), binary=True,
    )  # fmt: skip
    return NumberSet({shard: load(numbers) for shard, numbers in rows})


def holding(tx: Tx, numbers: NumberSet) -> dict[int, NumberSet]:
    """Those of some numbers that renewal batches hold which were not called off, by batch, oldest first."""
    rows = tx.execute(
        f"SELECT s.batch_id, s.shard, s.numbers FROM batch_set s JOIN batch b ON b.id = s.batch_id"
        f" WHERE b.purpose = %s AND s.shard = ANY(%s) AND {_STANDS} ORDER BY s.batch_id",
        (Purpose.RENEWAL.value, list(numbers.shards)), binary=True,
    )  # fmt: skip
    found: dict[int, dict[int, BitMap]] = {}
    for batch_id, shard, stored in rows:
        if here := load(stored) & numbers.shards[shard]:
            found.setdefault(batch_id, {})[shard] = here
    return {batch_id: NumberSet(shards) for batch_id, shards in found.items()}


def places_of(tx: Tx, batch_id: int, numbers: NumberSet) -> BitMap:
    """The places of those numbers that are in a batch. Reads only their shards of it."""
    return bitmap_of(_placed(tx, batch_id, numbers)[1])


def _placed(tx: Tx, batch_id: int, numbers: NumberSet) -> tuple[Numbers, npt.NDArray[np.uint32]]:
    """Those numbers that are in a batch, ascending, and their places. Reads only their shards of it."""
    rows = tx.execute(
        "SELECT shard, first, numbers FROM batch_set WHERE batch_id = %s AND shard = ANY(%s) ORDER BY shard",
        (batch_id, list(numbers.shards)), binary=True,
    )  # fmt: skip
    found, places = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.uint32)]
    for shard, first, stored in rows:
        here = load(stored)
        mine = values_of(here & numbers.shards[shard])
        ranks = np.searchsorted(values_of(here), mine) if len(mine) < len(here) else np.arange(len(mine))
        places.append((ranks + first).astype(np.uint32))
        found.append(mine + np.int64(shard * SHARD_SIZE))
    return np.concatenate(found), np.concatenate(places)


def numbers_at(tx: Tx, batch_id: int, places: BitMap) -> Numbers:
    """The numbers at some places of a batch, ascending. Reads only the shards that have some of them."""
    firsts = tx.execute("SELECT first, shard FROM batch_set WHERE batch_id = %s ORDER BY first", (batch_id,)).fetchall()
    wanted = values_of(places)
    starts = np.array([first for first, _ in firsts], dtype=np.int64)
    shards = [firsts[index][1] for index in np.unique(np.searchsorted(starts, wanted, side="right") - 1).tolist()]
    rows = tx.execute(
        "SELECT shard, first, numbers FROM batch_set WHERE batch_id = %s AND shard = ANY(%s) ORDER BY shard",
        (batch_id, shards), binary=True,
    )  # fmt: skip
    parts = [np.empty(0, dtype=np.int64)]
    for shard, first, stored in rows:
        here = values_of(load(stored))
        mine = wanted[slice(*np.searchsorted(wanted, (first, first + len(here))))]
        parts.append(here[mine - first] + np.int64(shard * SHARD_SIZE))
    return np.concatenate(parts)


def roster(tx: Tx, batch_id: int) -> Roster:
    """A batch's numbers in order. Read a few shards at a time: ten million numbers then take 40 MB and no more."""
    row = tx.execute("SELECT count FROM batch WHERE id = %s", (batch_id,)).fetchone()
    with tx.cursor("roster") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT shard, first, numbers FROM batch_set WHERE batch_id = %s", (batch_id,), binary=True)
        parts = ((first, values_of(load(numbers)) + np.int64(shard * SHARD_SIZE)) for shard, first, numbers in cursor)
        return Roster.of_parts(row[0] if row else 0, parts)


def spans(tx: Tx, batch_id: int) -> dict[tuple[str, date], BitMap]:
    """The places of a batch by the carrier that cancelled them and the day: of a corrected cancellation the later of both
    days, so that no correction makes a freeze shorter that partners were told of."""
    rows = tx.execute(
        "SELECT carrier, closed_on, places FROM batch_span WHERE batch_id = %s ORDER BY closed_on DESC, carrier",
        (batch_id,), binary=True,
    )  # fmt: skip
    found: dict[tuple[str, date], BitMap] = {}
    later = BitMap()
    for carrier, day, stored in rows:
        places = load(stored)
        if here := places - later:
            found[carrier, day] = found.get((carrier, day), BitMap()) | here
        later |= places
    return {span: found[span] for span in sorted(found)}


def freezes(tx: Tx, carrier: str) -> dict[date, int]:
    """By day of cancellation, the longest freeze under which a batch was planned that holds numbers of a carrier."""
    rows = tx.execute(
        "SELECT s.closed_on, max(b.freeze_days) FROM batch_span s JOIN batch b ON b.id = s.batch_id WHERE s.carrier = %s"
        " GROUP BY s.closed_on",
        (carrier,),
    )
    return dict(rows.fetchall())


def carriers(tx: Tx) -> dict[int, frozenset[str]]:
    """The carriers whose numbers each renewal batch holds, by batch."""
    rows = tx.execute("SELECT batch_id, array_agg(DISTINCT carrier) FROM batch_span GROUP BY batch_id")
    return {batch_id: frozenset(found) for batch_id, found in rows}


def carriers_of(tx: Tx, batch_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The carriers whose numbers some batches hold, or take back."""
    rows = tx.execute(
        "SELECT b.id, array_agg(DISTINCT s.carrier) FROM batch b"
        " JOIN batch_span s ON s.batch_id = coalesce(b.retracts, b.id) WHERE b.id = ANY(%s) GROUP BY b.id",
        (list(batch_ids),),
    )
    return {batch_id: frozenset(found) for batch_id, found in rows}


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """Numbers that one renewal batch holds since one cancellation, ascending, and their places in it."""

    batch_id: int
    since: Cancellation
    numbers: Numbers
    places: npt.NDArray[np.uint32]


_RENEWED_SINCE = f"""
SELECT s.batch_id, b.seen_report, s.carrier, s.closed_on, s.report_id, s.layer, {BEGINNING}
FROM batch_span s
JOIN batch b ON b.id = s.batch_id
WHERE b.purpose = %s AND s.carrier = ANY(%s) AND s.closed_on = ANY(%s) AND {_STANDS}
ORDER BY s.batch_id
"""


def renewed_since(tx: Tx, resting: Mapping[Cancellation, NumberSet]) -> Iterator[Renewed]:
    """What is in a batch of this tenure: of numbers, given by the cancellation after which they rest, those that a renewal
    batch holds which stands on that very one, batch after batch, oldest first.

    A number that was cancelled again rests after another one, whatever the days: so no day is compared. A batch that was
    planned before batches named cancellations stands on the last one that it knew, by the same carrier and day.
    """
    rows = tx.execute(
        _RENEWED_SINCE,
        (Purpose.RENEWAL.value, list({one.carrier for one in resting}), list({one.day for one in resting})), binary=True,
    ).fetchall() if resting else []  # fmt: skip
    by_day: dict[tuple[str, date], list[Cancellation]] = {}
    for one in sorted(resting):
        by_day.setdefault((one.carrier, one.day), []).append(one)
    for batch_id, group in groupby(rows, key=lambda row: int(row[0])):
        matches = [
            (one, (row_id, length, head))
            for _, seen, carrier, day, report, layer, row_id, length, head in group
            for one in by_day.get((carrier, day), ())
            if ((one.report, one.layer) == (report, layer) if report else one.report <= seen)
        ]
        if matches:
            yield from _standing(tx, batch_id, matches, resting)


def _standing(
    tx: Tx, batch_id: int, matches: list[tuple[Cancellation, Beginning]], resting: Mapping[Cancellation, NumberSet]
) -> Iterator[Renewed]:
    """What a batch holds of the numbers that rest after some of its cancellations, each given with its set of places."""
    numbers, places = _placed(tx, batch_id, union(resting[one] for one, _ in matches))
    if not len(numbers):
        return
    sets = among(tx, "batch_span", [beginning for _, beginning in matches], bitmap_of(places))
    close = int(places[-1]) - int(places[0]) < len(places)  # mostly all of a batch are asked for, or one
    for (one, _), there in zip(matches, sets, strict=True):
        at = values_of(there) - places[0] if close else np.searchsorted(places, values_of(there))
        mine = numbers[at]
        if not np.array_equal(mine, rest := resting[one].numbers()):
            at = at[np.isin(mine, rest, assume_unique=True)]
        if len(at):
            yield Renewed(batch_id=batch_id, since=one, numbers=numbers[at], places=places[at])


def mended_out(tx: Tx) -> dict[int, NumberSet]:
    """By renewal batch: numbers that were taken back since what it stood on was mended. They are in no batch any more."""
    rows = tx.execute(
        "SELECT b.retracts, s.shard, s.numbers FROM batch b JOIN batch_set s ON s.batch_id = b.id"
        " WHERE b.mended_by IS NOT NULL",
        binary=True,
    )
    found: dict[int, NumberSet] = {}
    for batch_id, shard, numbers in rows:
        found[batch_id] = found.get(batch_id, NumberSet()) | NumberSet({shard: load(numbers)})
    return found


def renewal_of(tx: Tx, number: int, since: Cancellation) -> Membership | None:
    """The newest batch that renews one number since a cancellation, and the number's place in it."""
    found = list(renewed_since(tx, {since: NumberSet.of([number])}))
    if not found:
        return None
    return Membership(batch_id=found[-1].batch_id, purpose=Purpose.RENEWAL.value, place=int(found[-1].places[0]))


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
    called_off: bool = False


def memberships(tx: Tx, number: int) -> list[Membership]:
    """The batches that hold a number or held it until they were called off, oldest first. Reads the number's shard only."""
    rows = tx.execute(
        f"SELECT s.batch_id, b.purpose, NOT {_STANDS}, s.first, s.numbers FROM batch_set s"
        " JOIN batch b ON b.id = s.batch_id WHERE s.shard = %s ORDER BY s.batch_id",
        (shard_of(number),), binary=True,
    )  # fmt: skip
    offset = number % SHARD_SIZE
    found = [(batch_id, purpose, off, first, load(numbers)) for batch_id, purpose, off, first, numbers in rows]
    return [
        Membership(batch_id=batch_id, purpose=purpose, place=first + numbers.rank(offset) - 1, called_off=off)
        for batch_id, purpose, off, first, numbers in found
        if offset in numbers
    ]
