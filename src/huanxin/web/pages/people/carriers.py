"""A way in: sign-in at a carrier's OpenID provider. `/renew/oidc/CARRIER` is what a carrier's app or mini-program opens."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.errors import Forbidden, HuanxinError, NotFound, Unauthorized, Unavailable
from huanxin.domain.problems import status_of
from huanxin.request import handover
from huanxin.request.handover import NoNumber, NotTheirs
from huanxin.store.acting import VISITOR
from huanxin.web import oidc
from huanxin.web.context import Context
from huanxin.web.pages import owners, session
from huanxin.web.pages.labels import carrier_name
from huanxin.web.pages.people.enter import page
from huanxin.web.people import CarrierProvider, people_of

log = logging.getLogger("huanxin.carriers")
router = APIRouter(include_in_schema=False)
BEGUN, BEGUN_KIND = "carrier", "carrier-sign-in+jwt"
PROBLEMS: dict[type[HuanxinError], str] = {
    NoNumber: "number", NotTheirs: "theirs", Unauthorized: "stale", Forbidden: "declined", Unavailable: "down",
}  # fmt: skip
"""Which words an error gets; the finer kind stands first."""


@router.get("/renew/oidc/{carrier}")
def begin(request: Request, carrier: str, to: str = "renew") -> Response:
    """Sends the browser to the carrier's provider. Nobody is signed in by this, and nothing changes."""
    provider, context, door = _provider(request, carrier), _context(request), owners.door(to)
    try:
        started = provider.client.start(f"{context.platform.issuer}/renew/oidc/{carrier}/back")
    except Unavailable as error:
        return _problem(request, carrier, door, error)
    answer = RedirectResponse(started.url, status_code=303)
    claims = {"oidc": started.kept, "at": carrier, "to": door}
    session.start(answer, context, name=BEGUN, kind=BEGUN_KIND, claims=claims, life=oidc.LIFE)
    return answer


@router.get("/renew/oidc/{carrier}/back")
def end(request: Request, carrier: str) -> Response:
    """Where the provider sends the browser back to: lets in whoever it vouches for, if their number is this carrier's."""
    provider, people = _provider(request, carrier), people_of(request)
    begun: dict[str, Any] = session.claims_of(request, _context(request), name=BEGUN, kind=BEGUN_KIND) or {}
    door = owners.door(str(begun.get("to")))
    kept = begun["oidc"] if begun.get("at") == carrier else {}  # one begun at another carrier's is worth nothing here
    try:
        claims = provider.client.finish(request.query_params, kept)
        with people.platform.act(VISITOR) as act:
            found = handover.vouched(
                act, claims, carrier=carrier, number_claim=provider.setting.number_claim,
                verified_claim=provider.setting.verified_claim,
            )  # fmt: skip
    except tuple(PROBLEMS) as error:
        return _problem(request, carrier, door, error)
    answer = owners.let_in(request, found.number, f"oidc/{carrier}", to=door, shown_at=found.at)
    session.end(answer, request, _context(request), name=BEGUN, kind=BEGUN_KIND)
    return answer


def _problem(request: Request, carrier: str, door: str, error: HuanxinError) -> Response:
    """Why this did not work, and the ways on; what a provider's engineers need is in the log."""
    log.warning("a sign-in at %s failed: %s", carrier, error)
    problem = next(words for kind, words in PROBLEMS.items() if isinstance(error, kind))
    name = carrier_name(carrier, _context(request).platform.plan)
    answer = page(request, "carrier.html", status_of(error), carrier=carrier, name=name, to=door, problem=problem)
    session.end(answer, request, _context(request), name=BEGUN, kind=BEGUN_KIND)
    return answer


def _provider(request: Request, carrier: str) -> CarrierProvider:
    found = people_of(request).providers.get(carrier)
    if found is None:
        raise NotFound("no carrier of this name signs its subscribers in here")
    return found


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found
