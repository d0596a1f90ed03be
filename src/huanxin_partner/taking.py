"""Taking one pushed token (RFC 8935): what every receiver answers, whichever framework it stands in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from huanxin_partner.events import check
from huanxin_partner.journal import Journal
from huanxin_partner.tokens import KeysUnreachable, TokenError, Verifier

LONGEST = 256 * 1024  # bytes of a token; real ones have about a thousand. Whoever reads a body need read no further
MEDIA_TYPE = "application/secevent+jwt"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered. `said`: a JSON object, None for an empty body."""

    status: int
    said: dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)


def take(body: bytes, content_type: str, verifier: Verifier, journal: Journal) -> Reply:
    """Verify a token and journal its event.

    202: taken, now or before. 400: never will be (RFC 8935, section 2.3). 503: push it again.
    """
    if len(body) > LONGEST:
        return _refused("invalid_request", "the token is too long")
    if content_type.split(";")[0].strip().lower() != MEDIA_TYPE:
        return _refused("invalid_request", f"Content-Type must be {MEDIA_TYPE}")
    try:
        event = verifier.verify(body.decode("ascii", "replace").strip())
        check(event, time.time())
    except TokenError as error:
        return _refused(error.code, str(error))
    except KeysUnreachable as error:
        return Reply(status=503, said={"description": str(error)}, headers={"Retry-After": "5"})
    journal.take(event)
    return Reply(status=202)


def _refused(code: str, description: str) -> Reply:
    return Reply(status=400, said={"err": code, "description": description}, headers={"Content-Language": "en"})
