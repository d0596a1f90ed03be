"""A loaded gate as the counts that pages show."""

from __future__ import annotations

from pyroaring import BitMap

from huanxin.domain.answers import Outcome
from huanxin.release.gate import LoadedGate
from huanxin.web.pages.views import GateCounts, PartnerRow, Text


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
