"""`/ssf/poll`: a partner fetches its events (RFC 8936)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import BadRequest
from huanxin.domain.partners import Partner, Scope
from huanxin.notify.polling import MOST_EVENTS, Polled
from huanxin.web.api.bodies import json_object, shows
from huanxin.web.api.ssf import TAG
from huanxin.web.context import Context, calling_partner

router = APIRouter(prefix="/ssf", tags=[TAG["name"]])
_LOOK_AGAIN = 5.0  # seconds; an event that was refused falls due without a word
_GATHER, _LONG_GATHER = 0.8, 2.0  # seconds; a partner that was given events so lately gets the next ones together
_BUSY = 5  # events at a time, from which on more is won by doing many together than by answering soon
_MOST_ANSWERS = 10_000
_LONGEST = 500
_EXAMPLE = {"maxEvents": 10, "returnImmediately": False, "ack": ["ev_1"],
            "setErrs": {"ev_2": {"err": "invalid_key", "description": "no such kid"}}}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a poll asks for and answers."""

    most: int
    at_once: bool
    acks: list[str]
    errors: dict[str, str]


async def _asked(request: Request) -> _Asked:
    """Raises BadRequest; before it, as every call does, Unauthorized to a caller who isn't known."""
    try:
        body = await json_object(request)
        return _Asked(most=_most(body), at_once=_at_once(body), acks=_acks(body), errors=_errors(body))
    except BadRequest:
        await to_thread.run_sync(calling_partner, request, Scope.SSF_READ)
        raise


@router.post("/poll", summary="Fetch events, acknowledge those before", openapi_extra=shows("application/json", _EXAMPLE))
async def poll(request: Request, asked: Annotated[_Asked, Depends(_asked)]) -> Response:
    """Events by their `jti` in `sets`, given again until they stand in `ack`. Waits for events unless `returnImmediately`
    is true or `maxEvents` is 0. `moreAvailable` is left out when it would be false. Unknown members are left alone."""
    context: Context = request.app.state.context
    most, patient = asked.most, asked.most > 0 and not asked.at_once
    until, token = time.monotonic() + context.longest_poll, request.headers.get("authorization", "")
    if patient:
        await context.waker.gather(token)

    def first() -> tuple[Partner, Polled]:
        caller = calling_partner(request, Scope.SSF_READ)
        return caller, context.poller.poll(caller, most=most, acks=asked.acks, errors=asked.errors)

    woken = context.waker.woken
    partner, polled = await to_thread.run_sync(first, limiter=context.programs)
    look = partial(context.poller.poll, partner, most=most)
    if not polled.sets and patient:
        with context.polls.taking(partner.client_id):
            while not polled.sets and (left := until - time.monotonic()) > 0:
                await context.waker.wait(woken, min(left, _LOOK_AGAIN))
                if await request.is_disconnected():
                    break
                woken = context.waker.woken
                polled = await to_thread.run_sync(look, limiter=context.programs)
    if polled.sets and not polled.more:
        context.waker.given(token, _GATHER if len(polled.sets) < _BUSY else _LONG_GATHER)
    return JSONResponse(_written(polled), headers={"Cache-Control": "no-store"})


def _written(polled: Polled) -> dict[str, Any]:
    return {"sets": polled.sets} | ({"moreAvailable": True} if polled.more else {})


def _most(body: dict[str, Any]) -> int:
    value = body.get("maxEvents", MOST_EVENTS)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequest("maxEvents must be a whole number, 0 or more")
    return value


def _at_once(body: dict[str, Any]) -> bool:
    value = body.get("returnImmediately", False)
    if not isinstance(value, bool):
        raise BadRequest("returnImmediately must be true or false")
    return value


def _acks(body: dict[str, Any]) -> list[str]:
    value = body.get("ack", [])
    if not isinstance(value, list) or len(value) > _MOST_ANSWERS or not all(_is_id(one) for one in value):
        raise BadRequest(f"ack must be a list of the jti of events, {_MOST_ANSWERS:,} at most")
    return value


def _errors(body: dict[str, Any]) -> dict[str, str]:
    """Why the partner refuses events, in its own words, by their `jti` (RFC 8936, section 2.6)."""
    value = body.get("setErrs", {})
    if not isinstance(value, dict) or len(value) > _MOST_ANSWERS or not all(_is_id(one) for one in value):
        raise BadRequest('setErrs must be an object such as {"JTI": {"err": "invalid_key", "description": "..."}}')
    return {jti: _said(one) for jti, one in value.items()}


def _said(error: Any) -> str:
    if not isinstance(error, dict) or not isinstance(error.get("err"), str):
        raise BadRequest('each of setErrs must be an object such as {"err": "invalid_key", "description": "..."}')
    return f"{error['err']}: {error.get('description', '')}".replace("\0", "")[:_LONGEST]


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and "\0" not in value
