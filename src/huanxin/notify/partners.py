"""Registering partners and letting them in: client credentials and access tokens (RFC 6749, RFC 9068)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from huanxin.domain.clock import lasts
from huanxin.domain.errors import BadInput, Forbidden, LacksScope, NotFound, Unauthorized
from huanxin.domain.partners import IDENTIFIER_RECYCLED, INQUIRY, NewPartner, Partner, Scope
from huanxin.domain.rules import NewId, random_id
from huanxin.domain.streams import DEFAULT_EVENTS, Chosen, Method
from huanxin.signing.keys import ES256, Signer
from huanxin.store.acting import Act, Reading
from huanxin.store.connect import credentials, partners
from huanxin.store.database import Tx
from huanxin.store.notify import streams
from huanxin.words.sentences import Sentence

TOKEN_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A new partner and its secret, which is shown once: only its hash is kept."""

    partner: Partner
    client_secret: str


def add_partner(
    act: Act, new: NewPartner, *, https_only: bool, new_id: NewId = random_id
) -> Registered:  # fmt: skip
    """Register a partner with its stream.

    Raises BadInput for an endpoint or scope that can't be used, Conflict if the name is taken.
    """
    if not new.name.strip():
        raise BadInput(Sentence("a partner needs a name"))
    unknown = [scope for scope in new.scopes if scope not in list(Scope)]
    if unknown:
        raise BadInput(
            Sentence("scope %(scope)s is unknown; scopes are %(known)s", scope=unknown[0], known=", ".join(Scope))
        )
    if new.endpoint is not None:
        check_endpoint(new.endpoint, https_only=https_only)
    partner = partners.add(act.tx, replace(new, name=new.name.strip()), client_id=new_id("pc"), by=act.by, at=act.now)
    secret = secrets.token_urlsafe(32)
    credentials.add_secret(act.tx, partner.id, _hash(secret), by=act.by, at=act.now)
    partners.note(act.tx, partner.id, "registered", by=act.by, at=act.now)
    chosen = Chosen(
        method=Method.POLL if new.endpoint is None else Method.PUSH, endpoint=new.endpoint, alg=ES256,
        events_requested=[*DEFAULT_EVENTS, *[IDENTIFIER_RECYCLED] * new.wants_recycled, *[INQUIRY] * new.wants_inquiry],
    )  # fmt: skip
    streams.add(act.tx, chosen, stream_id=new_id("st"), partner_id=partner.id, at=act.now)
    return Registered(partner=partner, client_secret=secret)


def check_endpoint(endpoint: str, *, https_only: bool) -> None:
    """Raise BadInput for an address that events can't be pushed to. Where it leads is checked at each push."""
    unreadable = Sentence(
        "endpoint %(endpoint)s is not an address that can be pushed to; write https://host/path", endpoint=repr(endpoint)
    )
    try:
        parts = urlsplit(endpoint)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise BadInput(unreadable) from error
    if not named or not endpoint.isprintable() or " " in endpoint:
        raise BadInput(unreadable)
    if parts.username is not None or parts.fragment:
        raise BadInput(Sentence("an endpoint has no user, password or fragment; send credentials as authorization_header"))
    if https_only and parts.scheme != "https":
        raise BadInput(Sentence("in production an endpoint must be https; HUANXIN_MODE=development allows http"))


def named(tx: Tx, name: str) -> Partner:
    """A partner by its name or client_id. Raises NotFound."""
    found = partners.by_name(tx, name) or partners.by_client_id(tx, name)
    if found is None:
        raise NotFound(Sentence("no partner is named %(name)s; `huanxin partner list` shows them", name=name))
    return found


def told_of(tx: Tx, batch_id: int, name: str) -> Partner:
    """The partner that was told of a batch, by its name or client_id. A withdrawn one is meant too, since what it was asked
    is still open, whoever has its name now. Raises NotFound, or BadInput if two that were told have had the name."""
    found = partners.told_as(tx, batch_id, name)
    if not found:
        raise NotFound(
            Sentence("batch %(batch)s was not sent to %(name)s; `huanxin batch status` shows to whom", batch=batch_id,
                     name=named(tx, name).name)
        )  # fmt: skip
    if len(found) > 1:
        raise BadInput(
            Sentence("batch %(batch)s was sent to several partners of this name; name one by its client_id: %(ids)s",
                     batch=batch_id, ids=", ".join(one.client_id for one in found))
        )  # fmt: skip
    return found[0]


