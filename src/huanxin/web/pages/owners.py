"""Who the pages of citizens are shown to: whoever holds a number, for as long as they hold it.

A sign-in is tied to the tenure: once the carrier reports that the number changed hands, it is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from huanxin.acts import Platform
from huanxin.domain.errors import HuanxinError
from huanxin.domain.numbers import masked
from huanxin.domain.tenures import NumberTenures
from huanxin.request.holding import mark_of
from huanxin.store.report.reports import standing_of
from huanxin.web.context import Context
from huanxin.web.pages import session, unsent
from huanxin.web.people import People, people_of

COOKIE, KIND = "owner", "owner-session+jwt"
ASKED, ASKED_KIND = "asked", "owner-asked+jwt"
DOORS = {"renew": "/renew", "leave": "/leave"}
"""Where a sign-in may lead."""


def door(to: str) -> str:
    """A place where a sign-in may lead; `renew` for any other word."""
    return to if to in DOORS else "renew"


class OwnerSignsIn(HuanxinError):
    """Nobody is signed in, or the number changed hands since; the browser is sent to the sign-in page."""

    code = "sign-in"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who is signed in: the number, how they showed that it is theirs (`sms`, `app/CARRIER` or `oidc/CARRIER`) and for
    which instant, where the number stands."""

    number: int
    channel: str
    shown_at: datetime
    standing: NumberTenures
    people: People

    @property
    def masked(self) -> str:
        return masked(self.number)

    @property
    def platform(self) -> Platform:
        return self.people.platform

    def now(self) -> datetime:
        return self.people.platform.now()


def mark_now(request: Request, number: int) -> str:
    """What changes when a number changes hands, as it is now."""
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        return mark_of(standing_of(seen.tx, number))


def let_in(request: Request, number: int, channel: str, *, to: str, shown_at: datetime) -> Response:
    """To where a sign-in leads, or to what they did not get sent when the last one had ended."""
    where = unsent.onward(request, ROOM, f"{number}/{mark_now(request, number)}", DOORS[door(to)])
    answer = RedirectResponse(where, status_code=303)
    remember(answer, request, number, channel, shown_at=shown_at)
    return answer


def remember(answer: Response, request: Request, number: int, channel: str, *, shown_at: datetime) -> None:
    """Sign in whoever has shown for an instant that a number is theirs."""
    context: Context = request.app.state.context
    claims = {"number": number, "channel": channel, "mark": mark_now(request, number), "shown": shown_at.isoformat()}
    session.start(answer, context, name=COOKIE, kind=KIND, claims=claims, linger=session.LINGER)
    session.end(answer, request, context, name=ASKED, kind=ASKED_KIND)


def end(answer: Response, request: Request) -> None:
    """Sign out, here and wherever the cookie was copied to."""
    for name, kind in ((COOKIE, KIND), (ASKED, ASKED_KIND)):
        session.end(answer, request, request.app.state.context, name=name, kind=kind)


def owner(request: Request) -> Owner:
    """Who is signed in. Raises OwnerSignsIn."""
    context: Context = request.app.state.context
    claims: dict[str, Any] = session.claims_of(request, context, name=COOKIE, kind=KIND) or {}
    if not isinstance(claims.get("number"), int) or "shown" not in claims:
        raise OwnerSignsIn("sign in with your number first")
    with context.platform.read() as seen:
        standing = standing_of(seen.tx, claims["number"])
    if mark_of(standing) != claims.get("mark"):
        raise OwnerSignsIn("the number changed hands since this sign-in; sign in again")
    return Owner(
        number=claims["number"], channel=str(claims.get("channel")), standing=standing, people=people_of(request),
        shown_at=datetime.fromisoformat(claims["shown"]),
    )  # fmt: skip


def _was(request: Request, claims: dict[str, Any]) -> str | None:
    """Whose a sign-in was: nobody's who doesn't hold the number any more."""
    number, mark = claims.get("number"), claims.get("mark")
    return f"{number}/{mark}" if isinstance(number, int) and mark_now(request, number) == mark else None


def _is(request: Request) -> str:
    who = owner(request)
    return f"{who.number}/{mark_of(who.standing)}"


ROOM = unsent.Room(name="people", base="/renew", cookie=COOKIE, kind=KIND, whose=_was, now=_is, never=("/renew/sign-out",))


async def to_sign_in(request: Request, _: Exception) -> Response:
    """Send a browser to the sign-in page; a page that listens is told that its sign-in has ended."""
    if "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=401)
    became = await unsent.keep(request, ROOM)
    door = "leave" if request.url.path.startswith("/leave") else "renew"
    answer = RedirectResponse(unsent.led(f"/renew/sign-in?to={door}", became), status_code=303)
    session.forget(answer, name=COOKIE)
    return answer
