"""The facts of one partner, gathered for its pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pyroaring import BitMap

from huanxin.domain.answers import Outcome, Standing
from huanxin.domain.errors import NotFound
from huanxin.domain.partners import Partner
from huanxin.domain.streams import EVENTS_SUPPORTED
from huanxin.store.answer import receipts
from huanxin.store.connect import credentials, partners
from huanxin.store.database import Tx
from huanxin.store.notify import attempts, notices, streams
from huanxin.store.notify.attempts import Attempt
from huanxin.store.notify.deliveries import Delivery
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.web.pages.partner.views import (
    AttemptRow,
    CredentialRow,
    DeliveriesView,
    DeliveryRow,
    KeysView,
    NoticeRow,
    NoticeView,
    OverviewView,
    ReceiptRow,
    StreamView,
    Who,
)
from huanxin.words.sentences import Sentence

_LATEST = 50
PER_PAGE = 50
_TAKEN_BELOW = 300


def overview(tx: Tx, who: Who, partner: Partner, now: datetime) -> OverviewView:
    """The first page."""
    told = notices.of_partner(tx, partner.id)
    known = {batch.id: batch for batch in batches.all_batches(tx)}
    rows = tuple(_notice_row(tx, one, known[one.batch_id], now)[0] for one in told[:_LATEST])
    waiting = attempts.latest(tx, partner.id, undelivered=True, limit=PER_PAGE + 1)
    return OverviewView(
        who=who, notices=rows, older=max(0, len(told) - _LATEST), stream=streams.of_partner(tx, partner.id),
        undelivered=len(waiting), as_of=now,
    )  # fmt: skip


def _notice_row(tx: Tx, notice: Notice, batch: Batch, now: datetime) -> tuple[NoticeRow, Standing]:
    everyone = BitMap(range(batch.count))
    standing = receipts.standings(tx, batch.id, everyone, notice.partner_id).get(notice.partner_id, Standing())
    outcomes: dict[str, int] = {}
    for answer, places in standing.answers.items():
        if places:
            outcomes[answer.outcome.value] = outcomes.get(answer.outcome.value, 0) + len(places)
    row = NoticeRow(
        id=notice.id, purpose=batch.purpose, count=batch.count, sent_at=notice.sent_at, cutoff=batch.cutoff,
        answer_by=notice.answer_by, delivered_at=notice.delivered_at, outcomes=outcomes,
        outstanding=len(standing.outstanding(everyone)), left=(notice.answer_by - now).total_seconds(),
    )  # fmt: skip
    return row, standing


def notice_page(tx: Tx, who: Who, partner: Partner, notice_id: str, now: datetime) -> NoticeView:
    """One notice. Raises NotFound for another partner's as for none (rule 5)."""
    notice = notices.get(tx, notice_id)
    batch = batches.get(tx, notice.batch_id) if notice else None
    if notice is None or batch is None or notice.partner_id != partner.id:
        raise NotFound(Sentence("there is no notice %(notice)s for this partner", notice=notice_id))
    row, standing = _notice_row(tx, notice, batch, now)
    refusals: dict[str, int] = {}
    for answer, places in standing.answers.items():
        if answer.outcome is Outcome.REFUSED and places:
            refusals[answer.reason] = refusals.get(answer.reason, 0) + len(places)
    filed = tuple(
        ReceiptRow(id=one.id, received_at=one.received_at, lines=one.lines, complete=one.complete, counts=one.counts)
        for one in reversed(receipts.all_of_batch(tx, batch.id)) if one.notice_id == notice.id
    )  # fmt: skip
    events = tuple((one.at, one.kind, one.detail) for one in partners.events_of_notice(tx, notice.id))
    sent = _delivery_rows(tx, attempts.latest(tx, partner.id, notice_id=notice.id))
    return NoticeView(who=who, row=row, receipts=filed, refusals=refusals, deliveries=sent, events=events)


def _delivery_rows(tx: Tx, found: Sequence[Delivery]) -> tuple[DeliveryRow, ...]:
    made = attempts.attempts_of(tx, [one.jti for one in found])
    return tuple(_delivery_row(one, made[one.jti]) for one in found)


def _delivery_row(one: Delivery, attempts: Sequence[Attempt]) -> DeliveryRow:
    state = "waiting" if one.next_at else ("taken" if one.delivered_at else "given-up")
    return DeliveryRow(
        jti=one.jti, notice_id=one.notice_id, event=one.event, created_at=one.created_at, next_at=one.next_at, state=state,
        attempts=tuple(
            AttemptRow(at=a.at, status=a.status, answer=a.answer, taken=a.status is not None and a.status < _TAKEN_BELOW)
            for a in reversed(attempts)
        ),
    )  # fmt: skip


def deliveries_page(
    tx: Tx, who: Who, partner: Partner, *, undelivered: bool, page: int, done: str, count: int
) -> DeliveriesView:
    """A page of events, from 1."""
    found = attempts.latest(
        tx, partner.id, undelivered=undelivered, limit=PER_PAGE + 1, offset=(page - 1) * PER_PAGE
    )  # fmt: skip
    rows = _delivery_rows(tx, found[:PER_PAGE])
    more = len(found) > PER_PAGE
    return DeliveriesView(who=who, rows=rows, undelivered=undelivered, page=page, more=more, done=done, count=count)


def keys_page(
    tx: Tx, who: Who, partner: Partner, *, issuer: str, now: datetime, new_secret: str = "", problem: str = ""
) -> KeysView:
    """What lets the partner in."""
    rows = tuple(
        CredentialRow(
            kind=one.kind, added_at=one.added_at, expires_at=one.expires_at,
            kids=tuple(str(key.get("kid", "?")) for key in (one.jwks or {}).get("keys", [])),
        )
        for one in credentials.of_partner(tx, partner.id, now)
    )  # fmt: skip
    return KeysView(who=who, issuer=issuer, credentials=rows, new_secret=new_secret, problem=problem)


def stream_page(
    tx: Tx, who: Who, partner: Partner, *, issuer: str, problem: str = "", given: str = "", done: str = "",
    folders: tuple[str, str] = ("", ""), s3_services: str = "",
) -> StreamView:  # fmt: skip
    """How the partner is told."""
    stream = streams.of_partner(tx, partner.id)
    return StreamView(
        who=who, issuer=issuer, stream=stream, events=EVENTS_SUPPORTED, problem=problem, given=given, done=done,
        folders=folders, s3_services=s3_services,
    )  # fmt: skip
