"""How a number stands in each of its batches, partner by partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from huanxin.domain.answers import ABSENT, Standing
from huanxin.domain.lifecycle import sellable_from
from huanxin.domain.numbers import masked_text
from huanxin.figures.tracing import Trace
from huanxin.release.single import Single
from huanxin.store.release.one_place import AnswerAt


@dataclass(frozen=True, kw_only=True)
class PartnerCase:
    """One partner's last word on the number: `outcome` empty before any; `open`: it keeps the number from being released."""

    name: str
    required: bool
    outcome: str
    reason: str
    until: date | None
    at: datetime | None
    receipt: str
    notice: str
    waived: tuple[tuple[str, bool, str], ...]
    """by whom, whether by one person where two should decide, and why"""
    open: bool


@dataclass(frozen=True, kw_only=True)
class BatchCase:
    """The number in one batch. `states`: keys of labels.GATE that hold now; `told`: partners that have a notice."""

    id: int
    carrier: str
    sellable: date | None
    states: tuple[str, ...]
    told: int
    partners: tuple[PartnerCase, ...]
    """with anything but a plain "no tie", the open ones first"""
    absent: tuple[tuple[str, str], ...]
    """the others: partner, receipt"""

    @property
    def kept_back(self) -> bool:
        """Whether more than the freeze keeps the number from being sold."""
        return not {"held", "outstanding", "retracted"}.isdisjoint(self.states)


def batch_cases(found: Trace) -> list[BatchCase]:
    """The newest batch first."""
    return [_case(one) for one in reversed(found.batches)]


def _case(one: Single) -> BatchCase:
    gate = one.loaded.gate
    carrier, closed_on = next(iter(gate.spans), ("", None))
    receipts = {said.partner_id: said for said in one.answers}  # the last one of each
    told, standings = one.loaded.notices, gate.standings
    plain = {id(standing) for standing in standings.values() if _no_tie(standing)}  # most share a few standings
    absent = tuple((told[key].partner, receipts[key].receipt_id) for key in told if id(standings[key]) in plain)
    rows = (_partner(one, key, receipts.get(key)) for key in told if id(standings[key]) not in plain)
    partners = tuple(sorted(rows, key=lambda row: (not row.open, row.name)))
    return BatchCase(
        id=one.loaded.batch.id, carrier=carrier, sellable=sellable_from(closed_on, gate.freeze_days) if closed_on else None,
        states=_states(one, any(row.open for row in partners)), told=len(told), partners=partners, absent=absent,
    )  # fmt: skip


def _no_tie(standing: Standing) -> bool:
    return not any(standing.waived.values()) and [key for key, places in standing.answers.items() if places] == [ABSENT]


def _states(one: Single, waits: bool) -> tuple[str, ...]:
    gate = one.loaded.gate
    held = {
        "released": bool(gate.released), "releasable": bool(gate.releasable()), "freezing": bool(gate.frozen_still()),
        "outstanding": waits or not gate.sent, "held": bool(gate.held_places()), "retracted": bool(gate.retracted_places()),
        "waived": bool(one.waivers),
    }  # fmt: skip
    return tuple(key for key, so in held.items() if so)


def _partner(one: Single, partner_id: int, receipt: AnswerAt | None) -> PartnerCase:
    notice, standing = one.loaded.notices[partner_id], one.loaded.gate.standings[partner_id]
    answer = next((said for said, places in standing.answers.items() if places), None)
    settled = answer is not None and answer.settles
    waived = [one.loaded.waivers[key] for key, places in standing.waived.items() if places]
    return PartnerCase(
        name=notice.partner, required=notice.required, outcome=answer.outcome.value if answer else "",
        reason=answer.reason if answer else "", until=answer.until if answer else None,
        at=receipt.received_at if receipt else None, receipt=receipt.receipt_id if receipt else "", notice=notice.id,
        waived=tuple((waiver.by, waiver.alone, masked_text(waiver.reason)) for waiver in waived),
        open=notice.required and not settled and not waived,
    )  # fmt: skip
