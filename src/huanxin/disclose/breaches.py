"""Sales without a disclosure: what a report opened though nobody acknowledged what was known of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from huanxin.domain.lifecycle import Event, SetFact
from huanxin.domain.numbers import NumberingPlan
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, union
from huanxin.store import disclosures, releases, reports
from huanxin.store.database import Tx

OPENED_UNDISCLOSED = "opened-without-disclosure"


def find_undisclosed(
    tx: Tx, report_id: int, recycled: Iterable[tuple[int, SetFact]], *, plan: NumberingPlan, now: datetime
) -> int:
    """Record the numbers with a history that a report opened without a disclosure since they were last closed; how many.

    recycled: (shard, fact) of the report that gave numbers with a history to new owners. What was opened before this
    platform took its first report could not be disclosed here, and a transfer is no sale.
    """
    first = reports.first_recorded_at(tx)
    by_day: dict[date, list[NumberSet]] = {}
    for shard, fact in recycled:
        if fact.event is Event.OPENED and first and fact.day >= first.astimezone(plan.carriers[fact.carrier].zone).date():
            by_day.setdefault(fact.day, []).append(NumberSet({shard: fact.numbers}))
    missing = union(_undisclosed(tx, union(sets), day) for day, sets in by_day.items())
    if missing:
        releases.add_report_breach(tx, kind=OPENED_UNDISCLOSED, report_id=report_id, numbers=missing, at=now)
    return len(missing)


def _undisclosed(tx: Tx, opened: NumberSet, day: date) -> NumberSet:
    """Those opened on a day that no disclosure is for, or only one of an earlier tenure."""
    known = disclosures.standing_of(tx, opened.numbers())
    covered = NumberSet.of(list(known))
    missing = opened - covered
    closings = [one.closed_on for one in known.values() if one.closed_on]
    # A number that was closed again after its disclosure was told of another tenure.
    stale: list[int] = []
    for shard, fact in reports.cancelled_between(tx, shards=covered.shards, after=min(closings, default=day), until=day):
        stale += [
            number for number in (shard * SHARD_SIZE + offset for offset in fact.numbers & covered.shards[shard])
            if (closed := known[number].closed_on) is None or closed < fact.day
        ]  # fmt: skip
    return missing | NumberSet.of(stale)
