"""Verifying Security Event Tokens (RFC 8417) that the platform pushes (RFC 8935)."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from huanxin_partner.reading import read_json

ALGORITHMS = ["ES256", "RS256"]
_UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError)
"""What reading something raises that is not what it seems: nested a thousand deep, for one."""
_REGISTRY = jws.JWSRegistry(algorithms=ALGORITHMS)
SKEW = 300  # seconds that clocks may differ
_REFETCH = 10  # seconds between two fetches of the keys that an unknown kid may cause
_KEPT, _LONGEST_KEPT = 300, 3600  # seconds that keys are kept if the issuer doesn't say, and at most
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})")
_NOT_KEPT = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b")


class TokenError(Exception):
    """A token that is not taken; `code` is one of RFC 8935, section 2.4."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


class KeysUnreachable(Exception):
    """The issuer's keys can't be fetched, so nothing can be said of the token yet: it has to be pushed again."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A verified event: its name, its own claims, its subject, and when it was issued (Unix seconds)."""

    jti: str
    name: str
    claims: dict[str, Any]
    subject: dict[str, Any]
    issued_at: int


@dataclass(kw_only=True)
class Verifier:
    """Verifies tokens of one issuer for one audience. `max_age` in seconds: a late retry is still taken for so long.
    `jwks_file` holds the issuer's keys where they can't be fetched. Keys are kept no longer than the issuer's Cache-Control
    says (a file for some seconds), so that one that was withdrawn is taken no more."""

    issuer: str
    audience: str
    client: httpx.Client
    max_age: int = 30 * 86_400
    clock: Callable[[], float] = time.time
    jwks_file: Path | None = None
    _keys: dict[str, Key] = field(default_factory=dict)
    _fetched: float = float("-inf")
    _kept: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def verify(self, token: str) -> Event:
        """The event of a token. Raises TokenError, or KeysUnreachable; nothing of an unverified token is used."""
        found = _read(token)
        if (kind := found.headers().get("typ")) != "secevent+jwt":
            raise TokenError("invalid_request", f"typ is {kind!r}; a Security Event Token has secevent+jwt")
        return self._checked(self._claims(found))

    def signed(self, token: str) -> dict[str, Any]:
        """The claims of whatever the issuer signed, and nothing more is checked. Raises like `verify`."""
        return self._claims(_read(token))

    def _claims(self, found: jws.CompactSignature) -> dict[str, Any]:
        key = self._key(str(found.headers().get("kid")))
        try:
            if not jws.validate_compact(found, key, registry=_REGISTRY):
                raise TokenError("authentication_failed", "the signature is not the issuer's")
            claims = read_json(found.payload or b"")
        except _UNREADABLE as error:
            raise TokenError("invalid_key", f"the signature can't be verified with the issuer's keys: {error}") from error
        if not isinstance(claims, dict):
            raise TokenError("invalid_request", "the token's content is not an object")
        return claims

    def _checked(self, claims: dict[str, Any]) -> Event:
        if claims.get("iss") != self.issuer:
            raise TokenError("invalid_issuer", f"the issuer is {claims.get('iss')!r}, expected {self.issuer!r}")
        audience = claims.get("aud")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenError("invalid_audience", f"the token is for {audience!r}, this is {self.audience!r}")
        issued_at, now = claims.get("iat"), self.clock()
        if not isinstance(issued_at, int) or isinstance(issued_at, bool):
            raise TokenError("invalid_request", "iat is missing")
        if issued_at > now + SKEW:
            raise TokenError("invalid_request", "iat lies in the future; check this machine's clock")
        if issued_at < now - self.max_age:
            raise TokenError("invalid_request", f"the token is older than {self.max_age // 86_400} days")
        events, jti, subject = claims.get("events"), claims.get("jti"), claims.get("sub_id")
        if not isinstance(events, dict) or len(events) != 1 or not isinstance(jti, str) or not isinstance(subject, dict):
            raise TokenError("invalid_request", "a token carries jti, sub_id and exactly one event")
        if wrong := {"sub", "exp"} & claims.keys():  # OpenID SSF 1.0: with them it might be meant as another kind of token
            raise TokenError("invalid_request", f"an event token has no {' or '.join(sorted(wrong))}")
        name, event = next(iter(events.items()))
        if not isinstance(event, dict):
            raise TokenError("invalid_request", "the event is not an object")
        return Event(jti=jti, name=name, claims=event, subject=subject, issued_at=issued_at)

    def _key(self, kid: str) -> Key:
        with self._lock:
            age = self.clock() - self._fetched
            fresh = 0 <= age < self._kept  # a clock that was put back shows no age
            if not fresh or kid not in self._keys:
                if fresh and age <= _REFETCH:  # a new key may be published meanwhile: not refused for good
                    raise KeysUnreachable("the key is unknown, and the issuer's keys were fetched only just now")
                keys, self._kept = _fetch(self.issuer, self.client, self.jwks_file)
                self._keys, self._fetched = {str(key.kid): key for key in keys.keys}, self.clock()
            if kid not in self._keys:
                raise TokenError("invalid_key", f"the issuer publishes no key {kid!r}")
            return self._keys[kid]


def _read(token: str) -> jws.CompactSignature:
    """A token's parts, not verified. Raises TokenError."""
    try:
        return jws.extract_compact(token.encode(), registry=_REGISTRY)
    except _UNREADABLE as error:
        raise TokenError("invalid_request", f"this is not a signed token: {error}") from error


def fetch_keys(issuer: str, client: httpx.Client, file: Path | None = None) -> KeySet:
    """The issuer's public keys, from `/jwks.json` or the file. Raises KeysUnreachable."""
    return _fetch(issuer, client, file)[0]


def _fetch(issuer: str, client: httpx.Client, file: Path | None) -> tuple[KeySet, float]:
    """The keys, and for how many seconds they may be kept. Raises KeysUnreachable."""
    try:
        if file is not None:
            return KeySet.import_key_set(read_json(file.read_bytes())), _REFETCH
        answer = client.get(f"{issuer}/jwks.json").raise_for_status()
        return KeySet.import_key_set(read_json(answer.content)), _kept_for(answer.headers)
    except (httpx.HTTPError, OSError, *_UNREADABLE) as error:
        raise KeysUnreachable(f"the issuer's keys can't be read: {error}") from error


def _kept_for(headers: httpx.Headers) -> float:
    """For how many seconds an answer may be kept (RFC 9111, section 4.2): what its Cache-Control says, less what it spent in
    other caches. It is kept for some seconds even if it may not be: made-up tokens would cause a fetch each."""
    said, age = headers.get("Cache-Control", "").lower(), headers.get("Age", "")
    if _NOT_KEPT.search(said):
        return _REFETCH
    found = _MAX_AGE.search(said)
    life = int(found[1]) if found else _KEPT
    return min(max(life - (int(age[:10]) if age.isascii() and age.isdecimal() else 0), _REFETCH), _LONGEST_KEPT)
