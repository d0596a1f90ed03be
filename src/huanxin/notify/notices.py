"""Verb 3, notify: one notice per partner, recorded with the event that tells of it; retractions; numbers with new owners."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from huanxin.domain.answers import Purpose
from huanxin.domain.clock import answer_by
from huanxin.domain.errors import Conflict, NotFound
from huanxin.domain.lifecycle import Event, SetFact
from huanxin.domain.numbers import NumberingPlan, written
from huanxin.domain.partners import IDENTIFIER_RECYCLED, Partner
from huanxin.domain.rules import NewId, Rules, random_id
from huanxin.domain.streams import Status
from huanxin.notify.events import batch_notice, request_notice
from huanxin.numbersets.numberfile import described
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store import batches, deliveries, notices, partners, reports, streams
from huanxin.store.batches import Batch
from huanxin.store.database import Tx, deciding
from huanxin.store.notices import Notice
from huanxin.store.requests import Request


def send_batch(tx: Tx, batch_id: int, *, issuer: str, now: datetime, new_id: NewId = random_id) -> list[Notice]:
    """Make a notice of a batch for every partner that has none yet, and hand it to the workers; all its notices."""
    deciding(tx)
    batch = batches.get(tx, batch_id)
    if batch is None:
        raise NotFound(f"there is no batch {batch_id}; `huanxin batch status` shows them")
    everyone = partners.all_partners(tx)
    if not everyone:
        raise Conflict("no partner is registered, so nobody can answer; add one with `huanxin partner add`")
    told = {notice.partner_id for notice in notices.of_batch(tx, batch_id)}
    for partner in everyone:
        if partner.id not in told:
            _notify(tx, batch, partner, of_notice=None, issuer=issuer, now=now, new_id=new_id)
    deliveries.wake_workers(tx)
    return notices.of_batch(tx, batch_id)


def _notify(
    tx: Tx, batch: Batch, partner: Partner, *, of_notice: Notice | None, issuer: str, now: datetime, new_id: NewId
) -> None:
    notice_id, jti = new_id("nt"), new_id("ev")
    required = partner.required if of_notice is None else of_notice.required
    notices.add(tx, notice_id=notice_id, batch_id=batch.id, partner_id=partner.id, required=required, at=now)
    claims = batch_notice(
        batch,
        notice=notice_id,
        of_notice=of_notice.id if of_notice else None,
        audience=partner.client_id,
        jti=jti,
        issuer=issuer,
        now=now,
    )
    subject = of_notice.id if of_notice else notice_id
    queue_event(tx, partner.id, jti=jti, notice_id=notice_id, subject=subject, claims=claims, at=now)


def queue_event(
    tx: Tx, partner_id: int, *, jti: str, notice_id: str | None, subject: str, claims: dict[str, Any], at: datetime
) -> None:
    """Record an event for a partner, to be sent if its stream asks for such events and is not disabled."""
    event = next(iter(claims["events"]))
    stream = streams.of_partner(tx, partner_id)
    if stream is not None and event not in stream.events_delivered:
        return
    kept = stream is None or stream.status != Status.DISABLED
    deliveries.add(
        tx,
        jti=jti,
        partner_id=partner_id,
        notice_id=notice_id,
        event=event,
        subject=subject,
        claims=claims,
        at=at,
        kept=kept,
    )


def send_request(tx: Tx, request: Request, told: Mapping[int, str], *, now: datetime, new_id: NewId = random_id) -> None:
    """Hand the notices of a request, given as partner -> id of the notice, to the workers."""
    known = {partner.id: partner for partner in partners.all_partners(tx)}
    for partner_id, notice in told.items():
        jti = new_id("ev")
        claims = request_notice(request, notice=notice, audience=known[partner_id].client_id, jti=jti, now=now)
        queue_event(tx, partner_id, jti=jti, notice_id=notice, subject=written(request.number), claims=claims, at=now)
    deliveries.wake_workers(tx)


def retract_reclaimed(
    tx: Tx, *, plan: NumberingPlan, rules: Rules, issuer: str, now: datetime, by: str, new_id: NewId = random_id
) -> list[Batch]:
    """Take numbers that their former owners reclaimed back from every notice they are in (rule 3).

    For each renewal batch that was sent: its numbers that a later report reclaimed, and that no retraction took back
    yet, become a retraction, told to every partner that had the notice.
    """
    deciding(tx)
    made: list[Batch] = []
    back = batches.all_batches(tx, Purpose.RETRACTION)
    for batch in batches.all_batches(tx, Purpose.RENEWAL):
        told = notices.of_batch(tx, batch.id)
        if not told:
            continue
        again = _reclaimed_of(tx, batch)
        again -= union(batches.numbers_of(tx, other.id) for other in back if other.retracts == batch.id)
        if not again:
            continue
        zones = {plan.carriers[code].zone for code, _ in batches.spans(tx, batch.id)}
        batch_id = batches.add(
            tx, purpose=Purpose.RETRACTION, retracts=batch.id, numbers=again, cutoff=batch.cutoff,
            answer_by=answer_by(now, zones, rules.answer_days), freeze_days=batch.freeze_days,
            seen_report=reports.latest(tx), files=described(again.numbers()), by=by, at=now,
        )  # fmt: skip
        retraction = batches.get(tx, batch_id)
        assert retraction is not None
        by_id = {partner.id: partner for partner in partners.all_partners(tx)}
        for notice in told:
            _notify(tx, retraction, by_id[notice.partner_id], of_notice=notice, issuer=issuer, now=now, new_id=new_id)
        made.append(retraction)
    deliveries.wake_workers(tx)
    return made


def _reclaimed_of(tx: Tx, batch: Batch) -> NumberSet:
    numbers = batches.numbers_of(tx, batch.id)
    found: dict[int, BitMap] = {}
    for shard, facts in reports.facts_by_shard(tx, shards=numbers.shards, after_report=batch.seen_report):
        back = BitMap.union(BitMap(), *(fact.numbers for fact in facts if fact.event is Event.RECLAIMED))
        found[shard] = back & numbers.shards[shard]
    return NumberSet(found)


def tell_recycled(
    tx: Tx, report_id: int, recycled: Iterable[tuple[int, SetFact]], *, plan: NumberingPlan, now: datetime
) -> int:
    """Queue RISC identifier-recycled for the numbers of a report that have a new owner, for partners that ask for it.

    A partner is told of what happened since the day on which it was registered, in the zone of the carrier: the history
    that a carrier brings along is no news. A cursor in a set, not a row a number; how many events that will be.
    """
    known = streams.all_streams(tx)
    asking = [
        partner for partner in partners.all_partners(tx)
        if partner.id in known and IDENTIFIER_RECYCLED in known[partner.id].events_delivered
        and known[partner.id].status != Status.DISABLED
    ]  # fmt: skip
    merged: dict[tuple[int, date, ZoneInfo], BitMap] = {}
    for shard, fact in recycled:
        key = (shard, fact.day, plan.carriers[fact.carrier].zone)
        merged[key] = merged.get(key, BitMap()) | fact.numbers
    events = 0
    for partner in asking:
        unwanted = streams.excluded(tx, partner.id, [shard for shard, _, _ in merged])
        for (shard, day, zone), numbers in merged.items():
            wanted = numbers - unwanted.shards.get(shard, BitMap())
            if wanted and day >= partner.added_at.astimezone(zone).date():
                deliveries.add_feed(
                    tx, report_id=report_id, partner_id=partner.id, shard=shard, day=day, numbers=wanted, at=now
                )
                events += len(wanted)
    if events:
        deliveries.wake_workers(tx)
    return events


def recycled_jti(*, report_id: int, client_id: str, number: int) -> str:
    """The same event has the same `jti` whenever it is sent, so a partner that has it knows it again."""
    seed = f"recycled/{report_id}/{client_id}/{number}".encode()
    return "ev_" + base64.urlsafe_b64encode(hashlib.sha256(seed).digest()[:15]).decode()
