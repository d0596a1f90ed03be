"""The figures of a batch, counted once its facts have changed, and read by pages (store.figures.summaries)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from pyroaring import BitMap

from huanxin.acts.platform import Platform
from huanxin.domain.answers import OUTCOMES_OF, Outcome, Purpose
from huanxin.domain.lifecycle import sellable_from
from huanxin.figures.batch_body import (
    BatchFigures,
    BatchHead,
    GateCounts,
    OutcomeCounts,
    PartnerFigures,
    PartnerRow,
    RetractionFigures,
    TakenBackRow,
)
from huanxin.figures.projection import Projection, everything
from huanxin.numbersets.sharded import union
from huanxin.release.gate import LoadedGate, load_gate
from huanxin.store.database import Tx
from huanxin.store.figures import stamps, summaries
from huanxin.store.figures.stamps import Stamp
from huanxin.store.figures.summaries import Summary, SummaryKind
from huanxin.store.notify import notices
from huanxin.store.notify.progress import Open, progress
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.store.release import releases
from huanxin.store.report import affected
from huanxin.words.saying import Text

KIND, HEAD = SummaryKind("batch", BatchFigures), SummaryKind("batch", BatchHead)
SMALL = 3_000_000
"""(number, partner) pairs up to which a page counts a batch itself rather than show figures that are seconds old."""


def make(tx: Tx, platform: Platform, stale: Collection[str]) -> Mapping[str, BatchFigures]:
    """The figures of some batches. A batch is loaded at a time."""
    return {key: figures(tx, platform, int(key)) for key in stale}


def _facts(tx: Tx, platform: Platform) -> Mapping[str, str]:
    affected.look(tx)
    return {str(batch_id): of for batch_id, of in _stamps(tx, platform).items()}


BATCHES = Projection(kind=KIND, facts=_facts, make=make)


def current(tx: Tx, platform: Platform, batch_id: int) -> tuple[Summary[BatchFigures], bool]:
    """The figures of a batch to show, and whether all recorded facts are in them. Stale ones of a large batch are shown as
    they are: a worker counts it again. Raises NotFound."""
    found = summaries.get(tx, KIND, str(batch_id))
    of = _stamps(tx, platform, [batch_id]).get(batch_id, "")
    if found and (found.stamp == of or _large(found.body.numbers, found.body.told)):
        return found, found.stamp == of
    return _again(tx, platform, batch_id, of), True


def heads(tx: Tx, platform: Platform, known: Sequence[Batch]) -> dict[int, Summary[BatchHead]]:
    """What lists show of batches, by batch: stale ones of small batches are counted again; a large one that was never
    counted is missing until a worker has."""
    found = {int(one.key): one for one in summaries.heads(tx, KIND, HEAD)}
    if not BATCHES.fresh(tx, everything(tx, platform)):
        for batch_id, of in _stamps(tx, platform, [one.id for one in known]).items():
            stored = found.get(batch_id)
            if stored is None or stored.stamp != of:
                told = stored.body.told if stored else len(notices.of_batch(tx, batch_id))
                if not _large(next(one.count for one in known if one.id == batch_id), told):
                    again = _again(tx, platform, batch_id, of)
                    found[batch_id] = Summary(**vars(again))
    return found


def _large(numbers: int, told: int) -> bool:
    return numbers * told > SMALL


def _again(tx: Tx, platform: Platform, batch_id: int, of: str) -> Summary[BatchFigures]:
    """Count a batch now and keep what was counted."""
    return BATCHES.again(tx, platform, {str(batch_id): of})[str(batch_id)]


def answers(tx: Tx, platform: Platform, batch_ids: Iterable[int]) -> dict[int, BatchFigures]:
    """The figures of some batches with all that partners said so far. Of what else is in them a day, a hold or a report may
    be newer."""
    found = {}
    for batch_id, stamp in stamps.of_batches(tx, batch_ids).items():
        kept = summaries.get(tx, KIND, str(batch_id))
        if kept is None or not kept.stamp.startswith(stamp.own):
            kept = _again(tx, platform, batch_id, _of(stamp, platform))
        found[batch_id] = kept.body
    return found


def _stamps(tx: Tx, platform: Platform, batch_ids: Iterable[int] | None = None) -> dict[int, str]:
    return {batch_id: _of(stamp, platform) for batch_id, stamp in stamps.of_batches(tx, batch_ids).items()}


def _of(stamp: Stamp, platform: Platform) -> str:
    """What a batch's figures are made of: the facts of the store, the day, and the freeze of that day."""
    return f"{stamp}@{platform.today()}/{platform.rules.freeze_days}"


