"""Sign-in for pages: a signed cookie, and forms that only our own pages may send.

What a cookie says is in the cookie. That it was ended before its time is on record, so that a copy of it ends too.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from huanxin.domain.clock import lasts
from huanxin.domain.errors import Forbidden
from huanxin.store.access import sign_ins
from huanxin.store.acting import VISITOR
from huanxin.web.context import Context

LIFE = timedelta(hours=8)
LINGER = timedelta(days=1)
"""How long after its end a sign-in still says whose it was, to whom it matters (web/pages/unsent.py)."""
_SAME = ("same-origin", "none")


def same_origin(request: Request) -> None:
    """Raise Forbidden for a form that another site sent in the name of whoever is signed in.

    Browsers say where a request comes from (Fetch Metadata: Sec-Fetch-Site; older ones Origin). A program that sends
    neither has no cookie of a person to abuse.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is not None:
        site = "same-origin" if _place(origin) == request.headers.get("host") else "cross-site"
    if site is not None and site not in _SAME:
        raise Forbidden("this form was sent from another site, so it was not carried out; use the form on our page")


def start(
    answer: Response, context: Context, *, name: str, kind: str, claims: dict[str, Any], life: timedelta = LIFE,
    linger: timedelta = timedelta(0),
) -> None:  # fmt: skip
    """Set a cookie that says who signed in, signed by the platform, for some hours or as long as is said. For as long as it
    lingers after that, the browser shows it still, and it says whose it was."""
    now = context.platform.now()
    lasting = {"sign_in": secrets.token_urlsafe(16), "iat": _seconds(now), "exp": _seconds(now + life)}
    token = context.signer.signed(kind, claims | lasting)
    secure = not context.platform.development
    answer.set_cookie(
        name, token, max_age=int((life + linger).total_seconds()), httponly=True, samesite="lax", secure=secure, path="/"
    )


def claims_of(request: Request, context: Context, *, name: str, kind: str) -> dict[str, Any] | None:
    """What the cookie of a sign-in says; None if there is none, or it is over or was ended."""
    claims = said(request, context, name=name, kind=kind)
    if claims is None:
        return None
    with context.platform.read() as seen:
        return None if sign_ins.has_ended(seen.tx, str(claims.get("sign_in"))) else claims


def said(request: Request, context: Context, *, name: str, kind: str) -> dict[str, Any] | None:
    """What a cookie says that lets nobody in, or of which it makes no difference whether it was ended; None if there is
    none, or it is over."""
    claims = context.signer.verified(request.cookies.get(name, ""), kind)
    if claims is None:
        return None
    begun, ends = (datetime.fromtimestamp(int(claims.get(name, 0)), UTC) for name in ("iat", "exp"))
    if not lasts(ends, ends - begun, context.platform.now()):
        return None
    return claims


def end(answer: Response, request: Request, context: Context, *, name: str, kind: str) -> None:
    """End a sign-in, here and wherever the cookie was copied to."""
    claims = context.signer.verified(request.cookies.get(name, ""), kind)
    if claims is not None:
        until = datetime.fromtimestamp(int(claims.get("exp", 0)), UTC) + LINGER
        with context.platform.act(VISITOR) as act:
            sign_ins.end(act.tx, str(claims.get("sign_in")), until=until, now=act.now)
    forget(answer, name=name)


def forget(answer: Response, *, name: str) -> None:
    """Let a browser forget a cookie that lets nobody in."""
    answer.delete_cookie(name, path="/")


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _place(origin: str) -> str:
    """Host and port of an address, as far as it is one."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
