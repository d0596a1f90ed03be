"""Where numbers stand, without reading the years before: what happened before some day is folded once and kept.

What is kept is no fact. It follows from the reports' facts (`domain.lifecycle.fold`), can be made again from them, and is
forgotten, shard by shard, where an earlier fact is recorded or taken back. Every shard that a report named has a day until
which it is settled; NEVER where nothing is. Who reads gets what is settled and the facts since.

A shard is settled as far as its carriers' next files won't reach: they reach back as the last ones did. It is settled anew
once a week or so, not every day, since all its numbers are written again, and other shards on other days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import IntEnum
from typing import cast

import numpy as np
from pyroaring import BitMap

from huanxin.domain.lifecycle import EVENTS, Cancellation, Kept, Name, SetFact, ShardState
from huanxin.numbersets.sharded import dump, load
from huanxin.store.database import Tx
from huanxin.store.report.reports import in_order

NEVER = date.min
_AT_ONCE = 200  # shards in memory at a time
_WEEK = 7
_REACH = timedelta(days=60)  # before the last day on record: whoever reports of earlier days makes shards be read whole


class Place(IntEnum):
    """Where numbers stand, as stored."""

    IN_SERVICE = 0
    PORTED = 1
    FROZEN = 2


_FACTS_SINCE = """
SELECT u.shard, s.day, s.report_id, s.layer, s.event, s.carrier, s.numbers, s.place
FROM unnest(%(shards)s::int4[], %(days)s::date[]) u (shard, day)
JOIN report_set s ON s.shard = u.shard AND s.day >= u.day AND (%(before)s::date IS NULL OR s.day < %(before)s)
ORDER BY u.shard, s.day, s.report_id, s.layer, s.event
"""
_SETTLED = """
SELECT u.shard, s.place, s.carrier, s.numbers, s.names, s.sets
FROM unnest(%(shards)s::int4[]) u (shard)
JOIN settled_set s ON s.shard = u.shard
WHERE s.place >= %(from)s
"""
_UNTIL = "SELECT shard, until FROM settled WHERE %(shards)s::int4[] IS NULL OR shard = ANY(%(shards)s) ORDER BY shard"
_OPEN_DAY = """
SELECT least(min(first_day), max(last_day)), max(last_day)
FROM (
    SELECT first_day, last_day, row_number() OVER (PARTITION BY carrier ORDER BY report_id DESC) AS back
    FROM report_reach
    WHERE report_id > (SELECT coalesce(max(id), 0) FROM report) - 1000
) r
WHERE back <= 3
"""


def states(tx: Tx, shards: Iterable[int] | None = None) -> Iterator[tuple[int, ShardState]]:
    """Where the numbers of each shard stand now, shard by shard, all that reports named or those of some."""
    for some in _few_at_once(settled_until(tx, shards)):
        for shard, state, facts in _read(tx, some):
            yield shard, _went_on(state, facts)


def resting(tx: Tx, until: date) -> Iterator[tuple[int, ShardState]]:
    """Of each shard, its frozen numbers that were cancelled until a day, without cancellations that are known to be planned
    whole: what may be due, as a state that has them and what was cancelled since."""
    for some in _few_at_once(settled_until(tx, None)):
        for shard, state, facts in _read(tx, some, due=until):
            yield shard, _went_on(state, facts)


def before(tx: Tx, days: Mapping[int, date]) -> Iterator[tuple[int, ShardState, list[SetFact]]]:
    """For each shard, given with the first day that somebody tells of: where its numbers stood before some day that is no
    later, and the facts since, in order. In the order of shards."""
    for some in _few_at_once(days):
        until = settled_until(tx, some)
        yield from _read(tx, {shard: day if (day := until.get(shard, NEVER)) <= days[shard] else NEVER for shard in some})


def _few_at_once(days: Mapping[int, date]) -> Iterator[dict[int, date]]:
    every = sorted(days)
    for start in range(0, len(every), _AT_ONCE):
        yield {shard: days[shard] for shard in every[start : start + _AT_ONCE]}


def settled_until(tx: Tx, shards: Iterable[int] | None = None) -> dict[int, date]:
    """The day before which each shard is settled, NEVER where nothing is."""
    return dict(tx.execute(_UNTIL, {"shards": None if shards is None else list(shards)}).fetchall())


def _read(
    tx: Tx, until: Mapping[int, date], *, due: date | None = None, to: date | None = None
) -> Iterator[tuple[int, ShardState, list[SetFact]]]:
    """Each shard's state before a day, as it is settled or empty at NEVER, and its facts from then on (to a day)."""
    shards = sorted(until)
    kept = [shard for shard in shards if until[shard] != NEVER]
    found = {shard: ShardState() for shard in shards}
    with tx.cursor(binary=True) as cursor:
        done = _planned(tx, due) if due else {}
        cursor.execute(_SETTLED, {"shards": kept, "from": Place.FROZEN if due else Place.IN_SERVICE})
        for shard, place, carrier, numbers, names, sets in cursor:
            if place == Place.FROZEN:
                one = Kept(carrier=carrier, names=np.frombuffer(names, np.int64).reshape(-1, 4), sets=sets)
                if due is None:
                    found[shard].keep(load(numbers), one)
                elif chosen := one.until(due, done.get(carrier, ())):
                    found[shard].keep(BitMap.union(BitMap(), *chosen.values()), Kept.of(carrier, chosen))
            else:
                table = found[shard].in_service if place == Place.IN_SERVICE else found[shard].ported
                table[carrier] = load(numbers)
                found[shard].known |= table[carrier]
        since: dict[int, list[SetFact]] = {shard: [] for shard in shards}
        cursor.execute(_FACTS_SINCE, {"shards": shards, "days": [until[shard] for shard in shards], "before": to})
        for shard, day, report, layer, event, carrier, numbers, place in cursor:
            since[shard].append(
                SetFact(
                    day=day,
                    carrier=carrier,
                    event=EVENTS[event],
                    numbers=load(numbers),
                    layer=layer,
                    report=report,
                    place=tuple(place or ()),
                )
            )
    for shard in shards:
        yield shard, found[shard], in_order(since[shard])


