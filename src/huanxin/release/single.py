"""The gate of one number of a batch: the same rules on a roster of one, read without loading the others.

A batch of a million numbers at 239 partners is 8 MB of answers. Each stored set is only asked whether it holds the
number's place, and what it says becomes a set of the one place 0, so that `domain.gate` decides here as it does there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from huanxin.domain.answers import Purpose, Receipt, Standing, Waiver, standing
from huanxin.domain.gate import Gate
from huanxin.domain.lifecycle import Event, freeze_of
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.gate import LoadedGate, renewal_batch
from huanxin.store.acting import Reading
from huanxin.store.database import Tx
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch, Membership
from huanxin.store.plan.holds import Hold
from huanxin.store.plan.left import left_since
from huanxin.store.release import one_place
from huanxin.store.release.one_place import AnswerAt, WaiverAt
from huanxin.store.release.releases import Breach, Release

HERE = BitMap([0])
"""The one place of a roster of one; never changed in place."""


@dataclass(frozen=True, kw_only=True)
class Single:
    """One number in one batch: its gate (everything in it is about place 0), and each fact behind it."""

    loaded: LoadedGate
    answers: tuple[AnswerAt, ...]
    waivers: tuple[WaiverAt, ...]
    releases: tuple[Release, ...]
    breaches: tuple[Breach, ...]
    retractions: tuple[Batch, ...]
    """those that took this number back"""


def load_single(reading: Reading, number: int, member: Membership, *, every: list[Membership], held: list[Hold]) -> Single:
    """The gate of a number in one of its batches. `every`: all its memberships; `held`: the holds that name it."""
    batch = renewal_batch(reading.tx, member.batch_id)
    told = {notice.partner_id: notice for notice in notices.told(reading.tx, batch.id)}
    answers = one_place.answers_at(reading.tx, batch, member.place)
    waivers = one_place.waivers_at(reading.tx, batch, member.place)
    standings = _standings(answers, [one for one in waivers if not one.withdrawn_at])
    silent = Standing()
    for partner in told:
        standings.setdefault(partner, silent)
    today = {code: carrier.today(reading.now) for code, carrier in reading.plan.carriers.items()}
    retractions = _retractions(reading.tx, batch, every)
    span = one_place.span_at(reading.tx, batch, member.place)
    given = one_place.releases_at(reading.tx, batch, member.place)
    left = _left_the_freeze(reading.tx, batch, number)
    gate = Gate(
        everyone=HERE, spans={span: HERE} if span else {}, standings=standings, required=_required(told, standings),
        sent=bool(told), held={hold.id: HERE for hold in held if hold.binds(reading.plan.today(reading.now))},
        retracted={left: HERE} if left else {}, ordered={one.id: HERE for one in retractions if one.reason},
        released=HERE if given else BitMap(), today=today,
        freeze_days=given[-1].freeze_days if given else freeze_of(batch.freeze_days, reading.rules.freeze_days),
    )  # fmt: skip
    loaded = LoadedGate(
        batch=batch, roster=Roster(np.array([number], dtype=np.int64)), notices=told,
        waivers={one.id: Waiver(id=one.id, places=HERE, by=one.by, reason=one.reason, alone=one.alone) for one in waivers},
        retractions={one.id: one for one in retractions}, gate=gate,
    )  # fmt: skip
    return Single(
        loaded=loaded, answers=tuple(answers), waivers=tuple(waivers), releases=tuple(given),
        breaches=tuple(one_place.breaches_at(reading.tx, batch, member.place)), retractions=tuple(retractions),
    )  # fmt: skip


def _required(told: Mapping[int, Notice], standings: Mapping[int, Standing]) -> frozenset[int]:
    """Of required partners that stand alike one is enough: what is open is the same with it as with all of them."""
    return frozenset({id(standings[one.partner_id]): one.partner_id for one in told.values() if one.required}.values())


def _standings(answers: list[AnswerAt], waivers: list[WaiverAt]) -> dict[int, Standing]:
    """Where each partner stands on the number, folded by the same rule as on a whole batch."""
    said: dict[int, list[AnswerAt | WaiverAt]] = {}
    everything: list[AnswerAt | WaiverAt] = [*answers, *waivers]
    for one in everything:
        said.setdefault(one.partner_id, []).append(one)
    folded: dict[tuple[object, ...], Standing] = {}  # most of two hundred partners say the same
    found = {}
    for partner, entries in said.items():
        entries.sort(key=lambda one: one.seq)
        same = tuple(one.id if isinstance(one, WaiverAt) else (one.answer, one.complete) for one in entries)
        if same not in folded:
            folded[same] = standing(map(_entry, entries), HERE)
        found[partner] = folded[same]
    return found


def _entry(one: AnswerAt | WaiverAt) -> Receipt | Waiver:
    if isinstance(one, WaiverAt):
        return Waiver(id=one.id, places=HERE, by=one.by, reason=one.reason, alone=one.alone)
    return Receipt(answers={one.answer: HERE} if one.answer else {}, complete=one.complete)


def _retractions(tx: Tx, batch: Batch, every: list[Membership]) -> list[Batch]:
    members = [one.batch_id for one in every if one.purpose == Purpose.RETRACTION]
    return [one for one in batches.retractions_of(tx, batch.id) if one.id in members] if members else []


def _left_the_freeze(tx: Tx, batch: Batch, number: int) -> Event | None:
    """The first event later than the plan that took the number out of the freeze."""
    said = left_since(tx, batch, NumberSet.of([number]))
    return next((fact.event for _, facts in said for fact in facts if fact.numbers), None)
