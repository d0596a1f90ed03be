"""The facts of one number, gathered for the pages of whoever holds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta
from itertools import groupby

from pyroaring import BitMap

from huanxin.domain.errors import NotFound
from huanxin.domain.numbers import masked
from huanxin.domain.partners import INQUIRY, Kind, Partner
from huanxin.domain.tenures import NumberTenures, State
from huanxin.request.ending import waits_until
from huanxin.request.holding import of_holder
from huanxin.request.ordering import Purpose
from huanxin.store.answer import few_numbers
from huanxin.store.connect import partners, spellings
from huanxin.store.database import Tx
from huanxin.store.notify import streams
from huanxin.store.plan import batches
from huanxin.store.request import requests
from huanxin.store.request.requests import Request, RequestNotice
from huanxin.web.pages.owners import Owner
from huanxin.web.pages.people import finding
from huanxin.web.pages.people.views import (  # fmt: skip
    NEEDS,
    WAITS,
    AskedView,
    Choice,
    ChooseView,
    HomeView,
    OrderLine,
    OrderView,
    Row,
    state_of,
)


def case_of(standing: NumberTenures) -> str:
    """Which page a number gets: `renewable`, or why there is nothing to renew."""
    if standing.state is not State.IN_SERVICE:
        return {State.FROZEN: "frozen", State.PORTED_OUT: "ported", State.UNKNOWN: "unknown"}[standing.state]
    if standing.renewable:
        return "renewable" if standing.recycled else "perhaps"
    return "first" if standing.recycled is False else "unclear"


def home(tx: Tx, owner: Owner) -> HomeView:
    """The page after sign-in."""
    standing = owner.standing
    asked, settled = _batch_renewal(tx, owner.number, standing)
    return HomeView(
        number=owner.masked, case=case_of(standing), opened_on=standing.current.opened_on if standing.current else None,
        asked=asked, settled=settled, orders=tuple(_line(tx, one, owner) for one in own_orders(tx, owner)),
    )  # fmt: skip


def _batch_renewal(tx: Tx, number: int, standing: NumberTenures) -> tuple[int, int]:
    """Partners that were asked before the number was opened for its present owner, and those of them that settled it."""
    if not standing.recycled or not standing.current:
        return 0, 0
    ended = standing.tenures[-2].closing
    member = ended and batches.renewal_of(tx, number, ended)
    if not member:
        return 0, 0
    told, here = few_numbers.told(tx, member.batch_id), BitMap([member.place])
    folded = few_numbers.standings_at(tx, member.batch_id, here)
    return len(told), sum(here == one.answered() - one.unsettled() for partner, one in folded.items() if partner in told)


def own_orders(tx: Tx, owner: Owner) -> list[Request]:
    """The orders of the present tenure, newest first; questions are none, nor is what takes an order back."""
    found = of_holder(owner.platform.within(tx), owner.number, owner.standing)
    return [one for one in found if one.purpose not in (requests.INQUIRE, requests.RETRACT)]


def _line(tx: Tx, request: Request, owner: Owner) -> OrderLine:
    rows = [_row(one, request, owner) for one in requests.notices_of(tx, request.id)]
    states = Counter(one.state for one in rows)
    return OrderLine(
        id=request.id, purpose=request.purpose, at=request.requested_at, asked=len(rows) - states["off"],
        done=states["done"], needs=sum(states[one] for one in NEEDS),
    )  # fmt: skip


def choose(
    tx: Tx, owner: Owner, *, purpose: Purpose, ticked: Collection[int] | None, query: str, consent: str, problem: str = "",
    agreed: bool = False,
) -> ChooseView:  # fmt: skip
    """Partners to choose from; `ticked` None: all of them."""
    everyone = partners.all_partners(tx)
    spelled, kinds = spellings.known(tx), list(Kind)
    keys = {one.id: finding.keys(one.name, spelled) for one in everyone}
    everyone.sort(key=lambda one: (kinds.index(one.kind), keys[one.id].split()[-1]))
    choices = [
        Choice(
            id=one.id, name=one.name, kind=one.kind.value, place=place, find=keys[one.id],
            ticked=ticked is None or one.id in ticked, shown=finding.finds(query, keys[one.id]),
        )
        for place, one in enumerate(everyone)
    ]  # fmt: skip
    current = owner.standing.current
    return ChooseView(
        number=owner.masked, purpose=purpose.value, day=current.opened_on if current else None, query=query,
        consent=consent, problem=problem, agreed=agreed,
        groups={kind: tuple(found) for kind, found in groupby(choices, key=lambda one: one.kind)},
    )  # fmt: skip


def one_of(tx: Tx, owner: Owner, request_id: str, *, question: bool = False) -> Request:
    """An order (or a question) of the present tenure. Raises NotFound for anybody else's as for none."""
    for one in of_holder(owner.platform.within(tx), owner.number, owner.standing):
        if one.id == request_id and one.purpose != requests.RETRACT and (one.purpose == requests.INQUIRE) is question:
            return one
    raise NotFound("there is no such order for this number; sign in again or start from /renew")


