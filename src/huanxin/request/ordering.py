"""An owner's order: one notice per chosen partner with one number, recorded with the events that tell of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from huanxin.domain.answers import Outcome
from huanxin.domain.clock import answer_by, within
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.numbers import masked
from huanxin.domain.partners import Partner
from huanxin.domain.rules import NewId, random_id
from huanxin.domain.tenures import NumberTenures, State, cutoff_of
from huanxin.request.ending import is_open
from huanxin.request.holding import of_holder
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.connect import partners
from huanxin.store.report import reports
from huanxin.store.request import requests
from huanxin.store.request.requests import Request, RequestNotice


class Purpose(StrEnum):
    """`renew`: the new owner cuts what the former one left. `leave`: owners cut their own ties before they go.
    `inquire`: they ask first which partners hold ties; nothing is cut."""

    RENEW = "renew"
    LEAVE = "leave"
    INQUIRE = "inquire"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What an owner orders: for their number, at these partners; `consent_text` are the words that they agreed to,
    `shown_at` is the instant for which they showed that the number is theirs."""

    purpose: Purpose
    number: int
    partner_ids: Collection[int]
    consent_text: str
    channel: str
    language: str
    shown_at: datetime


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """The request that stands for a wish, its notices by partner, and whether it is new."""

    request: Request
    notices: dict[int, str]
    new: bool


def order(act: Act, wish: Wish, *, cool_down: timedelta, new_id: NewId = random_id) -> Ordered:
    """Record an owner's order. The caller has made sure that the number is theirs (a code by SMS, a signed hand-over).

    The cut-off is never the caller's to choose (rule 2): the carrier's opening day for the new owner; for a leaver the
    instant for which they showed that the number is theirs, since it may have passed on before their click. A partner that
    has an order of this tenure under way, or answered one within the cool-down, is not asked again; if none is left to ask,
    the latest request stands and no second one is made. Raises BadInput without consent or a known partner, Conflict for a
    number that can't be renewed.
    """
    if not wish.consent_text.strip():
        raise BadInput("an order needs the consent of whoever holds the number")
    requests.one_per_number(act.tx, wish.number)
    where = reports.standing_of(act.tx, wish.number)
    tenure = where.current
    if tenure is None or (wish.purpose is Purpose.RENEW and not where.renewable):
        raise Conflict(why_not(where, wish.number))
    zone = act.plan.carriers[tenure.carrier].zone
    known = {partner.id: partner for partner in partners.all_partners(act.tx)}
    chosen = [known[one] for one in sorted(set(wish.partner_ids)) if one in known]
    if not chosen:
        raise BadInput("choose at least one partner to ask")
    since = cutoff_of(tenure, act.plan)
    every = of_holder(act, wish.number, where)
    back = {one.retracts for one in every}
    earlier = [one for one in every if one.purpose == wish.purpose and one.id not in back]
    told = [notice for one in earlier for notice in requests.notices_of(act.tx, one.id) if not notice.called_off_at]
    asked = [
        partner for partner in chosen
        if not _under_way(told, partner, act.now, zone=zone, days=act.rules.answer_days, cool_down=cool_down)
    ]  # fmt: skip
    if not asked:
        latest = earlier[0]
        return Ordered(
            request=latest, notices={n.partner_id: n.id for n in requests.notices_of(act.tx, latest.id)}, new=False
        )
    request = Request(
        id=new_id("rq"), purpose=wish.purpose.value, number=wish.number, carrier=tenure.carrier, opened_on=tenure.opened_on,
        of_day=where.of_day, cutoff=since if wish.purpose is Purpose.RENEW and since else min(act.now, wish.shown_at),
        answer_by=answer_by(act.now, [zone], act.rules.answer_days), channel=wish.channel, language=wish.language,
        consent_text=wish.consent_text, requested_at=act.now,
    )  # fmt: skip
    notices = {partner.id: new_id("nr") for partner in asked}
    facts.request(act.tx, request, notices)
    return Ordered(request=request, notices=notices, new=True)


def _under_way(
    told: Sequence[RequestNotice], partner: Partner, now: datetime, *, zone: ZoneInfo, days: int, cool_down: timedelta
) -> bool:  # fmt: skip
    """Whether the latest of a tenure's notices to a partner is still to be answered, or was settled not long ago."""
    last = next((one for one in told if one.partner_id == partner.id), None)
    if last is None or last.outcome == Outcome.REFUSED:
        return False
    if last.outcome in (None, Outcome.PENDING) or last.answered_at is None:
        return is_open(last, now, zone=zone, days=days)
    return within(last.answered_at, cool_down, now)


def why_not(where: NumberTenures, number: int) -> str:
    """Why a number can't be renewed, in words for whoever holds it."""
    if where.state is State.UNKNOWN:
        return (
            f"no carrier has reported {masked(number)} yet, so nothing is known of it; ask again later or ask your carrier"
        )
    if where.state is State.PORTED_OUT:
        return f"{masked(number)} was taken to another carrier, which has not reported it yet; ask that carrier"
    if where.state is State.FROZEN:
        return f"{masked(number)} is not in service, as the carrier reported"
    if where.recycled is None:
        return f"when {masked(number)} was opened lies before the carrier's first report, so older ties can't be told apart"
    return f"{masked(number)} had no owner before you, as far as carriers have reported, so there is nothing to renew"
