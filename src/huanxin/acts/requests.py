"""Owners' orders: given, called off, and answered by partners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.answer.single import Answered, AnswerLine, answer, asked, filled
from huanxin.domain.partners import Partner
from huanxin.notify.notices import send_request
from huanxin.request.calling_off import refuse_told, untold
from huanxin.request.ordering import Ordered, Wish, order
from huanxin.store import facts_undone
from huanxin.store.acting import VISITOR
from huanxin.store.notify import deliveries
from huanxin.store.request import requests


def order_request(platform: Platform, wish: Wish) -> Ordered:
    """Record an owner's order and tell the partners that they chose; the standing order, if they asked for all before."""
    with platform.act(VISITOR) as act:
        ordered = order(act, wish, cool_down=platform.cool_down)
        if ordered.new:
            send_request(act, ordered.request, ordered.notices)
    return ordered


def call_off(
    platform: Platform, request_id: str, partner_ids: Sequence[int], *, by: str = VISITOR, reason: str = ""
) -> list[int]:
    """Call an order off at those of some partners that were not told of it yet; at which that was done. It frees nothing:
    what was not cut stays as it is, and its owner may order again."""
    with platform.act(by) as act:
        done = facts_undone.request_call_off(act.tx, request_id, partner_ids, by=act.by, reason=reason, at=act.now)
    with platform.database.single() as tx:
        requests.note_done(tx, [request_id], act.now)
    return done


def call_off_for(platform: Platform, request_id: str, *, by: str, reason: str) -> list[int]:
    """The same by somebody at the platform, wherever the order waits; at which partners that was done. Raises NotFound,
    BadInput without a reason, Conflict if every partner was told or has answered."""
    with platform.read() as seen:
        waiting = untold(seen.tx, request_id, reason=reason)
    done = call_off(platform, request_id, waiting, by=by, reason=reason.strip()) if waiting else []
    refuse_told(done)
    return done


def answer_requests(
    platform: Platform, partner: Partner, lines: Sequence[AnswerLine], *, notice: str | None = None, key: str = ""
) -> Answered:
    """Record a partner's answers to requests; owners whose last answer came are to be told.

    Whose was the last is looked for once they are recorded: of answers that come at the same time each transaction sees
    only its own, and none would be the last. If we die in between, the partner has no confirmation and sends them again.
    """
    with platform.act(partner.client_id) as act:
        answered = answer(act, partner, lines, notice=notice, key=key)
    with platform.database.single() as tx:
        if requests.note_done(tx, answered.request_ids, act.now):
            deliveries.wake_workers(tx, deliveries.OWNERS)
    return answered


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A receipt that was taken: what the partner is told of it, how many lines it has, and whether any answer in it is
    new."""

    told: dict[str, Any]
    lines: int
    new: bool


def file_single(
    platform: Platform, partner: Partner, read: Callable[[], list[AnswerLine]], *, notice_id: str | None, complete: bool,
    key: str = "",
) -> Taken:  # fmt: skip
    """Take a receipt for the notice that is named, or for those that its lines name. `read` reads it once the notice is
    known to be this partner's, and may raise."""
    told = None
    if notice_id:
        with platform.read() as seen:
            told = asked(seen.tx, partner, notice_id)
    lines = filled(read(), told if complete else None)
    answered = answer_requests(platform, partner, lines, notice=notice_id, key=key)
    accepted = dict(Counter(line.outcome for line in lines))
    taken: dict[str, Any] = {"receipts": answered.receipts, "accepted": accepted}
    if notice_id:
        receipt = answered.receipts[notice_id]
        taken = {"receipt": receipt, "accepted": accepted, "complete": complete, "outstanding": 0}
    return Taken(told=taken, lines=len(lines), new=answered.new > 0)
