"""What each partner answered to each batch, and when: counted once and kept as a summary, so that no page folds answers.

Only partners who filed a receipt since are counted again, so what is read here is never old.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from huanxin.domain.answers import Standing
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.figures import summaries

KIND = "answers"
"""Summaries by batch: {"receipts": how many were counted, "counts": pairs by outcome, "partners": {id: the same of one}}."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One partner's answers to one batch of `numbers`: pairs by outcome; `answered_at`: since when none was left without an
    answer (None: not yet); pairs that operators waived, the first time at `waived_at`."""

    batch_id: int
    numbers: int
    partner_id: int
    partner: str
    required: bool
    sent_at: datetime
    answer_by: datetime
    counts: dict[str, int]
    answered_at: datetime | None
    waived: int
    waived_at: datetime | None


def counted(tx: Tx, *, now: datetime) -> dict[int, dict[str, int]]:
    """Pairs by outcome of every renewal batch that has answers."""
    refresh(tx, now=now)
    rows = tx.execute("SELECT key::int8, body->'counts' FROM summary WHERE kind = %s", (KIND,))
    return dict(rows.fetchall())


_OF_CARRIER = """
SELECT n.batch_id, b.count, n.partner_id, p.name, n.required, n.sent_at, coalesce(n.answer_by, b.answer_by),
    coalesce(w.waived, 0), w.waived_at
FROM notice n
JOIN batch b ON b.id = n.batch_id
JOIN partner p ON p.id = n.partner_id
LEFT JOIN (
    SELECT batch_id, partner_id, sum(count)::int8 AS waived, min(waived_at) AS waived_at
    FROM waiver
    GROUP BY batch_id, partner_id
) w ON w.batch_id = n.batch_id AND w.partner_id = n.partner_id
WHERE b.id IN (
    SELECT c.id
    FROM batch c
    WHERE c.purpose = 'renewal' AND EXISTS (SELECT FROM batch_span s WHERE s.batch_id = c.id AND s.carrier = %s)
    ORDER BY c.id DESC
    LIMIT %s
)
ORDER BY n.batch_id, n.partner_id
"""


def of_carrier(tx: Tx, carrier: str, *, newest: int, now: datetime) -> list[Answered]:
    """Every partner's answers to the newest renewal batches that have numbers of a carrier, by batch and partner."""
    refresh(tx, now=now)
    answers = _kept(tx)  # whole: to pick from each in the query, PostgreSQL would unpack it for every partner
    rows = tx.execute(
        _OF_CARRIER,
        (carrier, newest), binary=True,
    )  # fmt: skip
    return [
        Answered(
            batch_id=batch_id, numbers=numbers, partner_id=partner_id, partner=name, required=required, sent_at=sent_at,
            answer_by=answer_by, waived=waived, waived_at=waived_at, **_of(answers, batch_id, partner_id),
        )
        for batch_id, numbers, partner_id, name, required, sent_at, answer_by, waived, waived_at in rows
    ]  # fmt: skip


def _kept(tx: Tx) -> dict[str, dict[str, Any]]:
    """Every batch's partners with their answers, by batch."""
    rows = tx.execute("SELECT key, body->'partners' FROM summary WHERE kind = %s", (KIND,))
    return dict(rows.fetchall())


def _of(answers: dict[str, dict[str, Any]], batch_id: int, partner_id: int) -> dict[str, Any]:
    found = answers.get(str(batch_id), {}).get(str(partner_id), {"counts": {}, "answered_at": None})
    at = found["answered_at"]
    return {"counts": found["counts"], "answered_at": datetime.fromisoformat(at) if at else None}


_REFRESH = """
SELECT b.id, b.count, s.body
FROM batch b
JOIN (SELECT batch_id, count(*) AS receipts FROM receipt GROUP BY batch_id) r ON r.batch_id = b.id
LEFT JOIN summary s ON s.kind = %s AND s.key = b.id::text
WHERE b.purpose = 'renewal' AND r.receipts <> coalesce((s.body->>'receipts')::int8, 0)
ORDER BY b.id
"""


def refresh(tx: Tx, *, now: datetime) -> None:
    """Count the answers that came since they were counted last."""
    rows = tx.execute(
        _REFRESH,
        (KIND,),
    ).fetchall()
    for batch_id, numbers, body in rows:
        summaries.put(tx, KIND, str(batch_id), stamp="", body=_brought_up(tx, batch_id, numbers, body or {}), at=now)


def _brought_up(tx: Tx, batch_id: int, numbers: int, body: dict[str, Any]) -> dict[str, Any]:
    """A batch's summary with the partners counted again who have more receipts than were counted."""
    known: dict[str, Any] = body.get("partners", {})
    filed = tx.execute(
        "SELECT partner_id::text, count(*) FROM receipt WHERE batch_id = %s GROUP BY partner_id ORDER BY partner_id",
        (batch_id,),
    ).fetchall()
    everyone = BitMap(range(numbers))
    partners = {
        key: known[key] if key in known and known[key]["receipts"] == times else _fold(tx, batch_id, int(key), everyone)
        for key, times in filed
    }
    return {
        "receipts": sum(one["receipts"] for one in partners.values()),
        "counts": _summed(one["counts"] for one in partners.values()),
        "partners": partners,
    }


def _fold(tx: Tx, batch_id: int, partner_id: int, everyone: BitMap) -> dict[str, Any]:
    standing, times, answered_at = Standing(), 0, None
    for received_at, receipt in receipts.in_order(tx, batch_id, partner_id):
        standing.take(receipt, everyone)
        times += 1
        if answered_at is None and len(standing.answered()) == len(everyone):
            answered_at = received_at.isoformat()
    counts = _summed({answer.outcome.value: len(places)} for answer, places in standing.answers.items())
    return {"receipts": times, "counts": counts, "answered_at": answered_at}


def _summed(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        for outcome, count in part.items():
            found[outcome] = found.get(outcome, 0) + count
    return found
