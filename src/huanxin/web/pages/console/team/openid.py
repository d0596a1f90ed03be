"""Operators who sign in at their company's OpenID provider. It says who they are; what they may do, an admin says here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.access import signing_in
from huanxin.access.signing_in import TryResult
from huanxin.domain.errors import Forbidden, HuanxinError, NotFound, Unauthorized, Unavailable
from huanxin.domain.problems import status_of
from huanxin.settings import OperatorsOidc
from huanxin.store.access import operators
from huanxin.web import oidc
from huanxin.web.context import Context
from huanxin.web.oidc import OidcClient, Provider
from huanxin.web.pages import session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import door
from huanxin.web.pages.console.signing import inside
from huanxin.words.sentences import Sentence

log = logging.getLogger("huanxin.operators")
router = APIRouter(prefix="/console", include_in_schema=False)
BEGUN, BEGUN_KIND = "operator-openid", "operator-openid+jwt"


@dataclass(frozen=True, kw_only=True)
class OperatorsProvider:
    """The provider, and how it is set."""

    setting: OperatorsOidc
    client: OidcClient


def make(setting: OperatorsOidc | None, context: Context) -> OperatorsProvider | None:
    """The provider of the settings, if there is one."""
    if setting is None:
        return None
    provider = Provider(
        issuer=setting.issuer, client_id=setting.client_id, client_secret=setting.client_secret, scope=setting.scope,
        wanted=(setting.login_claim,),
    )  # fmt: skip
    client = OidcClient(provider=provider, outbound=context.outbound, clock=context.platform.clock)
    return OperatorsProvider(setting=setting, client=client)


@router.get("/openid")
def begin(request: Request, to: str = "/console") -> Response:
    """Sends the browser to the provider. Nobody is signed in by this."""
    provider, context = _provider(request), _context(request)
    try:
        started = provider.client.start(f"{context.platform.issuer}/console/openid/back")
    except Unavailable as error:
        return _problem(request, error, to)
    answer = RedirectResponse(started.url, status_code=303)
    claims = {"oidc": started.kept, "to": inside(to)}
    session.start(answer, context, name=BEGUN, kind=BEGUN_KIND, claims=claims, life=oidc.LIFE)
    return answer


@router.get("/openid/back")
def end(request: Request) -> Response:
    """Where the provider sends the browser back to: lets in whoever it vouches for and an admin has added here."""
    provider, context = _provider(request), _context(request)
    begun: dict[str, Any] = session.claims_of(request, context, name=BEGUN, kind=BEGUN_KIND) or {}
    to = str(begun.get("to", ""))
    try:
        claims = provider.client.finish(request.query_params, begun.get("oidc", {}))
        login = str(claims.get(provider.setting.login_claim, "")).casefold()
        with context.platform.act(login) as act:
            person = operators.by_login(act.tx, login)
            if person is None:
                raise Forbidden(Sentence("%(login)s is no operator of this platform; ask an admin", login=login))
            tried = signing_in.let_in(act, person, how=provider.setting.name)
        if tried.result is not TryResult.IN:
            raise Forbidden(Sentence("%(login)s is no operator of this platform; ask an admin", login=login))
    except (Unauthorized, Forbidden, Unavailable) as error:
        return _problem(request, error, to)
    answer = signing.onward(request, person, to)
    session.end(answer, request, context, name=BEGUN, kind=BEGUN_KIND)
    return answer


def _problem(request: Request, error: HuanxinError, to: str) -> Response:
    log.warning("a sign-in of an operator failed: %s", error)
    answer = door(request, to=to, status=status_of(error), problem="openid")
    session.end(answer, request, _context(request), name=BEGUN, kind=BEGUN_KIND)
    return answer


def _provider(request: Request) -> OperatorsProvider:
    found: OperatorsProvider | None = request.app.state.operators_provider
    if found is None:
        raise NotFound(Sentence("operators sign in with a password here"))
    return found


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found
