"""The outbox: events recorded with the fact that they tell of, until the partner has taken them.

How an event reaches its partner is the stream's to say: pushed, polled or by files. A worker holds the row's lock while it
pushes, in one transaction: no two workers push the same event, and when one dies, its lock goes with it and the next takes
over at once. Events of one subject reach a partner in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.store.database import Tx, tell
from huanxin.store.notify import new_owners

CHANNEL = "huanxin_delivery"
EVENTS, OWNERS = "", "owners"
"""What a notification of workers is about: events for partners, or owners who are to be told something."""
REQUESTS = "huanxin_request"
_IDS = 200  # in one notification, which has 8,000 bytes

_NOTHING_EARLIER = """
NOT EXISTS (
    SELECT 1
    FROM delivery e
    WHERE e.partner_id = d.partner_id AND e.subject = d.subject AND e.seq < d.seq AND e.next_at IS NOT NULL
)
"""
NOT_CALLED_OFF = "NOT EXISTS (SELECT 1 FROM request_call_off o WHERE o.notice_id = d.notice_id)"
_SAME_WAY = "(SELECT s.endpoint FROM stream s WHERE s.partner_id = d.partner_id) IS NOT DISTINCT FROM met.endpoint"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An event on its way to a partner, with what its stream says of the way. `attempts` ever; of `tries`, `tried_days` and
    `tried_on` see domain.retries."""

    jti: str
    partner_id: int
    notice_id: str | None
    event: str
    claims: dict[str, Any]
    attempts: int
    tries: int
    tried_days: int
    tried_on: date | None
    created_at: datetime
    next_at: datetime | None
    delivered_at: datetime | None
    endpoint: str | None
    inbox: str | None
    sealed_authorization: str | None
    alg: str


DELIVERY = """
SELECT d.jti, d.partner_id, d.notice_id, d.event, d.claims, d.attempts, d.tries, d.tried_days, d.tried_on,
    d.created_at, d.next_at, d.delivered_at, s.endpoint, s.inbox, s."authorization" AS sealed_authorization,
    coalesce(s.alg, 'ES256') AS alg
FROM delivery d
LEFT JOIN stream s ON s.partner_id = d.partner_id
"""


@dataclass(frozen=True, kw_only=True)
class NewDelivery:
    """An event to record for a partner; with `kept` false it is on record and not sent, with `always` it is sent whatever
    the status of the stream."""

    jti: str
    partner_id: int
    notice_id: str | None
    event: str
    subject: str
    claims: dict[str, Any]
    always: bool = False
    kept: bool = True


def add(tx: Tx, one: NewDelivery, *, at: datetime) -> None:
    """Record one event for a partner (`add_all`)."""
    add_all(tx, [one], at=at)


_ADD_ALL = """
INSERT INTO delivery (jti, partner_id, notice_id, event, subject, claims, created_at, next_at, always)
SELECT u.jti, u.partner_id, u.notice_id, u.event, u.subject, u.claims, %(at)s, CASE WHEN u.kept
    THEN %(at)s END, u.always
FROM ROWS FROM (jsonb_to_recordset(%(events)s) AS (jti text, partner_id bigint, notice_id text, event text,
    subject text, claims jsonb, always boolean, kept boolean))
WITH ORDINALITY u (jti, partner_id, notice_id, event, subject, claims, always, kept, place)
ORDER BY u.place
ON CONFLICT (jti) DO NOTHING
"""


def add_all(tx: Tx, events: Sequence[NewDelivery], *, at: datetime) -> None:
    """Record events for partners, in this order. Again with the same `jti` changes nothing."""
    if not events:
        return
    tx.execute(
        _ADD_ALL,
        {"at": at, "events": Jsonb([vars(one) for one in events])},
    )


def wake_workers(tx: Tx, about: str = EVENTS) -> None:
    """Tell workers, once this transaction is committed, that there is something to do."""
    tell(tx, CHANNEL, (about,))


def claim_due(tx: Tx, now: datetime, method: str, most: int = 1) -> list[Delivery]:
    """Events that are due, `most` at the most, locked for this transaction: all of one partner, the first of those on
    streams of a method; of each subject the one that is next."""
    # Of the first partners, other workers may hold all that is due.
    claims = (claim_for(tx, partner_id, now, method, most) for partner_id in with_due(tx, now, method))
    return next((found for found in claims if found), [])


_WITH_DUE = f"""
SELECT s.partner_id
FROM stream s
CROSS JOIN LATERAL (
    SELECT d.next_at, d.tries
    FROM delivery d
    WHERE d.partner_id = s.partner_id AND d.next_at <= %s AND (s.status = 'enabled' OR d.always)
        AND {_NOTHING_EARLIER}
    ORDER BY d.next_at
    LIMIT 1
) first
WHERE s.method = %s
ORDER BY first.tries > 0, first.next_at
"""


def with_due(tx: Tx, now: datetime, method: str) -> list[int]:
    """The partners on streams of a method that have events that are due: whoever was tried in vain after the others, and of
    these whoever has waited longest first."""
    rows = tx.execute(
        _WITH_DUE,
        (now, method),
    )
    return [partner_id for (partner_id,) in rows]


