"""`/oauth/token` (RFC 6749, client credentials), and the partner's own keys."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import ClockInDoubt, Forbidden, TooMany, Unauthorized
from huanxin.domain.partners import Partner, Scope
from huanxin.notify.assertions import ASSERTION_TYPE, client_of, register_keys, with_assertion
from huanxin.notify.partners import grant_token, with_secret
from huanxin.store.acting import Act
from huanxin.web.api.bodies import FormFields, JsonObject, shows
from huanxin.web.api.schemas import TokenGranted, TokenRefused, needs, problems
from huanxin.web.context import Context, calling_partner
from huanxin.web.limits import network_of

TAG = {"name": "Access", "description": "Tokens, and the keys with which what the platform signs is verified."}
router = APIRouter(tags=[TAG["name"]])
_FORM = "application/x-www-form-urlencoded"


@router.post(
    "/oauth/token", summary="An access token for client credentials", response_model=TokenGranted,
    responses={400: {"model": TokenRefused, "description": "The grant type or scope can't be had."},
               401: {"model": TokenRefused, "description": "The partner did not show what lets it in."}, **problems()},
    openapi_extra=shows(_FORM, {"grant_type": "client_credentials", "scope": "notices receipts"})
    | {"security": [{"client": []}]},
)  # fmt: skip
def token(request: Request, form: FormFields) -> Response:
    """The partner shows its secret (Basic, or `client_id` and `client_secret` in the form), or an assertion that it signed
    (`client_assertion`, RFC 7523); `scope` may ask for fewer scopes than it has. The token is good for ten minutes. Errors
    have the form that RFC 6749, section 5.2 prescribes."""
    context: Context = request.app.state.context
    if form.get("grant_type") != "client_credentials":
        return _error(400, "unsupported_grant_type", "grant_type must be client_credentials")
    now = context.platform.now()
    claimed = _claimed(request, form)[:200]
    attempt = f"{claimed} {network_of(request.client.host if request.client else None)}"
    try:
        with context.failed_tokens.trying(attempt) as wrong:
            try:
                with context.platform.act(claimed) as act:
                    partner = _authenticated(act, request, form)
            except Unauthorized:
                wrong()
                raise
        granted = grant_token(partner, scope=form.get("scope", ""), signer=context.signer, now=now)
    except TooMany as error:
        return _error(429, "temporarily_unavailable", str(error), {"Retry-After": str(error.retry_after)})
    except ClockInDoubt as error:
        return _error(503, "temporarily_unavailable", str(error))
    except Unauthorized as error:
        return _error(401, "invalid_client", str(error), {"WWW-Authenticate": "Basic"})
    except Forbidden as error:
        return _error(400, "invalid_scope", str(error))
    return JSONResponse(granted, headers={"Cache-Control": "no-store"})


def _authenticated(act: Act, request: Request, form: dict[str, str]) -> Partner:
    """The partner that a request comes from. Raises Unauthorized."""
    if "client_assertion" not in form:
        client_id, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        return with_secret(act, client_id=client_id, client_secret=secret)
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Unauthorized(f"client_assertion_type must be {ASSERTION_TYPE}")
    return with_assertion(
        act, assertion=form["client_assertion"], client_id=form.get("client_id", ""),
        audiences=(f"{act.issuer}/oauth/token", act.issuer),
    )  # fmt: skip


def _claimed(request: Request, form: dict[str, str]) -> str:
    """Whom a request says it comes from."""
    basic = _basic(request)
    return basic[0] if basic else form.get("client_id") or client_of(form.get("client_assertion", ""))


def _basic(request: Request) -> tuple[str, str] | None:
    """client_id and client_secret of the Authorization header (RFC 6749, section 2.3.1); None if there is none."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _error(status: int, code: str, description: str, headers: dict[str, str] | None = None) -> Response:
    body = {"error": code, "error_description": description}
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})


def _manager(request: Request) -> Partner:
    return calling_partner(request, Scope.SSF_MANAGE)


@router.put(
    "/partner/v1/keys", summary="Register the public keys that assertions are signed with",
    responses=problems(400, 401, 403, 422),
    openapi_extra=shows("application/json", {"keys": [{"kty": "EC", "crv": "P-256", "x": "...", "y": "..."}]})
    | needs(Scope.SSF_MANAGE),
)  # fmt: skip
def keys(request: Request, partner: Annotated[Partner, Depends(_manager)], body: JsonObject) -> Response:
    """A JWKS (RFC 7517) in place of the one before. To change keys without a pause, send the old and the new together."""
    context: Context = request.app.state.context
    with context.platform.act(partner.client_id, sure=True) as act:
        kids = register_keys(act, partner, body)
    return JSONResponse({"kids": kids}, headers={"Cache-Control": "no-store"})