def order(tx: Tx, owner: Owner, request_id: str) -> OrderView:
    """An order with one row a partner: those first that need something of the owner, then in the order of partners. A page
    that is open keeps its order, so that no row jumps while it is watched."""
    request = one_of(tx, owner, request_id)
    rows = [_row(one, request, owner) for one in requests.notices_of(tx, request.id)]
    rows.sort(key=lambda row: row.state not in NEEDS)
    return OrderView(
        id=request.id, number=masked(request.number), purpose=request.purpose, requested_at=request.requested_at,
        cutoff=request.cutoff, answer_by=request.answer_by, rows=tuple(rows),
        taken_back=requests.taken_back(tx, request.id),
    )  # fmt: skip


def _row(one: RequestNotice, request: Request, owner: Owner) -> Row:
    zone, days = owner.platform.plan.carriers[request.carrier].zone, owner.platform.rules.answer_days
    until = waits_until(one, zone=zone, days=days)
    state = state_of(one, waits=until is not None and owner.now() < until)
    by: date | None = None
    if state in (*WAITS, "late"):  # the day that ends at that instant
        by = ((until or one.answer_by) - timedelta(seconds=1)).astimezone(zone).date()
    elif state == "done" and one.kind == Kind.LABELER and one.answered_at:
        by = (one.answered_at + owner.people.label_days).astimezone(zone).date()
    return Row(
        key=f"r-{one.partner_id}", partner_id=one.partner_id, name=one.partner, kind=one.kind, state=state,
        reason=one.reason or "", by=by, at=one.answered_at or one.delivered_at or one.sent_at,
    )  # fmt: skip


def may_be_asked(tx: Tx) -> list[Partner]:
    """Partners whose streams ask for questions whether there is a tie."""
    known = streams.all_streams(tx)
    return [
        one for one in partners.all_partners(tx) if one.id in known and INQUIRY in known[one.id].events_delivered
    ]  # fmt: skip


def asked(tx: Tx, owner: Owner, request_id: str, *, names: bool) -> AskedView:
    """What came of a question, as counts (FACTS: 一证通查)."""
    request = one_of(tx, owner, request_id, question=True)
    told = requests.notices_of(tx, request.id)
    bound = [one.partner for one in told if one.outcome == "bound"]
    states = Counter(_row(one, request, owner).state for one in told)
    return AskedView(
        id=request.id, number=masked(request.number), asked=len(told), bound=len(bound), answer_by=request.answer_by,
        answered=sum(one.outcome is not None for one in told), waiting=sum(states[one] for one in WAITS),
        names=tuple(bound) if names else None, silent=len(partners.all_partners(tx)) - len(told),
    )  # fmt: skip
