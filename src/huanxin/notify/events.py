"""The claims of the events that partners are sent (DESIGN: on the wire; RFC 8417, RFC 9493, OpenID RISC)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from huanxin.domain.answers import Purpose
from huanxin.domain.numbers import written
from huanxin.domain.partners import IDENTIFIER_RECYCLED, INQUIRY, REMINDER, RENEWAL, RETRACTION
from huanxin.domain.streams import STREAM_UPDATED, VERIFICATION
from huanxin.store.acting import Reading
from huanxin.store.plan.batches import Batch
from huanxin.store.request.requests import INQUIRE, RETRACT, Request


def batch_notice(
    reading: Reading, batch: Batch, *, notice: str, of_notice: str | None, answer_by: datetime, audience: str, jti: str
) -> dict[str, Any]:  # fmt: skip
    """A notice of a batch: where its numbers are, what they hash to, until when to answer.

    A retraction also names the partner's own renewal notice that it takes numbers back from.
    """
    event: dict[str, Any] = {
        "notice": notice,
        "scope": "batch",
        "count": batch.count,
        "cutoff": rfc3339(batch.cutoff),
        "answer_by": rfc3339(answer_by),
        "numbers": {
            "url": f"{reading.issuer}/partner/v1/notices/{notice}/numbers",
            "sha256": {media_type: file["sha256"] for media_type, file in batch.files.items()},
        },
    }
    if of_notice:
        event["of"] = of_notice
    name = RETRACTION if batch.purpose == Purpose.RETRACTION else RENEWAL
    subject = {"format": "opaque", "id": notice}
    return _token(audience=audience, jti=jti, txn=notice, subject=subject, name=name, event=event, now=reading.now)


_OF_REQUESTS = {INQUIRE: INQUIRY, RETRACT: RETRACTION}


def request_notice(
    request: Request, *, notice: str, of_notice: str | None, audience: str, jti: str, now: datetime
) -> dict[str, Any]:  # fmt: skip
    """A notice of one number, which stands in `sub_id`: an order to cut what is older than its cut-off, the question
    whether there is a tie, or a retraction, which names the partner's own notice that it takes back."""
    name = _OF_REQUESTS.get(request.purpose, RENEWAL)
    event: dict[str, Any] = {
        "notice": notice, "scope": "request", "purpose": request.purpose, "count": 1, "cutoff": rfc3339(request.cutoff),
        "answer_by": rfc3339(request.answer_by),
    }  # fmt: skip
    if of_notice:
        event["of"] = of_notice
    subject = {"format": "phone_number", "phone_number": written(request.number)}
    return _token(audience=audience, jti=jti, txn=notice, subject=subject, name=name, event=event, now=now)


def recycled(number: int, *, opened_at: datetime, audience: str, jti: str, now: datetime) -> dict[str, Any]:
    """RISC identifier-recycled: the number has a new owner since `opened_at` (`event_timestamp`, Unix seconds)."""
    event = {"event_timestamp": int(opened_at.timestamp())}
    subject = {"format": "phone_number", "phone_number": written(number)}
    return _token(audience=audience, jti=jti, txn=jti, subject=subject, name=IDENTIFIER_RECYCLED, event=event, now=now)


def verification(stream_id: str, *, state: str | None, audience: str, jti: str, now: datetime) -> dict[str, Any]:
    """Verification (OpenID SSF 1.0, section 8.1.4.1): the `state` that the receiver asked for, if it gave one."""
    event = {} if state is None else {"state": state}
    subject = {"format": "opaque", "id": stream_id}
    return _token(audience=audience, jti=jti, txn=jti, subject=subject, name=VERIFICATION, event=event, now=now)


def stream_updated(stream_id: str, *, status: str, reason: str, audience: str, jti: str, now: datetime) -> dict[str, Any]:
    """Stream updated (OpenID SSF 1.0, section 8.1.5): the status that the platform gave the stream."""
    event = {"status": status} | ({"reason": reason} if reason else {})
    subject = {"format": "opaque", "id": stream_id}
    return _token(audience=audience, jti=jti, txn=jti, subject=subject, name=STREAM_UPDATED, event=event, now=now)


def reminder(
    *, notice: str, answer_by: datetime, outstanding: int, pending: int, audience: str, jti: str, now: datetime
) -> dict[str, Any]:  # fmt: skip
    """A reminder of a notice: how many of its numbers have no answer, and how many a pending one."""
    event = {
        "notice": notice, "answer_by": rfc3339(answer_by), "outstanding": outstanding, "pending": pending,
        "overdue": now >= answer_by,
    }  # fmt: skip
    subject = {"format": "opaque", "id": notice}
    return _token(audience=audience, jti=jti, txn=notice, subject=subject, name=REMINDER, event=event, now=now)


def _token(
    *, audience: str, jti: str, txn: str, subject: dict[str, str], name: str, event: dict[str, Any], now: datetime
) -> dict[str, Any]:
    return {
        "aud": audience, "iat": int(now.timestamp()), "jti": jti, "txn": txn, "sub_id": subject, "events": {name: event},
    }  # fmt: skip


def rfc3339(instant: datetime) -> str:
    """An instant in UTC, to the microsecond (RFC 3339)."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
