"""Carriers' reports as stored: the file, and the sets of numbers by shard, day and event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime

from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.domain.lifecycle import BEGINNING, EVENTS, Event, Place, SetFact
from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.tenures import NumberTenures, Said, standing
from huanxin.numbersets import instants
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, dump, load, shard_of
from huanxin.store.database import Tx

_CODES = {event: code for code, event in enumerate(EVENTS)}
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, kw_only=True)
class Mends:
    """What makes a report one that mends others: why, and who approved it besides whoever ordered it (empty: nobody)."""

    kind: str = "report"
    reason: str = ""
    approved_by: str = ""
    withdraws: int | None = None


@dataclass(frozen=True, kw_only=True)
class StoredReport:
    """A report that was taken. `known` lines said what was known before; `rejected` lines were left out."""

    id: int
    carrier: str
    file_name: str
    lines: int
    accepted: int
    known: int
    rejected: int
    counts: dict[str, int]
    recorded_by: str
    recorded_at: datetime
    kind: str
    """report, withdrawal or correction"""
    reason: str
    approved_by: str
    withdraws: int | None
    withdrawn_by: int | None
    """the report that withdrew it"""


_COLUMNS = """
id, carrier, file_name, lines, accepted, known, rejected, counts, recorded_by, recorded_at, kind, reason, approved_by,
withdraws, (SELECT w.id FROM report w WHERE w.withdraws = report.id) AS withdrawn_by
"""


def find(tx: Tx, *, carrier: str, sha256: bytes) -> StoredReport | None:
    """The report that was read from a file of this content and was not withdrawn, if there is one."""
    with tx.cursor(row_factory=class_row(StoredReport)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM report WHERE carrier = %s AND sha256 = %s"
            " AND NOT EXISTS (SELECT FROM report w WHERE w.withdraws = report.id)",
            (carrier, sha256),
        ).fetchone()


def all_reports(tx: Tx) -> list[StoredReport]:
    """Every report, oldest first."""
    with tx.cursor(row_factory=class_row(StoredReport)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM report ORDER BY id").fetchall()


def get(tx: Tx, report_id: int) -> StoredReport | None:
    with tx.cursor(row_factory=class_row(StoredReport)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM report WHERE id = %s", (report_id,)).fetchone()


def newest(tx: Tx, *, carrier: str | None, before: int | None, most: int | None) -> list[StoredReport]:
    """Reports of one carrier or all, newest first: those before one, at most so many (None: all)."""
    with tx.cursor(row_factory=class_row(StoredReport)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM report WHERE carrier = coalesce(%s, carrier) AND id < coalesce(%s, id + 1)"
            " ORDER BY id DESC LIMIT %s",
            (carrier, before, most),
        ).fetchall()


def _since_1970(day: date) -> int:
    return day.toordinal() - _EPOCH


def with_instants(tx: Tx, shard: int, facts: list[SetFact], days: Collection[date]) -> list[SetFact]:
    """A shard's facts, those of some days with their instants as far as they were reported."""
    if not days:
        return facts
    rows = tx.execute(
        "SELECT day, report_id, layer, event, instants FROM report_set"
        " WHERE shard = %s AND day = ANY(%s) AND instants IS NOT NULL",
        (shard, list(days)), binary=True,
    )  # fmt: skip
    known = {(day, report, layer, EVENTS[event]): stored for day, report, layer, event, stored in rows}
    return [
        replace(fact, at=instants.load(stored, _since_1970(fact.day), len(fact.numbers)))
        if (stored := known.get((fact.day, fact.report, fact.layer, fact.event)))
        else fact
        for fact in facts
    ]


def whole(tx: Tx, shard: int, fact: SetFact) -> SetFact:
    """The set on record of which a fact names some numbers, with all of its own and their instants."""
    numbers, at = tx.execute(
        "SELECT numbers, instants FROM report_set WHERE (shard, day, report_id, layer, event) = (%s, %s, %s, %s, %s)",
        (shard, fact.day, fact.report, fact.layer, _CODES[fact.event]), binary=True,
    ).fetchone() or (None, None)  # fmt: skip
    assert numbers is not None, "what doesn't stand can't be taken back"
    every = load(numbers)
    return replace(fact, numbers=every, at=instants.load(at, _since_1970(fact.day), len(every)))


