"""The one seam for facts: whatever may change what happens to a number is recorded here and nowhere else.

Facts are appended, never edited. What the gate or the desk reads is recorded under the lock that a release waits for
(`recording_facts`), so that of a release and a fact in one instant one knows of the other. What is read by neither, owners'
orders, waits for no release. What undoes a fact is one too: `store.facts_undone` records those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from psycopg.types.json import Jsonb
from pyroaring import BitMap

from huanxin.domain.answers import Answer, Purpose
from huanxin.domain.lifecycle import EVENTS, Cancellation, SetFact
from huanxin.numbersets import instants
from huanxin.numbersets.sharded import NumberSet, dump
from huanxin.store import jobs
from huanxin.store.answer.receipts import StoredReceipt
from huanxin.store.database import Tx, recording_facts
from huanxin.store.disclose.disclosures import NewDisclosure, SeenText
from huanxin.store.notify.deliveries import tell_watchers
from huanxin.store.release.releases import Release
from huanxin.store.report import reports, settled
from huanxin.store.report.allocations import Range
from huanxin.store.report.reports import Mends
from huanxin.store.request.requests import COLUMNS, INQUIRE, NewAnswer, Request

_CODES = {event: code for code, event in enumerate(EVENTS)}
_EPOCH = date(1970, 1, 1).toordinal()


_REPORT = """
INSERT INTO report (carrier, file_name, sha256, lines, accepted, known, rejected, counts, recorded_by, recorded_at, kind,
    reason, approved_by, withdraws, again_after)
SELECT %(carrier)s, %(file_name)s, %(sha256)s, %(lines)s, %(accepted)s, %(known)s, %(rejected)s, %(counts)s, %(by)s, %(at)s,
    %(kind)s, %(reason)s, %(approved_by)s, %(withdraws)s, (
        SELECT coalesce(max(w.id), 0)
        FROM report r
        JOIN report w ON w.withdraws = r.id
        WHERE r.carrier = %(carrier)s AND r.sha256 = %(sha256)s
    )
RETURNING id
"""


def report(
    tx: Tx, *, carrier: str, file_name: str, sha256: bytes, lines: int, accepted: int, known: int, rejected: int,
    counts: Mapping[str, int], by: str, at: datetime, mends: Mends | None = None,
) -> int:  # fmt: skip
    """Record a report, or one that mends others; its id."""
    recording_facts(tx)
    row = tx.execute(
        _REPORT,
        {"carrier": carrier, "file_name": file_name, "sha256": sha256, "lines": lines, "accepted": accepted, "known": known,
         "rejected": rejected, "counts": Jsonb(dict(counts)), "by": by, "at": at, **vars(mends or Mends())},
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


_COPY_SETS = """
COPY report_set (shard, day, report_id, layer, event, carrier, numbers, instants, place) FROM STDIN (FORMAT BINARY)
"""


def report_sets(tx: Tx, report_id: int, sets: Iterable[tuple[int, SetFact]]) -> None:
    """Record a report's sets, given as (shard, fact)."""
    recording_facts(tx)
    every = list(sets)
    dumped = instants.dump_all(
        [fact.instants(fact.numbers) for _, fact in every], [f.day.toordinal() - _EPOCH for _, f in every]
    )
    with (
        tx.cursor() as cursor,
        cursor.copy(_COPY_SETS) as copy,
    ):
        copy.set_types(("int4", "date", "int8", "int2", "int2", "text", "bytea", "bytea", "int8[]"))
        for (shard, fact), at in zip(every, dumped, strict=True):
            place = list(fact.place) or None
            copy.write_row(
                (shard, fact.day, report_id, fact.layer, _CODES[fact.event], fact.carrier, dump(fact.numbers), at, place)
            )
    settled.noted(tx, report_id, every)


_NAMED = "(shard, day, report_id, layer, event) = (%(shard)s, %(day)s, %(report)s, %(layer)s, %(event)s)"
_VOID = f"""
INSERT INTO report_void (shard, day, report_id, layer, event, carrier, numbers, instants, place, voided_by)
SELECT shard, day, report_id, layer, event, carrier, %(numbers)s, %(at)s, place, %(by)s
FROM report_set
WHERE {_NAMED}
"""


