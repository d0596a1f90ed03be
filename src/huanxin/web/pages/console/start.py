"""`/console`: to the first page that this operator's roles open."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.web.pages import unsent
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import TABS, back
from huanxin.web.pages.console.signing import Working

router = APIRouter(prefix="/console", include_in_schema=False)


@router.get("")
def start(request: Request, who: Annotated[Working, Depends(signing.working())]) -> Response:
    """Where the day begins: with what was not sent before, if there is something."""
    first = next((key for key, _, rights in TABS if who.operator.rights & rights), "me")
    return back(unsent.onward(request, signing.ROOM, str(who.operator.id), f"/console/{first}"))
