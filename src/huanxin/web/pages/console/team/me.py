"""Signing in to the console, and what operators look after for themselves: password, authenticator, sign-ins."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from huanxin.access import people, signing_in
from huanxin.access.signing_in import SignInTried, TryResult
from huanxin.domain.errors import BadInput, Conflict
from huanxin.paper import qr
from huanxin.signing.sealing import seal, unseal
from huanxin.store.access import operators
from huanxin.web.context import Context
from huanxin.web.limits import network_of
from huanxin.web.pages import flash, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import back, door, page
from huanxin.web.pages.console.signing import SIGN_IN, Working, inside
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
SignedIn = Annotated[Working, Depends(signing.signed_in)]
To = Annotated[str, Form()]
_STATUS = {TryResult.WRONG: 401, TryResult.LOCKED: 429}


@router.get("/sign-in")
def sign_in_form(request: Request, to: str = "/console") -> Response:
    """The form; in development the demo's people are named beneath."""
    return door(request, to=to)


@router.post("/sign-in", dependencies=_FORMS)
async def sign_in(
    request: Request, login: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "", to: To = "/console"
) -> Response:
    """Try a login and a password; few are compared at a time, since each takes 64 MB."""
    context: Context = request.app.state.context
    return await to_thread.run_sync(_sign_in, request, login, password, to, limiter=context.sign_ins)


def _sign_in(request: Request, login: str, password: str, to: str) -> Response:
    context: Context = request.app.state.context
    platform, caller = context.platform, network_of(request.client.host if request.client else None)
    with context.wrong_sign_ins.trying(caller) as wrong:
        with platform.act(login) as act:
            tried = signing_in.try_password(act, login, password)
        if tried.result in _STATUS:
            wrong()
    if tried.result is TryResult.CODE and tried.operator:
        answer = back(signing.led(f"{SIGN_IN}/code", inside(to)))
        signing.remember_half(answer, request, tried.operator)
        return answer
    if tried.result is not TryResult.IN:
        return door(request, to=to, status=_STATUS[tried.result], problem=tried.result.value, given=login)
    return _in(request, tried, to)


@router.get("/sign-in/code")
def code_form(request: Request, to: str = "/console") -> Response:
    """The second step."""
    if signing.half_of(request) is None:
        return back(SIGN_IN)
    return page(request, None, "code.html", to=inside(to), problem="")


@router.post("/sign-in/code", dependencies=_FORMS)
def sign_in_code(request: Request, code: Annotated[str, Form()] = "", to: To = "/console") -> Response:
    """Try a code from the authenticator."""
    person, context = signing.half_of(request), request.app.state.context
    if person is None:
        return back(SIGN_IN)
    with context.platform.act(person.login) as act:
        sealed = operators.login_of(act.tx, person.id).totp_secret
        if sealed is None:
            return back(SIGN_IN)
        secret = unseal(sealed, context.passphrase)
        tried = signing_in.try_code(act, person, code, secret=secret)
    if tried.result is not TryResult.IN:
        return page(request, None, "code.html", _STATUS[tried.result], to=inside(to), problem=tried.result.value)
    return _in(request, tried, to)


def _in(request: Request, tried: SignInTried, to: str) -> Response:
    assert tried.operator is not None
    return signing.onward(request, tried.operator, to)


@router.post("/sign-out", dependencies=_FORMS)
def sign_out(request: Request, who: SignedIn, everywhere: Annotated[bool, Form()] = False) -> Response:
    """End the sign-in of this browser, wherever its cookie was copied to, or of all."""
    if everywhere:
        with who.act() as act:
            operators.end_sessions(act.tx, who.operator.id, act.now)
    answer = back(SIGN_IN)
    session.end(answer, request, who.context, name=signing.COOKIE, kind=signing.KIND)
    return answer


@router.get("/me")
def me(request: Request, who: SignedIn, done: flash.JustDone) -> Response:
    """One's own sign-in."""
    return _me(request, who, done=done.what)


@router.post("/me/password", dependencies=_FORMS)
def change_password(
    request: Request, who: SignedIn, old: Annotated[str, Form()] = "", new: Annotated[str, Form()] = ""
) -> Response:
    """A new password, for whoever knows the old one."""
    try:
        with who.act() as act:
            result = signing_in.confirm_password(act, who.operator, old)
            if result is TryResult.IN:
                people.own_password(act, who.operator, new)
    except BadInput:
        return _me(request, who, status=422, problem="easy")
    if result is not TryResult.IN:
        return _me(request, who, status=401, problem=result.value)
    answer = flash.after(request, "/console/me", "password")
    signing.remember(answer, request, who.operator)
    return answer


@router.post("/me/totp", dependencies=_FORMS)
def set_totp(
    request: Request, who: SignedIn, secret: Annotated[str, Form()] = "", code: Annotated[str, Form()] = ""
) -> Response:
    """Take an authenticator into use."""
    try:
        with who.act() as act:
            if operators.login_of(act.tx, who.operator.id).totp_secret:
                raise Conflict(
                    Sentence("an authenticator is in use already; an admin can take it away with a new first password")
                )
            signing_in.prove_totp(act, who.operator, code, secret=secret, sealed=seal(secret, who.context.passphrase))
    except (BadInput, ValueError):  # ValueError: what should be a secret is none
        return _me(request, who, status=422, problem="code")
    answer = flash.after(request, "/console/me", "totp")
    signing.remember(answer, request, who.operator)
    return answer


def _me(request: Request, who: Working, *, status: int = 200, problem: str = "", done: str = "") -> Response:
    with who.platform.read() as seen:
        stored = operators.login_of(seen.tx, who.operator.id, to_change=False)
        events = operators.events(seen.tx, operator_id=who.operator.id, most=20)
    secret = signing_in.new_secret()
    address = signing_in.address_for_authenticator(who.operator, secret, issuer="Huanxin 号码焕新")
    return page(
        request, who, "me.html", status, tab="me", problem=problem, done=done, stored=stored, events=events,
        secret=secret, code=qr.svg(address, "otpauth"),
    )  # fmt: skip