def void(tx: Tx, by_report: int, sets: Iterable[tuple[int, SetFact]]) -> None:
    """Take numbers back of what is on record, given as (shard, fact of those numbers, with its instants): what is left of
    each set stands, and what was taken back is kept with the report that did so."""
    recording_facts(tx)
    first: dict[int, date] = {}
    for shard, fact in sets:
        first[shard] = min(fact.day, first.get(shard, fact.day))
        named = {"shard": shard, "day": fact.day, "report": fact.report, "layer": fact.layer, "event": _CODES[fact.event]}
        whole = reports.whole(tx, shard, fact)
        taken, left = whole.part(whole.numbers & fact.numbers), whole.part(whole.numbers - fact.numbers)
        tx.execute(_VOID, named | {"by": by_report, **reports.as_stored(taken)})
        if left.numbers:
            shrunk = f"UPDATE report_set SET numbers = %(numbers)s, instants = %(at)s WHERE {_NAMED}"
            tx.execute(shrunk, named | reports.as_stored(left))
        else:
            tx.execute(f"DELETE FROM report_set WHERE {_NAMED}", named)
    settled.forget(tx, first)
    _look_again(tx)


def unsold_sets(tx: Tx, report_id: int, numbers: NumberSet) -> None:
    """Record that a baseline says of some numbers that they were never sold."""
    recording_facts(tx)
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO unsold_set (report_id, shard, numbers) VALUES (%s, %s, %s)",
            [(report_id, shard, dump(places)) for shard, places in numbers.shards.items()],
        )


def allocation(tx: Tx, *, carrier: str, file_name: str, ranges: Sequence[Range], by: str, at: datetime) -> int:
    """Record what a carrier was allotted, in place of what was said before; its id."""
    recording_facts(tx)
    count = sum(last - first + 1 for first, last in ranges)
    row = tx.execute(
        "INSERT INTO allocation (carrier, file_name, count, recorded_by, recorded_at) VALUES (%s, %s, %s, %s, %s)"
        " RETURNING id",
        (carrier, file_name, count, by, at),
    ).fetchone()
    assert row is not None
    with tx.cursor() as cursor, cursor.copy("COPY allocation_range (allocation_id, first, last) FROM STDIN") as copy:
        for first, last in ranges:
            copy.write_row((row[0], first, last))
    return int(row[0])


def hold(
    tx: Tx, *, source: str, order: str, reason: str, until: date, review_on: date | None, numbers: NumberSet, by: str,
    at: datetime, replaces: int | None = None,
) -> int:  # fmt: skip
    """Record a hold on some numbers; its id. replaces: the one that was lifted for some, and goes on here for the others."""
    recording_facts(tx)
    row = tx.execute(
        "INSERT INTO hold (source, order_number, reason, until_day, review_on, count, placed_by, placed_at, replaces)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (source, order, reason, until, review_on, len(numbers), by, at, replaces),
    ).fetchone()
    assert row is not None
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO hold_set (hold_id, shard, numbers) VALUES (%s, %s, %s)",
            [(row[0], shard, dump(bitmap)) for shard, bitmap in numbers.shards.items()],
        )
    return int(row[0])


def hold_lift(tx: Tx, hold_id: int, *, reason: str, by: str, at: datetime) -> None:
    """Record that a hold was lifted."""
    recording_facts(tx)
    tx.execute(
        "INSERT INTO hold_lift (hold_id, reason, lifted_by, lifted_at) VALUES (%s, %s, %s, %s)",
        (hold_id, reason, by, at),
    )
    _look_again(tx)


def batch(
    tx: Tx, *, purpose: Purpose, retracts: int | None, numbers: NumberSet, cutoff: datetime, answer_by: datetime,
    freeze_days: int, seen_report: int, files: Mapping[str, Mapping[str, str | int]], by: str, at: datetime,
    reason: str = "", mended_by: int | None = None,
) -> int:  # fmt: skip
    """Record a batch; its id. mended_by: of a retraction, the report that mended what the batch stood on."""
    recording_facts(tx)
    row = tx.execute(
        "INSERT INTO batch (purpose, retracts, count, cutoff, answer_by, freeze_days, seen_report, files, planned_by,"
        " planned_at, reason, mended_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (purpose.value, retracts, len(numbers), cutoff, answer_by, freeze_days, seen_report, Jsonb(dict(files)), by, at,
         reason, mended_by),
    ).fetchone()  # fmt: skip
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


