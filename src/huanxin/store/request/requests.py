"""Requests as stored: one owner's order, a notice to each partner, the answers as they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from huanxin.store import jobs
from huanxin.store.database import Tx
from huanxin.store.notify.deliveries import REQUESTS

INQUIRE, RETRACT = "inquire", "retract"
CHANNEL = REQUESTS
"""Hears the ids of requests, with spaces between, whenever something happened to them."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One owner's order to renew or to leave one number now, or their question who holds ties to it (`inquire`); or what
    takes an order back that went by a wrong day (`retract`; `retracts`: its id). `cutoff`: older ties are cut. `of_day`:
    which of the tenures that began on `opened_on` it is of. Of one from before that was kept it is None, and `tenures` says
    how many the number had, this owner's included, or is None too."""

    id: str
    purpose: str
    number: int
    carrier: str
    opened_on: date | None
    cutoff: datetime
    answer_by: datetime
    channel: str
    language: str
    consent_text: str
    requested_at: datetime
    of_day: int | None = None
    tenures: int | None = None
    retracts: str | None = None


@dataclass(frozen=True, kw_only=True)
class RequestNotice:
    """What one partner was told for one request, and its latest answer (`outcome` None before the first). `withdrawn`: the
    partner is no longer connected."""

    id: str
    request_id: str
    partner_id: int
    withdrawn: bool
    partner: str
    kind: str
    number: int
    purpose: str
    cutoff: datetime
    answer_by: datetime
    sent_at: datetime
    delivered_at: datetime | None
    receipt: str | None
    outcome: str | None
    reason: str | None
    until_day: date | None
    answered_at: datetime | None
    called_off_at: datetime | None
    called_off_by: str | None
    called_off_why: str | None

    @property
    def untold(self) -> bool:
        """Whether it can be called off: the partner was not told, has not answered and is still there."""
        return not (self.delivered_at or self.outcome or self.called_off_at or self.withdrawn)


COLUMNS = (
    "id, purpose, number, carrier, opened_on, of_day, tenures, cutoff, answer_by, channel, language, consent_text,"
    " requested_at, retracts"
)
_NOTICE = """
SELECT n.id, n.request_id, n.partner_id, p.name AS partner, p.kind, r.number, r.purpose, r.cutoff,
    r.answer_by, n.sent_at, d.delivered_at, a.id AS receipt, a.outcome, a.reason, a.until_day,
    a.received_at AS answered_at, o.called_off_at, o.called_off_by, o.reason AS called_off_why,
    EXISTS (SELECT 1 FROM partner_withdrawal w WHERE w.partner_id = n.partner_id) AS withdrawn
FROM request_notice n
JOIN request r ON r.id = n.request_id
JOIN partner p ON p.id = n.partner_id
LEFT JOIN LATERAL (SELECT min(delivered_at) AS delivered_at FROM delivery WHERE notice_id = n.id) d ON true
LEFT JOIN LATERAL (
    SELECT id, outcome, reason, until_day, received_at
    FROM request_answer
    WHERE notice_id = n.id
    ORDER BY seq DESC
    LIMIT 1
) a ON true
LEFT JOIN request_call_off o ON o.notice_id = n.id
"""


def one_per_number(tx: Tx, number: int) -> None:
    """Make requests for the same number wait for each other, until this transaction ends."""
    tx.execute("SELECT pg_advisory_xact_lock(%s, %s)", (7_307, number % 2_147_483_647))


def get(tx: Tx, request_id: str) -> Request | None:
    with tx.cursor(row_factory=class_row(Request)) as cursor:
        return cursor.execute(f"SELECT {COLUMNS} FROM request_now WHERE id = %s", (request_id,)).fetchone()


def of_number(tx: Tx, number: int) -> list[Request]:
    """The requests for a number, newest first."""
    with tx.cursor(row_factory=class_row(Request)) as cursor:
        return cursor.execute(f"SELECT {COLUMNS} FROM request_now WHERE number = %s ORDER BY seq DESC", (number,)).fetchall()


