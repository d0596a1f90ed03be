"""What the partner pages show, as plain values. A partner sees its own notices only (rule 5); no page lists a number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from huanxin.domain.streams import Stream
from huanxin.figures.batch_body import OutcomeCounts


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whose pages these are. `env` is `live` or `sandbox`; `others` the environments that the same account has beside."""

    name: str
    client_id: str
    env: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NoticeRow:
    """A notice with its clock. `outcomes` are the partner's own answers by outcome; `left` is the time until answer-by in
    seconds, negative once it has passed."""

    id: str
    purpose: str
    count: int
    sent_at: datetime
    cutoff: datetime
    answer_by: datetime
    delivered_at: datetime | None
    outcomes: dict[str, int]
    outstanding: int
    left: float

    @property
    def open(self) -> int:
        """Numbers that still wait for an answer that settles them."""
        return self.outstanding + self.outcomes.get("pending", 0)

    @property
    def state(self) -> str:
        if not self.open:
            return "answered"
        return "late" if self.left < 0 else "waiting"

    @property
    def counts(self) -> OutcomeCounts | None:
        """The answers as a bar has them; None for a retraction, whose outcomes are others."""
        if self.purpose != "renewal":
            return None
        return OutcomeCounts.of(self.outcomes, self.outstanding)


@dataclass(frozen=True, kw_only=True)
class AttemptRow:
    """One attempt at delivering an event: `status` is the HTTP status, None if the partner was not reached."""

    at: datetime
    status: int | None
    answer: str
    taken: bool


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """An event with every attempt. state: taken, waiting or given-up."""

    jti: str
    notice_id: str | None
    event: str
    created_at: datetime
    next_at: datetime | None
    state: str
    attempts: tuple[AttemptRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """A receipt that was taken."""

    id: str
    received_at: datetime
    lines: int
    complete: bool
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class NoticeView:
    """A notice whole. `refusals` are numbers by reason."""

    who: Who
    row: NoticeRow
    receipts: tuple[ReceiptRow, ...]
    refusals: dict[str, int]
    deliveries: tuple[DeliveryRow, ...]
    events: tuple[tuple[datetime, str, dict[str, Any]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class OverviewView:
    """The first page of a partner: its notices, the newest first, and how it is told."""

    who: Who
    notices: tuple[NoticeRow, ...]
    older: int
    stream: Stream | None
    undelivered: int
    as_of: datetime

    @property
    def waiting(self) -> int:
        return sum(row.state != "answered" for row in self.notices)

    @property
    def late(self) -> int:
        return sum(row.state == "late" for row in self.notices)

    @property
    def open(self) -> int:
        return sum(row.open for row in self.notices)


@dataclass(frozen=True, kw_only=True)
class DeliveriesView:
    """Events, the newest first: all, or those that were not taken."""

    who: Who
    rows: tuple[DeliveryRow, ...]
    undelivered: bool
    page: int
    more: bool
    done: str = ""
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class CredentialRow:
    """A secret or a set of public keys that is valid now; `kids` names the keys."""

    kind: str
    added_at: datetime
    expires_at: datetime | None
    kids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeysView:
    """What lets the partner in. `new_secret` is shown once."""

    who: Who
    issuer: str
    credentials: tuple[CredentialRow, ...]
    new_secret: str = field(default="", repr=False)
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class StreamView:
    """How the partner is told. `problem` says what was wrong with a form, `given` and `folders` what was typed into it."""

    who: Who
    issuer: str
    stream: Stream | None
    events: tuple[str, ...]
    problem: str = ""
    given: str = ""
    done: str = ""
    folders: tuple[str, str] = ("", "")
    s3_services: str = ""