def as_stored(fact: SetFact) -> dict[str, bytes | None]:
    """The numbers of a set and when it happened to them, as stored; it has some."""
    at = instants.dump(fact.instants(fact.numbers), _since_1970(fact.day))
    return {"numbers": dump(fact.numbers), "at": at}


def latest(tx: Tx) -> int:
    """The id of the newest report; 0 before the first."""
    row = tx.execute("SELECT coalesce(max(id), 0) FROM report").fetchone()
    assert row is not None
    return int(row[0])


def more_sets_than(tx: Tx, count: int) -> bool:
    """Whether more sets than so many are stored; no more are counted."""
    row = tx.execute("SELECT count(*) FROM (SELECT FROM report_set LIMIT %s) few", (count + 1,)).fetchone()
    assert row is not None
    return bool(row[0] > count)


def baselines(tx: Tx, plan: NumberingPlan) -> dict[int, date]:
    """The days on which carriers gave the present state of their numbers, in their zones, by report."""
    rows = tx.execute("SELECT id, carrier, recorded_at FROM report WHERE kind = 'baseline'")
    return {int(report): plan.carriers[carrier].today(at) for report, carrier, at in rows}


def first_recorded_at(tx: Tx) -> datetime | None:
    """When the first report was taken; None before it."""
    row = tx.execute("SELECT recorded_at FROM report ORDER BY id LIMIT 1").fetchone()
    return row[0] if row else None


def cancelled_between(tx: Tx, *, shards: Iterable[int], after: date, until: date) -> Iterator[tuple[int, SetFact]]:
    """(shard, fact) of what was cancelled in some shards after a day and until another."""
    with tx.cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT shard, day, carrier, numbers FROM report_set WHERE shard = ANY(%s) AND day > %s AND day <= %s"
            " AND event = %s",
            (list(shards), after, until, _CODES[Event.CANCELLED]),
        )
        for shard, day, carrier, numbers in cursor:
            yield shard, SetFact(day=day, carrier=carrier, event=Event.CANCELLED, numbers=load(numbers))


