"""Who a partner's pages are shown to: a partner signs in with its client_id and client_secret, of either environment.

A sign-in is tied to the secret that was shown: once that has ended, it is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.errors import HuanxinError, NotFound, Unauthorized
from huanxin.domain.partners import Partner
from huanxin.notify.partners import lets_in, with_credential
from huanxin.onboarding.accounts import Onboarding
from huanxin.store.connect import partners
from huanxin.web.context import Context
from huanxin.web.pages import session, unsent
from huanxin.web.pages.partner.views import Who
from huanxin.words.sentences import Sentence

COOKIE, KIND = "partner", "partner-session+jwt"
ENVIRONMENTS = ("sandbox", "live")


class SignInFirst(HuanxinError):
    """Nobody is signed in here; the browser is sent to the sign-in page."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The partner that is signed in, in one environment, with that environment's context."""

    who: Who
    partner: Partner
    context: Context


def context_of(request: Request, env: str) -> Context:
    """The context of an environment. Raises NotFound for one that this platform does not have."""
    found = request.app.state.context if env == "live" else getattr(request.app.state, "sandbox", None)
    if env not in ENVIRONMENTS or found is None:
        raise NotFound(Sentence("there is no environment %(name)s", name=env))
    context: Context = found
    return context


def sign_in(answer: Response, request: Request, client_id: str, client_secret: str) -> str:
    """Sign whoever shows a pair of credentials in; the environment that they are of. Raises Unauthorized."""
    for env in ENVIRONMENTS:
        if env == "sandbox" and not hasattr(request.app.state, "sandbox"):
            continue
        try:
            remember_client(answer, request, env, client_id.strip(), client_secret.strip())
        except Unauthorized:
            continue
        return env
    raise Unauthorized(Sentence("client_id or client_secret is not right"))


def remember_client(answer: Response, request: Request, env: str, client_id: str, client_secret: str) -> None:
    """Let the browser stay signed in for some hours, for as long as the secret is good. Raises Unauthorized."""
    platform = context_of(request, env).platform
    with platform.read() as seen:
        _, credential = with_credential(seen, client_id=client_id, client_secret=client_secret)
    claims = {"env": env, "client_id": client_id, "credential": credential}
    session.start(answer, request.app.state.context, name=COOKIE, kind=KIND, claims=claims, linger=session.LINGER)


def clients(request: Request) -> dict[str, str]:
    """The client_id in each environment of whoever is signed in; empty if nobody is, or the secret that let them in has
    ended. An account that signed in to one environment is at home in the other too."""
    claims = session.claims_of(request, request.app.state.context, name=COOKIE, kind=KIND)
    if claims is None or not _good(request, claims):
        return {}
    env, client_id = str(claims["env"]), str(claims["client_id"])
    onboarding: Onboarding | None = getattr(request.app.state, "onboarding", None)
    return {env: client_id} | (onboarding.twins(**{env: client_id}) if onboarding else {})


def _good(request: Request, claims: dict[str, Any]) -> bool:
    """Whether the secret that let somebody in is good still."""
    if claims.get("env") not in ENVIRONMENTS:
        return False
    platform = context_of(request, str(claims["env"])).platform
    with platform.read() as seen:
        return lets_in(seen.tx, str(claims.get("client_id")), claims.get("credential"), seen.now)


def caller(request: Request, env: str) -> Caller:
    """The partner that is signed in. Raises SignInFirst if nobody is in this environment."""
    known = clients(request)
    context = context_of(request, env)
    with context.platform.read() as seen:
        partner = partners.by_client_id(seen.tx, known.get(env, ""))
    if partner is None:
        raise SignInFirst("sign in first")
    others = tuple(other for other in ENVIRONMENTS if other != env and other in known)
    who = Who(name=partner.name, client_id=partner.client_id, env=env, others=others)
    return Caller(who=who, partner=partner, context=context)


def _was(request: Request, claims: dict[str, Any]) -> str | None:
    return str(claims["client_id"]) if _good(request, claims) else None


def _is(request: Request) -> str:
    if not clients(request):
        raise SignInFirst("sign in first")
    claims = session.claims_of(request, request.app.state.context, name=COOKIE, kind=KIND)
    assert claims is not None, "somebody is signed in"
    return str(claims["client_id"])


ROOM = unsent.Room(name="partner", base="/partner", cookie=COOKIE, kind=KIND, whose=_was, now=_is, never=("/partner/sign-",))


async def to_sign_in(request: Request, _: Exception) -> Response:
    """Send a browser to the sign-in page."""
    became = await unsent.keep(request, ROOM)
    return RedirectResponse(unsent.led("/partner/sign-in", became), status_code=303)