def ordered_for(tx: Tx, numbers: Sequence[int]) -> list[int]:
    """Those of some numbers for which anything was ordered or asked."""
    rows = tx.execute("SELECT DISTINCT number FROM request WHERE number = ANY(%s) ORDER BY 1", (list(numbers),))
    return [int(number) for (number,) in rows]


def taken_back(tx: Tx, request_id: str) -> bool:
    """Whether an order was taken back since it went by a wrong day."""
    return tx.execute("SELECT 1 FROM request WHERE retracts = %s", (request_id,)).fetchone() is not None


def notices_of(tx: Tx, request_id: str) -> list[RequestNotice]:
    """A request's notices with their latest answers, in the order of partners."""
    with tx.cursor(row_factory=class_row(RequestNotice)) as cursor:
        return cursor.execute(f"{_NOTICE} WHERE n.request_id = %s ORDER BY n.partner_id", (request_id,)).fetchall()


def notice(tx: Tx, notice_id: str) -> RequestNotice | None:
    with tx.cursor(row_factory=class_row(RequestNotice)) as cursor:
        return cursor.execute(f"{_NOTICE} WHERE n.id = %s", (notice_id,)).fetchone()


@dataclass(frozen=True, kw_only=True)
class RequestAsked:
    """What one partner was asked by a notice, and its latest answer (`outcome` None before the first)."""

    id: str
    request_id: str
    number: int
    carrier: str
    purpose: str
    receipt: str | None
    outcome: str | None
    reason: str | None
    until_day: date | None


_ASKED = """
SELECT n.id, n.request_id, r.number, r.carrier, r.purpose, a.id AS receipt, a.outcome, a.reason, a.until_day
FROM request_notice n
JOIN request r ON r.id = n.request_id
LEFT JOIN LATERAL (
    SELECT id, outcome, reason, until_day
    FROM request_answer
    WHERE notice_id = n.id
    ORDER BY seq DESC
    LIMIT 1
) a ON true
WHERE n.partner_id = %s AND n.id = ANY(%s)
"""


def asked(tx: Tx, partner_id: int, notice_ids: Sequence[str]) -> dict[str, RequestAsked]:
    """What those of some notices ask that are a partner's, by id."""
    with tx.cursor(row_factory=class_row(RequestAsked)) as cursor:
        rows = cursor.execute(
            _ASKED,
            (partner_id, list(notice_ids)),
        )
        return {one.id: one for one in rows}


def of_partner(tx: Tx, partner_id: int, limit: int) -> list[RequestNotice]:
    """The notices of a partner that were not called off, newest first."""
    with tx.cursor(row_factory=class_row(RequestNotice)) as cursor:
        return cursor.execute(
            f"{_NOTICE} WHERE n.partner_id = %s AND o.notice_id IS NULL ORDER BY n.sent_at DESC LIMIT %s",
            (partner_id, limit),
        ).fetchall()


@dataclass(frozen=True, kw_only=True)
class NewAnswer:
    """An answer to record: `receipt` is the id under which the partner is told that it was taken."""

    receipt: str
    notice_id: str
    request_id: str
    outcome: str
    reason: str
    until_day: date | None
    key: str = ""
    """the Idempotency-Key of the call that brought it"""

    def says(self, other: NewAnswer) -> bool:
        """Whether it says the same as another one."""
        return (self.outcome, self.reason, self.until_day) == (other.outcome, other.reason, other.until_day)


def one_at_a_time(tx: Tx, notice_ids: Sequence[str]) -> None:
    """Make answers to the same notice wait for each other, until this transaction ends: the last one holds, and `seq` is the
    order of their commits only so. Few locks, however many notices: two notices may share one."""
    tx.execute(
        "SELECT pg_advisory_xact_lock(7311, lock) FROM (SELECT DISTINCT hashtext(id) & 255 AS lock"
        " FROM unnest(%s::text[]) id ORDER BY lock) locks",
        (list(notice_ids),),
    )


