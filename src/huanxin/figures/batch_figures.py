"""The figures of a batch, counted once its facts have changed, and read by pages (store.summaries).

Body of a summary, by batch: `of` (the facts that were counted), `numbers`, `carriers`, `gate` (fields of GateCounts), `told`
(partners), `outcomes` (fields of OutcomeCounts, in pairs), `waiting` (partners that are waited for), `due` (how many of them
by the end of their time); and what only its own page needs: `partners` (fields of PartnerRow, with `partner`, `notice`,
`answer_by`, and what it is waited for: `waits_outstanding`, `waits_pending`), `retractions` (with their `partners`),
`freezes` (carrier, first day of sale, numbers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from huanxin.acts.platform import Platform
from huanxin.domain.answers import Outcome
from huanxin.domain.lifecycle import sellable_from
from huanxin.numbersets.sharded import union
from huanxin.release.gate import LoadedGate, load_gate
from huanxin.store.database import Tx
from huanxin.store.figures import stamps, summaries
from huanxin.store.figures.summaries import Summary
from huanxin.store.notify import notices
from huanxin.store.notify.progress import Open, progress
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.store.release import releases
from huanxin.store.report import affected

KIND = "batch"
SMALL = 3_000_000
"""(number, partner) pairs up to which a page counts a batch itself rather than show figures that are seconds old."""

Figures = dict[str, Any]
_LONG = ("partners", "retractions", "freezes")
_OUTCOMES = ("unbound", "absent", "kept", "pending", "refused", "outstanding")


def make(tx: Tx, platform: Platform) -> Mapping[str, Figures]:
    """The figures of every renewal batch whose facts have changed since they were counted last."""
    affected.look(tx)
    known = {one.key: one.body["of"] for one in summaries.heads(tx, KIND, without=_LONG)}
    stale = {batch_id: of for batch_id, of in _stamps(tx, platform).items() if known.get(str(batch_id)) != of}
    return {str(batch_id): figures(tx, platform, batch_id, of) for batch_id, of in stale.items()}


def current(tx: Tx, platform: Platform, batch_id: int) -> tuple[Summary, bool]:
    """The figures of a batch to show, and whether all recorded facts are in them. Stale ones of a large batch are shown as
    they are: a worker counts it again. Raises NotFound."""
    found = summaries.get(tx, KIND, str(batch_id))
    of = _stamps(tx, platform, [batch_id]).get(batch_id, "")
    if found and found.body["of"] == of:
        return found, True
    if found and _large(found.body):
        return found, False
    return _again(tx, platform, batch_id), True


def heads(tx: Tx, platform: Platform, known: Sequence[Batch]) -> dict[int, Summary]:
    """What lists show of batches, by batch: stale ones of small batches are counted again; a large one that was never
    counted is missing until a worker has."""
    found = {int(one.key): one for one in summaries.heads(tx, KIND, without=_LONG)}
    everything = f"{summaries.stamp(tx)}@{platform.today()}"
    doubtful = [one for one in known if one.id not in found or found[one.id].stamp != everything]
    for batch_id, of in _stamps(tx, platform, [one.id for one in doubtful]).items():
        stored = found.get(batch_id)
        if stored is None or stored.body["of"] != of:
            told = stored.body["told"] if stored else len(notices.of_batch(tx, batch_id))
            numbers = next(one.count for one in doubtful if one.id == batch_id)
            if not _large({"numbers": numbers, "told": told}):
                found[batch_id] = _again(tx, platform, batch_id)
    return found


def _large(body: Figures) -> bool:
    return bool(body["numbers"] * body["told"] > SMALL)


def _again(tx: Tx, platform: Platform, batch_id: int) -> Summary:
    """Count a batch now and keep what was counted."""
    of = _stamps(tx, platform, [batch_id]).get(batch_id, "")
    body = figures(tx, platform, batch_id, of)
    return summaries.put(tx, KIND, str(batch_id), stamp=of, body=body, at=platform.now())


def _stamps(tx: Tx, platform: Platform, batch_ids: Iterable[int] | None = None) -> dict[int, str]:
    """What each batch's figures are made of: the facts of the store, the day, and the freeze of that day."""
    day, freeze = platform.today(), platform.rules.freeze_days
    return {batch_id: f"{stamp}@{day}/{freeze}" for batch_id, stamp in stamps.of_batches(tx, batch_ids).items()}


