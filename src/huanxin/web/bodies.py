"""How long a body may be that comes in: short, unless whoever reads it has a limit of its own and says so first.

A form or a call is read whole, into memory or a file, before anybody asks who sent it; without an end to that, a stranger
fills both.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huanxin.domain.errors import TooLarge
from huanxin.sentences import Sentence

_USUAL = 4 << 20  # bytes; the longest forms and calls have some hundred thousand
_KEY = "huanxin.body"
_TOO_LARGE = 413


@dataclass(kw_only=True)
class _Allowed:
    most: int | None = _USUAL
    answered: bool = False


def has_its_own_limit(request: Request) -> None:
    """Said by whoever reads a body that may be longer, and counts it."""
    allowed: _Allowed | None = request.scope.get(_KEY)
    if allowed is not None:  # none where the application is called without this middleware
        allowed.most = None


class ShortBodies:
    """Refuses a body that is too long as soon as that is known. What follows an answer is dropped by the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        allowed, seen = _Allowed(), 0
        scope[_KEY] = allowed

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if allowed.most is None or seen <= allowed.most:
                return message
            if allowed.answered:
                return {"type": "http.disconnect"}
            why = Sentence("more came than any form or call here has (%(most)s MB); nothing of it was taken",
                           most=allowed.most >> 20)  # fmt: skip
            # FastAPI lets through no other kind while it reads a body; web.problems answers with the cause.
            raise HTTPException(_TOO_LARGE) from TooLarge(why)

        async def noticed(message: Message) -> None:
            allowed.answered = True
            await send(message)

        await self._app(scope, counted, noticed)
