"""Numbers on release lists that nobody has bought yet, and what stops their sale: a hold, an operator's retraction, or a
refusal that came after the release. A list can't be called back from a carrier, so it is kept what was on one by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.domain.lifecycle import Cancellation
from huanxin.numbersets.sharded import NumberSet, bitmap_of, load, values_of
from huanxin.store.answer import few_numbers
from huanxin.store.database import Tx
from huanxin.store.plan import batches
from huanxin.store.report import settled


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Numbers of one release that are on the list of one carrier, and that nobody is reported to have since."""

    release_id: int
    batch_id: int
    carrier: str
    numbers: NumberSet


def listed(tx: Tx, numbers: NumberSet) -> Iterator[Listed]:
    """Those of some numbers that are on release lists still: given back in the tenure after which they rest now."""
    resting: dict[Cancellation, dict[int, BitMap]] = {}
    ever = _ever_released(tx, numbers)
    for shard, state in settled.states(tx, ever.shards) if ever else ():
        for closing, found in state.resting(ever.shards[shard]).items():
            resting.setdefault(closing, {})[shard] = found
    for one in batches.renewed_since(tx, {closing: NumberSet(maps) for closing, maps in resting.items()}):
        for release, out in few_numbers.releases_among(tx, one.batch_id, bitmap_of(one.places)):
            given = one.numbers[np.isin(one.places, values_of(out), assume_unique=True)]
            yield Listed(
                release_id=release.id, batch_id=one.batch_id, carrier=one.since.carrier, numbers=NumberSet.of(given)
            )  # fmt: skip


def _ever_released(tx: Tx, numbers: NumberSet) -> NumberSet:
    """Those of some numbers that are in a batch of which anything was released: mostly none."""
    rows = tx.execute(
        "SELECT s.shard, s.numbers FROM batch_set s WHERE s.shard = ANY(%s)"
        " AND EXISTS (SELECT FROM release r WHERE r.batch_id = s.batch_id)",
        (list(numbers.shards),), binary=True,
    )  # fmt: skip
    found: dict[int, BitMap] = {}
    for shard, stored in rows:
        if here := load(stored) & numbers.shards[shard]:
            found[shard] = found.get(shard, BitMap()) | here
    return NumberSet(found)


@dataclass(frozen=True, kw_only=True)
class Stop:
    """So many numbers on a list of a release may not be sold, by a hold, a retraction, a partner's receipt or a
    waiver that was withdrawn, since."""

    id: int
    hold_id: int | None
    retraction_id: int | None
    receipt_id: str | None
    waiver_id: int | None
    release_id: int
    batch_id: int
    carrier: str
    count: int
    stopped_at: datetime
    until_day: date | None
    lifted_at: datetime | None

    def binds(self, today: date) -> bool:
        """Whether a hold has not ended since; what was taken back or refused is not asked again."""
        return self.lifted_at is None and (self.until_day is None or today <= self.until_day)


def add(
    tx: Tx, found: Iterable[Listed], *, at: datetime, hold_id: int | None = None, retraction_id: int | None = None,
    receipt_id: str | None = None, waiver_id: int | None = None,
) -> None:  # fmt: skip
    """Record what one of the four stops, by release and carrier."""
    counts: dict[tuple[int, str], int] = {}
    for one in found:
        counts[one.release_id, one.carrier] = counts.get((one.release_id, one.carrier), 0) + len(one.numbers)
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO stop (hold_id, retraction_id, receipt_id, waiver_id, release_id, carrier, count, stopped_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [(hold_id, retraction_id, receipt_id, waiver_id, *key, count, at) for key, count in sorted(counts.items())],
        )


_KNOWN = """
SELECT s.id, s.hold_id, s.retraction_id, s.receipt_id, s.waiver_id, s.release_id, r.batch_id, s.carrier, s.count,
    s.stopped_at, h.until_day, l.lifted_at
FROM stop s
JOIN release r ON r.id = s.release_id
LEFT JOIN hold h ON h.id = s.hold_id
LEFT JOIN hold_lift l ON l.hold_id = s.hold_id
WHERE (%(hold)s::int8 IS NULL OR s.hold_id = %(hold)s) AND (%(retraction)s::int8 IS NULL
    OR s.retraction_id = %(retraction)s) AND (%(batch)s::int8 IS NULL OR r.batch_id = %(batch)s)
    AND (%(waiver)s::int8 IS NULL OR s.waiver_id = %(waiver)s)
    AND (%(since)s::timestamptz IS NULL OR s.stopped_at >= %(since)s) AND (%(day)s::date IS NULL
    OR (h.until_day >= %(day)s AND l.lifted_at IS NULL))
ORDER BY s.id
"""


def known(
    tx: Tx, *, hold_id: int | None = None, retraction_id: int | None = None, batch_id: int | None = None,
    since: datetime | None = None, bound_on: date | None = None, waiver_id: int | None = None,
) -> list[Stop]:  # fmt: skip
    """What was stopped, by whatever, or by one hold, one retraction, of one batch, since an instant, by holds that bind on
    a day; oldest first."""
    with tx.cursor(row_factory=class_row(Stop)) as cursor:
        return cursor.execute(
            _KNOWN,
            {"hold": hold_id, "retraction": retraction_id, "batch": batch_id, "waiver": waiver_id, "since": since,
             "day": bound_on},
        ).fetchall()  # fmt: skip
