"""Sales without a disclosure: what a report opened though nobody acknowledged what was known of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pyroaring import BitMap

from huanxin.domain.disclosure import covers
from huanxin.domain.numbers import NumberingPlan
from huanxin.numbersets.instants import NO_TIME
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, union
from huanxin.store.acting import Act
from huanxin.store.disclose import disclosures
from huanxin.store.disclose.disclosures import Disclosure
from huanxin.store.release import releases
from huanxin.store.report.sales import Sale

OPENED_UNDISCLOSED = "opened-without-disclosure"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def find_undisclosed(act: Act, report_id: int, sales: Sequence[Sale]) -> int:
    """Record the numbers that a report sold without a disclosure that covers the sale; how many."""
    if sales:
        disclosures.one_at_a_time(act.tx)  # of a sale and an acknowledgement in one instant, one sees the other
    known = disclosures.all_standing_of(act.tx, union(one.numbers for one in sales).numbers()) if sales else {}
    missing = union(one.numbers - _covered(one, known, act.plan) for one in sales)
    if missing:
        releases.add_report_breach(act.tx, kind=OPENED_UNDISCLOSED, report_id=report_id, numbers=missing, at=act.now)
    return len(missing)


def _covered(sale: Sale, known: Mapping[int, Iterable[Disclosure]], plan: NumberingPlan) -> NumberSet:
    """Those numbers of a sale of which the buyer was told in time."""
    opening, first = sale.opening, sale.shard * SHARD_SIZE
    told = opening.numbers & BitMap(number - first for number in known if number // SHARD_SIZE == sale.shard)
    found = BitMap()
    for place, at in zip(told, opening.instants(told).tolist(), strict=True):
        sold_at = None if at == NO_TIME else _EPOCH + timedelta(microseconds=at)
        if any(
            covers(one, carrier=plan.carriers[opening.carrier], closed_on=sale.closing.day, day=opening.day, sold_at=sold_at)
            for one in known[first + place]
        ):
            found.add(place)
    return NumberSet({sale.shard: found})
