"""Owners' orders once the day on which their number became theirs is another: they go on with the tenure, and what went by a
day that was too late is taken back.

An order cuts what was tied before the day on which the number became its owner's (rule 2). If that day was later, the order
cut less than it might have, and nothing that it should not: it stands. If it was earlier, ties of the owner's own may be
gone: partners are told to give back what they cut for this order, the owner is told why, and may order again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from huanxin.domain.answers import Outcome
from huanxin.domain.clock import answer_by
from huanxin.domain.mended import Changed
from huanxin.domain.rules import NewId, random_id
from huanxin.domain.tenures import NumberTenures, State, Tenure, cutoff_of
from huanxin.request.holding import belongs
from huanxin.request.ordering import Purpose
from huanxin.store import facts, facts_undone
from huanxin.store.acting import Act
from huanxin.store.request import requests
from huanxin.store.request.requests import RETRACT, Request

CHANNEL = "report"
"""How an order is said to have come that a report made."""
_AT_ONCE = 50_000  # numbers looked for at a time


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What takes an order back, and its notices by partner: those that were told of the order and may have cut ties."""

    request: Request
    notices: dict[int, str]


def mend_orders(act: Act, changed: Changed, *, new_id: NewId = random_id) -> Iterator[TakenBack]:
    """Have orders go on with their tenures after a mend, and take back those whose cut-off lies later than is right now."""
    numbers = changed.numbers.numbers()
    for start in range(0, len(numbers), _AT_ONCE):
        for number in requests.ordered_for(act.tx, numbers[start : start + _AT_ONCE].tolist()):
            before, after = changed.tenures(number)
            for one in requests.of_number(act.tx, number):
                if belongs(one, before, plan=act.plan):
                    yield from _mended(act, one, after, changed.report_id, new_id)


def _mended(act: Act, one: Request, where: NumberTenures, report_id: int, new_id: NewId) -> Iterator[TakenBack]:
    tenure, of_day = _held(where)
    if tenure is None or (tenure.opened_on, of_day) == (one.opened_on, one.of_day):
        return
    facts_undone.request_mend(act.tx, one.id, report_id=report_id, opened_on=tenure.opened_on, of_day=of_day)
    right = cutoff_of(tenure, act.plan)
    late = one.purpose == Purpose.RENEW and (right is None or right < one.cutoff)
    if late and not requests.taken_back(act.tx, one.id):
        yield _taken_back(act, one, tenure, of_day, new_id)


def _held(where: NumberTenures) -> tuple[Tenure | None, int]:
    """The tenure that goes on, also elsewhere, and which of its day's it is; None if the number rests."""
    if where.state not in (State.IN_SERVICE, State.PORTED_OUT) or not where.tenures:
        return None, 0
    last = where.tenures[-1]
    return last, sum(one.opened_on == last.opened_on for one in where.tenures)


def _taken_back(act: Act, order: Request, tenure: Tenure, of_day: int, new_id: NewId) -> TakenBack:
    told = requests.notices_of(act.tx, order.id)
    off = set(facts_undone.request_call_off(act.tx, order.id, [one.partner_id for one in told], by=act.by, at=act.now))
    heard = [one for one in told if one.partner_id not in off and not (one.called_off_at or one.withdrawn)]
    cut = [one.partner_id for one in heard if one.outcome != Outcome.ABSENT]
    zone = act.plan.carriers[tenure.carrier].zone
    back = Request(
        id=new_id("rq"), purpose=RETRACT, number=order.number, carrier=tenure.carrier, opened_on=tenure.opened_on,
        of_day=of_day, cutoff=order.cutoff, answer_by=answer_by(act.now, [zone], act.rules.answer_days), channel=CHANNEL,
        language=order.language, consent_text="", requested_at=act.now, retracts=order.id,
    )  # fmt: skip
    notices = {partner: new_id("nr") for partner in cut}
    facts.request(act.tx, back, notices)
    return TakenBack(request=back, notices=notices)
