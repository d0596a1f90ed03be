"""What a receiver asks of its stream: the receiver-supplied members of a stream's configuration, read from JSON
(OpenID SSF 1.0, section 8.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from huanxin.domain.errors import BadRequest
from huanxin.domain.streams import Method
from huanxin.signing.keys import ALGORITHMS, ES256
from huanxin.words.sentences import Sentence

METHODS = {
    "urn:ietf:rfc:8935": Method.PUSH, "urn:ietf:rfc:8936": Method.POLL, "urn:huanxin:delivery:files": Method.FILES,
}  # fmt: skip
"""`method` of a delivery as written in JSON. Files are agreed with the platform, not asked for here."""

_MOST_EVENTS, _LONGEST = 100, 2000
_LONGEST_DESCRIPTION = 500  # characters kept (section 8.1.1 lets a transmitter truncate)
_HEADER = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,4000}[\x21-\x7e])?")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How events shall be delivered. `authorization`: None if it was not named, empty to have none."""

    method: Method
    endpoint: str | None
    authorization: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Each None if the request does not name it."""

    delivery: Delivery | None
    events_requested: list[str] | None
    description: str | None
    alg: str | None


def read_wishes(body: Mapping[str, Any]) -> Wishes:
    """The wishes in a request. Raises BadRequest for a member that is not of its form; members that are not known are
    left alone."""
    alg = _text(body, "signing_alg")
    if alg is not None and alg not in ALGORITHMS:
        raise BadRequest(
            Sentence("signing_alg is %(known)s (%(usual)s if left out)", known=" / ".join(ALGORITHMS), usual=ES256)
        )
    description = _text(body, "description")
    return Wishes(
        delivery=_delivery(body.get("delivery")),
        events_requested=_events(body.get("events_requested")),
        description=None if description is None else description[:_LONGEST_DESCRIPTION],
        alg=alg,
    )


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or "\0" in value):
        raise BadRequest(Sentence("%(name)s must be a string", name=name))
    return value


def _events(value: Any) -> list[str] | None:
    if value is None:
        return None
    good = isinstance(value, list) and len(value) <= _MOST_EVENTS
    if not good or not all(isinstance(one, str) and one and len(one) <= _LONGEST and "\0" not in one for one in value):
        raise BadRequest(Sentence("events_requested must be a list of at most %(most)s event types", most=_MOST_EVENTS))
    return list(dict.fromkeys(value))


def _delivery(value: Any) -> Delivery | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadRequest(Sentence('delivery must be an object such as {"method": "urn:ietf:rfc:8936"}'))
    method = METHODS.get(str(value.get("method")))
    if method is None:
        raise BadRequest(Sentence("delivery.method must be urn:ietf:rfc:8935 (push) or urn:ietf:rfc:8936 (poll)"))
    endpoint, authorization = _text(value, "endpoint_url"), _text(value, "authorization_header")
    if method is Method.PUSH and (not endpoint or len(endpoint) > _LONGEST):
        raise BadRequest(Sentence("delivery.endpoint_url must say where events are pushed to"))
    if authorization and not _HEADER.fullmatch(authorization):
        raise BadRequest(
            Sentence("delivery.authorization_header must be one line of printable ASCII, as sent in an HTTP header")
        )
    return Delivery(method=method, endpoint=endpoint, authorization=authorization)
