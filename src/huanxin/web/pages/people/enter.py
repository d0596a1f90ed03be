"""The ways in: a number and a code by SMS, or a carrier's app that hands its subscriber over; in development, the page
that shows the SMS. A carrier's OpenID provider: carriers.py."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.errors import NotFound, TooMany, Unauthorized, Unavailable
from huanxin.domain.numbers import masked
from huanxin.domain.rules import random_id
from huanxin.numbersets.sharded import shard_of
from huanxin.request import codes, handover
from huanxin.request.holding import mark_of
from huanxin.request.sms import Message, Moved
from huanxin.store.acting import VISITOR
from huanxin.store.request import messages
from huanxin.web.context import Context
from huanxin.web.limits import network_of
from huanxin.web.pages import flash, owners, session
from huanxin.web.pages.labels import carrier_name
from huanxin.web.pages.render import render
from huanxin.web.pages.routes import html, language
from huanxin.web.people import people_of
from huanxin.work.telling import code_text

log = logging.getLogger("huanxin.enter")
router = APIRouter(include_in_schema=False)
FORMS = [Depends(session.same_origin)]


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page of citizens; nothing of it is kept by the browser."""
    by_path = "/leave" if request.url.path.startswith("/leave") else "/renew"
    door = owners.DOORS.get(str(values.get("to")), by_path)
    answer = html(request, render(f"people/{template}", language(request), here=door, **values))
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    flash.forget(request, answer)
    return answer


def sign_in_page(
    request: Request, status: int = 200, *, to: str, given: str = "", problem: str = "", wait: int = 0, asked: bool = False
) -> Response:
    """The page that asks for the number, and names the carriers at which a subscriber may sign in instead."""
    people = people_of(request)
    carriers = {code: carrier_name(code, people.platform.plan) for code in people.providers}
    return page(
        request, "sign_in.html", status, to=to, given=given, problem=problem, wait=wait, asked=asked, carriers=carriers
    )  # fmt: skip


@router.get("/renew/sign-in")
def sign_in_form(request: Request, to: str = "renew") -> Response:
    """Asks for the number."""
    return sign_in_page(request, to=owners.door(to))


@router.post("/renew/sign-in", dependencies=FORMS)
def send_code(request: Request, number: Annotated[str, Form()] = "", to: Annotated[str, Form()] = "renew") -> Response:
    """Sends a code to a number of the numbering plan: the plan keeps codes from being sent all over the world."""
    people, door, lang = people_of(request), owners.door(to), language(request)
    try:
        wanted = people.platform.plan.typed(number)
    except ValueError:
        return sign_in_page(request, 422, to=door, given=number, problem="number")
    if people.platform.plan.owner(shard_of(wanted)) is None:
        return sign_in_page(request, 422, to=door, given=number, problem="number")
    address = network_of(request.client.host if request.client else None)
    try:
        mark = owners.mark_now(request, wanted)
        with people.platform.act(VISITOR) as act:
            code = codes.ask(act, wanted, address=address, secret=people.secret, rules=people.codes)
        message = Message(id=random_id("sm"), number=wanted, text=code_text(code, lang), kind="code")
        people.post.send(message, meant_for=lambda where: mark_of(where) == mark)
    except TooMany as error:
        before = _asked(request)
        answer = sign_in_page(request, 429, to=door, given=number, problem="many", wait=error.retry_after,
                              asked=before is not None and before["number"] == wanted)  # fmt: skip
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    except (Unavailable, Moved) as error:
        log.warning("%s", error)
        answer = sign_in_page(request, 503, to=door, given=number, problem="gateway")
        answer.headers["Retry-After"] = str(int(people.codes.pause.total_seconds()))
        return answer
    answer = RedirectResponse("/renew/code", status_code=303)
    context: Context = request.app.state.context
    session.start(
        answer, context, name=owners.ASKED, kind=owners.ASKED_KIND, claims={"number": wanted, "to": door, "mark": mark}
    )  # fmt: skip
    return answer


@router.get("/renew/code")
def code_form(request: Request) -> Response:
    """Asks for the code."""
    asked = _asked(request)
    if asked is None:
        return RedirectResponse("/renew/sign-in", status_code=303)
    return page(request, "code.html", number=masked(asked["number"]), to=asked["to"], problem="", left=0,
                console=people_of(request).console)  # fmt: skip


@router.post("/renew/code", dependencies=FORMS)
def try_code(request: Request, code: Annotated[str, Form()] = "") -> Response:
    """Lets in whoever types the code that was sent to the number they named in this browser, unless it changed hands since:
    the code shows who held it then."""
    people, asked = people_of(request), _asked(request)
    if asked is None:
        return RedirectResponse("/renew/sign-in", status_code=303)
    with people.platform.act(VISITOR) as act:
        tried = codes.check(act, asked["number"], code, secret=people.secret, rules=people.codes)
    moved = tried.right and owners.mark_now(request, asked["number"]) != asked["mark"]
    if moved or tried.asked_at is None:
        return page(request, "code.html", 422, number=masked(asked["number"]), to=asked["to"], left=tried.left,
                    problem="gone" if moved or tried.gone else "wrong", console=people.console)  # fmt: skip
    return owners.let_in(request, asked["number"], "sms", to=asked["to"], shown_at=tried.asked_at)


@router.post("/renew/sign-out", dependencies=FORMS)
def sign_out(request: Request) -> Response:
    """Ends this sign-in, wherever its cookie was copied to."""
    answer = RedirectResponse("/renew/sign-in", status_code=303)
    owners.end(answer, request)
    return answer


@router.get("/renew/enter")
def handed_over_form(request: Request, token: str = "", to: str = "renew") -> Response:
    """What a carrier's app opens in its web view: a page with a button. A preview that follows the link uses nothing up."""
    return page(request, "enter.html", token=token, to=owners.door(to), problem=not token)


@router.post("/renew/enter")
def handed_over(request: Request, token: Annotated[str, Form()] = "", to: Annotated[str, Form()] = "renew") -> Response:
    """Lets a carrier's subscriber in. The form may come from the carrier's own page, since the token is what counts: it is
    signed, meant for this platform, five minutes old at most and good once."""
    people = people_of(request)
    try:
        with people.platform.act(VISITOR) as act:
            found = handover.take(act, token, keys=people.keys)
    except (Unauthorized, Unavailable) as error:
        log.warning("a hand-over was refused: %s", error)
        status = 401 if isinstance(error, Unauthorized) else 503
        return page(request, "enter.html", status, token="", to=owners.door(to), problem=True)
    return owners.let_in(request, found.number, f"app/{found.carrier}", to=to, shown_at=found.at)


@router.get("/dev/sms")
def development_messages(request: Request) -> Response:
    """The SMS that development mode shows instead of sending them. Raises NotFound in production."""
    people = people_of(request)
    if not people.console:
        raise NotFound("there is no such page")
    with people.platform.read() as seen:
        found = messages.latest(seen.tx)
    return page(request, "dev_sms.html", messages=found)


def _asked(request: Request) -> dict[str, Any] | None:
    """The number that this browser asked a code for, and where it wants to go; None if it asked for none."""
    claims = session.claims_of(request, request.app.state.context, name=owners.ASKED, kind=owners.ASKED_KIND)
    if claims is None or not isinstance(claims.get("number"), int):
        return None
    return {"number": claims["number"], "to": owners.door(str(claims.get("to"))), "mark": claims.get("mark")}
