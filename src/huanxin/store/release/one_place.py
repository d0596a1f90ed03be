"""What is stored about one place of a batch: which sets hold it, without reading the sets whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

from pyroaring import BitMap

from huanxin.domain.answers import Answer, Outcome
from huanxin.store.answer.parts_of_sets import BEGINNING, among
from huanxin.store.answer.receipts import WAIVED_BY_ONE
from huanxin.store.database import Tx
from huanxin.store.plan.batches import Batch
from huanxin.store.release.releases import RELEASE, Breach, Release


@dataclass(frozen=True, kw_only=True)
class AnswerAt:
    """What one receipt says of one place: `answer` None if it doesn't name it (then `complete` says that it is absent)."""

    seq: int
    receipt_id: str
    notice_id: str
    partner_id: int
    complete: bool
    received_at: datetime
    answer: Answer | None


@dataclass(frozen=True, kw_only=True)
class WaiverAt:
    """A waiver that covers a place; `alone`: one person decided on it, not two."""

    id: int
    seq: int
    partner_id: int
    by: str
    reason: str
    waived_at: datetime
    alone: bool
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_why: str | None


def answers_at(tx: Tx, batch: Batch, place: int) -> list[AnswerAt]:
    """Every receipt that says something of one place of a batch, in the order in which they came."""
    rows = _tested(
        tx, "receipt_set", "r.seq, s.outcome, s.reason, s.until_day",
        "receipt r JOIN receipt_set s ON s.receipt_id = r.id WHERE r.batch_id = %s", batch, place,
    )  # fmt: skip
    said = {
        seq: Answer(outcome=Outcome(outcome), reason=reason, until=until)
        for held, seq, outcome, reason, until in rows
        if held
    }
    receipts = tx.execute(
        "SELECT seq, id, notice_id, partner_id, complete, received_at FROM receipt WHERE batch_id = %s ORDER BY seq",
        (batch.id,), binary=True,
    )  # fmt: skip
    return [
        AnswerAt(
            seq=seq, receipt_id=receipt, notice_id=notice, partner_id=partner, complete=complete, received_at=at,
            answer=said.get(seq),
        )
        for seq, receipt, notice, partner, complete, at in receipts
        if complete or seq in said
    ]  # fmt: skip


def waivers_at(tx: Tx, batch: Batch, place: int) -> list[WaiverAt]:
    """The waivers that cover one place of a batch, withdrawn ones too, oldest first."""
    rows = _tested(
        tx, "waiver",
        f"s.id, s.seq, s.partner_id, s.waived_by, s.reason, s.waived_at, {WAIVED_BY_ONE}, x.withdrawn_by, x.withdrawn_at,"
        " x.reason",
        "waiver s LEFT JOIN waiver_withdrawal x ON x.waiver_id = s.id WHERE s.batch_id = %s ORDER BY s.seq", batch, place,
    )  # fmt: skip
    return [
        WaiverAt(
            id=one, seq=seq, partner_id=partner, by=by, reason=reason, waived_at=at, alone=alone, withdrawn_by=who,
            withdrawn_at=back, withdrawn_why=why,
        )
        for held, one, seq, partner, by, reason, at, alone, who, back, why in rows
        if held
    ]  # fmt: skip


def span_at(tx: Tx, batch: Batch, place: int) -> tuple[str, date] | None:
    """The carrier that cancelled the number at a place, and the day; of a corrected cancellation the later one, as in
    `store.plan.batches.spans`."""
    named = "batch_span s WHERE s.batch_id = %s ORDER BY s.closed_on DESC, s.carrier"
    rows = _tested(tx, "batch_span", "s.carrier, s.closed_on", named, batch, place)
    return next(((carrier, day) for held, carrier, day in rows if held), None)


def releases_at(tx: Tx, batch: Batch, place: int) -> list[Release]:
    """The releases that gave back the number at a place of a batch, oldest first."""
    rows = _tested(
        tx, "release_set", RELEASE,
        "release r JOIN release_set s ON s.release_id = r.id WHERE r.batch_id = %s ORDER BY r.id",
        batch, place,
    )  # fmt: skip
    return [Release.of(row) for held, *row in rows if held]


def breaches_at(tx: Tx, batch: Batch, place: int) -> list[Breach]:
    """The breaches that touch one place of a batch, oldest first."""
    rows = _tested(
        tx, "breach", "s.id, s.kind, s.batch_id, p.name, s.count, s.found_at",
        "breach s LEFT JOIN partner p ON p.id = s.partner_id WHERE s.batch_id = %s ORDER BY s.id", batch, place,
    )  # fmt: skip
    return [
        Breach(id=one, kind=kind, batch_id=batch, report_id=None, carrier=None, partner=partner, count=count, found_at=at)
        for held, one, kind, batch, partner, count, at in rows
        if held
    ]


def _tested(tx: Tx, table: LiteralString, columns: str, source: str, batch: Batch, place: int) -> list[tuple[Any, ...]]:
    """The rows of a query of one batch, each behind whether its set `s.places` holds the place."""
    rows = tx.execute(f"SELECT {BEGINNING}, {columns} FROM {source}", (batch.id,), binary=True).fetchall()
    held = among(tx, table, [row[:3] for row in rows], BitMap([place]))
    return [(bool(here), *row[3:]) for here, row in zip(held, rows, strict=True)]
