"""`/oauth/token` (RFC 6749, client credentials) and `/jwks.json`."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import Forbidden, Unauthorized
from huanxin.notify.partners import grant_token
from huanxin.web.api.schemas import KeySet, TokenGranted, TokenRefused, problems
from huanxin.web.context import Context

router = APIRouter(tags=["Access"])


@router.post(
    "/oauth/token", summary="An access token for client credentials", response_model=TokenGranted,
    responses={400: {"model": TokenRefused, "description": "The grant type or scope can't be had."},
               401: {"model": TokenRefused, "description": "client_id or client_secret is not right."}, **problems()},
    openapi_extra={"security": [{"client": []}]},
)  # fmt: skip
def token(request: Request, grant_type: Annotated[str, Form()], scope: Annotated[str, Form()] = "") -> Response:
    """Send `client_id` and `client_secret` by HTTP Basic, and `grant_type=client_credentials` as a form; `scope` may
    ask for fewer scopes than the partner has. The token is good for ten minutes. Errors have the form that RFC 6749,
    section 5.2 prescribes."""
    context: Context = request.app.state.context
    if grant_type != "client_credentials":
        return _error(400, "unsupported_grant_type", "grant_type must be client_credentials")
    client_id, secret = _basic(request)
    try:
        with context.platform.database.transaction() as tx:
            granted = grant_token(
                tx, client_id=client_id, client_secret=secret, scope=scope, signer=context.signer, now=context.platform.now()
            )
    except Unauthorized as error:
        return _error(401, "invalid_client", str(error), {"WWW-Authenticate": "Basic"})
    except Forbidden as error:
        return _error(400, "invalid_scope", str(error))
    return JSONResponse(granted, headers={"Cache-Control": "no-store"})


def _basic(request: Request) -> tuple[str, str]:
    """client_id and client_secret of the Authorization header (RFC 6749, section 2.3.1); empty if there is none."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _error(status: int, code: str, description: str, headers: dict[str, str] | None = None) -> Response:
    body = {"error": code, "error_description": description}
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})


@router.get("/jwks.json", summary="The platform's public keys", response_model=KeySet, responses=problems())
def jwks(request: Request) -> Response:
    """Public keys with which the platform's tokens can be verified (RFC 7517)."""
    context: Context = request.app.state.context
    return JSONResponse(context.signer.jwks(), headers={"Cache-Control": "public, max-age=300"})
