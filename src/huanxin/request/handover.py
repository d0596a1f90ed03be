"""A carrier's own app hands a signed-in subscriber over with a short-lived token, so that they need no code by SMS.

A JWT (RFC 7519) signed by the carrier: `iss` the carrier's code, `aud` this platform's issuer, `phone_number`, `iat`, `exp`
at most five minutes later, `jti`. It lets in once.

Or the carrier's OpenID provider vouches for them (OpenID Connect Core 1.0, section 5.1: `phone_number`,
`phone_number_verified`); the sign-in itself is the caller's, and lets in once as well.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import KeySet

from huanxin.domain.errors import Unauthorized, Unavailable
from huanxin.domain.numbers import masked, parse
from huanxin.domain.shown import key_set, read_json, read_token, verified
from huanxin.domain.tenures import State
from huanxin.numbersets.sharded import shard_of
from huanxin.store.acting import Act, Reading
from huanxin.store.report.reports import standing_of
from huanxin.store.request import wishes

ALGORITHMS = ("ES256", "RS256", "PS256")
LONGEST = timedelta(minutes=5)
_AHEAD = timedelta(seconds=60)  # that clocks may differ
_REREAD = timedelta(minutes=5)
_TIMEOUT = 5.0  # seconds
_LONGEST_ID = 200
_LAST = 2**37  # seconds; some thousand years
_REMEMBERED = timedelta(hours=1)  # that a sign-in was used; longer than one may take


@dataclass(frozen=True, kw_only=True)
class HandedOver:
    """Who is handed over, by which carrier, and when the carrier said that the number is theirs."""

    carrier: str
    number: int
    at: datetime


class NoNumber(Unauthorized):
    """The carrier names no number, one that can't be read, or one of which it does not say that it is the subscriber's."""


class NotTheirs(Unauthorized):
    """The number is another carrier's."""


@dataclass(kw_only=True)
class CarrierKeys:
    """The public keys of carriers, from the JWKS files or addresses of the settings; an address is read again every five
    minutes, and when a token names a key that is not known."""

    places: Mapping[str, str]
    _read: dict[str, tuple[datetime, KeySet]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, carrier: str, kid: str | None, now: datetime) -> KeySet:
        """A carrier's keys. Raises Unauthorized for a carrier that hands nobody over, Unavailable if they can't be read."""
        place = self.places.get(carrier)
        if place is None:
            raise Unauthorized("this carrier has no keys here; tell whoever runs this platform")
        with self._lock:
            read_at, keys = self._read.get(carrier, (datetime.min.replace(tzinfo=UTC), None))
            known = keys is not None and (kid is None or any(key.kid == kid for key in keys.keys))
            fresh = read_at > now - (_REREAD if known else timedelta(seconds=10))
            if keys is None or not fresh:
                keys = key_set(self._fetch(place))
                self._read[carrier] = (now, keys)
            return keys

    def _fetch(self, place: str) -> Any:
        try:
            if place.startswith("https://"):
                return read_json(httpx.get(place, timeout=_TIMEOUT).raise_for_status().content)
            return read_json(Path(place).read_bytes())
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise Unavailable("the carrier's keys can't be read now; sign in with a code by SMS instead") from error


def take(act: Act, token: str, *, keys: CarrierKeys) -> HandedOver:
    """Let a hand-over in, once. Raises Unauthorized with what is wrong with it; the text is for the carrier's engineers."""
    claims = _signed(token, keys, act.now)
    if claims.get("aud") != act.issuer:
        raise Unauthorized("the token is meant for somebody else: `aud` must be this platform's issuer")
    begun, expires_at = _fresh(claims, act.now)
    carrier, jti = str(claims["iss"]), claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_ID or "\0" in jti:
        raise Unauthorized("the token has no `jti`, or one that is too long")
    number = _theirs(act, claims.get("phone_number"), "phone_number", carrier)
    if not wishes.use_handover(act.tx, f"{carrier}/{jti}", expires_at=expires_at + _AHEAD, now=act.now):
        raise Unauthorized("this token was used before; open the page from the carrier's app again")
    return HandedOver(carrier=carrier, number=number, at=min(begun, act.now))


def vouched(act: Act, claims: Mapping[str, Any], *, carrier: str, number_claim: str, verified_claim: str) -> HandedOver:
    """Let in, once, whom a carrier's OpenID provider vouches for. claims: those of a verified sign-in, with its `nonce`.

    Raises NoNumber if it names no number, or does not say that it is theirs; NotTheirs for a number of another carrier;
    Unauthorized for a sign-in that was used.
    """
    if claims.get(verified_claim) is not True:
        raise NoNumber(f"the provider of {carrier} does not say `{verified_claim}`: true")
    number = _theirs(act, claims.get(number_claim), number_claim, carrier)
    if not wishes.use_handover(act.tx, f"oidc {carrier}/{claims['nonce']}", expires_at=act.now + _REMEMBERED, now=act.now):
        raise Unauthorized("this sign-in was used before; begin again")
    return HandedOver(carrier=carrier, number=number, at=min(datetime.fromtimestamp(int(claims["iat"]), UTC), act.now))


def _theirs(reading: Reading, text: Any, claim: str, carrier: str) -> int:
    """The number in a claim, if it is the carrier's: of its present tenure, as reported, or of its range."""
    try:
        number = parse(str(text or ""))
    except ValueError as error:
        raise NoNumber(f"`{claim}`: {error}") from error
    stands = standing_of(reading.tx, number)
    holder = stands.current.carrier if stands.current else reading.plan.owner(shard_of(number))
    if holder != carrier or stands.state is State.PORTED_OUT:
        raise NotTheirs(f"{masked(number)} is not a number of {carrier}")
    return number


def _signed(token: str, keys: CarrierKeys, now: datetime) -> dict[str, Any]:
    """The claims of a token whose signature is its issuer's."""
    try:
        header, claims = read_token(token)
        return verified(token, keys.of(str(claims.get("iss")), header.get("kid"), now), ALGORITHMS)
    except ValueError as error:
        raise Unauthorized("the token can't be read, or its signature is not the carrier's") from error


def _fresh(claims: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """When a token was made and when it ends, if it is good now and never was good for longer than five minutes."""
    times = [claims.get(name) for name in ("iat", "exp")]
    if not all(isinstance(one, int) and not isinstance(one, bool) and abs(one) < _LAST for one in times):
        raise Unauthorized("the token needs `iat` and `exp` in seconds")
    begun, end = (datetime.fromtimestamp(int(one or 0), UTC) for one in times)
    if end - begun > LONGEST or begun > now + _AHEAD or end <= now:
        raise Unauthorized("the token has ended, or is good for longer than five minutes; make one when the page is opened")
    return begun, end
