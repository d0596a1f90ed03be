"""`/ssf`: partners manage their streams (OpenID SSF 1.0, section 8.1)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import BadInput, BadRequest
from huanxin.domain.partners import Partner, Scope
from huanxin.domain.streams import Status, Stream
from huanxin.notify import streams as verb
from huanxin.notify.partners import check_endpoint
from huanxin.notify.wishes import Wishes, read_wishes
from huanxin.store.notify import streams
from huanxin.web.api.bodies import JsonObject, shows
from huanxin.web.context import Context, calling_partner

TAG = {"name": "Streams", "description": "How a partner is told: by push, poll or files, and of what."}
router = APIRouter(prefix="/ssf", tags=[TAG["name"]])
_JSON = "application/json"
_UNKEPT = {"Cache-Control": "no-store"}
_LONGEST_STATE = 4096
_CREATE = {"delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://partner.example/events"},
           "events_requested": ["urn:huanxin:event:renewal"], "description": "live"}  # fmt: skip
_SUBJECT = {"stream_id": "st_1", "subject": {"format": "phone_number", "phone_number": "+8613800138000"}}


def _reader(request: Request) -> Partner:
    return calling_partner(request, Scope.SSF_READ)


def _manager(request: Request) -> Partner:
    return calling_partner(request, Scope.SSF_MANAGE)


Reader = Annotated[Partner, Depends(_reader)]
Manager = Annotated[Partner, Depends(_manager)]


@router.post(
    "/streams", status_code=201, summary="Create the stream", response_description="The stream's configuration.",
    openapi_extra=shows(_JSON, _CREATE),
)  # fmt: skip
def create(request: Request, partner: Manager, body: JsonObject) -> Response:
    """Without `delivery` it is polled; without `events_requested` it has the usual events. 409 if there is one already."""
    context: Context = request.app.state.context
    wishes = _wishes(context, body)
    with context.platform.act(partner.client_id) as act:
        made = verb.create(act, partner, wishes, passphrase=context.passphrase)
    return _configuration(context, partner, made, status=201)


@router.get("/streams", summary="The stream by its stream_id, or a list of all")
def read(request: Request, partner: Reader, stream_id: Annotated[str | None, Query()] = None) -> Response:
    """Without `stream_id` a list, empty if there is none."""
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        if stream_id is not None:
            return _configuration(context, partner, verb.stream_of(seen.tx, partner, stream_id))
        found = streams.of_partner(seen.tx, partner.id)
    return JSONResponse([_written(context, partner, found)] if found else [], headers=_UNKEPT)


@router.patch("/streams", summary="Change what is named", openapi_extra=shows(_JSON, {"stream_id": "st_1"} | _CREATE))
def update(request: Request, partner: Manager, body: JsonObject) -> Response:
    """Members that are left out stay. Members that are the platform's to choose may stand there, as they are."""
    return _changed(request.app.state.context, partner, body, replace=False)


@router.put("/streams", summary="Replace the configuration", openapi_extra=shows(_JSON, {"stream_id": "st_1"} | _CREATE))
def replace(request: Request, partner: Manager, body: JsonObject) -> Response:
    """Members that are left out go back to what they are without being named."""
    return _changed(request.app.state.context, partner, body, replace=True)


@router.delete(
    "/streams", status_code=204, response_description="Done; there is nothing to say.", summary="Delete the stream"
)
def delete(request: Request, partner: Manager, stream_id: Annotated[str, Query()]) -> Response:
    """Events that were not taken yet wait for the partner's next stream."""
    context: Context = request.app.state.context
    with context.platform.act(partner.client_id) as act:
        verb.remove(act, partner, stream_id)
    return Response(status_code=204, headers=_UNKEPT)


@router.get("/status", summary="The status of the stream")
def status(request: Request, partner: Reader, stream_id: Annotated[str, Query()]) -> Response:
    """`enabled`, `paused` or `disabled`, and the reason if one was given."""
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        found = verb.stream_of(seen.tx, partner, stream_id)
    return _status(found)


