"""Partners that show a signed assertion instead of a secret: `private_key_jwt` (RFC 7523; OpenID Connect Core 1.0, 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeGuard

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from huanxin.domain.errors import BadInput, Unauthorized
from huanxin.domain.partners import Partner
from huanxin.domain.shown import read_token, verified
from huanxin.store.acting import Act, Reading
from huanxin.store.connect import credentials, partners

ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
"""What an assertion may be signed with (RFC 7518; Ed25519 by RFC 9864)."""
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_LIFE = 3600  # seconds
_APART = 60  # seconds that clocks may differ
_LONGEST_TEXT, _MOST_KEYS, _RSA_BITS = 255, 20, 2048

PublicKey: TypeAlias = ECKey | RSAKey | OKPKey


def register_keys(act: Act, partner: Partner, jwks: Mapping[str, Any]) -> list[str]:
    """Record a partner's public keys in place of those before; their `kid`s. To change keys without a pause, register the
    old and the new together. Raises BadInput for a set that can't be used or that holds a private key."""
    keys = [_public(one) for one in _listed(jwks)]
    kids = [str(one["kid"]) for one in keys]
    if len(set(kids)) != len(kids):
        raise BadInput("two keys of the set have the same kid")
    credentials.add_keys(act.tx, partner.id, {"keys": keys}, by=act.by, at=act.now)
    credentials.expire_others(act.tx, partner.id, "keys", at=act.now)
    partners.note(act.tx, partner.id, "keys-registered", by=act.by, at=act.now, detail={"kids": kids})
    return kids


def _listed(jwks: Mapping[str, Any]) -> list[Any]:
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= _MOST_KEYS:
        raise BadInput(f'a JWKS is {{"keys": [...]}} with 1 to {_MOST_KEYS} public keys (RFC 7517)')
    return keys


def _public(one: Any) -> dict[str, Any]:
    """A key of a set, read and written again: only what is public and known."""
    if not isinstance(one, dict):
        raise BadInput("each of keys must be a JWK (RFC 7517)")
    private = sorted({"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & one.keys())
    if private:
        raise BadInput(
            f"a key of the set holds the private part ({', '.join(private)}); send the public part only, and replace that "
            "key: it has left your hands"
        )
    key = _key(one)
    if key is None:
        raise BadInput(f"a key of the set can't be used; keys are P-256, Ed25519, or RSA of {_RSA_BITS} bits or more")
    return key.as_dict(private=False) | {"kid": one.get("kid") or key.thumbprint()}


def _key(jwk: dict[str, Any]) -> PublicKey | None:
    """A public key of a kind that assertions may be signed with; None for anything else."""
    if jwk.get("kty") not in ("EC", "RSA", "OKP"):
        return None
    try:
        key = import_key(jwk)
        public: object = key.public_key  # opened here, or a broken one would only be found when it is used
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(key, RSAKey):
        return key if isinstance(public, RSAPublicKey) and public.key_size >= _RSA_BITS else None
    if isinstance(key, ECKey):
        return key if key.curve_name == "P-256" else None
    return key if isinstance(key, OKPKey) and key.curve_name == "Ed25519" else None


def with_assertion(act: Act, *, assertion: str, client_id: str, audiences: tuple[str, ...]) -> Partner:
    """The partner that shows an assertion which it signed for one of `audiences`, once. Raises Unauthorized.

    RFC 7523, section 3: `iss` and `sub` are the client_id, `aud` is this server, `exp` is near, `jti` is new.
    """
    header, shown = _unverified(assertion)
    issuer = shown.get("iss")
    partner = partners.by_client_id(act.tx, issuer) if _is_text(issuer) else None
    claims = _verified(act, partner, assertion, header) if partner else None
    if partner is None or claims is None:
        raise Unauthorized("client_assertion was not signed with a key that is registered for its iss")
    wrong = _wrong(claims, client_id=client_id, audiences=audiences, now=act.now)
    if wrong:
        raise Unauthorized(f"client_assertion: {wrong}")
    ends = datetime.fromtimestamp(claims["exp"] + _APART, UTC)
    if not credentials.use_assertion(act.tx, partner.id, claims["jti"], now=act.now, expires_at=ends):
        raise Unauthorized("client_assertion was shown before; make a new one, with a new jti, for each token")
    return partner


def client_of(assertion: str) -> str:
    """Whom an assertion claims to be of, before it is verified; empty if it can't be read."""
    try:
        return str(_unverified(assertion)[1].get("iss", ""))[:_LONGEST_TEXT]
    except Unauthorized:
        return ""


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and claims that an assertion shows, nothing of them verified."""
    try:
        return read_token(assertion)
    except ValueError as error:
        raise Unauthorized("client_assertion is not a signed JWT") from error


def _verified(reading: Reading, partner: Partner, assertion: str, header: dict[str, Any]) -> dict[str, Any] | None:
    """The claims if a registered key signed them: the one that `kid` names, or any if it names none."""
    for jwk in _registered(reading, partner):
        key = _key(jwk) if header.get("kid") in (None, jwk["kid"]) else None
        if key is None or header.get("alg") not in _FITTING[type(key)]:
            continue
        with suppress(ValueError):
            return verified(assertion, key, [str(header["alg"])])
    return None


def _registered(reading: Reading, partner: Partner) -> Iterator[dict[str, Any]]:
    for one in credentials.of_partner(reading.tx, partner.id, reading.now):
        yield from (one.jwks or {}).get("keys", [])


def _wrong(claims: dict[str, Any], *, client_id: str, audiences: tuple[str, ...], now: datetime) -> str | None:
    """What is wrong with the claims of a verified assertion, and how to mend it; None if nothing is."""
    issuer, ends, jti = claims.get("iss"), claims.get("exp"), claims.get("jti")
    if claims.get("sub") != issuer or client_id not in ("", issuer):
        return "iss, sub and client_id must all be your client_id"
    audience = claims.get("aud")
    if not any(one in audiences for one in (audience if isinstance(audience, list) else [audience])):
        return f"aud must be {audiences[0]}"
    at = now.timestamp()
    if isinstance(ends, bool) or not isinstance(ends, int | float) or not at - _APART < ends < at + _LONGEST_LIFE + _APART:
        return "exp must lie ahead, an hour at most; check this machine's clock"
    begins = claims.get("nbf", at)
    if isinstance(begins, bool) or not isinstance(begins, int | float) or begins > at + _APART:
        return "nbf lies ahead; check this machine's clock"
    if not _is_text(jti):
        return "jti must be a string that you never use twice"
    return None


def _is_text(value: Any) -> TypeGuard[str]:
    """Whether a claim is a text that can be kept and compared."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and "\0" not in value


_FITTING: dict[type[PublicKey], tuple[str, ...]] = {
    ECKey: ("ES256",), RSAKey: ("RS256", "PS256"), OKPKey: ("Ed25519",),
}  # fmt: skip
