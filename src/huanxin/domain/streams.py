"""Streams (OpenID SSF 1.0): how a partner is told of events, and which of them it wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from huanxin.domain.partners import IDENTIFIER_RECYCLED, INQUIRY, REMINDER, RENEWAL, RETRACTION

VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
"""OpenID SSF 1.0, section 8.1.4.1: carries the `state` that the receiver asked for."""
STREAM_UPDATED = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
"""OpenID SSF 1.0, section 8.1.5: the platform changed the status of the stream."""

EVENTS_SUPPORTED = (RENEWAL, RETRACTION, REMINDER, IDENTIFIER_RECYCLED, INQUIRY)
"""What a stream may ask for. Verification and stream-updated are always sent."""

DEFAULT_EVENTS = (RENEWAL, RETRACTION, REMINDER)
"""What a stream is sent unless it asks for something else."""

MIN_VERIFICATION_INTERVAL = timedelta(seconds=10)
"""How long a receiver waits from one verification to the next (OpenID SSF 1.0, section 8.1.1)."""


class Method(StrEnum):
    """How events reach a partner."""

    PUSH = "push"
    POLL = "poll"
    FILES = "files"


class Status(StrEnum):
    """`paused`: events are kept, in order, and sent later. `disabled`: nothing is sent, nor kept to be sent later; what
    notices there were stands in the partner's list of notices, and can be sent again."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"


POLLED = "poll"
"""Stands where an endpoint would, of a stream that is polled."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a partner chooses of its stream, as stored (`Stream`)."""

    method: str
    endpoint: str | None = None
    inbox: str | None = None
    sealed_authorization: str | None = field(default=None, repr=False)
    events_requested: Sequence[str]
    alg: str
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One partner's stream. `endpoint`: the URL pushed to, or the folder that notices are written to; `inbox`: the folder
    that receipts are read from. `sealed_authorization` is encrypted (signing.sealing)."""

    id: str
    partner_id: int
    method: str
    endpoint: str | None
    inbox: str | None
    sealed_authorization: str | None = field(repr=False)
    events_requested: list[str]
    alg: str
    description: str
    status: str
    status_reason: str
    created_at: datetime
    verified_at: datetime | None

    @property
    def events_delivered(self) -> list[str]:
        """What is sent: what was asked for and is supported (OpenID SSF 1.0, section 8.1.1), the usual if nothing was
        asked for. A notice that is not sent stands in the partner's list of notices all the same, and waits for its
        answer."""
        wanted = self.events_requested or DEFAULT_EVENTS
        return [name for name in EVENTS_SUPPORTED if name in wanted]


def way_of(stream: Stream) -> str:
    """Where events are pushed to, the folder that they are written to, or POLLED."""
    return POLLED if stream.method == Method.POLL else stream.endpoint or ""


def method_of(way: str) -> Method:
    """What kind of way it is: no folder's address begins as a web address does."""
    if way == POLLED:
        return Method.POLL
    return Method.PUSH if way.startswith(("http://", "https://")) else Method.FILES
