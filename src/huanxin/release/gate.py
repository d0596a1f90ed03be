"""Verb 5, release: the gate of a batch, loaded from the facts, and what it lets go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

from pyroaring import BitMap

from huanxin.domain.answers import Purpose, Standing, Waiver, fold
from huanxin.domain.errors import NotFound
from huanxin.domain.gate import Gate
from huanxin.domain.lifecycle import Event, freeze_of, sellable_from
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.acting import Act, Reading
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches, holds
from huanxin.store.plan.batches import Batch
from huanxin.store.plan.left import left_since
from huanxin.store.release import releases
from huanxin.store.release.releases import Release
from huanxin.words.sentences import Sentence


@dataclass(frozen=True, kw_only=True)
class LoadedGate:
    """A batch's gate with what is needed to name things: its roster, its notices by partner, its waivers and
    retractions by id. `answered_at`: by partner, since when it has left no number without an answer."""

    batch: Batch
    roster: Roster
    notices: Mapping[int, Notice]
    waivers: Mapping[int, Waiver]
    retractions: Mapping[int, Batch]
    gate: Gate
    answered_at: Mapping[int, datetime] = field(default_factory=dict)


def renewal_batch(tx: Tx, batch_id: int) -> Batch:
    """A renewal batch by its number. Raises NotFound."""
    batch = batches.get(tx, batch_id)
    if batch is None or batch.purpose != Purpose.RENEWAL:
        raise NotFound(Sentence("there is no renewal batch %(batch)s; `huanxin batch status` shows them", batch=batch_id))
    return batch


def load_gate(reading: Reading, batch_id: int) -> LoadedGate:
    """Everything that decides on a batch, from the facts recorded so far."""
    batch = renewal_batch(reading.tx, batch_id)
    numbers = batches.numbers_of(reading.tx, batch_id)
    roster = Roster.of(numbers)
    everyone = roster.everyone
    told = {notice.partner_id: notice for notice in notices.told(reading.tx, batch_id)}
    said = receipts.history(reading.tx, batch_id)
    folded = {partner: fold(entries, everyone, lambda it: not it.outstanding(everyone)) for partner, entries in said.items()}
    standings = {partner: standing for partner, (standing, _) in folded.items()}
    for partner in told:
        standings.setdefault(partner, Standing())
    today = {code: carrier.today(reading.now) for code, carrier in reading.plan.carriers.items()}
    held = {key: roster.places_in(found) for key, found in holds.held_among(reading.tx, numbers, reading.today).items()}
    back = {one.id: one for one in batches.retractions_of(reading.tx, batch_id)}
    ordered = {key: roster.places_in(batches.numbers_of(reading.tx, key)) for key, one in back.items() if one.reason}
    gate = Gate(
        everyone=everyone, spans=batches.spans(reading.tx, batch_id), standings=standings,
        required=frozenset(notice.partner_id for notice in told.values() if notice.required), sent=bool(told), held=held,
        ordered=ordered,
        retracted=_left_the_freeze(reading.tx, batch, numbers, roster),
        released=releases.released_places(reading.tx, batch_id), today=today,
        freeze_days=freeze_of(batch.freeze_days, reading.rules.freeze_days),
    )  # fmt: skip
    waivers = {one.id: one for entries in said.values() for one in entries if isinstance(one, Waiver)}
    return LoadedGate(
        batch=batch, roster=roster, notices=told, waivers=waivers, retractions=back, gate=gate,
        answered_at={partner: at for partner, (_, at) in folded.items() if at},
    )  # fmt: skip


def _left_the_freeze(tx: Tx, batch: Batch, numbers: NumberSet, roster: Roster) -> dict[Event, BitMap]:
    """Places that a report later than the plan took out of the freeze, by the first event that did."""
    found: dict[Event, dict[int, BitMap]] = {}
    for shard, of_shard in left_since(tx, batch, numbers):
        seen = BitMap()
        for fact in of_shard:
            first = fact.numbers - seen
            if first:
                seen |= first
                maps = found.setdefault(fact.event, {})
                maps[shard] = maps.get(shard, BitMap()) | first
    places = {event: roster.places_in(NumberSet(maps)) for event, maps in found.items()}
    return {event: gone for event, gone in places.items() if gone}


def release_batch(act: Act, batch_id: int, *, alone: bool = True) -> Release | None:
    """Record the release of every number of a batch that is clear and was not released before; None if there is none.

    No fact is recorded between the decision and its record (store.acting.Act.alone). When something more may be released
    without another fact is noted, so that not every batch is looked at every day.
    """
    act = act.alone()
    gate = load_gate(act, batch_id).gate
    free = gate.releasable()
    releases.nothing_more(act.tx, batch_id, until=_next_chance(act, gate), freeze_days=act.rules.freeze_days)
    if not free:
        return None
    spans = {span: places & free for span, places in gate.spans.items()}
    given = {span: places for span, places in spans.items() if places}
    return facts.release(
        act.tx, batch_id=batch_id, spans=given, freeze_days=gate.freeze_days, by=act.by, alone=alone, at=act.now
    )


def _next_chance(reading: Reading, gate: Gate) -> datetime | None:
    """The first instant at which a freeze or a hold ends by itself, so that more may be released; None if none does."""
    frozen = gate.frozen_still()
    carriers = reading.plan.carriers
    chances = [
        datetime.combine(sellable_from(day, gate.freeze_days), time(), carriers[carrier].zone)
        for (carrier, day), places in gate.spans.items()
        if not places.isdisjoint(frozen)
    ]
    chances += [reading.plan.end_of(one.until_day) for key in gate.held if (one := holds.get(reading.tx, key))]
    return min(chances, default=None)
