"""`/partner/v1/account/files` and `.../live/files`: a partner chooses the folders that it exchanges files through."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.partners import Scope
from huanxin.notify.files import choose_folders
from huanxin.notify.own_folders import FolderAccess
from huanxin.web.api import account_schemas as schemas
from huanxin.web.api.accounts import TAG, AccountLimits, read_as
from huanxin.web.api.bodies import JsonObject
from huanxin.web.api.schemas import needs, problems
from huanxin.web.context import Context, calling_partner

router = APIRouter(prefix="/partner/v1/account", tags=[TAG["name"]])
_SAYS = {
    "response_model": schemas.FoldersChosen,
    "responses": problems(400, 401, 403, 409, 422, 429),
    "openapi_extra": needs(Scope.SSF_MANAGE) | schemas.takes(schemas.Folders),
}


@router.put("/files", summary="Exchange files in the sandbox through these folders", **_SAYS)  # type: ignore[arg-type]
def choose(request: Request, body: JsonObject) -> Response:
    """From now on notices of the sandbox are written into `out`, and receipts are read from `in`: `sftp://user@host/folder`
    or `s3://bucket/folder`, at public addresses. The login is kept encrypted and never shown again. A verification event is
    written at once. `/ssf/streams` goes back to push or polling."""
    return _chosen(request, request.app.state.sandbox, body)


@router.put("/live/files", summary="Exchange files live through these folders", **_SAYS)  # type: ignore[arg-type]
def choose_live(request: Request, body: JsonObject) -> Response:
    """The same of the live stream, with a live access token."""
    return _chosen(request, request.app.state.context, body)


def _chosen(request: Request, context: Context, body: dict[str, Any]) -> Response:
    partner = calling_partner(request, Scope.SSF_MANAGE, context)
    limits: AccountLimits = request.app.state.account_limits
    limits.choosing.take(partner.client_id)
    wanted = read_as(schemas.Folders, body)
    login = FolderAccess(**wanted.login.model_dump())
    with context.platform.act(partner.client_id) as act:
        folders = choose_folders(act, partner, out=wanted.out, into=wanted.into, login=login, rules=context.folders)
    return JSONResponse({"out": folders.out, "in": folders.into, "login": login.given()})
