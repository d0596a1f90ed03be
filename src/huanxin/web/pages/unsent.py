"""What somebody sends after their sign-in has ended is not carried out, and not lost: it is said not to be sent, kept, and
offered again once they have signed in.

Kept is the form as it was sent, with its file, encrypted. Only of whoever shows the cookie of a sign-in that was theirs and
that nothing but time has ended: nobody else makes the server keep anything. And it is offered to them alone, not to whoever
signs in next at that machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from huanxin.domain.errors import BadSetting, Forbidden, TooLarge, TooSlow, Unavailable
from huanxin.signing.sealing import seal_bytes, unseal_bytes
from huanxin.store.access import sign_ins, unsent
from huanxin.store.acting import VISITOR
from huanxin.web.api.uploads import announced, limited
from huanxin.web.bodies import has_its_own_limit
from huanxin.web.context import Context
from huanxin.web.pages import session

SECRETS = frozenset(
    ("password", "old", "new", "secret", "client_secret", "secret_key", "private_key", "access_key", "code", "token")
)
"""Fields whose forms are never kept."""
_SHORT = 64 << 10  # bytes of a form that is kept: whoever may sign in for nothing fills no disk with them
LONG = 32 << 20
"""bytes of a form with a file that is kept of those whom an admin let in"""
_URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Room:
    """One kind of sign-in. `whose` tells from the claims of a sign-in that is over whose it was, if it would be good but for
    that; `now` who is signed in, and raises what leads to the sign-in. `never`: addresses whose forms mean nothing later.
    `most`: bytes of a form that is kept."""

    name: str
    base: str
    cookie: str
    kind: str
    whose: Callable[[Request, dict[str, Any]], str | None]
    now: Callable[[Request], str]
    never: Sequence[str] = ()
    most: int = _SHORT


@dataclass(frozen=True, kw_only=True)
class Unsent:
    """A form as it was sent: to an address of ours (with its query), in a content type."""

    address: str
    type: str
    body: bytes

    def receive(self) -> Receive:
        """Gives the body as a server would."""
        told = False

        async def once() -> Message:
            nonlocal told
            if told:
                return {"type": "http.disconnect"}
            told = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        return once

    def read(self) -> AbstractAsyncContextManager[FormData]:
        """The form's fields and files."""
        headers = [(b"content-type", self.type.encode()), (b"content-length", str(len(self.body)).encode())]
        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
        return Request(scope, self.receive()).form()


async def keep(request: Request, room: Room) -> str:
    """What becomes of what a request sent whose sign-in has ended: `kept` or `lost`; empty if it sent nothing."""
    if request.method != "POST":
        return ""
    whose = await to_thread.run_sync(_whose, request, room)
    if whose is None:
        return "lost"
    if request.url.path.startswith(f"{room.base}/unsent"):  # what is kept stays, and is offered once more
        return "kept" if await to_thread.run_sync(peek, request, room, whose) else "lost"
    sent = await _sent(request, room.most)
    if sent is None or await _is_secret(sent):
        return "lost"
    await to_thread.run_sync(put, request, room, whose, sent)
    return "kept"


def _whose(request: Request, room: Room) -> str | None:
    """Whose the sign-in was that a request shows; None if it shows none that was ours not long ago."""
    context: Context = request.app.state.context
    claims = context.signer.verified(request.cookies.get(room.cookie, ""), room.kind)
    if claims is None or request.url.path.startswith(tuple(room.never)):
        return None
    if int(claims.get("exp", 0)) + session.LINGER.total_seconds() <= context.platform.now().timestamp():
        return None
    with context.platform.read() as seen:
        if sign_ins.has_ended(seen.tx, str(claims.get("sign_in"))):  # a copy of it could put words into its owner's mouth
            return None
    try:
        session.same_origin(request)
    except Forbidden:
        return None
    return room.whose(request, claims)


async def _is_secret(sent: Unsent) -> bool:
    """Whether a form holds something that nobody else may know, even for a day; or is none."""
    try:
        async with sent.read() as form:
            return any(value for name, value in form.multi_items() if name in SECRETS)
    except HTTPException:
        return True


async def _sent(request: Request, most: int) -> Unsent | None:
    """What a request sent; None if it is too long, finds no room, came in damaged, or was read by somebody before."""
    context: Context = request.app.state.context
    type_, query = request.headers.get("content-type", ""), request.url.query
    address = request.url.path + (f"?{query}" if query else "")
    if type_.startswith(_URLENCODED) or not type_:
        fields = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
        body = urlencode(fields).encode()
        return Unsent(address=address, type=_URLENCODED, body=body) if len(body) <= most else None
    if (announced(request) or 0) > most:
        return None
    has_its_own_limit(request)
    long = bytearray()
    try:
        async for block in limited(request.stream(), context.limits, announced(request), context.room.check):
            long += block
            if len(long) > most:
                return None
    except (TooLarge, TooSlow, Unavailable, ClientDisconnect, RuntimeError):  # RuntimeError: it was read already
        return None
    return Unsent(address=address, type=type_, body=bytes(long))


# What is kept ---------------------------------------------------------------------------------------------------------
def put(request: Request, room: Room, whose: str, sent: Unsent) -> None:
    """Keep what somebody sent, in place of what is kept of them."""
    context: Context = request.app.state.context
    head = json.dumps({"of": [room.name, whose], "address": sent.address, "type": sent.type}).encode()
    sealed = seal_bytes(head + b"\n" + sent.body, context.passphrase)
    now = context.platform.now()
    with context.platform.act(VISITOR) as act:
        unsent.put(act.tx, room.name, whose, sealed, now)


def peek(request: Request, room: Room, whose: str) -> Unsent | None:
    """What is kept of somebody."""
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        sealed = unsent.get(seen.tx, room.name, whose, seen.now - unsent.KEPT)
    return None if sealed is None else _opened(context, room, whose, sealed)


def take(request: Request, room: Room, whose: str) -> Unsent | None:
    """The same, which is kept no more: nobody sends it twice."""
    context: Context = request.app.state.context
    with context.platform.act(VISITOR) as act:
        sealed = unsent.take(act.tx, room.name, whose, act.now - unsent.KEPT)
    return None if sealed is None else _opened(context, room, whose, sealed)


def _opened(context: Context, room: Room, whose: str, sealed: bytes) -> Unsent | None:
    try:
        head, _, body = unseal_bytes(sealed, context.passphrase).partition(b"\n")
    except BadSetting:  # the platform has another passphrase by now, or sealed in another way when this was kept
        return None
    told = json.loads(head)
    theirs = told.pop("of") == [room.name, whose]  # else somebody moved it to another person in the database
    return Unsent(**told, body=body) if theirs else None


def onward(request: Request, room: Room, whose: str, default: str) -> str:
    """Where a sign-in leads: to what somebody did not get sent before, if there is something."""
    return default if peek(request, room, whose) is None else f"{room.base}/unsent"


def led(address: str, became: str) -> str:
    """An address of a sign-in page that says what became of what was sent."""
    if not became:
        return address
    return f"{address}{'&' if '?' in address else '?'}unsent={became}"
