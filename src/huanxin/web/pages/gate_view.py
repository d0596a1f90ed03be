"""A loaded gate as the counts that pages show."""

from __future__ import annotations

from pyroaring import BitMap

from huanxin.domain.answers import Outcome
from huanxin.release.gate import LoadedGate
from huanxin.store.batches import Batch
from huanxin.store.progress import Open
from huanxin.web.pages.views import GateCounts, LateRow, PartnerRow, RetractionView, TakenBackRow, Text


def partner_row(loaded: LoadedGate, partner_id: int, name: Text) -> PartnerRow:
    """One partner's outcomes on a batch."""
    gate, notice = loaded.gate, loaded.notices[partner_id]
    standing = gate.standings[partner_id]
    counts = dict.fromkeys(Outcome, 0)
    for answer, places in standing.answers.items():
        counts[answer.outcome] += len(places)
    outstanding = standing.outstanding(gate.everyone)
    return PartnerRow(
        name=name,
        kind=notice.kind,
        required=notice.required,
        unbound=counts[Outcome.UNBOUND],
        absent=counts[Outcome.ABSENT],
        kept=counts[Outcome.KEPT],
        pending=counts[Outcome.PENDING],
        refused=counts[Outcome.REFUSED],
        outstanding=len(outstanding),
        waived=len((outstanding | standing.unsettled()) & standing.waived_places()),
    )


def late_row(one: Open) -> LateRow:
    """A partner that is late."""
    return LateRow(
        name=one.notice.partner, since=one.answer_by, outstanding=one.outstanding, pending=one.pending,
        reminded=one.reminded, escalated_at=one.escalated_at,
    )  # fmt: skip


def retraction_view(retraction: Batch, partners: list[Open]) -> RetractionView:
    """A retraction and how each partner answered it."""
    rows = tuple(
        TakenBackRow(
            name=one.notice.partner, restored=one.counts.get(Outcome.RESTORED, 0), absent=one.counts.get(Outcome.ABSENT, 0),
            irreversible=one.counts.get(Outcome.IRREVERSIBLE, 0), pending=one.counts.get(Outcome.PENDING, 0),
            outstanding=one.unanswered,
        )
        for one in partners
    )  # fmt: skip
    return RetractionView(
        id=retraction.id, numbers=retraction.count, at=retraction.planned_at, rows=rows, reason=retraction.reason,
        by=retraction.planned_by if retraction.reason else "",
    )  # fmt: skip


def gate_counts(loaded: LoadedGate) -> GateCounts:
    """The gate of a batch at a glance."""
    gate = loaded.gate
    outstanding, waived = BitMap(), BitMap()
    unsettled = {Outcome.PENDING: BitMap(), Outcome.REFUSED: BitMap()}
    for partner in gate.standings:
        standing = gate.standings[partner]
        gone_without = standing.waived_places()
        waived |= gone_without
        if partner not in gate.required:
            continue
        outstanding |= standing.outstanding(gate.everyone) - gone_without
        for answer, places in standing.answers.items():
            if answer.outcome in unsettled:
                unsettled[answer.outcome] |= places - gone_without
    return GateCounts(
        total=len(gate.everyone), clear=len(gate.clear()), releasable_now=len(gate.releasable()),
        freezing=len(gate.frozen_still()), outstanding=len(outstanding), pending=len(unsettled[Outcome.PENDING]),
        refused=len(unsettled[Outcome.REFUSED]), held=len(gate.held_places()), retracted=len(gate.retracted_places()),
        waived=len(waived), released=len(gate.released),
    )  # fmt: skip
