"""Taking one pushed token (RFC 8935): what every receiver answers, whichever framework it stands in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from huanxin_partner.events import check
from huanxin_partner.journal import Journal
from huanxin_partner.tokens import Event, KeysUnreachable, TokenError, Verifier

LONGEST = 256 * 1024  # bytes of a token; real ones have about a thousand. Whoever reads a body need read no further
MEDIA_TYPE = "application/secevent+jwt"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered. `said`: a JSON object, None for an empty body."""

    status: int
    said: dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A request that brought a token."""

    body: bytes
    content_type: str


_TAKEN = Reply(status=202)


def take(body: bytes, content_type: str, verifier: Verifier, journal: Journal) -> Reply:
    """Verify a token and journal its event.

    202: taken, now or before. 400: never will be (RFC 8935, section 2.3). 503: push it again.
    """
    found = _event(Pushed(body=body, content_type=content_type), verifier)
    if isinstance(found, Reply):
        return found
    journal.take(found)
    return _TAKEN


def take_all(pushed: Sequence[Pushed], verifier: Verifier, journal: Journal) -> list[Reply]:
    """Take some tokens that came at the same time, with one wait for the disk. What `take` says of each."""
    found = [_event(one, verifier) for one in pushed]
    journal.take_all([one for one in found if isinstance(one, Event)])
    return [one if isinstance(one, Reply) else _TAKEN for one in found]


def _event(pushed: Pushed, verifier: Verifier) -> Event | Reply:
    """The event of a token, or why it is not taken."""
    if len(pushed.body) > LONGEST:
        return _refused("invalid_request", "the token is too long")
    if pushed.content_type.split(";")[0].strip().lower() != MEDIA_TYPE:
        return _refused("invalid_request", f"Content-Type must be {MEDIA_TYPE}")
    try:
        event = verifier.verify(pushed.body.decode("ascii", "replace").strip())
        check(event, time.time())
    except TokenError as error:
        return _refused(error.code, str(error))
    except KeysUnreachable as error:
        return Reply(status=503, said={"description": str(error)}, headers={"Retry-After": "5"})
    return event


def _refused(code: str, description: str) -> Reply:
    return Reply(status=400, said={"err": code, "description": description}, headers={"Content-Language": "en"})