_ANSWERS_OF = """
SELECT a.id AS receipt, a.notice_id, n.request_id, a.outcome, a.reason, a.until_day, a.idempotency_key AS key
FROM request_answer a
JOIN request_notice n ON n.id = a.notice_id
WHERE a.notice_id = ANY(%s)
ORDER BY a.seq
"""


def answers_of(tx: Tx, notice_ids: Sequence[str]) -> dict[str, list[NewAnswer]]:
    """All that was answered to some notices, oldest first."""
    found: dict[str, list[NewAnswer]] = {}
    if notice_ids:
        with tx.cursor(row_factory=class_row(NewAnswer)) as cursor:
            for one in cursor.execute(
                _ANSWERS_OF,
                (list(notice_ids),),
            ):
                found.setdefault(one.notice_id, []).append(one)
    return found


def outcome_of(tx: Tx, receipt: str) -> str:
    """What an answer said, by the id under which the partner was told that it was taken."""
    row = tx.execute("SELECT outcome FROM request_answer WHERE id = %s", (receipt,)).fetchone()
    assert row is not None
    return str(row[0])


_NOTE_DONE = """
WITH noted AS (
    UPDATE request_news news
    SET done_at = CASE WHEN found.done THEN %(at)s END
    FROM (
        SELECT r.id, r.answer_by <= %(at)s AS due, NOT EXISTS (
            SELECT 1
            FROM request_notice n
            WHERE n.request_id = r.id
                AND coalesce(
                    (SELECT outcome FROM request_answer WHERE notice_id = n.id ORDER BY seq DESC LIMIT 1), 'pending'
                ) = 'pending'
                AND NOT EXISTS (SELECT 1 FROM request_call_off o WHERE o.notice_id = n.id)
        ) AS done
        FROM request r
        JOIN request_news w ON w.request_id = r.id
        WHERE r.id = ANY(%(ids)s) AND w.done_at IS NULL
    ) found
    WHERE news.request_id = found.id AND news.done_at IS NULL AND (found.done OR found.due)
    RETURNING news.request_id
), looked AS (
    INSERT INTO job (kind, key, next_at)
    SELECT %(news)s, request_id, %(at)s
    FROM noted
    ON CONFLICT (kind, key) DO UPDATE SET next_at = excluded.next_at
)
SELECT request_id
FROM noted
"""


def note_done(tx: Tx, request_ids: Sequence[str], at: datetime) -> list[str]:
    """Note which of some requests have a final answer from every partner since now, and have those looked at whose answers
    were due before; these are the ones with news for their owners.

    To be called once the answers are committed: of two that come at the same time the later one then sees both.
    """
    rows = tx.execute(
        _NOTE_DONE,
        {"at": at, "ids": list(request_ids), "news": jobs.NEWS},
    )
    return [request_id for (request_id,) in rows]


def not_done(tx: Tx) -> list[str]:
    """The requests of which it isn't noted that they are done."""
    return [one for (one,) in tx.execute("SELECT request_id FROM request_news WHERE done_at IS NULL")]


def all_done(tx: Tx) -> list[str]:
    """Every request that is done for its owner, oldest first."""
    rows = tx.execute("SELECT request_id FROM request_news WHERE done_at IS NOT NULL ORDER BY done_at")
    return [one for (one,) in rows]


def outcomes(tx: Tx) -> dict[str, int]:
    """How many answers of each outcome are on record."""
    return dict(tx.execute("SELECT outcome, count(*) FROM request_answer GROUP BY outcome").fetchall())


def news(tx: Tx, request_id: str) -> tuple[Request, datetime | None]:
    """An order that is to be looked at, and since when it is done (None: not yet)."""
    row = tx.execute("SELECT done_at FROM request_news WHERE request_id = %s", (request_id,)).fetchone()
    request = get(tx, request_id)
    assert request is not None
    assert row is not None
    return request, row[0]


def note_news(tx: Tx, request_id: str, *, done_at: datetime, told_at: datetime | None) -> None:
    """Record since when an order is done, and whether its owner was told."""
    tx.execute("UPDATE request_news SET done_at = %s, told_at = %s WHERE request_id = %s", (done_at, told_at, request_id))