def _planned(tx: Tx, due: date) -> dict[str, set[Name]]:
    """By carrier, the cancellations until a day that plans took whole."""
    rows = tx.execute("SELECT carrier, closed_on, report_id, layer FROM planned_whole WHERE closed_on <= %s", (due,))
    found: dict[str, set[Name]] = {}
    for carrier, day, report, layer in rows:
        found.setdefault(carrier, set()).add((day.toordinal(), report, layer))
    return found


def _went_on(state: ShardState, facts: Iterable[SetFact]) -> ShardState:
    for fact in facts:
        state.apply(fact)
    return state


def noted(tx: Tx, report_id: int, sets: Sequence[tuple[int, SetFact]]) -> None:
    """Note what a report's sets, as they are recorded, mean for what is settled: forget what they come before, and settle
    the shards whose turn it is."""
    first: dict[int, date] = {}
    last = NEVER
    for shard, fact in sets:
        first[shard] = min(fact.day, first.get(shard, date.max))
        last = max(last, fact.day)
    if not first:
        return
    tx.execute(
        "INSERT INTO report_reach (report_id, carrier, first_day, last_day)"
        " SELECT id, carrier, %s, %s FROM report WHERE id = %s AND kind = 'report'",
        (min(first.values()), last, report_id),
    )
    tx.execute(
        "INSERT INTO settled (shard, until) SELECT u.shard, %s FROM unnest(%s::int4[]) u (shard) ON CONFLICT DO NOTHING",
        (NEVER, list(first)),
    )
    _forget_later(tx, first)
    _settle(tx, first)


