"""Sign-in at an OpenID provider (OpenID Connect Core 1.0), whoever it is for: the authorization code flow, PKCE (RFC 7636).

`start` gives the address at which a person signs in, and what has to be kept for their browser, signed, until they are back;
`finish` turns what they bring back into claims. Signatures and claims are joserfc's matter; every call goes out through
`Outbound`, so a provider's documents can't lead into the platform's own network.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from huanxin.domain.clock import Clock
from huanxin.domain.errors import BadSetting, Forbidden, Unauthorized, Unavailable
from huanxin.domain.shown import key_set, read_json, read_token, verified
from huanxin.outbound import NoAnswer, Outbound

ALGORITHMS = ("ES256", "ES384", "PS256", "RS256")
"""Signatures with a public key only: `none`, and the client's secret as a key, are never taken."""
LIFE = timedelta(minutes=15)
"""How long a person may take at the provider."""
_REREAD, _PAUSE = timedelta(minutes=5), timedelta(seconds=10)  # a provider's documents; after one that could not be read
_LEEWAY = 60  # seconds that the provider's clock may be off
_DECLINED = {"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required"}
_STALE = "this sign-in was not begun in this browser, or too long ago, or it was used; begin again"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An OpenID provider and what it knows us by. `scope` has `openid` in it. `wanted`: claims that UserInfo is asked for
    if the ID token has them not (OpenID Connect Core, section 5.4)."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "openid"
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Started:
    """Where to send the browser, and what to keep for it and give back to `finish`: a caller signs it into a cookie that
    no other site and no script can read."""

    url: str
    kept: dict[str, Any]


