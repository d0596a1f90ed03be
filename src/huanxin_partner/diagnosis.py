"""Says check by check why a token does or doesn't verify. `tokens.Verifier` decides; this explains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import KeySet

from huanxin_partner.events import check
from huanxin_partner.reading import read_json
from huanxin_partner.tokens import ALGORITHMS, SKEW, Event, KeysUnreachable, TokenError

_MENDS = {
    "form": "Paste the whole token: three parts of base64url with two dots between them, no quotes, no line breaks.",
    "typ": "A Security Event Token has typ secevent+jwt (RFC 8417, section 2.3); this is another kind of token.",
    "alg": f"Only {' and '.join(ALGORITHMS)} are taken. Never accept none, nor HS256 with a public key.",
    "kid": "Fetch the issuer's /jwks.json again, since keys are replaced now and then; or the token is of another issuer or"
           " environment.",
    "signature": "The key with this kid did not sign this content: it was changed on its way or forged, or the keys are of"
                 " another environment. Check that no proxy rewrites bodies.",
    "iss": "Set issuer to exactly what the platform calls itself, without a slash at its end.",
    "aud": "The token is for another client: compare client_id (or audience, if you set it), and sandbox with live.",
    "iat": "The token is too old and may be a replay: have the notice sent again.",
    "jti": "A token needs a jti, by which a replay is known; tell the issuer.",
    "sub/exp": "With sub or exp it might be taken for an access token (OpenID SSF 1.0); the issuer must leave them out.",
    "sub_id": "The subject stands in sub_id as an object (RFC 9493); tell the issuer.",
    "one event": "A token carries exactly one event, by its name; tell the issuer.",
    "event payload": "The event can't be handled as it is; tell the issuer.",
}  # fmt: skip
_NO_KEYS = "See that issuer is right and its /jwks.json can be reached from here, or give the keys with --jwks FILE."
_NO_IAT = "A token says in whole Unix seconds when it was issued; tell the issuer."
_FUTURE = "It lies in the future: check this machine's clock (NTP)."


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: whether it holds (None: it could not be made), what was seen, and what to do if it doesn't hold."""

    name: str
    holds: bool | None
    seen: str
    mend: str = ""


@dataclass(frozen=True, kw_only=True)
class Examiner:
    """Examines tokens as a Verifier with the same settings would. `now` in Unix seconds, `max_age` in seconds; `keys`
    gives the issuer's keys or raises KeysUnreachable."""

    issuer: str
    audience: str
    keys: Callable[[], KeySet]
    now: float
    max_age: int = 30 * 86_400

    def examine(self, token: str) -> list[Check]:
        """All checks in order. They end with the form if there is nothing in the token to look at."""
        try:
            parts = jws.extract_compact(token.strip().encode())
            header, claims = parts.headers(), read_json(parts.payload)
            if not isinstance(claims, dict):
                raise ValueError("its payload is not a JSON object")
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            return [_check("form", False, f"this is not a signed token: {error}")]
        form = _check("form", True, "a signed token in three parts")
        return [form, *self._header(token.strip(), header), *self._claims(claims), *self._event(claims)]

    def _header(self, token: str, header: dict[str, Any]) -> Iterator[Check]:
        yield _check("typ", header.get("typ") == "secevent+jwt", f"typ is {header.get('typ')!r}")
        yield _check("alg", header.get("alg") in ALGORITHMS, f"alg is {header.get('alg')!r}")
        try:
            keys = self.keys()
        except KeysUnreachable as error:
            yield Check(name="kid", holds=None, seen=str(error), mend=_NO_KEYS)
            yield Check(name="signature", holds=None, seen="it can't be verified without keys")
            return
        kid, known = header.get("kid"), sorted(str(key.kid) for key in keys.keys)
        seen = f"kid is {kid!r}; the issuer has {', '.join(known) or 'no keys'}"
        yield _check("kid", isinstance(kid, str) and kid in known, seen)
        yield _signature(token, keys)

    def _claims(self, claims: dict[str, Any]) -> Iterator[Check]:
        iss, aud, jti, subject = (claims.get(name) for name in ("iss", "aud", "jti", "sub_id"))
        meant = self.audience in (aud if isinstance(aud, list) else [aud])
        wrong = sorted({"sub", "exp"} & claims.keys())
        yield _check("iss", iss == self.issuer, f"iss is {iss!r}; here it is {self.issuer!r}")
        yield _check("aud", meant, f"aud is {aud!r}; here it is {self.audience!r}")
        yield self._age(claims.get("iat"))
        yield _check("jti", isinstance(jti, str), f"jti is {jti!r}")
        yield _check("sub/exp", not wrong, f"it has {' and '.join(wrong)}" if wrong else "it has neither")
        yield _check("sub_id", isinstance(subject, dict), f"sub_id is {_kind(subject)}")

    def _age(self, iat: object) -> Check:
        if not isinstance(iat, int) or isinstance(iat, bool):
            return Check(name="iat", holds=False, seen=f"iat is {iat!r}", mend=_NO_IAT)
        age = self.now - iat
        if age < -SKEW:
            return Check(name="iat", holds=False, seen=f"issued {-age:.0f} s from now", mend=_FUTURE)
        return _check("iat", age <= self.max_age, f"issued {age:.0f} s ago; {self.max_age // 86_400} days are allowed")

    def _event(self, claims: dict[str, Any]) -> Iterator[Check]:
        events, subject, iat = claims.get("events"), claims.get("sub_id"), claims.get("iat")
        named = list(events.items()) if isinstance(events, dict) else []
        yield _check("one event", len(named) == 1, f"events: {', '.join(str(name) for name, _ in named) or 'none'}")
        if len(named) != 1:
            yield Check(name="event payload", holds=None, seen="there is not one event to look at")
            return
        ((name, payload),) = named
        if not isinstance(payload, dict):
            yield _check("event payload", False, f"it is {_kind(payload)}")
            return
        event = Event(jti="", name=str(name), claims=payload, subject=subject if isinstance(subject, dict) else {},
                      issued_at=iat if isinstance(iat, int) else 0)  # fmt: skip
        try:
            check(event, self.now)
        except TokenError as error:
            yield _check("event payload", False, str(error))
        else:
            yield _check("event payload", True, f"all that a {str(name).rpartition(':')[2]} needs")


def verified(checks: list[Check]) -> bool:
    """Whether the token verifies: every check was made and holds."""
    return all(one.holds for one in checks)


def _signature(token: str, keys: KeySet) -> Check:
    try:
        jws.deserialize_compact(token, keys, algorithms=ALGORITHMS)
    except BadSignatureError:
        return _check("signature", False, "it is not the issuer's")
    except (JoseError, ValueError) as error:
        return Check(name="signature", holds=None, seen=f"it can't be verified: {error}", mend="Mend alg or kid first.")
    return _check("signature", True, "it is the issuer's")


def _check(name: str, holds: bool, seen: str) -> Check:
    return Check(name=name, holds=holds, seen=seen, mend="" if holds else _MENDS[name])


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "there"
    return "missing" if value is None else f"a {type(value).__name__}"
