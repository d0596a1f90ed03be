"""The page of a partner's stream: where events go, which ones, paused or not; the same orders as the SSF API takes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from huanxin.domain.errors import BadInput, BadRequest, Conflict, TooMany
from huanxin.domain.streams import EVENTS_SUPPORTED, Status, Stream
from huanxin.notify import streams as verb
from huanxin.notify.files import choose_folders
from huanxin.notify.own_folders import FolderAccess
from huanxin.notify.partners import check_endpoint
from huanxin.notify.wishes import read_wishes
from huanxin.store.notify import streams
from huanxin.web.pages import flash, session
from huanxin.web.pages.partner import data, signing
from huanxin.web.pages.partner.frame import page
from huanxin.web.pages.partner.signing import Caller
from huanxin.words.sentences import Sentence

router = APIRouter(include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
_PUSH, _POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"

SignedIn = Annotated[Caller, Depends(signing.caller)]


@router.get("/{env}/stream")
def stream(request: Request, caller: SignedIn, done: flash.JustDone) -> Response:
    """How the partner is told."""
    return _page(request, caller, done=done.what)


@router.post("/{env}/stream", dependencies=_FORMS)
def change(
    request: Request, caller: SignedIn, endpoint: Annotated[str, Form()] = "",
    events: Annotated[list[str] | None, Form()] = None,
) -> Response:  # fmt: skip
    """Make the stream, or change it: pushed to an address, or polled if there is none; the events that are ticked."""
    context, platform, address = caller.context, caller.context.platform, endpoint.strip()
    delivery: dict[str, Any] = {"method": _PUSH, "endpoint_url": address} if address else {"method": _POLL}
    wanted = [name for name in EVENTS_SUPPORTED if name in (events or [])]
    try:
        if address:
            check_endpoint(address, https_only=not platform.development)
            context.outbound.check(address)
        wishes = read_wishes({"delivery": delivery, "events_requested": wanted})
        with platform.act(caller.partner.client_id) as act:
            before = streams.of_partner(act.tx, caller.partner.id)
            if before is None:
                verb.create(act, caller.partner, wishes, passphrase=context.passphrase)
            else:
                verb.change(
                    act, caller.partner, {"stream_id": before.id}, wishes, replace=False, passphrase=context.passphrase
                )
    except (BadInput, BadRequest, Conflict) as error:
        return _page(request, caller, status=422, problem=error.said, given=endpoint)
    return _back(request, caller, "changed")


@router.post("/{env}/stream/files", dependencies=_FORMS)
def use_files(
    request: Request, caller: SignedIn, out: Annotated[str, Form()] = "", into: Annotated[str, Form(alias="in")] = "",
    password: Annotated[str, Form()] = "", private_key: Annotated[str, Form()] = "",
    host_key: Annotated[str, Form()] = "", access_key: Annotated[str, Form()] = "",
    secret_key: Annotated[str, Form()] = "", s3_endpoint: Annotated[str, Form()] = "",
    s3_region: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Exchange files through these folders from now on."""
    context, platform = caller.context, caller.context.platform
    login = FolderAccess(
        password=password, private_key=private_key.strip(), host_key=host_key.strip(), access_key=access_key.strip(),
        secret_key=secret_key.strip(), s3_endpoint=s3_endpoint.strip(), s3_region=s3_region.strip(),
    )  # fmt: skip
    try:
        with platform.act(caller.partner.client_id) as act:
            choose_folders(act, caller.partner, out=out, into=into, login=login, rules=context.folders)
    except (BadInput, Conflict) as error:
        return _page(request, caller, status=422, problem=error.said, folders=(out, into))
    return _back(request, caller, "changed")


@router.post("/{env}/stream/status", dependencies=_FORMS)
def set_status(request: Request, caller: SignedIn, status: Annotated[str, Form()]) -> Response:
    """Pause the stream, or let it run again."""
    if status not in list(Status):
        raise BadRequest(Sentence("status must be one of %(known)s", known=", ".join(Status)))
    platform = caller.context.platform
    with platform.act(caller.partner.client_id) as act:
        verb.set_status(act, caller.partner, status=Status(status), reason="")
    return _back(request, caller, status)


@router.post("/{env}/stream/verify", dependencies=_FORMS)
def verify(request: Request, caller: SignedIn) -> Response:
    """Send a verification event."""
    platform, found = caller.context.platform, _stream(caller)
    try:
        with platform.act(caller.partner.client_id) as act:
            verb.verify(act, caller.partner, found.id, state=None)
    except TooMany as error:
        return _page(request, caller, status=429, problem=error.said)
    return _back(request, caller, "verified")


def _stream(caller: Caller) -> Stream:
    with caller.context.platform.read() as seen:
        found = streams.of_partner(seen.tx, caller.partner.id)
    if found is None:
        raise Conflict(Sentence("there is no stream yet; say first where events go"))
    return found


def _back(request: Request, caller: Caller, done: str) -> Response:
    return flash.after(request, f"/partner/{caller.who.env}/stream", done)


def _page(
    request: Request, caller: Caller, *, status: int = 200, problem: str = "", given: str = "", done: str = "",
    folders: tuple[str, str] = ("", ""),
) -> Response:  # fmt: skip
    platform = caller.context.platform
    with platform.read() as seen:
        view = data.stream_page(
            seen.tx, caller.who, caller.partner, issuer=seen.issuer, problem=problem, given=given, done=done,
            folders=folders, s3_services=", ".join(caller.context.folders.s3_services),
        )  # fmt: skip
    return page(request, "stream.html", status, view=view, tab="stream")