_CLAIM_FOR = f"""
{DELIVERY}
WHERE d.partner_id = %s AND s.method = %s AND d.next_at <= %s AND (s.status = 'enabled' OR d.always)
    AND {_NOTHING_EARLIER}
ORDER BY d.next_at, d.seq
LIMIT %s
FOR UPDATE OF d SKIP LOCKED
"""


def claim_for(tx: Tx, partner_id: int, now: datetime, method: str, most: int) -> list[Delivery]:
    """As `claim_due`, of one partner: what no other worker holds."""
    with tx.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(_CLAIM_FOR, (partner_id, method, now, most)).fetchall()


def to_poll(tx: Tx, partner_id: int, now: datetime, *, enabled: bool, limit: int) -> list[Delivery]:
    """The events that a partner may poll now, oldest first: of each subject the one that is next. Of a stream that is not
    enabled, only those that tell of that."""
    with tx.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(
            f"{DELIVERY} WHERE d.partner_id = %s AND d.next_at <= %s AND (%s OR d.always) AND {_NOTHING_EARLIER}"
            " ORDER BY d.next_at, d.seq LIMIT %s",
            (partner_id, now, enabled, limit),
        ).fetchall()


@dataclass(frozen=True, kw_only=True)
class Met:
    """What a delivery met with at an `endpoint`: the HTTP `status` (None if there was none), the partner's `answer`, when to
    try again."""

    jti: str
    endpoint: str | None
    status: int | None
    answer: str
    next_at: datetime | None
    delivered: bool


_RECORD_ATTEMPTS = f"""
WITH met AS (
    SELECT *
    FROM jsonb_to_recordset(%(met)s) AS u (jti text, endpoint text, status integer, answer text,
        next_at timestamptz, delivered boolean)
), kept AS (
    INSERT INTO delivery_attempt (jti, at, status, answer)
    SELECT jti, %(at)s, status, answer
    FROM met
)
UPDATE delivery d
SET attempts = d.attempts + 1, tries = d.tries + 1,
    tried_days = d.tried_days + (d.tried_on IS DISTINCT FROM %(day)s)::integer, tried_on = %(day)s,
    next_at = CASE WHEN met.next_at IS NULL OR d.next_at IS NULL THEN NULL WHEN {_SAME_WAY} THEN met.next_at
    ELSE %(at)s END, delivered_at = CASE WHEN met.delivered THEN %(at)s ELSE d.delivered_at END
FROM met
WHERE d.jti = met.jti
RETURNING CASE WHEN met.delivered THEN (SELECT n.request_id FROM request_notice n WHERE n.id = d.notice_id) END
"""


def record_attempts(tx: Tx, attempts: Sequence[Met], *, at: datetime) -> None:
    """Record what deliveries met with. Whoever has another endpoint by now doesn't wait for what the old one did; what was
    taken or given up meanwhile stays so."""
    if not attempts:
        return
    told = tx.execute(
        _RECORD_ATTEMPTS,
        {"at": at, "day": at.date(), "met": Jsonb([_plain(one) for one in attempts])},
    )
    tell_watchers(tx, (request_id for (request_id,) in told if request_id is not None))


_ACKNOWLEDGE = """
WITH taken AS (
    UPDATE delivery
    SET attempts = attempts + 1, next_at = NULL, delivered_at = %(at)s
    WHERE partner_id = %(partner_id)s AND jti = ANY(%(jtis)s) AND next_at IS NOT NULL
    RETURNING jti, notice_id
), kept AS (
    INSERT INTO delivery_attempt (jti, at, status, answer)
    SELECT jti, %(at)s, %(status)s, 'acknowledged'
    FROM taken
)
SELECT DISTINCT n.request_id
FROM taken
JOIN request_notice n ON n.id = taken.notice_id
"""


def acknowledge(tx: Tx, partner_id: int, jtis: Sequence[str], *, status: int, at: datetime) -> None:
    """Record that a partner has taken some of its events, those of them that are open."""
    told = tx.execute(
        _ACKNOWLEDGE,
        {"partner_id": partner_id, "jtis": list(jtis), "status": status, "at": at},
    )
    tell_watchers(tx, (request_id for (request_id,) in told))


def tell_watchers(tx: Tx, request_ids: Iterable[str]) -> None:
    """Tell whoever watches some orders, once this transaction is committed: ids with spaces between, as many as a
    notification holds."""
    ids = sorted(set(request_ids))
    tell(tx, REQUESTS, (" ".join(ids[start : start + _IDS]) for start in range(0, len(ids), _IDS)))


def _plain(met: Met) -> dict[str, Any]:
    return vars(met) | {"next_at": met.next_at.isoformat() if met.next_at else None}


def lend(tx: Tx, jtis: Sequence[str], until: datetime) -> None:
    """Leave events to a call that goes on after this transaction: nobody else pushes them until then."""
    tx.execute("UPDATE delivery SET next_at = %s WHERE jti = ANY(%s) AND next_at IS NOT NULL", (until, list(jtis)))