@dataclass(kw_only=True)
class OidcClient:
    """Signs people in at one provider; for any thread. Raises BadSetting for an issuer that is not an https address, unless
    `outbound` may go into this machine's own network (development)."""

    provider: Provider
    outbound: Outbound
    clock: Clock
    _read: dict[str, tuple[datetime, dict[str, Any] | None]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self._is_safe(self.provider.issuer):
            raise BadSetting(f"{self.provider.issuer} can't be an OpenID issuer: write its https address")

    def start(self, redirect_uri: str) -> Started:
        """Begin. redirect_uri: where the provider sends the browser back to, as registered there; give each provider one of
        its own, so that no provider's answer passes for another's (RFC 9700, section 4.4). Raises Unavailable if the
        provider's configuration can't be read."""
        kept: dict[str, Any] = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        endpoint = self._endpoint("authorization_endpoint")
        asked = {
            "response_type": "code", "client_id": self.provider.client_id, "redirect_uri": redirect_uri,
            "scope": self.provider.scope, "state": kept["state"], "nonce": kept["nonce"],
            "code_challenge": _digest("sha256", kept["verifier"]), "code_challenge_method": "S256",
        }  # fmt: skip
        url = f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"
        until = int((self.clock() + LIFE).timestamp())
        return Started(url=url, kept=kept | {"until": until, "at": self._name(), "redirect_uri": redirect_uri})

    def finish(self, query: Mapping[str, str], kept: Mapping[str, Any]) -> dict[str, Any]:
        """The claims about whoever comes back: those of the ID token, and the wanted ones of UserInfo. A caller to whom it
        matters that this works once at most notes the claim `nonce` as used, since a provider may take a code twice.

        Raises Unauthorized if the answer is not the one that was begun here, or the ID token is not good; Forbidden if the
        person, or the provider, said no; Unavailable if the provider does not answer, or not as it should.
        """
        self._expect(query, kept)
        if "error" in query:
            kind = Forbidden if query["error"] in _DECLINED else Unavailable
            raise kind(f"{self.provider.issuer} answered {query['error'][:100]!r}")
        token = self._token(query.get("code", ""), kept)
        claims = self._claims(str(token.get("id_token", "")), token, kept)
        if all(name in claims for name in self.provider.wanted):
            return claims
        return self._user_info(claims["sub"], token) | claims

    def _expect(self, query: Mapping[str, str], kept: Mapping[str, Any]) -> None:
        """Hold an answer against what was begun: state, time, provider (RFC 9207: `iss`)."""
        state = kept.get("state")
        begun_here = isinstance(state, str) and secrets.compare_digest(state.encode(), query.get("state", "").encode())
        in_time = int(kept.get("until", 0)) > self.clock().timestamp()
        if not begun_here or not in_time or kept.get("at") != self._name():
            raise Unauthorized(_STALE)
        says_who = bool(self._metadata().get("authorization_response_iss_parameter_supported"))
        if query.get("iss", None if says_who else self.provider.issuer) != self.provider.issuer:
            raise Unauthorized(f"the answer is not from {self.provider.issuer}: its `iss` is missing or another one")

    def _name(self) -> str:
        """What tells one provider, and one client of it, from another."""
        return f"{self.provider.client_id} at {self.provider.issuer}"

    def _token(self, code: str, kept: Mapping[str, Any]) -> dict[str, Any]:
        """The provider's answer to the code."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": str(kept["redirect_uri"]),
            "code_verifier": kept["verifier"],
        }  # fmt: skip
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        methods = self._metadata().get("token_endpoint_auth_methods_supported")
        if not isinstance(methods, list) or "client_secret_basic" in methods or "client_secret_post" not in methods:
            headers["Authorization"] = f"Basic {self._basic()}"
        else:
            form |= {"client_id": self.provider.client_id, "client_secret": self.provider.client_secret}
        try:
            answer = self.outbound.post(self._endpoint("token_endpoint"), urlencode(form).encode(), headers)
            found = read_json(answer.text)
        except (NoAnswer, ValueError) as error:
            raise Unavailable(f"{self.provider.issuer} gave no token for the code: {error}") from error
        if isinstance(found, dict) and "error" in found:
            # Else our client is not set up right.
            kind = Unauthorized if found["error"] == "invalid_grant" else Unavailable
            raise kind(f"{self.provider.issuer} did not take the code: {str(found['error'])[:100]}")
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(found, dict):
            raise Unavailable(f"{self.provider.issuer} gave no token for the code: it answered {answer.status}")
        return found

    def _basic(self) -> str:
        """Our name and secret as HTTP Basic has them, each written as in a form before (RFC 6749, section 2.3.1)."""
        words = quote_plus(self.provider.client_id), quote_plus(self.provider.client_secret)
        return b64encode(":".join(words).encode()).decode()

    def _claims(self, id_token: str, token: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of an ID token that is signed by the provider and meant for this sign-in (Core, section 3.1.3.7)."""
        issuer, client_id = self.provider.issuer, self.provider.client_id
        registry = JWTClaimsRegistry(
            now=int(self.clock().timestamp()), leeway=_LEEWAY, iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id}, sub={"essential": True}, exp={"essential": True},
            iat={"essential": True}, nonce={"essential": True, "value": kept["nonce"]},
        )  # fmt: skip
        try:
            header, _ = read_token(id_token)
            claims = verified(id_token, self._keys(header.get("kid")), ALGORITHMS)
            registry.validate(claims)
            _for_us_alone(claims, client_id)
            _of_this_token(claims, header, token.get("access_token"))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise Unauthorized(f"the ID token of {issuer} is not good: {error}") from error
        return claims

    def _user_info(self, subject: str, token: Mapping[str, Any]) -> dict[str, Any]:
        """The wanted claims of UserInfo, if the provider has it (Core, section 5.3)."""
        if "userinfo_endpoint" not in self._metadata():
            return {}
        found = self._get(self._endpoint("userinfo_endpoint"), {"Authorization": f"Bearer {token.get('access_token')}"})
        if found.get("sub") != subject:
            raise Unauthorized(f"{self.provider.issuer} told of somebody else: `sub` of UserInfo and ID token differ")
        return {name: found[name] for name in self.provider.wanted if name in found}

    def _keys(self, kid: str | None) -> KeySet:
        """The provider's public keys; read again if a token names one that is not known."""
        address = self._endpoint("jwks_uri")
        keys = _key_set(self._document(address, _REREAD))
        if kid is None or any(key.kid == kid for key in keys.keys):
            return keys
        return _key_set(self._document(address, _PAUSE))

    def _metadata(self) -> dict[str, Any]:
        """The provider's configuration (OpenID Connect Discovery 1.0, section 4)."""
        found = self._document(f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration", _REREAD)
        if found.get("issuer") != self.provider.issuer:
            raise Unavailable(f"{self.provider.issuer} calls itself {found.get('issuer')!r}; set exactly that as the issuer")
        return found

    def _endpoint(self, name: str) -> str:
        url = str(self._metadata().get(name, ""))
        if not self._is_safe(url):
            raise Unavailable(f"the configuration of {self.provider.issuer} names no https address as {name}")
        return url

    def _is_safe(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and self.outbound.inner_allowed))

    def _document(self, url: str, good_for: timedelta) -> dict[str, Any]:
        """A document of the provider, kept for a while; one that could not be read is not asked for again at once, so that
        a provider that is down holds no threads."""
        now = self.clock()
        read_at, document = self._read.get(url, (datetime.min.replace(tzinfo=UTC), None))
        if read_at > now - (_PAUSE if document is None else good_for):
            if document is None:
                raise Unavailable(f"{url} could not be read a moment ago; try again in {_PAUSE.seconds} seconds")
            return document
        self._read[url] = (now, None)
        found = self._get(url, {})
        self._read[url] = (now, found)
        return found

    def _get(self, url: str, headers: dict[str, str]) -> dict[str, Any]:
        try:
            answer = self.outbound.get(url, {"Accept": "application/json"} | headers)
            found = read_json(answer.text)
        except (NoAnswer, ValueError) as error:
            raise Unavailable(f"{url} can't be read: {error}") from error
        if answer.status != HTTPStatus.OK or not isinstance(found, dict):
            raise Unavailable(f"{url} answered {answer.status}, and not what is expected there")
        return found


def _key_set(document: Mapping[str, Any]) -> KeySet:
    """The keys that can have signed; others, and kinds that are not known here, are passed over (RFC 7517, section 5)."""
    keys = [one for one in document.get("keys", ()) if one.get("kty") in ("EC", "RSA") and one.get("use") != "enc"]
    return key_set({"keys": keys})


def _digest(name: str, text: str, share: int = 1) -> str:
    """A digest of ASCII text, or its left half (share=2), in base64url without padding."""
    digest = hashlib.new(name, text.encode("ascii")).digest()
    return urlsafe_b64encode(digest[: len(digest) // share]).rstrip(b"=").decode()


def _for_us_alone(claims: Mapping[str, Any], client_id: str) -> None:
    """A token for several is taken if it was made out to us (Core, section 3.1.3.7, points 4 and 5)."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise ValueError("it was made out to another client (azp)")


def _of_this_token(claims: Mapping[str, Any], header: Mapping[str, Any], access_token: object) -> None:
    """If it names the access token, it names the one that came with it (Core, section 3.3.2.11)."""
    if "at_hash" not in claims:
        return
    if not isinstance(access_token, str) or claims["at_hash"] != _digest(f"sha{header['alg'][-3:]}", access_token, 2):
        raise ValueError("it belongs to another access token (at_hash)")