@router.post(
    "/status", summary="Enable, pause or disable the stream",
    openapi_extra=shows(_JSON, {"stream_id": "st_1", "status": "paused", "reason": "maintenance"}),
)  # fmt: skip
def set_status(request: Request, partner: Manager, body: JsonObject) -> Response:
    """While it is paused events are kept, in order. Disabling it gives up those that wait, and those that come."""
    context: Context = request.app.state.context
    wanted, reason = _needed(body, "status"), _text(body, "reason") or ""
    if wanted not in list(Status):
        raise BadRequest(f"status must be one of {', '.join(Status)}")
    with context.platform.act(partner.client_id) as act:
        verb.stream_of(act.tx, partner, _needed(body, "stream_id"))
        found = verb.set_status(act, partner, status=Status(wanted), reason=reason[:500])
    return _status(found)


@router.post("/subjects:add", summary="Put a number back into the stream", openapi_extra=shows(_JSON, _SUBJECT))
def add_subject(request: Request, partner: Manager, body: JsonObject) -> Response:
    """All numbers are in it from the start. Unknown subjects are answered like known ones."""
    _set_subject(request.app.state.context, partner, body, wanted=True)
    return Response(status_code=200, headers=_UNKEPT)


@router.post(
    "/subjects:remove",
    status_code=204,
    response_description="Done; there is nothing to say.",
    summary="Take a number out of the stream",
    openapi_extra=shows(_JSON, _SUBJECT),
)
def remove_subject(request: Request, partner: Manager, body: JsonObject) -> Response:
    """No identifier-recycled is sent of it from now on; notices of batches name it all the same."""
    _set_subject(request.app.state.context, partner, body, wanted=False)
    return Response(status_code=204, headers=_UNKEPT)


@router.post(
    "/verify", status_code=204, summary="Ask for a verification event",
    response_description="Done; there is nothing to say.",
    openapi_extra=shows(_JSON, {"stream_id": "st_1", "state": "anything"}),
)  # fmt: skip
def verify(request: Request, partner: Manager, body: JsonObject) -> Response:
    """It comes on the stream with this `state`. 429 before `min_verification_interval` is over."""
    context: Context = request.app.state.context
    state = _text(body, "state")
    if state is not None and len(state) > _LONGEST_STATE:
        raise BadRequest(f"state must have {_LONGEST_STATE} characters at most")
    with context.platform.act(partner.client_id) as act:
        verb.verify(act, partner, _needed(body, "stream_id"), state=state)
    return Response(status_code=204, headers=_UNKEPT)


def _changed(context: Context, partner: Partner, body: dict[str, Any], *, replace: bool) -> Response:
    _needed(body, "stream_id")
    wishes = _wishes(context, body)
    with context.platform.act(partner.client_id) as act:
        after = verb.change(act, partner, body, wishes, replace=replace, passphrase=context.passphrase)
    return _configuration(context, partner, after)


def _wishes(context: Context, body: dict[str, Any]) -> Wishes:
    """What the body asks for, its endpoint looked at before any transaction: that may take a while."""
    wishes = read_wishes(body)
    if wishes.delivery and wishes.delivery.endpoint and wishes.delivery.method == "push":
        try:
            check_endpoint(wishes.delivery.endpoint, https_only=not context.platform.development)
            context.outbound.check(wishes.delivery.endpoint)
        except BadInput as error:
            raise BadRequest(str(error)) from error
    return wishes


def _set_subject(context: Context, partner: Partner, body: dict[str, Any], *, wanted: bool) -> None:
    context.subjects.take(partner.client_id)
    with context.platform.act(partner.client_id) as act:
        verb.set_subject(act.tx, partner, _needed(body, "stream_id"), body.get("subject"), wanted=wanted)


def _needed(body: dict[str, Any], name: str) -> str:
    value = _text(body, name)
    if value is None:
        raise BadRequest(f"{name} is missing")
    return value


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or "\0" in value):
        raise BadRequest(f"{name} must be a string")
    return value


def _written(context: Context, partner: Partner, stream: Stream) -> dict[str, Any]:
    return verb.configuration(stream, issuer=context.platform.issuer, audience=partner.client_id)


def _configuration(context: Context, partner: Partner, stream: Stream, *, status: int = 200) -> Response:
    return JSONResponse(_written(context, partner, stream), status_code=status, headers=_UNKEPT)


def _status(stream: Stream) -> Response:
    body = {"stream_id": stream.id, "status": stream.status}
    return JSONResponse(body | ({"reason": stream.status_reason} if stream.status_reason else {}), headers=_UNKEPT)
