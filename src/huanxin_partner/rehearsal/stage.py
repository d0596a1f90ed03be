"""What a rehearsal needs of the platform that it is played on. The scenarios know nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from huanxin_partner.rehearsal.words import Words
from huanxin_partner.ties import Answer


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notice of the rehearsal: its id, and the signed event that tells of it."""

    id: str
    token: str


class Pushed(NamedTuple):
    """What a partner answered to an event: the HTTP status, None if it could not be reached, and the body or the error."""

    status: int | None
    body: str


@dataclass(frozen=True, kw_only=True)
class Filed:
    """What a partner has filed for a notice so far.

    `receipts`: how many were accepted; the same content again is the same receipt. `answers`: the latest by number; once a
    receipt said complete, every number of the notice is in it. `refused`: why receipts were refused, in the platform's
    words. `waits`: files that wait for others with lower numbers.
    """

    receipts: int
    answers: Mapping[str, Answer]
    refused: Sequence[Words] = ()
    waits: Sequence[str] = ()


class Stage(Protocol):
    """A platform that rehearses with one partner. Every event of it carries `"rehearsal": true`.

    A partner that polls is pushed to by putting the event into its stream: acknowledged is 202, refused is 400. Into a
    partner's folder an event is written: 202 once it is there, whatever the partner makes of it (`replies` is False).
    """

    @property
    def replies(self) -> bool:
        """Whether the partner says of each event that it takes or refuses it."""

    def notice(self, numbers: Sequence[str], *, cutoff: datetime) -> Notice:
        """Make a renewal notice of these numbers (`+E164`, ascending). It is not pushed yet."""

    def retract(self, notice: str, numbers: Sequence[str]) -> Notice:
        """Make a notice that takes numbers back from this one."""

    def sign(
        self, notice: str, *, forged: bool = False, audience: str | None = None, issued_at: datetime | None = None
    ) -> str:
        """Another token for a notice, with a `jti` of its own: signed with a key that isn't the issuer's but bears its
        `kid`, or for another audience, or issued at another time."""

    def push(self, token: str) -> Pushed:
        """Hand the partner an event, once."""

    def set_broken(self, notice: str, broken: bool) -> None:
        """Serve a number file that doesn't hash to what the notice says, or the right one again."""

    def filed(self, notice: str) -> Filed:
        """What the partner has filed so far."""
