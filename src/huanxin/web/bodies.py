"""How long a body may be that comes in, and how long it may take: short, unless whoever reads it has limits of its own and
says so first.

A form or a call is read whole, into memory or a file, before anybody asks who sent it; without an end to that, a stranger
fills both, or keeps a place for ever.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import NoReturn

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huanxin.domain.errors import BadRequest, HuanxinError, TooLarge, TooSlow, Unavailable
from huanxin.domain.problems import status_of
from huanxin.words.sentences import Sentence

ALLOWED = "huanxin.body"
"""Where a request's scope says what its body may be: `most` bytes, or None if whoever reads it has limits of its own."""
_USUAL = 4 << 20  # bytes; the longest forms and calls have some hundred thousand
_OWN = 64 << 10  # bytes that any body may have; what is longer shares what there is for long ones
_SHARED = 128 << 20  # bytes of bodies in memory at a time
_SECONDS = 20.0
_CHARSET = re.compile(r"""charset\*?\d*\*?\s*=\s*["']?([^"';\s]*)""", re.IGNORECASE)
_UTF8 = ("utf-8", "utf8", "us-ascii")


@dataclass(kw_only=True)
class _Allowed:
    most: int | None = _USUAL
    answered: bool = False
    seen: int = 0
    ended: bool = False


def has_its_own_limit(request: Request) -> None:
    """Said by whoever reads a body that may be longer, and counts it."""
    allowed: _Allowed | None = request.scope.get(ALLOWED)
    if allowed is not None:  # none where the application is called without this middleware
        allowed.most = None


class ShortBodies:
    """Refuses a body that is too long, or too slow, as soon as that is known. What follows an answer is dropped by the
    server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shared = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        allowed, taken = _Allowed(), 0
        scope[ALLOWED] = allowed
        until = asyncio.get_running_loop().time() + _SECONDS
        content_type = Headers(scope=scope).get("content-type", "")

        async def counted() -> Message:
            nonlocal taken
            if content_type.lower().startswith("multipart/"):
                _check_charset(content_type)
            message = await _in_time(receive, allowed, until)
            if allowed.most is None:
                return message
            allowed.seen += len(message.get("body", b""))
            if allowed.seen > allowed.most:
                if allowed.answered:
                    return {"type": "http.disconnect"}
                _refuse(
                    TooLarge(
                        Sentence(
                            "more came than any form or call here has (%(most)s MB); nothing of it was taken",
                            most=allowed.most >> 20,
                        )
                    )
                )
            more = max(allowed.seen - _OWN, 0) - taken
            if more > 0 and self._shared + more > _SHARED:
                _refuse(Unavailable(Sentence("too much is coming in at this moment; nothing of this was taken")))
            taken, self._shared = taken + max(more, 0), self._shared + max(more, 0)
            return message

        async def noticed(message: Message) -> None:
            allowed.answered = True
            await send(message)

        try:
            await self._app(scope, counted, noticed)
        finally:
            self._shared -= taken


def _check_charset(content_type: str) -> None:
    """Forms are UTF-8, as every browser sends them: others would be read as whatever codec they name, of which some make no
    text and some half characters."""
    found = _CHARSET.search(content_type)
    if found and found[1].lower() not in _UTF8:
        _refuse(BadRequest(Sentence("forms are read as UTF-8 here; send it so, without another charset")))


async def _in_time(receive: Receive, allowed: _Allowed, until: float) -> Message:
    """The next message; of a body that may only be short, before its time is over."""
    if allowed.ended or allowed.most is None or allowed.answered:
        return await receive()
    try:
        async with asyncio.timeout_at(until):
            message = await receive()
    except TimeoutError:
        _refuse(
            TooSlow(
                Sentence(
                    "not all that was sent came within %(seconds)s seconds, so nothing of it was taken; send it again",
                    seconds=int(_SECONDS),
                )
            )
        )
    allowed.ended = not message.get("more_body", False)
    return message


def _refuse(why: HuanxinError) -> NoReturn:
    """FastAPI lets through no other kind while it reads a body; web.problems answers with the cause."""
    raise HTTPException(status_of(why)) from why
