"""Elders' mode (关怀模式; the ministry's 适老化 rules): large text and targets on every page, one tap away, remembered."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huanxin.web.pages.render import QUERY, TEXT_SIZE

COOKIE = "care"
SIZES = ("18", "20", "24", "30")
"""Pixels of the main text."""


class EldersMode:
    """Reads the wish from `?care=` (a size, or `off`), else from the cookie, and remembers what the address asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        asked = request.query_params.get("care", "")
        wish = asked or request.cookies.get(COOKIE, "")
        TEXT_SIZE.set(wish if wish in SIZES else "")
        others = [(name, value) for name, value in request.query_params.multi_items() if name not in ("care", "lang")]
        QUERY.set(urlencode(others))
        remembered = Response()
        if asked:
            remembered.set_cookie(COOKIE, TEXT_SIZE.get(), max_age=365 * 86_400, samesite="lax", httponly=True)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and asked:
                cookies = [pair for pair in remembered.raw_headers if pair[0] == b"set-cookie"]
                message["headers"] = [*message["headers"], *cookies]
            await send(message)

        await self._app(scope, receive, with_cookie)
