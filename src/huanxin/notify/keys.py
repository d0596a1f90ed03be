"""The platform's signing keys: made once, kept encrypted, published as JWKS."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from huanxin.domain.errors import BadSetting
from huanxin.store import partners
from huanxin.store.database import Tx

ALGORITHM = "ES256"


@dataclass(frozen=True)
class Signer:
    """Signs as the platform. `keys` newest first; the first one signs, all of them are published."""

    issuer: str
    keys: tuple[ECKey, ...]

    def event_token(self, claims: dict[str, Any]) -> str:
        """A Security Event Token (RFC 8417) with `iss` filled in; `typ` secevent+jwt."""
        return self._sign("secevent+jwt", claims)

    def access_token(self, claims: dict[str, Any]) -> str:
        """An access token (RFC 9068) with `iss` filled in; `typ` at+jwt."""
        return self._sign("at+jwt", claims)

    def signed(self, kind: str, claims: dict[str, Any]) -> str:
        """Any other statement of the platform, under its own `typ`."""
        return self._sign(kind, claims)

    def _sign(self, kind: str, claims: dict[str, Any]) -> str:
        header = {"alg": ALGORITHM, "typ": kind, "kid": self.keys[0].kid}
        return jwt.encode(header, {"iss": self.issuer} | claims, self.keys[0], algorithms=[ALGORITHM])

    def verified(self, token: str, kind: str) -> dict[str, Any] | None:
        """The claims of a token that this platform signed as `kind`; None if it did not. Times are the caller's to check."""
        by_kid = {key.kid: key for key in self.keys}
        try:
            header = jws.extract_compact(token.encode()).headers()
            key = by_kid[header["kid"]]
            if header.get("typ") != kind:
                return None
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (ValueError, KeyError, TypeError, JoseError):
            return None
        return claims if claims.get("iss") == self.issuer else None

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return {"keys": [key.as_dict(private=False) | {"use": "sig", "alg": ALGORITHM} for key in self.keys]}


def load_signer(tx: Tx, *, issuer: str, passphrase: str, now: datetime, make: Callable[[], ECKey] | None = None) -> Signer:
    """The signer with the recorded keys; the first key is made and recorded when there is none."""
    secret = passphrase.encode()
    stored = partners.keys(tx)
    if not stored:
        key = make() if make else ECKey.generate_key("P-256", private=True)
        kid = hashlib.sha256(key.as_pem(private=False)).hexdigest()[:16]
        partners.add_key(tx, kid=kid, alg=ALGORITHM, pem=key.as_pem(private=True, password=passphrase), at=now)
        stored = partners.keys(tx)
    try:
        keys = tuple(ECKey.import_key(pem, {"kid": kid}, password=secret) for kid, _, pem in stored)
    except ValueError as error:
        raise BadSetting(
            "the signing keys in the database can't be opened with HUANXIN_KEY_PASSPHRASE; "
            "set the passphrase with which they were made"
        ) from error
    return Signer(issuer=issuer, keys=keys)
