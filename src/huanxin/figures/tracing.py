"""Everything that is on record about one number, as a timeline of facts, each with its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from huanxin.acts.platform import Platform
from huanxin.domain.answers import Outcome, Purpose
from huanxin.domain.tenures import NumberTenures, standing
from huanxin.numbersets.sharded import SHARD_SIZE, load, shard_of
from huanxin.release.single import Single, load_single
from huanxin.store.database import Tx
from huanxin.store.disclose import certificates, disclosures
from huanxin.store.plan import batches, holds
from huanxin.store.plan.holds import Hold
from huanxin.store.release import releases
from huanxin.store.report import reports
from huanxin.store.report.reports import HistoryEntry
from huanxin.store.request import requests


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One fact. `day_only`: the fact is as precise as a day, in the carrier's zone. `evidence`: what it can be looked up
    by, as (kind, id). What doesn't belong to a kind of fact is empty."""

    at: datetime
    kind: str
    evidence: tuple[tuple[str, str], ...]
    day_only: bool = False
    carrier: str = ""
    partner: str = ""
    outcome: str = ""
    reason: str = ""
    """a partner's reason by its code"""
    until: date | None = None
    by: str = ""
    alone: bool = False
    """whether one person decided where two should"""
    why: str = ""
    batch: int | None = None
    count: int | None = None
    grade: str = ""
    """what a buyer was told that the number is (domain.disclosure.Grade)"""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A number's facts, oldest first. `carriers`: whose it is by the numbering plan, and who reported it; `holds`: those
    that bind today; `batches`: its renewal batches that stand, oldest first."""

    number: int
    carriers: frozenset[str]
    standing: NumberTenures
    holds: tuple[Hold, ...]
    batches: tuple[Single, ...]
    entries: tuple[Entry, ...]
    evaluable_since: date | None = None
    """what was before that day can't be told, since a baseline began there"""
    waiting: tuple[OrderWaiting, ...] = ()
    """orders that services were not told of yet, newest first"""


@dataclass(frozen=True, kw_only=True)
class OrderWaiting:
    """An owner's order, and the services that were not told of it yet."""

    id: str
    partners: tuple[str, ...]


def trace(tx: Tx, platform: Platform, number: int) -> Trace:
    """Read the number's shard of the reports and batches, then of each of its batches what is about its place."""
    shard, offset = shard_of(number), number % SHARD_SIZE
    past = reports.history(tx, shard=shard, holds_number=lambda stored: offset in load(stored))
    every, named = batches.memberships(tx, number), holds.of_number(tx, number)
    found = [
        load_single(platform.within(tx), number, one, every=every, held=named)
        for one in every
        if one.purpose == Purpose.RENEWAL
    ]
    owner = platform.plan.owner(shard)
    entries = [
        *_reports(platform, past), *_taken_back(tx, number), *_holds(platform, named),
        *(entry for one in found for entry in _batch(one)),
        *_requests(tx, number), *_certificates(tx, number), *_disclosures(tx, number), *_breaches(tx, number),
    ]  # fmt: skip
    stands = standing([one.said for one in past])
    return Trace(
        number=number, evaluable_since=reports.baselines(tx, platform.plan).get(stands.first), standing=stands,
        carriers=frozenset({one.carrier for one in past} | ({owner} if owner else set())),
        holds=tuple(one for one in named if one.binds(platform.today())),
        batches=tuple(one for one in found if not one.loaded.batch.called_off_at),
        entries=tuple(sorted(entries, key=lambda entry: entry.at)), waiting=tuple(_waiting(tx, number)),
    )  # fmt: skip


def _reports(platform: Platform, past: list[HistoryEntry]) -> Iterator[Entry]:
    for one in past:
        zone = platform.plan.carriers[one.carrier].zone
        yield Entry(
            at=datetime.combine(one.day, time(), zone), day_only=True, kind=one.event, carrier=one.carrier,
            evidence=(("report", str(one.report_id)), ("file", one.file_name)),
        )  # fmt: skip


def _taken_back(tx: Tx, number: int) -> Iterator[Entry]:
    for one in reports.taken_back(tx, number):
        yield Entry(
            at=one.at, kind=f"taken-back-{one.event}", carrier=one.carrier, by=one.by, alone=not one.approved_by,
            why=one.reason, evidence=(("report", str(one.report_id)), ("report", str(one.voided_by))),
        )  # fmt: skip


def _holds(platform: Platform, named: list[Hold]) -> Iterator[Entry]:
    for one in named:
        evidence = (("hold", str(one.id)), ("order", one.named))
        yield Entry(at=one.placed_at, kind="held", by=one.placed_by, why=one.reason, until=one.until_day, evidence=evidence)
        if one.lifted_at:
            yield Entry(
                at=one.lifted_at, kind="hold-lifted", by=one.lifted_by or "", why=one.lift_reason or "", evidence=evidence
            )
        elif one.until_day < platform.today():
            end = datetime.combine(one.until_day, time(23, 59), platform.zone)
            yield Entry(at=end, day_only=True, kind="hold-ended", evidence=evidence)