def return_lent(tx: Tx, jtis: Sequence[str], now: datetime) -> None:
    """Let events that were lent be pushed by anybody."""
    tx.execute(
        "UPDATE delivery SET next_at = least(next_at, %s) WHERE jti = ANY(%s) AND next_at IS NOT NULL", (now, list(jtis))
    )


def put_off(tx: Tx, jtis: Sequence[str], until: datetime, *, endpoint: str | None) -> None:
    """Let events wait that were not tried: their partner can't be reached at an endpoint. Not if it has another by now."""
    tx.execute(
        "UPDATE delivery d SET next_at = met.until FROM (SELECT %s::timestamptz AS until, %s::text AS endpoint) met"
        f" WHERE d.jti = ANY(%s) AND d.next_at IS NOT NULL AND {_SAME_WAY}",
        (until, endpoint, list(jtis)),
    )


def open_ones(tx: Tx, partner_id: int, jtis: Sequence[str]) -> list[Delivery]:
    """Those of some event ids that are open events of a partner, locked for this transaction."""
    with tx.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(
            f"{DELIVERY} WHERE d.partner_id = %s AND d.jti = ANY(%s) AND d.next_at IS NOT NULL"
            " ORDER BY d.seq FOR UPDATE OF d",
            (partner_id, list(jtis)),
        ).fetchall()


def open_subjects(tx: Tx, partner_id: int, subjects: Sequence[str]) -> set[str]:
    """Those of some subjects of which a partner has open events."""
    rows = tx.execute(
        "SELECT DISTINCT subject FROM delivery WHERE partner_id = %s AND subject = ANY(%s) AND next_at IS NOT NULL",
        (partner_id, list(subjects)),
    )
    return {subject for (subject,) in rows}


def give_up(tx: Tx, partner_id: int, jtis: Sequence[str]) -> None:
    """Send events no more."""
    tx.execute("UPDATE delivery SET next_at = NULL WHERE partner_id = %s AND jti = ANY(%s)", (partner_id, list(jtis)))


def drop_open(tx: Tx, partner_id: int) -> int:
    """Give up every open event and feed of a partner but the events that tell of its stream; how many events."""
    new_owners.drop(tx, partner_id)
    done = tx.execute(
        "UPDATE delivery SET next_at = NULL WHERE partner_id = %s AND next_at IS NOT NULL AND NOT always", (partner_id,)
    )
    return done.rowcount


def ordinal(tx: Tx, delivery: Delivery) -> int:
    """The how manieth event of its kind about its notice an event is, from 1."""
    row = tx.execute(
        "SELECT count(*) FROM delivery d JOIN delivery o ON o.notice_id = d.notice_id AND o.event = d.event"
        " AND o.seq <= d.seq WHERE d.jti = %s",
        (delivery.jti,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def subjects_of(tx: Tx, notice_ids: Sequence[str]) -> dict[str, str]:
    """The subject under which each notice's own event goes; those are missing whose streams don't ask for it."""
    rows = tx.execute(
        "SELECT DISTINCT ON (notice_id) notice_id, subject FROM delivery WHERE notice_id = ANY(%s) ORDER BY notice_id, seq",
        (list(notice_ids),),
    )
    return dict(rows.fetchall())


_SECONDS_UNTIL_NEXT = f"""
SELECT extract(epoch FROM min(next_at) - %s)
FROM (
    SELECT first.next_at
    FROM stream s
    CROSS JOIN LATERAL (
        SELECT d.next_at
        FROM delivery d
        WHERE d.partner_id = s.partner_id AND d.next_at IS NOT NULL AND (s.status = 'enabled'
            OR d.always) AND {_NOTHING_EARLIER}
        ORDER BY d.next_at
        LIMIT 1
    ) first
    WHERE s.method <> 'poll'
    UNION ALL
    SELECT f.next_at
    FROM recycled_feed f
    JOIN stream s USING (partner_id)
    WHERE f.next_at IS NOT NULL AND s.method <> 'poll' AND s.status = 'enabled'
) waiting
"""


def seconds_until_next(tx: Tx, now: datetime) -> float | None:
    """Seconds until something falls due for a worker (0 if something is); None if nothing waits."""
    row = tx.execute(
        _SECONDS_UNTIL_NEXT,
        (now,),
    ).fetchone()
    return max(0.0, float(row[0])) if row and row[0] is not None else None


_WAITING = """
SELECT (
    SELECT count(*)
    FROM delivery d
    JOIN stream s USING (partner_id)
    WHERE d.next_at IS NOT NULL AND s.method <> 'poll' AND s.status = 'enabled'
) + (
    SELECT coalesce(sum(f.total - f.done), 0)
    FROM recycled_feed f
    JOIN stream s USING (partner_id)
    WHERE f.next_at IS NOT NULL AND s.method <> 'poll' AND s.status = 'enabled'
)
"""


def waiting(tx: Tx) -> int:
    """How many events and feeds the workers have not delivered yet."""
    row = tx.execute(_WAITING).fetchone()
    assert row is not None
    return int(row[0])
