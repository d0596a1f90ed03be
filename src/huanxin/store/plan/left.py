"""What took numbers of a batch out of their freeze after it was planned, as later reports say.

A later report may tell of what happened before the cancellation that the batch stands on: that took nothing out of this
freeze. Nearly every fact is of a later day than any cancellation of the batch, and is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from pyroaring import BitMap

from huanxin.domain.lifecycle import EVENTS, UNFREEZING, Cancellation, Event, Place, SetFact
from huanxin.numbersets.sharded import NumberSet, bitmap_of, load, values_of
from huanxin.store.database import Tx
from huanxin.store.plan.batches import Batch
from huanxin.store.report import affected, reports


def left_since(tx: Tx, batch: Batch, numbers: NumberSet) -> Iterator[tuple[int, list[SetFact]]]:
    """By shard, in order: what later reports say of some of a batch's numbers that ends a freeze, and happened after the
    cancellation that the batch stands on. Of the later reports those are read that touch the batch, or that nobody has
    looked at."""
    touching = affected.reports_of(tx, batch.id)
    said = reports.facts_by_shard(tx, shards=numbers.shards, of_reports=touching, events=UNFREEZING)
    last: date | None = None
    for shard, facts in said:
        here = [replace(fact, numbers=both, at=None) for fact in facts if (both := fact.numbers & numbers.shards[shard])]
        if here and last is None:
            last = _last_closing(tx, batch.id)
        if last is not None and any(fact.day <= last for fact in here):
            closings = _closings(tx, batch.id, shard)
            here = [replace(fact, numbers=fact.numbers - _before(fact, closings)) for fact in here]
        yield shard, here


def _before(fact: SetFact, closings: Sequence[tuple[Cancellation, Place, BitMap]]) -> BitMap:
    """The numbers that were cancelled after a fact. One without a place of its own stands behind all that was known."""
    return BitMap.union(BitMap(), *(
        numbers for closing, order, numbers in closings
        if fact.day < closing.day or (fact.day == closing.day and fact.place and order and fact.place < order)
    ))  # fmt: skip


def _last_closing(tx: Tx, batch_id: int) -> date | None:
    row = tx.execute("SELECT max(closed_on) FROM batch_span WHERE batch_id = %s", (batch_id,)).fetchone()
    return row[0] if row else None


_CLOSINGS = """
SELECT s.first, s.numbers, p.carrier, p.closed_on, p.report_id, p.layer, p.places, r.place, r.numbers
FROM batch_set s
JOIN batch_span p ON p.batch_id = s.batch_id
LEFT JOIN report_set r
    ON r.shard = s.shard AND r.day = p.closed_on AND r.report_id = p.report_id AND r.layer = p.layer AND r.event = %s
WHERE s.batch_id = %s AND s.shard = %s
"""


def _closings(tx: Tx, batch_id: int, shard: int) -> list[tuple[Cancellation, Place, BitMap]]:
    """The cancellations that a batch stands on, where they stand within their day (empty: not known), and their numbers of
    one shard. Of one that was wrong, and corrected, those are left that it is on record of."""
    found = []
    rows = tx.execute(_CLOSINGS, (EVENTS.index(Event.CANCELLED), batch_id, shard), binary=True)
    for first, stored, carrier, day, report, layer, places, place, stands in rows:
        numbers = values_of(load(stored))
        here = values_of(load(places) & BitMap(range(first, first + len(numbers)))) - first
        held = bitmap_of(numbers[here])
        if report:
            held &= load(stands) if stands else BitMap()
        one = Cancellation(carrier=carrier, day=day, report=report or 0, layer=layer or 0)
        order: Place = tuple(place or ((report, layer) if report else ()))
        found.append((one, order, held))
    return found