def forget(tx: Tx, days: Mapping[int, date]) -> None:
    """Forget what doesn't follow any more since something is taken back of some shards, given with the first day of it."""
    _forget_later(tx, days)
    plan_anew(tx)


def plan_anew(tx: Tx) -> None:
    """Have the next plan look at all cancellations, since numbers are in no batch any more, or rest again."""
    tx.execute("DELETE FROM planned_whole")


def planned_whole(tx: Tx, cancellations: Iterable[Cancellation]) -> None:
    """Note that a plan took all numbers that rest after some cancellations: they are looked at no more."""
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO planned_whole (carrier, closed_on, report_id, layer) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [(one.carrier, one.day, one.report, one.layer) for one in cancellations],
        )


def _forget_later(tx: Tx, days: Mapping[int, date]) -> None:
    late = [shard for shard, until in settled_until(tx, days).items() if days[shard] < until]
    if late:
        tx.execute("DELETE FROM settled_set WHERE shard = ANY(%s)", (late,))
        tx.execute("UPDATE settled SET until = %s WHERE shard = ANY(%s)", (NEVER, late))


def make_again(tx: Tx) -> int:
    """Make all that is settled again from the facts; of how many events of numbers."""
    tx.execute("DELETE FROM settled_set")
    tx.execute("DELETE FROM planned_whole")
    tx.execute("UPDATE settled SET until = %s", (NEVER,))
    day, count = _open_day(tx), 0
    for some in _few_at_once(settled_until(tx, None)):
        count += _fold_to(tx, some, day)
    return count


def _settle(tx: Tx, shards: Iterable[int]) -> None:
    """Settle those of some shards whose turn it is, up to the day until which nothing is expected any more."""
    day = _open_day(tx)
    behind = {
        shard: until
        for shard, until in settled_until(tx, shards).items()
        if until < day and ((day.toordinal() + shard) % _WEEK == 0 or NEVER < until <= day - timedelta(days=2 * _WEEK))
    }
    for some in _few_at_once(behind):
        _fold_to(tx, some, day)


def _open_day(tx: Tx) -> date:
    """The first day of which the next reports may tell, if they reach back as the last three of each carrier did."""
    row = tx.execute(_OPEN_DAY).fetchone()
    if row is None or row[0] is None:
        return NEVER
    first, last = cast("tuple[date, date]", row)
    return max(first, last - _REACH)


def _fold_to(tx: Tx, until: Mapping[int, date], day: date) -> int:
    """Settle shards until a day, each from where it is settled; how many events that took."""
    count, rows = 0, list[tuple[int, int, str, bytes, bytes | None, bytes | None]]()
    for shard, state, facts in _read(tx, until, to=day):
        count += sum(len(fact.numbers) for fact in facts)
        rows.extend((shard, *row) for row in _rows(_went_on(state, facts)))
    tx.execute("DELETE FROM settled_set WHERE shard = ANY(%s)", (list(until),))
    with tx.cursor() as cursor, cursor.copy(
        "COPY settled_set (shard, place, carrier, numbers, names, sets) FROM STDIN (FORMAT BINARY)"
    ) as copy:  # fmt: skip
        copy.set_types(("int4", "int2", "text", "bytea", "bytea", "bytea"))
        for row in rows:
            copy.write_row(row)
    tx.execute("UPDATE settled SET until = %s WHERE shard = ANY(%s)", (day, list(until)))
    return count


def _rows(state: ShardState) -> Iterator[tuple[int, str, bytes, bytes | None, bytes | None]]:
    for place, table in ((Place.IN_SERVICE, state.in_service), (Place.PORTED, state.ported)):
        for carrier, numbers in table.items():
            if numbers:
                yield place, carrier, dump(numbers), None, None
    for carrier, numbers in state.asleep.items():
        if numbers:
            kept = Kept.of(carrier, state.resting(numbers))
            yield Place.FROZEN, carrier, dump(numbers), kept.names.tobytes(), kept.sets