def facts_by_shard(
    tx: Tx, *, shards: Iterable[int] | None = None, before_report: int | None = None,
    of_reports: Iterable[int] | None = None, events: Iterable[Event] | None = None, since: date | None = None,
) -> Iterator[tuple[int, list[SetFact]]]:  # fmt: skip
    """The facts of each shard in the order in which they happened, shard by shard, all or those named.

    With `before_report`, only what earlier reports said; with `of_reports`, only what those did; with `events`, only these;
    with `since`, only those of that day or later. One shard at a time is unpacked.
    """
    where, parameters = "true", list[object]()
    if before_report is not None:
        where += " AND report_id < %s"
        parameters.append(before_report)
    if shards is not None:
        where += " AND shard = ANY(%s)"
        parameters.append(list(shards))
    if of_reports is not None:
        where += " AND report_id = ANY(%s)"
        parameters.append(list(of_reports))
    if events is not None:
        where += " AND event = ANY(%s)"
        parameters.append([_CODES[event] for event in events])
    if since is not None:
        where += " AND day >= %s"
        parameters.append(since)
    shard_now: int | None = None
    facts: list[SetFact] = []
    with tx.cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT shard, day, report_id, layer, event, carrier, numbers, place FROM report_set WHERE {where}"
            " ORDER BY shard, day, report_id, layer, event",
            parameters,
        )
        for shard, day, report, layer, event, carrier, numbers, place in cursor:
            if shard != shard_now:
                if shard_now is not None:
                    yield shard_now, in_order(facts)
                shard_now, facts = shard, []
            facts.append(
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
    if shard_now is not None:
        yield shard_now, in_order(facts)


def passed_on(tx: Tx, numbers: NumberSet, since: date) -> NumberSet:
    """Those of some numbers that somebody else got after a former owner reclaimed them, on a day or after it."""
    found = {}
    for shard, facts in facts_by_shard(tx, shards=numbers.shards, events=(Event.RECLAIMED, *BEGINNING), since=since):
        back, passed = BitMap(), BitMap()
        for fact in facts:
            here = fact.numbers & numbers.shards[shard]
            if fact.event is Event.RECLAIMED:
                back |= here
            else:
                passed |= here & back
        found[shard] = passed
    return NumberSet(found)


def in_order(facts: list[SetFact]) -> list[SetFact]:
    """Facts that come by day, report and layer in the order in which they happened: some have a place of their own."""
    if any(fact.place for fact in facts):
        facts.sort(key=lambda fact: (fact.day, fact.order))
    return facts


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One event of one number, with the report that said so."""

    day: date
    event: str
    carrier: str
    report_id: int
    layer: int
    file_name: str
    place: Place = ()

    @property
    def order(self) -> Place:
        """Where it stands within its day, as of a `SetFact`."""
        return self.place or (self.report_id, self.layer)

    @property
    def said(self) -> Said:
        """The same for `domain.tenures.standing`."""
        return Said(
            day=self.day, event=Event(self.event), carrier=self.carrier, report=self.report_id, layer=self.layer
        )  # fmt: skip


def history(tx: Tx, *, shard: int, holds_number: Callable[[bytes], bool]) -> list[HistoryEntry]:
    """What reports said of one number, in the order in which it happened; `holds_number` tests a stored set."""
    rows = tx.execute(
        "SELECT s.day, s.event, s.carrier, s.report_id, s.layer, r.file_name, s.place, s.numbers FROM report_set s"
        " JOIN report r ON r.id = s.report_id WHERE s.shard = %s ORDER BY s.day, s.report_id, s.layer, s.event",
        (shard,), binary=True,
    )  # fmt: skip
    found = [
        HistoryEntry(
            day=day,
            event=EVENTS[event].value,
            carrier=carrier,
            report_id=report_id,
            layer=layer,
            file_name=file_name,
            place=tuple(place or ()),
        )
        for day, event, carrier, report_id, layer, file_name, place, numbers in rows
        if holds_number(numbers)
    ]
    return sorted(found, key=lambda entry: (entry.day, entry.order))


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """One event of one number that a report said and another took back: when, by whom, why."""

    day: date
    event: str
    carrier: str
    report_id: int
    file_name: str
    voided_by: int
    by: str
    approved_by: str
    reason: str
    at: datetime


_TAKEN_BACK = """
SELECT v.day, v.event, v.carrier, v.report_id, r.file_name, v.voided_by, m.recorded_by, m.approved_by, m.reason,
    m.recorded_at, v.numbers
FROM report_void v
JOIN report r ON r.id = v.report_id
JOIN report m ON m.id = v.voided_by
WHERE v.shard = %s
ORDER BY v.day, v.report_id, v.layer, v.event, v.voided_by
"""


def taken_back(tx: Tx, number: int) -> list[TakenBack]:
    """What reports said of one number and was taken back since, in the order in which it would have happened."""
    rows = tx.execute(_TAKEN_BACK, (shard_of(number),), binary=True)
    names = [field.name for field in fields(TakenBack)]
    found = ((dict(zip(names, row, strict=False)), row[-1]) for row in rows)
    return [
        TakenBack(**one | {"event": EVENTS[one["event"]].value})
        for one, stored in found
        if number % SHARD_SIZE in load(stored)
    ]


def standing_of(tx: Tx, number: int) -> NumberTenures:
    """A number's tenures, from every report that names it."""
    offset = number % SHARD_SIZE
    past = history(tx, shard=shard_of(number), holds_number=lambda stored: offset in load(stored))
    return standing([one.said for one in past])
