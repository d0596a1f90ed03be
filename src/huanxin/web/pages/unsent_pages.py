"""The page on which somebody who has signed in again finds what they did not get sent, and sends or drops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message, Receive, Scope, Send

from huanxin.domain.numbers import masked_text
from huanxin.store.connect import partners
from huanxin.web.context import Context
from huanxin.web.pages import session, unsent
from huanxin.web.pages.render import SERVER, render
from huanxin.web.pages.routes import html, language
from huanxin.web.pages.unsent import Room, Unsent
from huanxin.words.sentences import N_

LABELS = {
    "p": N_("Services"), "name": N_("Name"), "reason": N_("Reason"), "note": N_("Note"), "source": N_("Authority"),
    "order": N_("Number of its order"), "until": N_("Last day"), "review": N_("Day of review"), "numbers": N_("Numbers"),
    "carrier": N_("Carrier"), "file": N_("File"), "login": N_("Login"), "endpoint": N_("Endpoint"),
}  # fmt: skip
"""What a field is called that is shown; the others are the page's own business."""
_LONGEST = 300  # characters of a field that are shown


router = APIRouter(include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
_BASES = ("/renew", "/console", "/partner")


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Who is signed in, in which room."""

    room: Room
    whose: str


def signed_in(request: Request) -> Whose:
    """Who asks. Raises what leads to the sign-in of the room."""
    room: Room = request.app.state.rooms[request.url.path.partition("/unsent")[0]]
    return Whose(room=room, whose=room.now(request))


SignedIn = Annotated[Whose, Depends(signed_in)]


async def offer(request: Request, who: SignedIn) -> Response:
    """What was not sent, and two buttons."""
    kept = await to_thread.run_sync(unsent.peek, request, who.room, who.whose)
    if kept is None:
        return RedirectResponse(who.room.base, status_code=303)
    return await _offered(request, who.room, kept)


def send(request: Request, who: SignedIn) -> Response:
    """Carries out what was sent then, as if it were sent now."""
    kept = unsent.take(request, who.room, who.whose)
    if kept is None:
        return RedirectResponse(who.room.base, status_code=303)
    return _Again(request, kept, lambda: unsent.put(request, who.room, who.whose, kept))


def drop(request: Request, who: SignedIn) -> Response:
    """Forgets it."""
    unsent.take(request, who.room, who.whose)
    return RedirectResponse(who.room.base, status_code=303)


for base in _BASES:
    router.add_api_route(f"{base}/unsent", offer, methods=["GET"])
    router.add_api_route(f"{base}/unsent/send", send, methods=["POST"], dependencies=_FORMS)
    router.add_api_route(f"{base}/unsent/drop", drop, methods=["POST"], dependencies=_FORMS)


async def _offered(request: Request, room: Room, kept: Unsent) -> Response:
    async with kept.read() as form:
        lines = await to_thread.run_sync(_lines, request, form)
    text = render("unsent.html", language(request), here=room.base, room=room, lines=lines, labels=LABELS)
    answer = html(request, text)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _lines(request: Request, form: FormData) -> list[tuple[str, str]]:
    """Name and value of what a form says to people, numbers masked."""
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        text = (value.filename or "") if isinstance(value, UploadFile) else value.strip()
        if name in LABELS and text:
            found.setdefault(name, []).append(text[:_LONGEST])
    if "p" in found:
        context: Context = request.app.state.context
        with context.platform.read() as seen:
            names = {str(one.id): one.name for one in partners.all_partners(seen.tx)}
        found["p"] = [names[one] for one in found["p"] if one in names]
    return [(name, masked_text("、".join(values))) for name, values in found.items()]


class _Again(Response):
    """The answer to a form that is taken in again; if the server can't answer it, the form is put back."""

    def __init__(self, request: Request, kept: Unsent, put_back: Callable[[], None]) -> None:
        super().__init__()
        self._router, self._kept, self._put_back = request.app.router, kept, put_back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, _, query = self._kept.address.partition("?")
        replaced = (b"content-type", b"content-length", b"transfer-encoding")
        headers = [pair for pair in scope["headers"] if pair[0] not in replaced]
        headers += [(b"content-type", self._kept.type.encode()), (b"content-length", str(len(self._kept.body)).encode())]
        again = {**scope, "path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": headers,
                 "path_params": {}}  # fmt: skip
        done = False

        async def noted(message: Message) -> None:
            nonlocal done
            if message["type"] == "http.response.start":
                done = message["status"] < SERVER
            await send(message)

        try:
            await self._router(again, self._kept.receive(), noted)
        finally:
            if not done:
                await to_thread.run_sync(self._put_back)
