"""A batch's figures as the values that pages show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from huanxin.acts import Platform
from huanxin.domain.answers import Purpose
from huanxin.figures import batch_figures
from huanxin.release.gate import LoadedGate, renewal_batch
from huanxin.store.database import Tx
from huanxin.store.figures.summaries import Summary
from huanxin.store.notify import progress
from huanxin.store.plan.batches import Batch
from huanxin.web.pages.views import (
    BatchSummary,
    BatchView,
    GateCounts,
    LateRow,
    OutcomeCounts,
    PartnerRow,
    RetractionView,
    TakenBackRow,
)
from huanxin.words.saying import Text

Told = dict[str, tuple[int, datetime | None]]
"""How often each notice's partner was reminded, and when it was escalated."""

_ROW = ("kind", "required", "unbound", "absent", "kept", "pending", "refused", "outstanding", "waived")
_BACK = ("name", "restored", "absent", "irreversible", "pending", "outstanding")


def batch_view(tx: Tx, platform: Platform, batch_id: int, figures: dict[str, Any], *, as_of: datetime) -> BatchView:
    """One batch as a page shows it, from its figures and what is cheap to ask: who was reminded, who is late by now."""
    batch = renewal_batch(tx, batch_id)
    return BatchView(
        id=batch_id, cutoff=batch.cutoff, answer_by=batch.answer_by, as_of=as_of, numbers=batch.count,
        gate=GateCounts(**figures["gate"]), partners=tuple(_row(one) for one in figures["partners"]),
        late_rows=tuple(_late_rows(tx, batch, figures, platform.now())),
        retractions=tuple(_retraction(one) for one in figures["retractions"]),
    )  # fmt: skip


def batch_summaries(tx: Tx, platform: Platform, known: list[Batch]) -> list[BatchSummary]:
    """Batches as lists show them, in the order given."""
    heads = batch_figures.heads(tx, platform, known)
    return [_summary(batch, heads.get(batch.id), platform.now()) for batch in known]


def _summary(batch: Batch, head: Summary | None, now: datetime) -> BatchSummary:
    body: dict[str, Any] = head.body if head else {"told": 0, "outcomes": {}, "gate": {"released": 0}, "waiting": 0}
    return BatchSummary(
        id=batch.id, cutoff=batch.cutoff, answer_by=batch.answer_by, numbers=batch.count,
        partners=body["told"], outcomes=OutcomeCounts(**body["outcomes"]), released=body["gate"]["released"],
        late=batch_figures.late_at(body, batch.answer_by, now), as_of=head.made_at if head else None,
    )  # fmt: skip


def late_partners(figures: dict[str, Any], answer_by: datetime, now: datetime) -> list[tuple[dict[str, Any], datetime]]:
    """The figures of the partners that are still waited for after the end of their time, with that instant. `answer_by`: of
    figures that were counted before partners had times of their own."""
    waited = [one for one in figures["partners"] if one["waits_outstanding"] + one["waits_pending"] > 0]
    due = [datetime.fromisoformat(one["answer_by"]) if "answer_by" in one else answer_by for one in waited]
    return [(one, end) for one, end in zip(waited, due, strict=True) if now >= end]


def partner_row(loaded: LoadedGate, partner_id: int, name: Text) -> PartnerRow:
    """One partner's outcomes on a batch that is loaded."""
    return PartnerRow(name=name, **batch_figures.partner_figures(loaded, partner_id))


def gate_counts(loaded: LoadedGate) -> GateCounts:
    """The gate of a batch that is loaded, at a glance."""
    return GateCounts(**batch_figures.gate_figures(loaded))


def _row(one: dict[str, Any]) -> PartnerRow:
    return PartnerRow(name=one["name"], **{key: one[key] for key in _ROW})


def _late_rows(tx: Tx, batch: Batch, figures: dict[str, Any], now: datetime) -> Iterator[LateRow]:
    late = [(batch.id, end, one) for one, end in late_partners(figures, batch.answer_by, now)]
    for back in figures["retractions"]:
        due = datetime.fromisoformat(back["answer_by"])
        late += [(back["id"], end, one) for one, end in late_partners(back, due, now)]
    told: Told = {}
    for of in {batch_id for batch_id, _, _ in late}:
        told |= progress.told(tx, of)
    for batch_id, since, one in late:
        reminded, escalated_at = told.get(one["notice"], (0, None))
        yield LateRow(
            name=one["name"], since=since, outstanding=one["waits_outstanding"], pending=one["waits_pending"],
            reminded=reminded, escalated_at=escalated_at, partner=one["partner"],
            purpose=(Purpose.RENEWAL if batch_id == batch.id else Purpose.RETRACTION).value, batch=batch_id,
        )  # fmt: skip


def _retraction(one: dict[str, Any]) -> RetractionView:
    rows = tuple(TakenBackRow(**{key: row[key] for key in _BACK}) for row in one["partners"])
    return RetractionView(
        id=one["id"], numbers=one["numbers"], at=datetime.fromisoformat(one["at"]), rows=rows, reason=one["reason"],
        by=one["by"],
    )  # fmt: skip
