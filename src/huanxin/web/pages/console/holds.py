"""Holds: authorities' orders that keep numbers frozen longer; placed from a file, lifted by name with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.acts import undoing
from huanxin.domain.errors import BadInput, Forbidden, HuanxinError, NotFound
from huanxin.domain.numbers import masked_text
from huanxin.domain.operators import Right
from huanxin.domain.problems import status_of
from huanxin.numbersets import times
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.holds import Placed, add_hold
from huanxin.store.plan import holds
from huanxin.store.plan.holds import Hold
from huanxin.store.release import stops
from huanxin.web.pages import flash, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.batches import stopped
from huanxin.web.pages.console.forms import Form, Posted, numbers_given
from huanxin.web.pages.console.frame import lines_of, page
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.routes import language
from huanxin.words.saying import translated
from huanxin.words.sentences import N_, Sentence

_STATE_NAMES = {
    "binding": N_("binding"),
    "overdue": N_("review overdue"),
    "ended": N_("lifted or expired"),
    "all": N_("all"),
}
_DONE = {
    "placed": N_("The hold is placed. These numbers stay frozen until it ends or is lifted."),
    "held-already": N_("The same order binds these numbers already. Nothing was changed."),
}

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Reader = Annotated[Working, Depends(signing.working(Right.BATCHES))]
Holder = Annotated[Working, Depends(signing.working(Right.HOLDS))]
STATES = tuple(_STATE_NAMES)
MOST = 200
_HEADER = ("hold", "source", "order_number", "reason", "numbers", "until", "review_on", "review_overdue", "placed_by",
           "placed_at", "lifted_by", "lifted_at", "lift_reason")  # fmt: skip


@router.get("/holds")
def everything(
    request: Request, who: Reader, done: flash.JustDone, state: str = "binding", before: int | None = None, format: str = "",
) -> Response:  # fmt: skip
    """The holds that this operator sees, newest first, overdue reviews marked."""
    if format == "csv":
        return as_csv("holds", _HEADER, (_line(one, who.platform.today()) for one in _listed(who, state)))
    return _page(request, who, state=state, before=before, done=done)


@router.post("/holds", dependencies=_FORMS)
def place(request: Request, who: Holder, form: Form) -> Response:
    """Place a hold on the numbers of a list."""
    try:
        placed, count = _place(who, form)
    except HuanxinError as error:
        return _page(request, who, status=status_of(error), problem=error, given=form)
    return flash.after(request, "/console/holds", "placed" if placed.new else "held-already", count=count)


@router.post("/holds/{hold_id}/lift", dependencies=_FORMS)
def lift(request: Request, who: Holder, hold_id: int, form: Form) -> Response:
    """Propose to let a hold go, or some of its numbers: what it keeps back is free once another person approves."""
    try:
        if hold_id not in {one.id for one in _listed(who, "all")}:
            raise NotFound(Sentence("there is no hold %(hold)s; `huanxin hold list` shows them", hold=hold_id))
        only = numbers_given(form, who.context)
        undoing.propose_lift(who.platform, hold_id, only=only, reason=form["reason"], by=who.operator)
    except HuanxinError as error:
        return _page(request, who, status=status_of(error), problem=error)
    return flash.after(request, "/console/approvals", "undo")


def _place(who: Working, form: Posted) -> tuple[Placed, int]:
    """Record the hold that a form describes; and how many numbers it keeps frozen."""
    until, review = _day(form["until"]), _day(form["review"])
    numbers = numbers_given(form, who.context) or NumberSet()
    if not _mine(who, numbers.shards):
        raise Forbidden(
            Sentence("some of these numbers are not your carrier's; somebody for all carriers has to act on them")
        )
    with who.act() as act:
        placed = add_hold(
            act, numbers, source=form["source"], order=form["order"], reason=form["reason"], until=until, review_on=review,
        )  # fmt: skip
    return placed, len(numbers)


def _day(text: str) -> date:
    try:
        found = times.read(text)
    except ValueError as error:
        raise BadInput(Sentence("write the last day and the day of review like 2026-12-31")) from error
    if found.timed:
        raise BadInput(Sentence("write the last day and the day of review like 2026-12-31"))
    return found.at.date()


def _mine(who: Working, shards: Iterable[int]) -> bool:
    """Whether all of these ranges are this operator's to act on, by the numbering plan."""
    return who.operator.carrier is None or who.operator.sees(who.platform.plan.owner(shard) or "" for shard in shards)


def _listed(who: Working, state: str) -> list[Hold]:
    today = who.platform.today()
    with who.platform.read() as seen:
        found = holds.all_holds(seen.tx)[::-1]
        shards = holds.shards(seen.tx) if who.operator.carrier else {}
    return [one for one in found if _in_state(one, state, today) and _mine(who, shards.get(one.id, ()))]


def _in_state(one: Hold, state: str, today: date) -> bool:
    states = {"binding": one.binds(today), "overdue": one.review_overdue(today), "ended": not one.binds(today)}
    return states.get(state, True)


def _page(
    request: Request, who: Working, *, status: int = 200, state: str = "binding", before: int | None = None,
    done: flash.Done | None = None, problem: HuanxinError | None = None, given: Posted | None = None,
) -> Response:  # fmt: skip
    lang, today = language(request), who.platform.today()
    found = [one for one in _listed(who, state) if before is None or one.id < before]
    released = Counter[int | None]()
    with who.platform.read() as seen:
        for stop in stops.known(seen.tx):
            released[stop.hold_id] += stop.count
        loud = stopped.of_holds(seen.tx, who)
    return page(
        request, who, "holds.html", status, tab="holds", holds=found[:MOST], state=state, states=STATES, today=today,
        hold_state_names=translated(_STATE_NAMES, lang), act_words=translated(_DONE, lang),
        more=found[MOST - 1].id if len(found) > MOST else None, overdue=len(_listed(who, "overdue")),
        done=done or flash.Done(), stopped=loud, released=released,
        may_act=who.operator.may(Right.HOLDS), problem=problem and problem.said,
        faults=lines_of(problem, lang) if problem else [], given=given or {},
    )  # fmt: skip


def _line(one: Hold, today: date) -> tuple[object, ...]:
    source, order, reason = (masked_text(said) for said in (one.source, one.order_number, one.reason))
    return (one.id, source, order, reason, one.count, one.until_day, one.review_on,
            one.review_overdue(today), one.placed_by, one.placed_at, one.lifted_by, one.lifted_at,
            masked_text(one.lift_reason or ""))  # fmt: skip