def figures(tx: Tx, platform: Platform, batch_id: int, of: str) -> Figures:
    """Everything that pages show of a batch. Loads its whole gate."""
    touching = affected.reports_of(tx, [batch_id]).get(batch_id)
    loaded = load_gate(platform.within(tx), batch_id, touching=touching)
    back = loaded.roster.places_in(union(batches.numbers_of(tx, one) for one in loaded.retractions))
    gate = loaded.gate
    partners = [_partner(loaded, partner, back) for partner in loaded.notices]
    freezes = Counter({
        (carrier, str(sellable_from(day, gate.freeze_days))): len(places - gate.released)
        for (carrier, day), places in gate.spans.items()
    })  # fmt: skip
    for one in releases.all_releases(tx, batch_id):
        for (carrier, day), places in releases.spans_of(tx, one.id).items():
            freezes[carrier, str(sellable_from(day, one.freeze_days))] += len(places)
    return {
        "of": of, "numbers": loaded.batch.count, "carriers": sorted({carrier for carrier, _ in gate.spans}),
        "gate": gate_figures(loaded), "freezes": sorted((*span, count) for span, count in (+freezes).items()),
        "told": len(partners), "outcomes": {key: sum(one[key] for one in partners) for key in _OUTCOMES},
        "waiting": sum(map(_waited_for, partners)), "partners": partners,
        "due": Counter(one["answer_by"] for one in partners if _waited_for(one)),
        "retractions": [_retraction(one, progress(tx, one)) for one in loaded.retractions.values()],
    }  # fmt: skip


def _waited_for(one: Figures) -> bool:
    return bool(one["waits_outstanding"] + one["waits_pending"])


def late_at(body: Figures, answer_by: datetime, now: datetime) -> int:
    """How many partners are late with a batch at an instant, by its figures. `answer_by`: of figures that were counted when
    partners had no times of their own."""
    due: Mapping[str, int] = body.get("due", {answer_by.isoformat(): body["waiting"]})
    return sum(count for end, count in due.items() if now >= datetime.fromisoformat(end))


def _partner(loaded: LoadedGate, partner_id: int, back: BitMap) -> Figures:
    notice, standing = loaded.notices[partner_id], loaded.gate.standings[partner_id]
    so_far = standing.progress(loaded.gate.everyone, back)
    return partner_figures(loaded, partner_id) | {
        "partner": partner_id, "notice": notice.id, "name": notice.partner, "answer_by": notice.answer_by.isoformat(),
        "waits_outstanding": so_far.outstanding, "waits_pending": so_far.pending,
    }  # fmt: skip


def partner_figures(loaded: LoadedGate, partner_id: int) -> Figures:
    """One partner's outcomes on a batch, in numbers."""
    gate, notice = loaded.gate, loaded.notices[partner_id]
    standing = gate.standings[partner_id]
    counts = Counter(standing.counts())
    outstanding = standing.outstanding(gate.everyone)
    return {
        "kind": notice.kind, "required": notice.required, "unbound": counts[Outcome.UNBOUND],
        "absent": counts[Outcome.ABSENT], "kept": counts[Outcome.KEPT], "pending": counts[Outcome.PENDING],
        "refused": counts[Outcome.REFUSED], "outstanding": len(outstanding),
        "waived": len((outstanding | standing.unsettled()) & standing.waived_places()),
    }  # fmt: skip


def gate_figures(loaded: LoadedGate) -> Figures:
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
    return {
        "total": len(gate.everyone), "clear": len(gate.clear()), "releasable_now": len(gate.releasable()),
        "freezing": len(gate.frozen_still()), "outstanding": len(outstanding), "pending": len(unsettled[Outcome.PENDING]),
        "refused": len(unsettled[Outcome.REFUSED]), "held": len(gate.held_places()),
        "retracted": len(gate.retracted_places()), "waived": len(waived), "released": len(gate.released),
    }  # fmt: skip


def _retraction(retraction: Batch, partners: list[Open]) -> Figures:
    """A retraction and how each partner answered it."""
    rows = [
        {
            "partner": one.notice.partner_id, "notice": one.notice.id, "name": one.notice.partner,
            "restored": one.counts.get(Outcome.RESTORED, 0), "absent": one.counts.get(Outcome.ABSENT, 0),
            "irreversible": one.counts.get(Outcome.IRREVERSIBLE, 0), "pending": one.counts.get(Outcome.PENDING, 0),
            "outstanding": one.unanswered, "waits_outstanding": one.outstanding, "waits_pending": one.pending,
            "answer_by": one.answer_by.isoformat(),
        }
        for one in partners
    ]  # fmt: skip
    return {
        "id": retraction.id, "numbers": retraction.count, "at": retraction.planned_at.isoformat(),
        "answer_by": retraction.answer_by.isoformat(), "reason": retraction.reason,
        "by": retraction.planned_by if retraction.reason else "", "partners": rows,
    }  # fmt: skip
