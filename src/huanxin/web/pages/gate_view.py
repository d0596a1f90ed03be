"""A batch's figures as the values that pages show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from huanxin.acts import Platform
from huanxin.domain.answers import Purpose
from huanxin.figures import batch_figures
from huanxin.figures.batch_body import BatchFigures, BatchHead, OutcomeCounts, PartnerFigures, TakenBackRow
from huanxin.release.gate import renewal_batch
from huanxin.store.database import Tx
from huanxin.store.figures.summaries import Summary
from huanxin.store.notify import progress
from huanxin.store.plan.batches import Batch
from huanxin.web.pages.views import BatchSummary, BatchView, LateRow

RemindersOf = dict[str, tuple[int, datetime | None]]
"""How often each notice's partner was reminded, and when it was escalated."""


def batch_view(tx: Tx, platform: Platform, batch_id: int, figures: BatchFigures, *, as_of: datetime) -> BatchView:
    """One batch as a page shows it, from its figures and what is cheap to ask: who was reminded, who is late by now."""
    batch = renewal_batch(tx, batch_id)
    return BatchView(
        id=batch_id, cutoff=batch.cutoff, answer_by=batch.answer_by, as_of=as_of, numbers=batch.count, gate=figures.gate,
        partners=figures.partners, late_rows=tuple(_late_rows(tx, batch, figures, platform.now())),
        retractions=figures.retractions,
    )  # fmt: skip


def batch_summaries(tx: Tx, platform: Platform, known: list[Batch]) -> list[BatchSummary]:
    """Batches as lists show them, in the order given."""
    heads = batch_figures.heads(tx, platform, known)
    return [_summary(batch, heads.get(batch.id), platform.now()) for batch in known]


def _summary(batch: Batch, head: Summary[BatchHead] | None, now: datetime) -> BatchSummary:
    body = head.body if head else None
    return BatchSummary(
        id=batch.id, cutoff=batch.cutoff, answer_by=batch.answer_by, numbers=batch.count,
        partners=body.told if body else 0, outcomes=body.outcomes if body else OutcomeCounts(),
        released=body.gate.released if body else 0, late=body.late(now) if body else 0,
        as_of=head.made_at if head else None,
        called_off=batch.called_off_at is not None,
    )  # fmt: skip


def _late_rows(tx: Tx, batch: Batch, figures: BatchFigures, now: datetime) -> Iterator[LateRow]:
    late: list[tuple[int, PartnerFigures | TakenBackRow]] = [(batch.id, one) for one in figures.partners if one.late(now)]
    late += [(back.id, one) for back in figures.retractions for one in back.rows if one.late(now)]
    told: RemindersOf = {}
    for of in {batch_id for batch_id, _ in late}:
        told |= progress.told(tx, of)
    for batch_id, one in late:
        reminded, escalated_at = told.get(one.notice, (0, None))
        yield LateRow(
            name=one.name, since=one.answer_by, outstanding=one.waits_outstanding, pending=one.waits_pending,
            reminded=reminded, escalated_at=escalated_at, partner=one.partner,
            purpose=(Purpose.RENEWAL if batch_id == batch.id else Purpose.RETRACTION).value, batch=batch_id,
        )  # fmt: skip
