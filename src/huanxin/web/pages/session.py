"""Sign-in for pages: a signed cookie, and forms that only our own pages may send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from huanxin.domain.errors import Forbidden
from huanxin.web.context import Context

LIFE = timedelta(hours=8)
_SAME = ("same-origin", "none")


def same_origin(request: Request) -> None:
    """Raise Forbidden for a form that another site sent in the name of whoever is signed in.

    Browsers say where a request comes from (Fetch Metadata: Sec-Fetch-Site; older ones Origin). A program that sends
    neither has no cookie of a person to abuse.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is not None:
        site = "same-origin" if urlsplit(origin).netloc == request.headers.get("host") else "cross-site"
    if site is not None and site not in _SAME:
        raise Forbidden("this form was sent from another site, so it was not carried out; use the form on our page")


def start(
    answer: Response, context: Context, *, name: str, kind: str, claims: dict[str, Any], life: timedelta = LIFE
) -> None:
    """Set a cookie that says who signed in, signed by the platform, for some hours or as long as is said."""
    now = context.platform.now()
    token = context.signer.signed(kind, claims | {"iat": _seconds(now), "exp": _seconds(now + life)})
    secure = not context.platform.development
    answer.set_cookie(name, token, max_age=int(life.total_seconds()), httponly=True, samesite="lax", secure=secure, path="/")


def claims_of(request: Request, context: Context, *, name: str, kind: str) -> dict[str, Any] | None:
    """What the cookie of a sign-in says; None if there is none, or it has ended."""
    claims = context.signer.verified(request.cookies.get(name, ""), kind)
    if claims is None or int(claims.get("exp", 0)) <= context.platform.now().timestamp():
        return None
    return claims


def end(answer: Response, *, name: str) -> None:
    """Forget a sign-in."""
    answer.delete_cookie(name, path="/")


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
