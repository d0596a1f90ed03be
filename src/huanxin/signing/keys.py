"""The platform's signing keys: made once, kept encrypted, published as JWKS, replaced with an overlap."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias

import orjson
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64encode

from huanxin.domain.clock import Clock
from huanxin.domain.errors import BadSetting, NotFound
from huanxin.domain.rules import LONGEST_LIFE
from huanxin.domain.shown import read_token, verified
from huanxin.store.connect import credentials
from huanxin.store.connect.credentials import SigningKey
from huanxin.store.database import Database, Tx
from huanxin.store.one_clock import sure

ES256 = "ES256"
RS256 = "RS256"
ALGORITHMS = (ES256, RS256)
"""ES256 by default; RS256 (2048 bits) for streams that follow the CAEP interoperability profile."""

_REGISTRY = jws.JWSRegistry(algorithms=list(ALGORITHMS))
_RSA_BITS = 2048
_MOST_VERIFIED = 10_000  # tokens that are known at a time
_REREAD = timedelta(seconds=30)
PUBLISHED_BEFORE = timedelta(minutes=10)
"""How long a new key is published before it signs: twice as long as /jwks.json may be cached."""
Key: TypeAlias = ECKey | RSAKey


@dataclass(frozen=True, kw_only=True)
class LoadedKey:
    """A published key, opened."""

    kid: str
    alg: str
    signs_from: datetime
    key: Key


@dataclass(kw_only=True)
class Signer:
    """Signs as the platform, with the newest key that may sign already; all published keys verify.

    The keys are read again every half minute, so that a rotation reaches every process. With `rehearsal` every event says
    that it is one.
    """

    issuer: str
    database: Database
    passphrase: str
    clock: Clock
    rehearsal: bool = False
    _keys: tuple[LoadedKey, ...] = ()
    _verified: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _read_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def event_token(self, claims: dict[str, Any], alg: str = ES256) -> str:
        """A Security Event Token (RFC 8417) with `iss` filled in; `typ` secevent+jwt. Raises ClockInDoubt."""
        sure(self.clock)
        return self.signed("secevent+jwt", self.event_claims(claims), alg)

    def event_claims(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims of an event as they are signed: in the sandbox, where nothing is real, each says so."""
        if not self.rehearsal:
            return claims
        return claims | {"events": {name: event | {"rehearsal": True} for name, event in claims["events"].items()}}

    def access_token(self, claims: dict[str, Any]) -> str:
        """An access token (RFC 9068) with `iss` filled in; `typ` at+jwt. Raises ClockInDoubt."""
        sure(self.clock)
        return self.signed("at+jwt", claims)

    def signed(self, kind: str, claims: dict[str, Any], alg: str = ES256) -> str:
        """A statement of the platform, under its `typ`."""
        now, keys = self.clock(), [key for key in self.keys() if key.alg == alg]
        # Made by a clock that ran ahead, all of them may be for later. One that is published signs all the same.
        chosen = next((key for key in keys if key.signs_from <= now), keys[-1])
        return _signed(_protected(alg, kind, chosen.kid), orjson.dumps({"iss": self.issuer} | claims), chosen)

    def verified(self, token: str, kind: str) -> dict[str, Any] | None:
        """The claims of a token that this platform signed as `kind`; None if it did not. Times are the caller's to check.

        An access token comes with every call of a partner: what was verified is known until the keys are read again.
        """
        keys = self.keys()
        known = self._verified.get((kind, token))
        if known is None:
            known = self._read(token, kind, keys)
            if known is not None and len(self._verified) < _MOST_VERIFIED:
                self._verified[kind, token] = known
        return dict(known) if known is not None else None

    def _read(self, token: str, kind: str, keys: tuple[LoadedKey, ...]) -> dict[str, Any] | None:
        by_kid = {key.kid: key for key in keys}
        try:
            header, _ = read_token(token)
            found = by_kid.get(str(header.get("kid")))
            if found is None or header.get("typ") != kind:
                return None
            claims = verified(token, found.key, [found.alg])
        except ValueError:
            return None
        return claims if claims.get("iss") == self.issuer else None

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return {"keys": [one.key.as_dict(private=False) | {"use": "sig", "alg": one.alg} for one in self.keys()]}

    def keys(self) -> tuple[LoadedKey, ...]:
        """The published keys, the newest first; each algorithm's first key is made when there is none."""
        now = self.clock()
        with self._lock:
            if self._read_at is None or not now - _REREAD < self._read_at <= now:
                with self.database.transaction() as tx:
                    stored = _with_first_keys(tx, self.passphrase, now, self.clock)
                known = {one.kid: one for one in self._keys}
                self._keys = tuple(known.get(one.kid) or _opened(one, self.passphrase) for one in stored)
                self._read_at = now
                self._verified = {}
            return self._keys


