"""A stream that is polled (OpenID SSF 1.0 for finding or making it, RFC 8936 for polling)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from huanxin_partner.client import Platform, PlatformError
from huanxin_partner.events import IDENTIFIER_RECYCLED, INQUIRY, RENEWAL, RETRACTION

POLL = "urn:ietf:rfc:8936"
_WANTED = [RENEWAL, RETRACTION, INQUIRY, IDENTIFIER_RECYCLED]


def find_endpoint(platform: Platform) -> str:
    """Where this partner polls: its stream's endpoint; a stream is made if it has none (SSF 1.0, 7.1 and 8.1.1).

    Raises PlatformError, Passing and httpx.TransportError.
    """
    found = _object(platform.published(*_configuration_urls(platform.issuer)), "the SSF configuration")
    if found.get("issuer") != platform.issuer:
        raise PlatformError(f"the SSF configuration is of {found.get('issuer')!r}, not of {platform.issuer!r}: mend issuer")
    address = found.get("configuration_endpoint")
    if not isinstance(address, str):
        raise PlatformError("the platform's SSF configuration names no configuration_endpoint: it offers no streams")
    streams = platform.call("GET", address)
    for stream in streams if isinstance(streams, list) else [streams]:
        if endpoint := _polled_at(stream):
            return endpoint
    wanted = {"delivery": {"method": POLL}, "events_requested": _WANTED, "description": "huanxin-partner"}
    made = _polled_at(platform.call("POST", address, wanted))
    if made is None:
        raise PlatformError("the platform made a stream without a poll endpoint")
    return made


def _configuration_urls(issuer: str) -> list[str]:
    """The well-known part goes between the host and the issuer's path (SSF 1.0, section 7.2); a platform that is mounted
    below a path may have it at its end."""
    parts, well_known = urlsplit(issuer), "/.well-known/ssf-configuration"
    return [f"{parts.scheme}://{parts.netloc}{well_known}{parts.path}", f"{issuer}{well_known}"]


def _polled_at(stream: object) -> str | None:
    delivery = stream.get("delivery") if isinstance(stream, dict) else None
    if not isinstance(delivery, dict) or delivery.get("method") != POLL:
        return None
    endpoint = delivery.get("endpoint_url")
    return endpoint if isinstance(endpoint, str) else None


def _object(found: object, what: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise PlatformError(f"{what} is not a JSON object")
    return found


@dataclass(kw_only=True)
class PolledStream:
    """Polls, and says at the next poll what became of what the last one brought. What was said is forgotten only once the
    platform has heard it."""

    platform: Platform
    most: int = 100
    _endpoint: str = ""
    _taken: list[str] = field(default_factory=list)
    _refused: dict[str, dict[str, str]] = field(default_factory=dict)

    def poll(self) -> dict[str, str]:
        """Wait for events, and return their tokens by `jti`; none if the platform's patience ended first.

        Raises PlatformError, Passing and httpx.TransportError; after any of them the stream is looked up again.
        """
        return self._ask({"maxEvents": self.most, "returnImmediately": False})

    def taken(self, jti: str) -> None:
        """Acknowledge an event: the platform may forget it."""
        self._taken.append(jti)

    def refused(self, jti: str, code: str, description: str) -> None:
        """Refuse an event for good (RFC 8936, section 2.6)."""
        self._refused[jti] = {"err": code, "description": description}

    def say_goodbye(self) -> None:
        """Say what is left to say, and ask for nothing (RFC 8936, section 2.4.2: acknowledge only). Raises like `poll`."""
        if self._taken or self._refused:
            self._ask({"maxEvents": 0, "returnImmediately": True})

    def _ask(self, asked: dict[str, Any]) -> dict[str, str]:
        taken, refused = list(self._taken), dict(self._refused)
        told: dict[str, Any] = {"ack": taken} if taken else {}
        if refused:
            told["setErrs"] = refused
        endpoint, self._endpoint = self._endpoint or find_endpoint(self.platform), ""
        answer = self.platform.call("POST", endpoint, asked | told)
        self._endpoint = endpoint
        self._taken = self._taken[len(taken) :]
        self._refused = {jti: why for jti, why in self._refused.items() if jti not in refused}
        return _tokens(answer)


def _tokens(answer: object) -> dict[str, str]:
    """The tokens of a poll's answer. Other members, and a `moreAvailable`, change nothing: we poll again at once anyhow."""
    sets = answer.get("sets", {}) if isinstance(answer, Mapping) else None
    if not isinstance(sets, Mapping):
        raise PlatformError("the answer to a poll has no sets")
    return {str(jti): str(token) for jti, token in sets.items()}