def rotate_secret(act: Act, partner: Partner, *, overlap: timedelta) -> str:
    """A new secret for a partner, shown once; the others go on for a while (`overlap`), so that nothing has to stop."""
    secret = secrets.token_urlsafe(32)
    credentials.add_secret(act.tx, partner.id, _hash(secret), by=act.by, at=act.now)
    credentials.expire_others(act.tx, partner.id, "secret", at=act.now + overlap)
    partners.note(
        act.tx, partner.id, "secret-rotated", by=act.by, at=act.now, detail={"old_until": (act.now + overlap).isoformat()}
    )
    return secret


def _hash(secret: str) -> bytes:
    """A secret has 256 random bits, so one round of SHA-256 is as hard to undo as many."""
    return hashlib.sha256(secret.encode()).digest()


def with_secret(reading: Reading, *, client_id: str, client_secret: str) -> Partner:
    """The partner that shows one of its secrets. Raises Unauthorized."""
    return with_credential(reading, client_id=client_id, client_secret=client_secret)[0]


def with_credential(reading: Reading, *, client_id: str, client_secret: str) -> tuple[Partner, int]:
    """The partner that shows one of its secrets, and the id of that secret's credential. Raises Unauthorized."""
    partner = partners.by_client_id(reading.tx, client_id)
    shown = _hash(client_secret)
    valid = credentials.of_partner(reading.tx, partner.id, reading.now) if partner else []
    right = [one.id for one in valid if one.secret_hash and hmac.compare_digest(one.secret_hash, shown)]
    if partner is None or not right:
        raise Unauthorized(Sentence("client_id or client_secret is not right"))
    return partner, right[0]


def lets_in(tx: Tx, client_id: str, credential: object, now: datetime) -> bool:
    """Whether a partner is there and this credential of it is still good: what was shown once may have been replaced."""
    partner = partners.by_client_id(tx, client_id)
    return partner is not None and credential in [one.id for one in credentials.of_partner(tx, partner.id, now)]


def grant_token(
    partner: Partner, *, scope: str, signer: Signer, now: datetime, new_id: NewId = random_id
) -> dict[str, object]:
    """An access token for a partner that showed who it is. Raises Forbidden for a scope it lacks."""
    wanted = scope.split() or list(partner.scopes)
    beyond = [one for one in wanted if one not in partner.scopes]
    if beyond:
        raise Forbidden(
            Sentence(
                "the partner was not given the scope %(scope)s; it has %(held)s",
                scope=beyond[0],
                held=" ".join(partner.scopes),
            )
        )
    claims = {
        "sub": partner.client_id, "client_id": partner.client_id, "aud": signer.issuer, "scope": " ".join(wanted),
        "jti": new_id("at"),
        "iat": int(now.timestamp()), "exp": int((now + TOKEN_LIFE).timestamp()),
    }  # fmt: skip
    return {
        "access_token": signer.access_token(claims), "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()), "scope": " ".join(wanted),
    }  # fmt: skip


def caller(tx: Tx, *, token: str, scope: Scope, signer: Signer, now: datetime) -> Partner:
    """The partner that shows an access token. Raises Unauthorized, or LacksScope. Who may manage a stream may read it."""
    claims = signer.verified(token, "at+jwt")
    if claims is None or claims.get("aud") != signer.issuer:
        raise Unauthorized(Sentence("the access token was not issued here; get one from /oauth/token"))
    ends = datetime.fromtimestamp(int(claims.get("exp", 0)), UTC)
    if not lasts(ends, TOKEN_LIFE, now):
        raise Unauthorized(Sentence("the access token has expired; get a new one from /oauth/token"))
    held = str(claims.get("scope", "")).split()
    if scope not in held and not (scope is Scope.SSF_READ and Scope.SSF_MANAGE in held):
        raise LacksScope(Sentence("the access token lacks the scope %(scope)s", scope=scope), scope)
    found = partners.by_client_id(tx, str(claims.get("client_id")))
    if found is None:
        raise Unauthorized(Sentence("the partner of this access token is no longer registered"))
    return found
