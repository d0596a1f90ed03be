"""`/carrier/v1/inventory`: what a carrier may sell, for its own systems, and what changed since they asked last."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from huanxin.access import tokens
from huanxin.acts import Platform
from huanxin.acts.inventory import taken
from huanxin.domain.errors import Forbidden, Unauthorized
from huanxin.domain.numbers import written
from huanxin.domain.operators import Operator, Right
from huanxin.release.inventory import Page
from huanxin.web.api.schemas import Responses, problems
from huanxin.web.limits import Limit
from huanxin.words.sentences import Sentence
from huanxin.work.room import Turns

MOST, USUAL = 50_000, 10_000  # numbers of a page
_A_MINUTE, _AT_ONCE = 120, 4
TAG = {"name": "Inventory", "description": "What a carrier may sell, for its own systems."}
router = APIRouter(prefix="/carrier/v1", tags=[TAG["name"]])


def include(app: FastAPI, platform: Platform) -> None:
    """Add it to the application. Each carrier asks one thing at a time, so that none makes the others wait."""
    app.state.inventories_asked = Limit(
        what=Sentence("asking for the inventory"), most=_A_MINUTE, per=timedelta(minutes=1), clock=platform.clock
    )
    app.state.inventories_at_once = Turns(what=Sentence("pages of the inventory"), each=1, every=_AT_ONCE)
    app.include_router(router)


def holder(request: Request, right: Right) -> Operator:
    """For whom the caller's token acts; they have to have a right. Raises Unauthorized or Forbidden."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthorized("send a token: Authorization: Bearer TOKEN; `huanxin operator token LOGIN` makes one")
    platform: Platform = request.app.state.context.platform
    with platform.read() as seen:
        found = tokens.holder(seen.tx, token)
    found.require(right)
    return found


def _system(request: Request) -> Operator:
    """The carrier's system that calls."""
    found = holder(request, Right.INVENTORY)
    if found.carrier is None:
        raise Forbidden(Sentence("%(login)s acts for no carrier, and an inventory is one carrier's", login=found.login))
    return found


class NumberChange(BaseModel):
    """A number that may be sold, or may not any more."""

    number: str = Field(description="E.164", examples=["+8613800138000"])
    change: str = Field(description="released or taken_back")
    why: str | None = Field(
        description="of taken_back: in_service (somebody has held it since: it was sold, or is back with its owner) or "
        "withheld (not on offer; why is not told here, and it may be released again)"
    )
    sellable_from: str | None = Field(description="of released: the first day on which it may be sold")
    at: str = Field(description="RFC 3339: when the platform noted it")


class Inventory(BaseModel):
    """A page of what may be sold, or of what changed."""

    carrier: str = Field(examples=["cmcc"])
    changes: list[NumberChange]
    next: str = Field(description="`after` of the next call, now if there is `more`, else on another day; keep it")
    more: bool = Field(description="whether the next page is there already")


_ANSWERS: Responses = {
    304: {"description": "Nothing came since the answer whose ETag `If-None-Match` has."},
    **problems(400, 401, 403, 409, 429),
}


@router.get(
    "/inventory", summary="The numbers that a carrier may sell, and what changed", response_model=Inventory,
    responses=_ANSWERS, openapi_extra={"security": [{"operator": []}]},
)  # fmt: skip
def inventory(
    request: Request,
    system: Annotated[Operator, Depends(_system)],
    after: Annotated[str, Query(description="`next` of the answer before; empty: all that may be sold", max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=MOST, description="numbers of a page")] = USUAL,
    if_none_match: Annotated[str, Header(description="the ETag of an answer to the same call")] = "",
) -> Response:
    """Without `after`, all numbers that the caller's carrier may sell now, page by page, each as `released`. With `next` of
    the last answer as `after`, whenever that is: what was released and taken back since, each once and in order. What
    changed while the first pages were read comes as a change again. Apply the lines in their order, keep `next` with them
    in one transaction, and your list is the platform's. 409: this record doesn't know the cursor (it was restored from a
    backup); begin anew without `after`. The caller is an account with the role `inventory` and a carrier, by a token of
    `huanxin operator token`."""
    assert system.carrier is not None
    state = request.app.state
    asked: Limit = state.inventories_asked
    turns: Turns = state.inventories_at_once
    asked.take(system.login)
    with turns.taking(system.carrier):
        found = taken(state.context.platform, system, after=after, most=limit)
    etag = f'"{hashlib.sha256(f"{after} {found.onward} {found.more}".encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if etag in (one.strip().removeprefix("W/") for one in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return JSONResponse(_body(system.carrier, found), headers=headers)


def _body(carrier: str, found: Page) -> dict[str, Any]:
    changes = [
        {"number": written(one.number), "change": one.change, "why": one.why or None,
         "sellable_from": one.sellable_from or None, "at": one.at.isoformat()}
        for one in found.lines
    ]  # fmt: skip
    return {"carrier": carrier, "changes": changes, "next": found.onward, "more": found.more}
