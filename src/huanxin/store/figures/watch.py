"""What the figures of /watch are counted from: which batches and months have changed, and counts of orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from huanxin.store.database import Tx

SLACK = 10_000
"""Requests and answers are numbered before they are committed: this many are looked at again, in case one came late."""


def last_orders(tx: Tx) -> tuple[int, int]:
    """The positions of the last request and the last answer to one."""
    row = tx.execute(
        "SELECT (SELECT coalesce(max(seq), 0) FROM request), (SELECT coalesce(max(seq), 0) FROM request_answer)"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


_MONTHS_CHANGED = """
SELECT DISTINCT to_char(at AT TIME ZONE %s, 'YYYY-MM') AS month
FROM (
    SELECT requested_at AS at
    FROM request
    WHERE seq > %s
    UNION ALL
    SELECT r.requested_at
    FROM request_answer a
    JOIN request_notice n ON n.id = a.notice_id
    JOIN request r ON r.id = n.request_id
    WHERE a.seq > %s
) changed
ORDER BY month
"""


def months_changed(tx: Tx, *, after_request: int, after_answer: int, zone: str) -> list[str]:
    """The months (`2026-11`, in a zone) of the requests that came, or were answered, after some positions."""
    rows = tx.execute(
        _MONTHS_CHANGED,
        (zone, after_request, after_answer),
    )
    return [month for (month,) in rows]


@dataclass(frozen=True, kw_only=True)
class BlockCount:
    """Counts of a carrier's numbers in one block (a number without its last four digits)."""

    carrier: str
    block: int
    people: int = 0
    orders: int = 0
    ties_cut: int = 0
    owners: int = 0


@dataclass(frozen=True, kw_only=True)
class PartnerOrders:
    """What one partner was asked by owners: orders, final answers, those in time, refusals."""

    partner_id: int
    asked: int
    answered: int
    in_time: int
    refused: int


_IN_MONTH = "r.purpose IN ('renew', 'leave') AND r.requested_at >= %s AND r.requested_at < %s"


_PEOPLE = f"""
SELECT carrier, number / 10000, count(*), count(*) FILTER (WHERE
    NOT EXISTS (SELECT 1 FROM request e WHERE e.number = found.number AND e.seq < found.seq
    AND e.purpose IN ('renew', 'leave')))
FROM (
    SELECT r.carrier, r.number, min(r.seq) AS seq
    FROM request r
    WHERE {_IN_MONTH}
    GROUP BY 1, 2
) found
GROUP BY 1, 2
"""


def people(tx: Tx, since: datetime, until: datetime) -> list[BlockCount]:
    """Numbers that were ordered for within a span (`owners`; `people`: for the first time), by carrier and block."""
    rows = tx.execute(
        _PEOPLE,
        (since, until),
    )
    return [
        BlockCount(carrier=carrier, block=block, owners=owners, people=people) for carrier, block, owners, people in rows
    ]


_ORDERS = f"""
WITH told AS (
    SELECT r.carrier, r.number / 10000 AS block, n.partner_id, r.answer_by, a.outcome, a.received_at
    FROM request r
    JOIN request_notice n ON n.request_id = r.id
    LEFT JOIN LATERAL (
        SELECT outcome, received_at
        FROM request_answer
        WHERE notice_id = n.id
        ORDER BY seq DESC
        LIMIT 1
    ) a ON true
    WHERE {_IN_MONTH} AND NOT EXISTS (SELECT 1 FROM request_call_off o WHERE o.notice_id = n.id)
)
SELECT carrier, block, partner_id, count(*), count(*) FILTER (WHERE outcome = 'unbound'),
    count(*) FILTER (WHERE outcome <> 'pending'), count(*) FILTER (WHERE outcome <> 'pending'
    AND received_at <= answer_by), count(*) FILTER (WHERE outcome = 'refused')
FROM told
GROUP BY GROUPING SETS ((carrier, block), (partner_id))
"""


def orders(tx: Tx, since: datetime, until: datetime) -> tuple[list[BlockCount], list[PartnerOrders]]:
    """The orders to partners within a span and how they stand: by carrier and block, and by partner."""
    rows = tx.execute(
        _ORDERS,
        (since, until),
    )
    blocks, partners = [], []
    for carrier, block, partner, asked, cut, answered, in_time, refused in rows:
        if partner is None:
            blocks.append(BlockCount(carrier=carrier, block=block, orders=asked, ties_cut=cut))
        else:
            partners.append(
                PartnerOrders(partner_id=partner, asked=asked, answered=answered, in_time=in_time, refused=refused)
            )
    return blocks, sorted(partners, key=lambda one: one.partner_id)
