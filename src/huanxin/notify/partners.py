"""Registering partners and letting them in: client credentials and access tokens (RFC 6749, RFC 9068)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from huanxin.domain.errors import BadInput, Forbidden, Unauthorized
from huanxin.domain.partners import DEFAULT_EVENTS, DEFAULT_SCOPES, IDENTIFIER_RECYCLED, Kind, Partner, Scope
from huanxin.domain.rules import NewId, random_id
from huanxin.notify.keys import Signer
from huanxin.store import partners
from huanxin.store.database import Tx

TOKEN_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A new partner and its secret, which is shown once: only its hash is kept."""

    partner: Partner
    client_secret: str


def add_partner(
    tx: Tx, *, name: str, kind: Kind, required: bool, endpoint: str | None, scopes: Sequence[str] = DEFAULT_SCOPES,
    wants_recycled: bool = False, https_only: bool, now: datetime, by: str, new_id: NewId = random_id,
) -> Registered:  # fmt: skip
    """Register a partner. Raises BadInput for an endpoint or scope that can't be used, Conflict if the name is taken."""
    if not name.strip():
        raise BadInput("a partner needs a name")
    unknown = [scope for scope in scopes if scope not in list(Scope)]
    if unknown:
        raise BadInput(f"scope {unknown[0]} is unknown; scopes are {', '.join(Scope)}")
    if endpoint is not None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(f"endpoint {endpoint} is not an address that can be pushed to; write https://host/path")
        if https_only and parts.scheme != "https":
            raise BadInput("in production an endpoint must be https; HUANXIN_MODE=development allows http")
    secret = secrets.token_urlsafe(32)
    partner = partners.add(
        tx, name=name.strip(), kind=kind, required=required, client_id=new_id("pc"), secret_hash=_hash(secret),
        scopes=scopes, endpoint=endpoint,
        events=(*DEFAULT_EVENTS, IDENTIFIER_RECYCLED) if wants_recycled else DEFAULT_EVENTS, by=by, at=now,
    )  # fmt: skip
    return Registered(partner=partner, client_secret=secret)


def _hash(secret: str) -> bytes:
    """A secret has 256 random bits, so one round of SHA-256 is as hard to undo as many."""
    return hashlib.sha256(secret.encode()).digest()


def grant_token(
    tx: Tx, *, client_id: str, client_secret: str, scope: str, signer: Signer, now: datetime, new_id: NewId = random_id
) -> dict[str, object]:
    """An access token for a partner that shows its secret. Raises Unauthorized, or Forbidden for a scope it lacks."""
    found = partners.by_client_id(tx, client_id)
    if found is None or not hmac.compare_digest(found[1], _hash(client_secret)):
        raise Unauthorized("client_id or client_secret is not right")
    partner = found[0]
    wanted = scope.split() or list(partner.scopes)
    beyond = [one for one in wanted if one not in partner.scopes]
    if beyond:
        raise Forbidden(f"the partner was not given the scope {beyond[0]}; it has {' '.join(partner.scopes)}")
    claims = {
        "sub": client_id, "client_id": client_id, "aud": signer.issuer, "scope": " ".join(wanted), "jti": new_id("at"),
        "iat": int(now.timestamp()), "exp": int((now + TOKEN_LIFE).timestamp()),
    }  # fmt: skip
    return {
        "access_token": signer.access_token(claims), "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()), "scope": " ".join(wanted),
    }  # fmt: skip


def caller(tx: Tx, *, token: str, scope: Scope, signer: Signer, now: datetime) -> Partner:
    """The partner that shows an access token. Raises Unauthorized, or Forbidden if the token lacks the scope."""
    claims = signer.verified(token, "at+jwt")
    if claims is None or claims.get("aud") != signer.issuer:
        raise Unauthorized("the access token was not issued here; get one from /oauth/token")
    if int(claims.get("exp", 0)) <= now.timestamp():
        raise Unauthorized("the access token has expired; get a new one from /oauth/token")
    if scope not in str(claims.get("scope", "")).split():
        raise Forbidden(f"the access token lacks the scope {scope}")
    found = partners.by_client_id(tx, str(claims.get("client_id")))
    if found is None:
        raise Unauthorized("the partner of this access token is no longer registered")
    return found[0]
