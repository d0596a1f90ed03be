"""Who the console is shown to: an operator, for as long as their sign-in lasts and their role allows the page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from huanxin.acts import Platform
from huanxin.domain.errors import HuanxinError
from huanxin.domain.operators import Operator, Right
from huanxin.store.access import operators
from huanxin.store.acting import Act
from huanxin.web.context import Context
from huanxin.web.pages import session, unsent
from huanxin.words.sentences import Sentence

COOKIE, KIND = "operator", "operator-session+jwt"
HALF, HALF_KIND = "operator-half", "operator-half+jwt"
"""The password was right, and the code is still to come."""
_HALF_LIFE = timedelta(minutes=10)
SIGN_IN = "/console/sign-in"


class OperatorSignsIn(HuanxinError):
    """Nobody is signed in; the browser is sent to the sign-in page."""

    code = "sign-in"


class SetUpFirst(HuanxinError):
    """The password has to be changed, or an authenticator set up, before anything else."""

    code = "set-up"


@dataclass(frozen=True, kw_only=True)
class Working:
    """The operator who is signed in, and the platform they work with. `unready`: what they have to set up first, if any."""

    operator: Operator
    context: Context
    unready: str = ""

    @property
    def platform(self) -> Platform:
        return self.context.platform

    def act(self, *, sure: bool = False) -> AbstractContextManager[Act]:
        """One order of this operator."""
        return self.platform.act(self.operator.login, sure=sure)


def remember(answer: Response, request: Request, operator: Operator) -> None:
    """Sign an operator in for some hours."""
    claims = _claims(request, operator)
    session.start(answer, _context(request), name=COOKIE, kind=KIND, claims=claims, linger=session.LINGER)
    session.end(answer, request, _context(request), name=HALF, kind=HALF_KIND)


def remember_half(answer: Response, request: Request, operator: Operator) -> None:
    """Remember that the password was right."""
    session.start(answer, _context(request), name=HALF, kind=HALF_KIND, claims=_claims(request, operator), life=_HALF_LIFE)


def _claims(request: Request, operator: Operator) -> dict[str, Any]:
    """Who signed in, and when to the microsecond: a cookie's own time counts whole seconds."""
    return {"operator": operator.id, "began": _context(request).platform.now().timestamp()}


def half_of(request: Request) -> Operator | None:
    """Who showed a right password and still owes a code."""
    return _of_cookie(request, HALF, HALF_KIND)


def signed_in(request: Request) -> Working:
    """The operator of this request, ready or not; looked up once a request. Raises OperatorSignsIn."""
    known = getattr(request.state, "working", None)
    if isinstance(known, Working):
        return known
    found = _of_cookie(request, COOKIE, KIND)
    if found is None:
        raise OperatorSignsIn(Sentence("sign in first"))
    context = _context(request)
    with context.platform.read() as seen:
        stored = operators.login_of(seen.tx, found.id, to_change=False)
    unready = "password" if stored.must_change else ""
    if not unready and request.app.state.second_factor and stored.password_hash and not stored.totp_secret:
        unready = "totp"
    request.state.working = Working(operator=found, context=context, unready=unready)
    return request.state.working  # type: ignore[no-any-return]


def working(right: Right | None = None) -> Callable[[Request], Working]:
    """A dependency: the operator of this request, whose role has to allow `right`."""

    def dependency(request: Request) -> Working:
        found = signed_in(request)
        if found.unready:
            raise SetUpFirst(found.unready)
        if right is not None:
            found.operator.require(right)
        return found

    return dependency


def _of_cookie(request: Request, name: str, kind: str) -> Operator | None:
    context = _context(request)
    claims: dict[str, Any] = session.claims_of(request, context, name=name, kind=kind) or {}
    return _of_claims(context, claims)


def _of_claims(context: Context, claims: dict[str, Any]) -> Operator | None:
    if not isinstance(claims.get("operator"), int):
        return None
    with context.platform.read() as seen:
        found = operators.get(seen.tx, claims["operator"])
        if found is None or not found.enabled:
            return None
        ended = operators.sessions_after(seen.tx, found.id)
    return found if float(claims.get("began", 0)) >= ended.timestamp() else None


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


def inside(to: str) -> str:
    """Where to go after the sign-in: to a page of the console, with what stands in its address, and nowhere else."""
    path = to.partition("?")[0]
    ours = path == "/console" or path.startswith("/console/")
    return to if ours and not path.startswith(SIGN_IN) else "/console"


def led(address: str, to: str) -> str:
    """An address that leads on to another one."""
    return f"{address}?to={quote(to, safe='/')}"


def _was(request: Request, claims: dict[str, Any]) -> str | None:
    found = _of_claims(_context(request), claims)
    return str(found.id) if found else None


def _is(request: Request) -> str:
    return str(working()(request).operator.id)


ROOM = unsent.Room(name="console", base="/console", cookie=COOKIE, kind=KIND, whose=_was, now=_is,
                   never=("/console/me", "/console/sign-"), most=unsent.LONG)  # fmt: skip


def onward(request: Request, operator: Operator, to: str) -> Response:
    """To where a sign-in leads, or to what they did not get sent when the last one had ended."""
    answer = RedirectResponse(unsent.onward(request, ROOM, str(operator.id), inside(to)), status_code=303)
    remember(answer, request, operator)
    return answer


async def to_sign_in(request: Request, _: Exception) -> Response:
    """Send a browser to the sign-in page, and back afterwards."""
    url, became = request.url, await unsent.keep(request, ROOM)
    target = quote(url.path) + (f"?{url.query}" if url.query else "") if request.method == "GET" else ""
    return RedirectResponse(unsent.led(led(SIGN_IN, inside(target)), became), status_code=303)


def to_set_up(_: Request, error: Exception) -> Response:
    """Send a browser to what has to be set up first."""
    return RedirectResponse(f"/console/me?first={error}", status_code=303)
