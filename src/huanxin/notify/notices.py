"""Verb 3, notify: one notice per partner, recorded with the event that tells of it; numbers with new owners."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from huanxin.domain.clock import answer_by, counted_anew
from huanxin.domain.errors import Conflict, NotFound
from huanxin.domain.lifecycle import SetFact
from huanxin.domain.numbers import written
from huanxin.domain.partners import IDENTIFIER_RECYCLED, Partner
from huanxin.domain.rules import NewId, random_id
from huanxin.domain.streams import Status, Stream
from huanxin.notify.events import batch_notice, request_notice
from huanxin.store import facts
from huanxin.store.acting import Act, Reading
from huanxin.store.connect import partners
from huanxin.store.database import Tx, deciding
from huanxin.store.notify import deliveries, new_owners, notices, streams
from huanxin.store.notify.deliveries import NewDelivery
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch, refuse_called_off
from huanxin.store.request import requests
from huanxin.store.request.requests import Request
from huanxin.words.sentences import Sentence


def tell_batch(act: Act, batch_id: int, *, new_id: NewId = random_id) -> list[Notice]:
    """Make a notice of a batch for every partner that has none yet, and hand it to the workers; all its notices."""
    deciding(act.tx)
    batch = batches.get(act.tx, batch_id)
    if batch is None or batch.retracts is not None:
        raise NotFound(Sentence("there is no renewal batch %(batch)s; `huanxin batch status` shows them", batch=batch_id))
    refuse_called_off(batch)
    everyone = partners.all_partners(act.tx)
    if not everyone:
        raise Conflict(Sentence("no partner is registered, so nobody can answer; add one with `huanxin partner add`"))
    told = {notice.partner_id for notice in notices.of_batch(act.tx, batch_id)}
    new = [(partner, None) for partner in everyone if partner.id not in told]
    tell_partners(act, batch, new, new_id=new_id)
    return notices.of_batch(act.tx, batch_id)


def tell_partners(act: Act, batch: Batch, which: Sequence[tuple[Partner, Notice | None]], *, new_id: NewId) -> None:
    """Record some partners' notices of a batch and the events that tell of it; of a retraction, each with the partner's
    notice that numbers are taken back from. Few statements, however many partners there are."""
    if not which:
        return
    until = _answer_by(act, batch)
    ways = streams.all_streams(act.tx)
    made, events = [], []
    for partner, of_notice in which:
        notice_id, jti = new_id("nt"), new_id("ev")
        required = partner.required if of_notice is None else of_notice.required
        made.append((notice_id, partner.id, required))
        of = of_notice.id if of_notice else None
        claims = batch_notice(
            act, batch, notice=notice_id, of_notice=of, answer_by=until, audience=partner.client_id, jti=jti
        )
        events += wanted(
            ways.get(partner.id), partner.id, jti=jti, notice_id=notice_id, subject=of or notice_id, claims=claims
        )
    facts.notices(act.tx, batch.id, made, by=act.by, at=act.now, answer_by=until)
    deliveries.add_all(act.tx, events, at=act.now)
    deliveries.wake_workers(act.tx)


def _answer_by(reading: Reading, batch: Batch) -> datetime:
    """Until when a partner answers that is told now: its time begins when it is told, and it has no less than the batch
    gives, which is counted anew if the year's holidays were not known when it was planned."""
    zones = {reading.plan.carriers[code].zone for code, _ in batches.spans(reading.tx, batch.retracts or batch.id)}
    if not zones:
        return batch.answer_by
    days = reading.rules.answer_days
    planned = counted_anew(batch.answer_by, batch.cutoff, zones, days)
    return max(planned, answer_by(reading.now, zones, days))


def queue_event(
    tx: Tx, partner_id: int, *, jti: str, notice_id: str | None, subject: str, claims: dict[str, Any], at: datetime
) -> None:
    """Record an event for a partner, to be sent if its stream asks for such events and is not disabled."""
    stream = streams.of_partner(tx, partner_id)
    found = wanted(stream, partner_id, jti=jti, notice_id=notice_id, subject=subject, claims=claims)
    deliveries.add_all(tx, found, at=at)


def wanted(
    stream: Stream | None, partner_id: int, *, jti: str, notice_id: str | None, subject: str, claims: dict[str, Any]
) -> list[NewDelivery]:
    """The event to record for a partner, or nothing if its stream doesn't ask for such ones."""
    event = next(iter(claims["events"]))
    if stream is not None and event not in stream.events_delivered:
        return []
    kept = stream is None or stream.status != Status.DISABLED
    return [NewDelivery(jti=jti, partner_id=partner_id, notice_id=notice_id, event=event, subject=subject, claims=claims,
                        kept=kept)]  # fmt: skip


def send_request(act: Act, request: Request, told: Mapping[int, str], *, new_id: NewId = random_id) -> None:
    """Hand the notices of a request, given as partner -> id of the notice, to the workers."""
    known = {partner.id: partner for partner in partners.all_partners(act.tx)}
    ways = streams.all_streams(act.tx)
    of = {one.partner_id: one.id for one in requests.notices_of(act.tx, request.retracts)} if request.retracts else {}
    events = []
    for partner_id, notice in told.items():
        jti = new_id("ev")
        claims = request_notice(request, notice=notice, of_notice=of.get(partner_id),
                                audience=known[partner_id].client_id, jti=jti, now=act.now)  # fmt: skip
        events += wanted(ways.get(partner_id), partner_id, jti=jti, notice_id=notice, subject=written(request.number),
                          claims=claims)  # fmt: skip
    deliveries.add_all(act.tx, events, at=act.now)
    deliveries.wake_workers(act.tx)


def tell_recycled(act: Act, report_id: int, recycled: Iterable[tuple[int, SetFact]]) -> int:
    """Queue RISC identifier-recycled for the numbers of a report that have a new owner, for partners that ask for it.

    A partner is told of what happened since the day on which it was registered, in the zone of the carrier: the history
    that a carrier brings along is no news. A cursor in a set, not a row a number; how many events that will be.
    """
    known = streams.all_streams(act.tx)
    asking = [
        partner for partner in partners.all_partners(act.tx)
        if partner.id in known and IDENTIFIER_RECYCLED in known[partner.id].events_delivered
        and known[partner.id].status != Status.DISABLED
    ]  # fmt: skip
    merged: dict[tuple[int, date, ZoneInfo], BitMap] = {}
    for shard, fact in recycled:
        key = (shard, fact.day, act.plan.carriers[fact.carrier].zone)
        merged[key] = merged.get(key, BitMap()) | fact.numbers
    events = 0
    for partner in asking:
        unwanted = streams.excluded(act.tx, partner.id, [shard for shard, _, _ in merged])
        for (shard, day, zone), numbers in merged.items():
            wanted = numbers - unwanted.shards.get(shard, BitMap())
            if wanted and day >= partner.added_at.astimezone(zone).date():
                new_owners.add(
                    act.tx, report_id=report_id, partner_id=partner.id, shard=shard, day=day, numbers=wanted, at=act.now
                )
                events += len(wanted)
    if events:
        deliveries.wake_workers(act.tx)
    return events


def recycled_jti(*, report_id: int, client_id: str, number: int, day: date) -> str:
    """The same event has the same `jti` whenever it is sent, so a partner that has it knows it again. A report may say that
    a number passed on twice: those are two, else the partner would keep the ties of whoever had it in between."""
    seed = f"recycled/{report_id}/{client_id}/{number}/{day}".encode()
    return "ev_" + base64.urlsafe_b64encode(hashlib.sha256(seed).digest()[:15]).decode()
