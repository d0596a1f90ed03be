"""Who a partner's pages are shown to: a partner signs in with its client_id and client_secret, of either environment."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.errors import HuanxinError, NotFound, Unauthorized
from huanxin.domain.partners import Partner
from huanxin.notify.partners import with_secret
from huanxin.operations.onboarding import Onboarding
from huanxin.sentences import Sentence
from huanxin.store import partners
from huanxin.web.context import Context
from huanxin.web.pages import session
from huanxin.web.pages.partner.views import Who

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


def sign_in(request: Request, client_id: str, client_secret: str) -> tuple[str, Partner]:
    """The environment and partner of a pair of credentials. Raises Unauthorized."""
    for env in ENVIRONMENTS:
        if env == "sandbox" and not hasattr(request.app.state, "sandbox"):
            continue
        context = context_of(request, env)
        try:
            with context.platform.database.transaction() as tx:
                return env, with_secret(
                    tx, client_id=client_id.strip(), client_secret=client_secret.strip(), now=context.platform.now()
                )
        except Unauthorized:
            continue
    raise Unauthorized(Sentence("client_id or client_secret is not right"))


def remember_client(answer: Response, request: Request, env: str, client_id: str) -> None:
    """Let the browser stay signed in for some hours."""
    context: Context = request.app.state.context
    session.start(answer, context, name=COOKIE, kind=KIND, claims={"env": env, "client_id": client_id})


def clients(request: Request) -> dict[str, str]:
    """The client_id in each environment of whoever is signed in; empty if nobody is. An account that signed in to one
    environment is at home in the other too."""
    claims = session.claims_of(request, request.app.state.context, name=COOKIE, kind=KIND)
    if claims is None or claims.get("env") not in ENVIRONMENTS:
        return {}
    found = {str(claims["env"]): str(claims.get("client_id"))}
    onboarding: Onboarding | None = getattr(request.app.state, "onboarding", None)
    return found | (onboarding.twins(**found) if onboarding else {})


def caller(request: Request, env: str) -> Caller:
    """The partner that is signed in. Raises SignInFirst if nobody is in this environment."""
    known = clients(request)
    context = context_of(request, env)
    with context.platform.database.transaction() as tx:
        partner = partners.by_client_id(tx, known.get(env, ""))
    if partner is None:
        raise SignInFirst("sign in first")
    others = tuple(other for other in ENVIRONMENTS if other != env and other in known)
    who = Who(name=partner.name, client_id=partner.client_id, env=env, others=others)
    return Caller(who=who, partner=partner, context=context)


def to_sign_in(_: Request, __: Exception) -> Response:
    """Send a browser to the sign-in page."""
    return RedirectResponse("/partner/sign-in", status_code=303)