def figures(tx: Tx, platform: Platform, batch_id: int) -> BatchFigures:
    """Everything that pages show of a batch. Loads its whole gate."""
    loaded = load_gate(platform.within(tx), batch_id)
    back = loaded.roster.places_in(union(batches.numbers_of(tx, one) for one in loaded.retractions))
    gate = loaded.gate
    partners = [_partner(loaded, partner, back) for partner in loaded.notices]
    freezes = Counter({
        (carrier, sellable_from(day, gate.freeze_days)): len(places - gate.released)
        for (carrier, day), places in gate.spans.items()
    })  # fmt: skip
    for one in releases.all_releases(tx, batch_id):
        for (carrier, day), places in releases.spans_of(tx, one.id).items():
            freezes[carrier, sellable_from(day, one.freeze_days)] += len(places)
    waiting = [one for one in partners if one.waits]
    return BatchFigures(
        numbers=loaded.batch.count, carriers=tuple(sorted({carrier for carrier, _ in gate.spans})),
        gate=gate_counts(loaded), freezes=tuple(sorted((*span, count) for span, count in (+freezes).items())),
        told=len(partners), outcomes=OutcomeCounts.total_of(partners),
        waiting=len(waiting), due=Counter(one.answer_by for one in waiting), partners=tuple(partners),
        retractions=tuple(_retraction(one, progress(tx, one)) for one in loaded.retractions.values()),
    )  # fmt: skip


def _partner(loaded: LoadedGate, partner_id: int, back: BitMap) -> PartnerFigures:
    notice, row = loaded.notices[partner_id], partner_row(loaded, partner_id, loaded.notices[partner_id].partner)
    so_far = loaded.gate.standings[partner_id].progress(loaded.gate.everyone, back)
    return PartnerFigures(
        **vars(row), partner=partner_id, notice=notice.id, answer_by=notice.answer_by,
        waits_outstanding=so_far.outstanding, waits_pending=so_far.pending, answered_at=loaded.answered_at.get(partner_id),
    )  # fmt: skip


def partner_row(loaded: LoadedGate, partner_id: int, name: Text) -> PartnerRow:
    """One partner's outcomes on a batch that is loaded, in numbers."""
    gate, notice = loaded.gate, loaded.notices[partner_id]
    standing = gate.standings[partner_id]
    counts = Counter(standing.counts())
    outstanding = standing.outstanding(gate.everyone)
    return PartnerRow(
        name=name, kind=notice.kind, required=notice.required, unbound=counts[Outcome.UNBOUND],
        absent=counts[Outcome.ABSENT], kept=counts[Outcome.KEPT], pending=counts[Outcome.PENDING],
        refused=counts[Outcome.REFUSED], outstanding=len(outstanding),
        waived=len((outstanding | standing.unsettled()) & standing.waived_places()),
    )  # fmt: skip


def gate_counts(loaded: LoadedGate) -> GateCounts:
    """The gate of a batch at a glance, in numbers."""
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


def _retraction(retraction: Batch, partners: list[Open]) -> RetractionFigures:
    """A retraction and how each partner answered it."""
    rows = [
        TakenBackRow(
            partner=one.notice.partner_id, notice=one.notice.id, name=one.notice.partner, answer_by=one.answer_by,
            **{answer: one.counts.get(answer, 0) for answer in OUTCOMES_OF[Purpose.RETRACTION]},
            outstanding=one.unanswered, waits_outstanding=one.outstanding, waits_pending=one.pending,
        )
        for one in partners
    ]  # fmt: skip
    return RetractionFigures(
        id=retraction.id, numbers=retraction.count, at=retraction.planned_at, reason=retraction.reason,
        by=retraction.planned_by if retraction.reason else "", rows=tuple(rows),
    )  # fmt: skip