@lru_cache(maxsize=64)
def _protected(alg: str, kind: str, kid: str) -> bytes:
    """A header as it stands in a token (RFC 7515, section 7.1); it is the same for thousands of events."""
    return urlsafe_b64encode(orjson.dumps({"alg": alg, "typ": kind, "kid": kid}))


def _signed(protected: bytes, payload: bytes, by: LoadedKey) -> str:
    """The compact serialization (RFC 7515, sections 5.1 and 7.1). The library's own makes and checks the header anew for
    each token, which takes as long as signing does."""
    told = protected + b"." + urlsafe_b64encode(payload)
    return (told + b"." + urlsafe_b64encode(_REGISTRY.get_alg(by.alg).sign(told, by.key))).decode()


def rotate(tx: Tx, *, passphrase: str, now: datetime) -> list[str]:
    """Make a new key of each algorithm, published now and signing a while later; the old ones end later. The new `kid`s."""
    credentials.one_process_makes_keys(tx)
    made = []
    for alg in ALGORITHMS:
        kid = _make(tx, alg, passphrase, now, signs_from=now + PUBLISHED_BEFORE)
        credentials.retire_keys(tx, but=kid, alg=alg, published_until=now + PUBLISHED_BEFORE + LONGEST_LIFE)
        made.append(kid)
    return made


def withdraw(tx: Tx, kid: str, *, passphrase: str, now: datetime) -> str | None:
    """Publish a key no more, since others may have seen it: what it signed is no longer verified by anyone who asks us. The
    `kid` of the key that signs instead, at once, if no other does. Raises NotFound for a key that is not published."""
    credentials.one_process_makes_keys(tx)
    found = next((one for one in credentials.keys(tx, now) if one.kid == kid), None)
    if found is None:
        raise NotFound(f"no published key has the kid {kid}; `huanxin key list` shows them")
    credentials.end_key(tx, kid, at=now)
    others = (one for one in credentials.keys(tx, now) if one.alg == found.alg and one.published_until is None)
    if any(one.signs_from <= now for one in others):
        return None
    return _make(tx, found.alg, passphrase, now, signs_from=now)


def _with_first_keys(tx: Tx, passphrase: str, now: datetime, clock: Clock) -> list[SigningKey]:
    stored = credentials.keys(tx, now)
    if {one.alg for one in stored} >= set(ALGORITHMS):
        return stored
    now = sure(clock)
    credentials.one_process_makes_keys(tx)
    there = {one.alg for one in credentials.keys(tx, now)}
    for alg in ALGORITHMS:
        if alg not in there:
            _make(tx, alg, passphrase, now, signs_from=now)
    return credentials.keys(tx, now)


def _make(tx: Tx, alg: str, passphrase: str, now: datetime, *, signs_from: datetime) -> str:
    maker: Callable[[], Key] = _GENERATE[alg]
    key = maker()
    kid = hashlib.sha256(key.as_pem(private=False)).hexdigest()[:16]
    pem = key.as_pem(private=True, password=passphrase)
    credentials.add_key(tx, kid=kid, alg=alg, pem=pem, at=now, signs_from=signs_from)
    return kid


_GENERATE: dict[str, Callable[[], Key]] = {
    ES256: lambda: ECKey.generate_key("P-256", private=True),
    RS256: lambda: RSAKey.generate_key(_RSA_BITS, private=True),
}


def _opened(stored: SigningKey, passphrase: str) -> LoadedKey:
    kind: type[ECKey] | type[RSAKey] = ECKey if stored.alg == ES256 else RSAKey
    try:
        key = kind.import_key(bytes(stored.pem), {"kid": stored.kid}, password=passphrase.encode())
    except ValueError as error:
        raise BadSetting(
            "the signing keys in the database can't be opened with HUANXIN_KEY_PASSPHRASE; "
            "set the passphrase with which they were made"
        ) from error
    return LoadedKey(kid=stored.kid, alg=stored.alg, signs_from=stored.signs_from, key=key)
