"""One number: everything that is on record about it, masked unless a purpose is stated. A typed number never stands in an
address, so neither a log nor a history has it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.acts.desk import looked_up
from huanxin.acts.requests import call_off_for
from huanxin.domain.errors import BadInput, Forbidden, HuanxinError, NotFound
from huanxin.domain.numbers import masked, written
from huanxin.domain.operators import Right
from huanxin.domain.problems import status_of
from huanxin.figures.tracing import Trace, trace
from huanxin.web.pages import session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.desk.records import grade_names
from huanxin.web.pages.console.forms import Form, Posted
from huanxin.web.pages.console.frame import page
from huanxin.web.pages.console.kept import keep, kept
from huanxin.web.pages.console.number import unmasking
from huanxin.web.pages.console.number.sheets import number_csv
from huanxin.web.pages.console.number.views import batch_cases
from huanxin.web.pages.console.signing import Working
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Seer = Annotated[Working, Depends(signing.working(Right.NUMBERS))]
Caller = Annotated[Working, Depends(signing.working(Right.BATCHES))]


@router.get("/numbers")
def search_form(request: Request, who: Seer) -> Response:
    """The form."""
    return _page(request, who)


@router.post("/numbers", dependencies=_FORMS)
def search(request: Request, who: Seer, form: Form) -> Response:
    """The number's facts; a whole number, and that it was seen is recorded, only for a purpose with its ticket."""
    try:
        purpose = unmasking.purpose_of(form, unmasking.PURPOSES)
        number = int(kept(request, who, "number", form["kept"])) if form["kept"] else _typed(who, form["number"])
        found = _found(who, form, number, purpose)
    except HuanxinError as error:
        return _page(request, who, status=status_of(error), problem=error, given=form)
    name = written(number) if purpose else masked(number)
    if form["format"] == "csv":
        return number_csv(found, name, table=form["table"], batch=form.number("batch"))
    return _page(request, who, given=form, found=found, name=name, purpose=purpose)


@router.post("/numbers/orders", dependencies=_FORMS)
def call_off(request: Request, who: Caller, form: Form) -> Response:
    """Call an owner's order off wherever it was not told yet; the number's page says how it stands then."""
    number = int(kept(request, who, "number", form["kept"]))
    found = _found(who, form, number, "")
    try:
        if form["order"] not in {one.id for one in found.waiting}:
            raise NotFound(Sentence("there is no such order for this number that a service was not told of yet"))
        call_off_for(who.platform, form["order"], by=who.operator.login, reason=form["reason"])
    except HuanxinError as error:
        return _page(request, who, status=status_of(error), problem=error, found=found, name=masked(number), given=form)
    return _page(request, who, found=_found(who, form, number, ""), name=masked(number), given=form)


def _typed(who: Working, text: str) -> int:
    try:
        return who.platform.plan.typed(text)
    except ValueError as error:
        raise BadInput(error.args[0]) from error


def _found(who: Working, form: Posted, number: int, purpose: str) -> Trace:
    looked_up(who.platform, 1, by=who.operator)
    with who.act() as act:
        found = trace(act.tx, who.platform, number)
        if not who.operator.sees(found.carriers):
            raise Forbidden(
                Sentence("other carriers have reported this number or own it; somebody for all carriers has to look")
            )
        if purpose:
            unmasking.note(act.tx, who, form, number=written(number))
    return found


def _page(
    request: Request, who: Working, *, status: int = 200, problem: HuanxinError | None = None, given: Posted | None = None,
    found: Trace | None = None, name: str = "", purpose: str = "",
) -> Response:  # fmt: skip
    return page(
        request, who, "numbers.html", status, tab="numbers", found=found, name=name, purpose=purpose,
        purposes=unmasking.PURPOSES, given=given or {}, problem=problem and problem.said,
        cases=batch_cases(found) if found else [], grades=grade_names(request),
        sees_records=who.operator.may(Right.DESK), kept=keep(request, who, "number", found.number) if found else "",
        may_call_off=who.operator.may(Right.BATCHES),
    )  # fmt: skip
