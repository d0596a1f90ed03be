"""The claims of the events that partners are sent (DESIGN: on the wire; RFC 8417, RFC 9493, OpenID RISC)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from huanxin.domain.answers import Purpose
from huanxin.domain.numbers import written
from huanxin.domain.partners import IDENTIFIER_RECYCLED, INQUIRY, RENEWAL, RETRACTION
from huanxin.store.batches import Batch
from huanxin.store.requests import Request


def batch_notice(
    batch: Batch, *, notice: str, of_notice: str | None, audience: str, jti: str, issuer: str, now: datetime
) -> dict[str, Any]:
    """A notice of a batch: where its numbers are, what they hash to, until when to answer.

    A retraction also names the partner's own renewal notice that it takes numbers back from.
    """
    event: dict[str, Any] = {
        "notice": notice,
        "scope": "batch",
        "count": batch.count,
        "cutoff": _rfc3339(batch.cutoff),
        "answer_by": _rfc3339(batch.answer_by),
        "numbers": {
            "url": f"{issuer}/partner/v1/notices/{notice}/numbers",
            "sha256": {media_type: file["sha256"] for media_type, file in batch.files.items()},
        },
    }
    if of_notice:
        event["of"] = of_notice
    name = RETRACTION if batch.purpose == Purpose.RETRACTION else RENEWAL
    subject = {"format": "opaque", "id": notice}
    return _token(audience=audience, jti=jti, txn=notice, subject=subject, name=name, event=event, now=now)


def request_notice(request: Request, *, notice: str, audience: str, jti: str, now: datetime) -> dict[str, Any]:
    """A notice of one number, which stands in `sub_id`: an order to cut what is older than its cut-off, or the question
    whether there is a tie."""
    name = INQUIRY if request.purpose == "inquire" else RENEWAL
    event = {
        "notice": notice, "scope": "request", "purpose": request.purpose, "count": 1, "cutoff": _rfc3339(request.cutoff),
        "answer_by": _rfc3339(request.answer_by),
    }  # fmt: skip
    subject = {"format": "phone_number", "phone_number": written(request.number)}
    return _token(audience=audience, jti=jti, txn=notice, subject=subject, name=name, event=event, now=now)


def recycled(number: int, *, opened_at: datetime, audience: str, jti: str, now: datetime) -> dict[str, Any]:
    """RISC identifier-recycled: the number has a new owner since `opened_at` (`event_timestamp`, Unix seconds)."""
    event = {"event_timestamp": int(opened_at.timestamp())}
    subject = {"format": "phone_number", "phone_number": written(number)}
    return _token(audience=audience, jti=jti, txn=jti, subject=subject, name=IDENTIFIER_RECYCLED, event=event, now=now)


def _token(
    *, audience: str, jti: str, txn: str, subject: dict[str, str], name: str, event: dict[str, Any], now: datetime
) -> dict[str, Any]:
    return {
        "aud": audience, "iat": int(now.timestamp()), "jti": jti, "txn": txn, "sub_id": subject, "events": {name: event},
    }  # fmt: skip


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
