"""What partners answered about a batch: receipts and waivers, folded in the order in which they came.

Everything here is sets of places within one batch (numbersets.roster), so an answer of a partner with a million
numbers is a few small bitmaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from pyroaring import BitMap


class Outcome(StrEnum):
    """What a partner says of one number. The last three answer a retraction (rule 3), the others a renewal."""

    UNBOUND = "unbound"
    ABSENT = "absent"
    KEPT = "kept"
    PENDING = "pending"
    REFUSED = "refused"
    RESTORED = "restored"
    IRREVERSIBLE = "irreversible"


class Reason(StrEnum):
    """Why a partner refuses."""

    DEBT = "debt"
    BALANCE = "balance"
    FROZEN = "frozen"
    BANNED = "banned"
    LEGAL_HOLD = "legal_hold"
    DISPUTE = "dispute"
    OTHER = "other"


class Purpose(StrEnum):
    """What a batch asks of partners: cut the stale ties, or give back those of numbers that were reclaimed."""

    RENEWAL = "renewal"
    RETRACTION = "retraction"


OUTCOMES_OF = {
    Purpose.RENEWAL: (Outcome.UNBOUND, Outcome.ABSENT, Outcome.KEPT, Outcome.PENDING, Outcome.REFUSED),
    Purpose.RETRACTION: (Outcome.RESTORED, Outcome.ABSENT, Outcome.IRREVERSIBLE, Outcome.PENDING),
}
"""The outcomes with which a notice of each purpose may be answered."""


INQUIRY_OUTCOMES = ("bound", "absent")
"""How a partner answers whether there is a tie (DESIGN: outcomes)."""


@dataclass(frozen=True, kw_only=True, order=True)
class Answer:
    """One way of answering: an outcome, with the reason of a refusal and the day until which it stands, if given."""

    outcome: Outcome
    reason: str = ""
    until: date | None = None

    @property
    def settles(self) -> bool:
        """Whether a number answered so is done with at this partner (rule 1: not pending, not refused)."""
        return self.outcome not in (Outcome.PENDING, Outcome.REFUSED)


ABSENT = Answer(outcome=Outcome.ABSENT)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One recorded receipt: places by answer. `complete` says that whatever no receipt names is absent; `received`: the
    instant at which it came."""

    answers: Mapping[Answer, BitMap]
    complete: bool = False
    received: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A named operator's decision to go on without this partner's answer for some places. `alone`: one person made it, where
    two should (docs/decisions/0011)."""

    id: int
    places: BitMap
    by: str
    reason: str
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One partner's answers in numbers of a batch. `counts`: by the outcome's word; `unanswered`: those without one.
    `outstanding` and `pending` are what it is waited for: without an answer or pending, neither waived nor taken back."""

    counts: Mapping[str, int]
    unanswered: int
    outstanding: int
    pending: int

    @property
    def open(self) -> int:
        return self.outstanding + self.pending


@dataclass(kw_only=True)
class Standing:
    """Where one partner stands on one batch, after its receipts and the waivers in the order in which they came."""

    answers: dict[Answer, BitMap] = field(default_factory=dict)
    waived: dict[int, BitMap] = field(default_factory=dict)
    """by waiver"""

    def answered(self) -> BitMap:
        return BitMap.union(BitMap(), *self.answers.values())

    def outstanding(self, everyone: BitMap) -> BitMap:
        """Places without any answer."""
        return everyone - self.answered()

    def unsettled(self) -> BitMap:
        """Places whose answer is pending or a refusal."""
        return BitMap.union(BitMap(), *(p for answer, p in self.answers.items() if not answer.settles))

    def pending(self) -> BitMap:
        return self._answered_by(Outcome.PENDING)

    def refused(self) -> BitMap:
        """Places that it refused and nobody has waived."""
        return self._answered_by(Outcome.REFUSED) - self.waived_places()

    def _answered_by(self, outcome: Outcome) -> BitMap:
        return BitMap.union(BitMap(), *(places for answer, places in self.answers.items() if answer.outcome is outcome))

    def waiting(self, asked: BitMap) -> BitMap:
        """Places, of those asked about, of which it said nothing final: a refusal is an answer, `pending` is none yet."""
        return self.outstanding(asked) | (self.pending() & asked)

    def counts(self) -> dict[str, int]:
        """How many places it answered by the outcome's word, whatever the reason."""
        found: dict[str, int] = {}
        for answer, places in self.answers.items():
            found[answer.outcome.value] = found.get(answer.outcome.value, 0) + len(places)
        return found

    def progress(self, everyone: BitMap, back: BitMap) -> Progress:
        """How far it is, in numbers; `back`: places that were taken back from the batch."""
        unanswered, done = self.outstanding(everyone), self.waived_places() | back
        return Progress(
            counts=self.counts(), unanswered=len(unanswered), outstanding=len(unanswered - done),
            pending=len(self.pending() - done),
        )  # fmt: skip

    def waived_places(self) -> BitMap:
        return BitMap.union(BitMap(), *self.waived.values())

    def open(self, everyone: BitMap) -> BitMap:
        """Places that keep a number from being released as far as this partner goes (rule 1)."""
        return (self.outstanding(everyone) | self.unsettled()) - self.waived_places()

    def take(self, entry: Receipt | Waiver, everyone: BitMap) -> None:
        """Fold in the next receipt or waiver."""
        if isinstance(entry, Waiver):
            self.waived[entry.id] = entry.places
            return
        if self.waived:
            # A refusal that comes after a waiver is news: nobody has waived it yet.
            unsettled = BitMap.union(BitMap(), *(p for answer, p in entry.answers.items() if not answer.settles))
            self.waived = {key: places - unsettled for key, places in self.waived.items()}
        if self.answers:
            named = BitMap.union(BitMap(), *entry.answers.values())
            self.answers = {answer: places - named for answer, places in self.answers.items()}
        for answer, places in entry.answers.items():
            self.answers[answer] = self.answers[answer] | places if answer in self.answers else places
        if entry.complete:
            silent = everyone - self.answered()
            self.answers[ABSENT] = self.answers[ABSENT] | silent if ABSENT in self.answers else silent


def fold(
    entries: Iterable[Receipt | Waiver], everyone: BitMap, done: Callable[[Standing], object]
) -> tuple[Standing, datetime | None]:
    """One partner's standing after its receipts and waivers, in the order in which they were recorded; and when it was
    `done` for the first time, with which receipt (None: not yet)."""
    result, at = Standing(), None
    for entry in entries:
        result.take(entry, everyone)
        if at is None and isinstance(entry, Receipt) and done(result):
            at = entry.received
    return result, at


def standing(entries: Iterable[Receipt | Waiver], everyone: BitMap) -> Standing:
    """The standing alone."""
    return fold(entries, everyone, lambda _: False)[0]