def batch_spans(tx: Tx, batch_id: int, spans: Mapping[Cancellation, BitMap]) -> None:
    """Record on which cancellation each place of a batch stands."""
    recording_facts(tx)
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO batch_span (batch_id, carrier, closed_on, report_id, layer, places)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [(batch_id, one.carrier, one.day, one.report, one.layer, dump(places)) for one, places in spans.items()],
        )


def notices(
    tx: Tx, batch_id: int, made: Sequence[tuple[str, int, bool]], *, by: str, at: datetime, answer_by: datetime | None
) -> None:
    """Record that some partners are told of a batch, to answer by then (None: by when the batch says): (id of the notice,
    partner, required) of each."""
    recording_facts(tx)
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO notice (id, batch_id, partner_id, required, sent_at, sent_by, answer_by)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(notice_id, batch_id, partner_id, required, at, by, answer_by) for notice_id, partner_id, required in made],
        )
    _look_again(tx, batch_id)


_RECEIPT = """
WITH filed AS (
    INSERT INTO receipt (id, notice_id, batch_id, partner_id, sha256, complete, idempotency_key, lines,
        counts, received_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    RETURNING id, batch_id
), again AS (DELETE FROM nothing_to_release n USING filed WHERE n.batch_id = filed.batch_id)
INSERT INTO receipt_set (receipt_id, outcome, reason, until_day, places)
SELECT filed.id, said.*
FROM filed, unnest(%s::text[], %s::text[], %s::date[], %b::bytea[]) said
"""


def receipt(
    tx: Tx, *, receipt_id: str, notice_id: str, batch_id: int, partner_id: int, sha256: bytes, complete: bool,
    idempotency_key: str, lines: int, answers: Mapping[Answer, BitMap], at: datetime,
) -> StoredReceipt:  # fmt: skip
    """Record a receipt."""
    recording_facts(tx)
    counts: dict[str, int] = {}
    for answer, places in answers.items():
        counts[answer.outcome.value] = counts.get(answer.outcome.value, 0) + len(places)
    said = [(a.outcome.value, a.reason, a.until, dump(places)) for a, places in answers.items()]
    outcomes, reasons, days, sets = zip(*said, strict=True) if said else ((),) * 4
    tx.execute(
        _RECEIPT,
        (receipt_id, notice_id, batch_id, partner_id, sha256, complete, idempotency_key, lines, Jsonb(counts), at,
         list(outcomes), list(reasons), list(days), list(sets)),
    )  # fmt: skip
    return StoredReceipt(
        id=receipt_id, notice_id=notice_id, batch_id=batch_id, partner_id=partner_id, complete=complete, lines=lines,
        counts=counts, received_at=at, sha256=sha256,
    )  # fmt: skip


def waiver(tx: Tx, *, batch_id: int, partner_id: int, places: BitMap, reason: str, by: str, at: datetime) -> int:
    """Record that an operator goes on without a partner's answer for some places; the waiver's id."""
    recording_facts(tx)
    row = tx.execute(
        "INSERT INTO waiver (batch_id, partner_id, reason, count, places, waived_by, waived_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (batch_id, partner_id, reason, len(places), dump(places), by, at),
    ).fetchone()
    assert row is not None
    _look_again(tx, batch_id)
    return int(row[0])


