"""What was done by a form, told once on the page that follows it.

It travels in a signed cookie of a minute, not in the address: no link and no reload says again that something was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.web.context import Context
from huanxin.web.pages import session

_COOKIE, _KIND = "done", "done+jwt"
_LIFE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Done:
    """What was done, empty if nothing was just now, and to how many."""

    what: str = ""
    count: int = 0


def after(request: Request, address: str, what: str, *, count: int = 0) -> Response:
    """To a page of this site that says once what was done."""
    context: Context = request.app.state.context
    answer = RedirectResponse(address, status_code=303)
    claims = {"page": urlsplit(address).path, "what": what, "count": count}
    session.start(answer, context, name=_COOKIE, kind=_KIND, claims=claims, life=_LIFE)
    return answer


def just_done(request: Request) -> Done:
    """What the form before this page did."""
    claims: dict[str, Any] = session.said(request, request.app.state.context, name=_COOKIE, kind=_KIND) or {}
    if claims.get("page") != request.url.path:
        return Done()
    return Done(what=str(claims["what"]), count=int(claims["count"]))


def forget(request: Request, answer: Response) -> None:
    """The page has told it."""
    if just_done(request).what:
        session.forget(answer, name=_COOKIE)


JustDone = Annotated[Done, Depends(just_done)]