def _batch(one: Single) -> Iterator[Entry]:
    loaded, batch = one.loaded, one.loaded.batch
    known = (("batch", str(batch.id)),)
    yield Entry(at=batch.planned_at, kind="planned", by=batch.planned_by, batch=batch.id, evidence=known)
    if batch.called_off_at:
        yield Entry(
            at=batch.called_off_at, kind="called-off", by=batch.called_off_by or "", why=batch.called_off_why or "",
            batch=batch.id, evidence=known,
        )  # fmt: skip
    if loaded.notices:
        first = min(loaded.notices.values(), key=lambda notice: notice.sent_at)
        count = len(loaded.notices)
        yield Entry(at=first.sent_at, kind="noticed", by=first.sent_by, batch=batch.id, count=count, evidence=known)
    yield from _answers(one)
    for waiver in one.waivers:
        yield Entry(
            at=waiver.waived_at, kind="waived", partner=loaded.notices[waiver.partner_id].partner, by=waiver.by,
            alone=waiver.alone, why=waiver.reason, batch=batch.id, evidence=(("waiver", str(waiver.id)),),
        )  # fmt: skip
        if waiver.withdrawn_at:
            yield Entry(
                at=waiver.withdrawn_at, kind="waiver-withdrawn", partner=loaded.notices[waiver.partner_id].partner,
                by=waiver.withdrawn_by or "", why=waiver.withdrawn_why or "", batch=batch.id,
                evidence=(("waiver", str(waiver.id)),),
            )  # fmt: skip
    for back in one.retractions:
        yield Entry(
            at=back.planned_at, kind="retracted", by=back.planned_by, why=back.reason, batch=batch.id,
            evidence=(("retraction", str(back.id)),),
        )  # fmt: skip
    for given in one.releases:
        yield Entry(
            at=given.released_at, kind="released", by=given.released_by, alone=given.alone, batch=batch.id,
            evidence=(("release", str(given.id)),),
        )  # fmt: skip
    for breach in one.breaches:
        yield Entry(
            at=breach.found_at, kind="breach", partner=breach.partner or "", why=breach.kind, batch=batch.id, evidence=known
        )


def _answers(one: Single) -> Iterator[Entry]:
    """Ties, refusals and the like one by one; that most partners have none is one entry, at the time of the last."""
    batch, absent = one.loaded.batch, []
    for said in one.answers:
        if said.answer is None or said.answer.outcome is Outcome.ABSENT:
            absent.append(said)
            continue
        yield Entry(
            at=said.received_at, kind="answered", partner=one.loaded.notices[said.partner_id].partner,
            outcome=said.answer.outcome.value, reason=said.answer.reason, until=said.answer.until, batch=batch.id,
            evidence=(("receipt", said.receipt_id), ("notice", said.notice_id)),
        )  # fmt: skip
    if absent:
        yield Entry(
            at=absent[-1].received_at, kind="absent", batch=batch.id, count=len({said.partner_id for said in absent}),
            evidence=(("batch", str(batch.id)),),
        )  # fmt: skip


def _requests(tx: Tx, number: int) -> Iterator[Entry]:
    for one in requests.of_number(tx, number):
        yield Entry(
            at=one.requested_at, kind=f"request-{one.purpose}", carrier=one.carrier, by=one.channel,
            evidence=(("request", one.id),),
        )  # fmt: skip
        for told in requests.notices_of(tx, one.id):
            if told.outcome and told.answered_at:
                yield Entry(
                    at=told.answered_at, kind="answered", partner=told.partner, outcome=told.outcome,
                    reason=told.reason or "", until=told.until_day,
                    evidence=(("receipt", told.receipt or ""), ("request", one.id)),
                )  # fmt: skip
            if told.called_off_at:
                yield Entry(
                    at=told.called_off_at, kind="request-off", partner=told.partner, by=told.called_off_by or "",
                    why=told.called_off_why or "", evidence=(("request", one.id),),
                )  # fmt: skip


def _waiting(tx: Tx, number: int) -> Iterator[OrderWaiting]:
    for one in requests.of_number(tx, number):
        if names := tuple(told.partner for told in requests.notices_of(tx, one.id) if told.untold):
            yield OrderWaiting(id=one.id, partners=names)


def _certificates(tx: Tx, number: int) -> Iterator[Entry]:
    for one in certificates.of_number(tx, number):
        yield Entry(at=one.issued_at, kind="certified", by=one.issued_by, evidence=(("certificate", one.id),))
        revoked = certificates.revocation(tx, one.id)
        if revoked:
            yield Entry(
                at=revoked.revoked_at, kind="certificate-revoked", by=revoked.revoked_by, why=revoked.reason,
                evidence=(("certificate", one.id),),
            )  # fmt: skip


def _disclosures(tx: Tx, number: int) -> Iterator[Entry]:
    """What buyers acknowledged: who recorded it, the words that they saw, and how they did it. Of a signature only its
    digest stands here: it is a buyer's, and the desk keeps it."""
    for one, seen in disclosures.of_number(tx, number):
        known = (("disclosure", one.id),)
        how = hashlib.sha256(one.evidence.encode()).hexdigest() if one.method == "signature" else one.evidence
        words = f"{seen.version} {seen.language} {one.text_sha256.hex()}"
        yield Entry(
            at=one.acknowledged_at, kind="disclosed", carrier=one.carrier, by=one.clerk, grade=one.grade,
            evidence=(*known, ("text", words), (one.method, how)),
        )  # fmt: skip
        if one.withdrawn_at:
            yield Entry(
                at=one.withdrawn_at, kind="disclosure-withdrawn", by=one.withdrawn_by or "", why=one.withdrawn_reason or "",
                evidence=known,
            )  # fmt: skip


def _breaches(tx: Tx, number: int) -> Iterator[Entry]:
    """What reports showed; breaches of a batch stand with the batch."""
    for one in releases.report_breaches_of(tx, number):
        yield Entry(
            at=one.found_at, kind="breach", carrier=one.carrier or "", why=one.kind,
            evidence=(("breach", str(one.id)), ("report", str(one.report_id))),
        )  # fmt: skip
