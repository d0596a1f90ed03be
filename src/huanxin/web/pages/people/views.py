"""What the pages of citizens show, as plain values. A new owner learns nothing about the former one (rule 5): where nothing
was tied and where a tie was cut read the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from huanxin.domain.answers import Outcome
from huanxin.store.request.requests import RequestNotice


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """One order in a list: how many partners were asked, how many are done, how many need the owner."""

    id: str
    purpose: str
    at: datetime
    asked: int
    done: int
    needs: int

    @property
    def waiting(self) -> int:
        return self.asked - self.done - self.needs


@dataclass(frozen=True, kw_only=True)
class HomeView:
    """Where a number stands. case: `renewable`, `perhaps` (so, but nobody knows whether somebody had it
    before), or why not: first, unclear, frozen, ported, unknown.

    asked, settled: partners that batch renewal asked before the number was opened, and of those, that settled it.
    """

    number: str
    case: str
    opened_on: date | None
    asked: int
    settled: int
    orders: tuple[OrderLine, ...]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A partner to choose: `find` is what it is found by; one that doesn't match the search is not `shown` in its group, and
    keeps its tick. `place`: where it stands among all."""

    id: int
    name: str
    kind: str
    place: int
    find: str
    ticked: bool
    shown: bool


@dataclass(frozen=True, kw_only=True)
class ChooseView:
    """Partners in groups by kind. `consent` are the words that are agreed to; `agreed`: they were before, to no avail."""

    number: str
    purpose: str
    day: date | None
    groups: dict[str, tuple[Choice, ...]]
    query: str
    consent: str
    problem: str = ""
    agreed: bool = False

    @property
    def chosen(self) -> list[Choice]:
        """What is ordered at, unless another is ticked."""
        return [one for group in self.groups.values() for one in group if one.ticked]

    @property
    def others(self) -> list[Choice]:
        """What is chosen and not among what is looked for: a search never hides what is sent."""
        return [one for one in self.chosen if not one.shown]

    @property
    def total(self) -> int:
        return sum(len(group) for group in self.groups.values())

    @property
    def found(self) -> int:
        return sum(one.shown for group in self.groups.values() for one in group)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One partner of an order. state: sent, accepted, done, needs, pending, late, gone or off.

    by: the day until which it is answered, or, of a caller label that is decided, by which phones show it no more.
    """

    key: str
    partner_id: int
    name: str
    kind: str
    state: str
    reason: str
    by: date | None
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OrderView:
    """An order, followed."""

    id: str
    number: str
    purpose: str
    requested_at: datetime
    cutoff: datetime
    answer_by: datetime
    rows: tuple[Row, ...]
    taken_back: bool = False
    """it went by a day that the carrier corrected to an earlier one"""

    def count(self, *states: str) -> int:
        return sum(row.state in states for row in self.rows)

    @property
    def finished(self) -> bool:
        """Whether nobody's answer is waited for any more."""
        return not self.count(*WAITS)

    @property
    def needs(self) -> int:
        return self.count(*NEEDS)

    @property
    def asked(self) -> int:
        """Partners at which the order stands."""
        return len(self.rows) - self.count("off")


@dataclass(frozen=True, kw_only=True)
class AskedView:
    """A question who holds ties. `waiting`: whose answers may still come; who is neither among these nor `answered` did not
    answer in time. `names` only if they were asked for."""

    id: str
    number: str
    asked: int
    answered: int
    waiting: int
    bound: int
    answer_by: datetime
    names: tuple[str, ...] | None
    silent: int
    """partners that don't answer such questions"""

    @property
    def late(self) -> int:
        return self.asked - self.answered - self.waiting


WAITS, NEEDS = ("sent", "accepted", "pending"), ("needs", "late", "gone")
"""States of a partner's line: an answer is waited for; it is the owner's turn, if they want more of it."""


def state_of(notice: RequestNotice, *, waits: bool) -> str:
    """How a partner's line reads. Whether a tie was cut, or there was none, or only the owner's own: it is done. An answer
    that came counts, also to what was called off or is over."""
    if notice.outcome == Outcome.REFUSED:
        return "needs"
    if notice.outcome not in (None, Outcome.PENDING):
        return "done"
    if notice.called_off_at:
        return "off"
    if not waits:
        return "gone" if notice.withdrawn else "late"
    if notice.outcome == Outcome.PENDING:
        return "pending"
    return "accepted" if notice.delivered_at else "sent"
