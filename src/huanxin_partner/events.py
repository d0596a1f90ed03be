"""What the events ask, read from their payload (DESIGN: on the wire; RFC 9493; OpenID RISC 1.0)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from huanxin_partner.tokens import Event, TokenError

RENEWAL = "urn:huanxin:event:renewal"
RETRACTION = "urn:huanxin:event:retraction"
INQUIRY = "urn:huanxin:event:inquiry"
IDENTIFIER_RECYCLED = "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled"

_AHEAD = 300  # seconds that clocks may differ
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check(event: Event, now: float) -> None:
    """Raise TokenError for an event that could never be handled, so that it is refused rather than taken and stuck.

    A cut-off that is still to come is refused too: ties made until then would be cut (DESIGN: rule 2). `now`: Unix seconds.
    """
    if event.name in (RENEWAL, RETRACTION, INQUIRY):
        notice_of(event)
        number_file(event) or number_of(event)
    if event.name in (RENEWAL, RETRACTION, IDENTIFIER_RECYCLED) and cutoff_of(event).timestamp() > now + _AHEAD:
        raise TokenError("invalid_request", "the cut-off lies in the future; check this machine's clock")
    if event.name == RETRACTION:
        retracted_notice(event)
    if event.name == IDENTIFIER_RECYCLED:
        number_of(event)


def notice_of(event: Event) -> str:
    """The notice whose receipts answer the event."""
    return _text(event.claims, "notice")


def retracted_notice(event: Event) -> str:
    """The partner's own renewal notice that a retraction takes numbers back from."""
    return _text(event.claims, "of")


def is_rehearsal(event: Event) -> bool:
    """Whether the event is part of a rehearsal with made-up numbers (演练)."""
    return event.claims.get("rehearsal") is True


def cutoff_of(event: Event) -> datetime:
    """Ties bound before it are the former owner's. For RISC it is `event_timestamp`, or else when the token was issued."""
    if event.name == IDENTIFIER_RECYCLED:
        seconds = event.claims.get("event_timestamp", event.issued_at)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TokenError("invalid_request", "event_timestamp must be a number of seconds")
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise TokenError("invalid_request", "event_timestamp is out of range") from error
    try:
        cutoff = datetime.fromisoformat(_text(event.claims, "cutoff"))
    except ValueError as error:
        raise TokenError("invalid_request", "cutoff must be RFC 3339") from error
    if cutoff.tzinfo is None:
        raise TokenError("invalid_request", "cutoff must name its zone")
    return cutoff.astimezone(UTC)


def number_of(event: Event) -> str:
    """The one number that an event is about."""
    number = event.subject.get("phone_number")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise TokenError("invalid_request", "the event names neither numbers to fetch nor a phone_number in sub_id")
    return number


def number_file(event: Event) -> tuple[str, str] | None:
    """Where the numbers are fetched as CSV, and their SHA-256 in hexadecimal; None if the event is about one number."""
    file = event.claims.get("numbers")
    if file is None:
        return None
    if not isinstance(file, dict):
        raise TokenError("invalid_request", "numbers must be an object")
    hashes = file.get("sha256")
    sha256 = hashes.get("text/csv") if isinstance(hashes, dict) else None
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise TokenError("invalid_request", "numbers.sha256 must give the hash of text/csv")
    return _text(file, "url"), sha256


def _text(payload: dict[str, Any], member: str) -> str:
    value = payload.get(member)
    if not isinstance(value, str) or not value:
        raise TokenError("invalid_request", f"{member} is missing")
    return value