def release(
    tx: Tx, *, batch_id: int, spans: Mapping[tuple[str, date], BitMap], freeze_days: int, by: str, alone: bool, at: datetime
) -> Release:
    """Record a release of some places, by carrier and day of cancellation. `alone`: no proposal leads to it."""
    recording_facts(tx)
    count = sum(len(places) for places in spans.values())
    row = tx.execute(
        "INSERT INTO release (batch_id, count, released_by, released_at, freeze_days, asked) VALUES (%s, %s, %s, %s, %s,"
        " ARRAY(SELECT partner_id FROM notice WHERE batch_id = %s ORDER BY partner_id)) RETURNING id",
        (batch_id, count, by, at, freeze_days, batch_id),
    ).fetchone()
    assert row is not None
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO release_set (release_id, carrier, closed_on, places) VALUES (%s, %s, %s, %s)",
            [(row[0], carrier, day, dump(places)) for (carrier, day), places in spans.items()],
        )
    return Release(
        id=int(row[0]), batch_id=batch_id, count=count, released_by=by, released_at=at, alone=alone, freeze_days=freeze_days
    )


def disclosures(tx: Tx, new: Iterable[NewDisclosure], texts: Iterable[SeenText]) -> None:
    """Record disclosures with the words that were shown."""
    recording_facts(tx)
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO disclosure_text (sha256, version, language, text) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(one.sha256, one.version, one.language, one.text) for one in texts],
        )
        with cursor.copy(
            "COPY disclosure (id, number, carrier, closed_on, grade, asked, confirmed, text_sha256, method, evidence,"
            " operator_id, acknowledged_at) FROM STDIN"
        ) as copy:
            for one in new:
                copy.write_row(
                    (one.id, one.number, one.carrier, one.closed_on, one.grade, one.asked, one.confirmed, one.text_sha256,
                     one.method, one.evidence, one.operator_id, one.acknowledged_at)
                )  # fmt: skip


def disclosure_withdrawal(tx: Tx, disclosure_id: str, *, reason: str, by: int, at: datetime) -> bool:
    """Record that the buyer did not take the number; False if that was recorded before."""
    recording_facts(tx)
    done = tx.execute(
        "INSERT INTO disclosure_withdrawal (disclosure_id, reason, operator_id, withdrawn_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (disclosure_id, reason, by, at),
    )
    return done.rowcount == 1


def request(tx: Tx, request: Request, notices: Mapping[int, str]) -> None:
    """Record a request with its notices, given as partner -> id of the notice. It is looked at when its answers are due."""
    tx.execute(
        f"INSERT INTO request ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (request.id, request.purpose, request.number, request.carrier, request.opened_on, request.of_day, request.tenures,
         request.cutoff, request.answer_by, request.channel, request.language, request.consent_text, request.requested_at,
         request.retracts),
    )  # fmt: skip
    if request.purpose != INQUIRE:  # who asked a question waits for its answer on the page
        tx.execute("INSERT INTO request_news (request_id) VALUES (%s)", (request.id,))
        # Of what is taken back its owner hears at once.
        jobs.put(tx, jobs.NEWS, request.id, at=request.requested_at if request.retracts else request.answer_by)
    tx.execute(
        "INSERT INTO request_notice (id, request_id, partner_id, sent_at)"
        " SELECT value, %s, key::bigint, %s FROM jsonb_each_text(%s)",
        (request.id, request.requested_at, Jsonb(dict(notices))),
    )


_REQUEST_ANSWERS = """
INSERT INTO request_answer (id, notice_id, outcome, reason, until_day, idempotency_key, received_at)
SELECT receipt, notice_id, outcome, reason, until_day, key, %s
FROM ROWS FROM (jsonb_to_recordset(%s) AS (receipt text, notice_id text, outcome text, reason text,
    until_day date, key text))
WITH ORDINALITY u (receipt, notice_id, outcome, reason, until_day, key, place)
ORDER BY place
"""


def request_answers(tx: Tx, answers: Iterable[NewAnswer], at: datetime) -> None:
    """Record answers, and tell whoever watches their requests once this transaction is committed."""
    found = list(answers)
    if not found:
        return
    tx.execute(
        _REQUEST_ANSWERS,
        (at, Jsonb([vars(one) | {"until_day": one.until_day and one.until_day.isoformat()} for one in found])),
    )
    tell_watchers(tx, (one.request_id for one in found))


def _look_again(tx: Tx, batch_id: int | None = None) -> None:
    """Say that something of a batch, or of any, may be released now. What only keeps numbers back needs none of it."""
    tx.execute("DELETE FROM nothing_to_release WHERE batch_id = coalesce(%s, batch_id)", (batch_id,))
