"""Waivers: a named operator goes on without a partner's answer, for what the partner keeps open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pyroaring import BitMap

from huanxin.domain.answers import Standing
from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.gate import renewal_batch
from huanxin.store import facts, facts_undone
from huanxin.store.acting import Act
from huanxin.store.answer import receipts
from huanxin.store.database import Tx, recording_facts
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases, stops
from huanxin.store.release.stops import Stop
from huanxin.words.sentences import Sentence

Said = Mapping[tuple[str, str], int]
"""Numbers by what a partner said of them: (outcome, reason of a refusal); SILENT of which it said nothing."""
SILENT = ("unanswered", "")


@dataclass(frozen=True, kw_only=True)
class AtPartner:
    """Where one partner stands on a batch."""

    batch_id: int
    partner_id: int
    everyone: BitMap
    standing: Standing

    def open(self) -> BitMap:
        """The places that it keeps open, as the gate has it."""
        return self.standing.open(self.everyone)

    def said_of(self, places: BitMap) -> Said:
        """What it said of some places that it keeps open."""
        found = Counter({SILENT: len(places & self.standing.outstanding(self.everyone))})
        for answer, named in self.standing.answers.items():
            found[answer.outcome.value, answer.reason] += len(named & places)
        return +found


def at_partner(tx: Tx, batch_id: int, partner_id: int) -> AtPartner:
    """Where one partner stands on a batch. Reads this partner's answers and waivers only."""
    everyone = BitMap(range(renewal_batch(tx, batch_id).count))
    standing = receipts.standings(tx, batch_id, everyone, partner_id).get(partner_id, Standing())
    return AtPartner(batch_id=batch_id, partner_id=partner_id, everyone=everyone, standing=standing)


def alone_with(tx: Tx, batch_id: int, partner_id: int) -> AtPartner:
    """The same, and until this transaction ends nothing changes it: what the partner files meanwhile waits, and comes after
    what is decided here. Raises NotFound if it was not told of the batch."""
    renewal_batch(tx, batch_id)
    notice = next((one for one in notices.told(tx, batch_id) if one.partner_id == partner_id), None)
    if notice is None:
        raise NotFound(
            Sentence("batch %(batch)s was not sent to this partner, so there is nothing to waive", batch=batch_id)
        )
    recording_facts(tx)
    receipts.one_at_a_time(tx, notice.id)
    return at_partner(tx, batch_id, partner_id)


@dataclass(frozen=True, kw_only=True)
class Waived:
    """How many numbers a waiver covers, and what the partner had said of them."""

    count: int
    said: Said


def waive(act: Act, batch_id: int, *, partner_id: int, only: NumberSet | None, reason: str) -> Waived:
    """Record that a named operator goes on without a partner's answer for what is open at it, or `only` some of it. Raises
    Conflict if nothing is."""
    if not reason.strip() or not act.by.strip():
        raise BadInput(Sentence("a waiver needs who grants it and why; both are recorded"))
    at = alone_with(act.tx, batch_id, partner_id)
    return waive_places(act, at, to_waive(act.tx, at, only), reason=reason)


def to_waive(tx: Tx, at: AtPartner, only: NumberSet | None) -> BitMap:
    """The places that a partner keeps open, or `only` some of them. Raises Conflict if there are none."""
    places = at.open()
    if only is not None:
        places &= batches.places_of(tx, at.batch_id, only)
    if not places:
        raise Conflict(Sentence("this partner keeps none of these numbers open, so there is nothing to waive"))
    return places


def waive_places(act: Act, at: AtPartner, places: BitMap, *, reason: str) -> Waived:
    """Record a waiver of some places that the partner keeps open."""
    facts.waiver(act.tx, batch_id=at.batch_id, partner_id=at.partner_id, places=places, reason=reason, by=act.by, at=act.now)
    return Waived(count=len(places), said=at.said_of(places))


def withdraw_waiver(act: Act, waiver_id: int, *, reason: str) -> list[Stop]:
    """Record that what a waiver covers is waited for again. What was released by it stays released: how much of which list
    may not be sold any more. Raises NotFound, Conflict if that was done before, BadInput without a reason."""
    if not reason.strip() or not act.by.strip():
        raise BadInput(Sentence("to withdraw a waiver, say who does and why; both are recorded"))
    act = act.alone()
    found = next(iter(receipts.granted(act.tx, waiver_id=waiver_id)), None)
    if found is None:
        raise NotFound(Sentence("there is no waiver %(waiver)s; `huanxin gate waivers` shows them", waiver=waiver_id))
    if found.withdrawn_at:
        raise Conflict(
            Sentence(
                "waiver %(waiver)s was withdrawn by %(who)s on %(day)s already",
                waiver=waiver_id, who=found.withdrawn_by, day=f"{found.withdrawn_at:%Y-%m-%d}",
            )
        )  # fmt: skip
    facts_undone.waiver_withdrawal(act.tx, waiver_id, reason=reason.strip(), by=act.by, at=act.now)
    notice = next(one for one in notices.told(act.tx, found.batch_id) if one.partner_id == found.partner_id)
    if notice.required:
        given = releases.released_places(act.tx, found.batch_id, asked=found.partner_id)
        again = at_partner(act.tx, found.batch_id, found.partner_id).open() & receipts.waived_places(act.tx, waiver_id)
        numbers = NumberSet.of(batches.numbers_at(act.tx, found.batch_id, again & given))
        stops.add(act.tx, stops.listed(act.tx, numbers), waiver_id=waiver_id, at=act.now)
    return stops.known(act.tx, waiver_id=waiver_id)
