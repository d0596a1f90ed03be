"""What is counted of a batch, as values that pages show. Counts only: none of these lists a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from huanxin.domain.answers import OUTCOMES_OF, Purpose
from huanxin.words.saying import Text

RENEWED, TAKEN_BACK = ((*OUTCOMES_OF[one], "unanswered") for one in (Purpose.RENEWAL, Purpose.RETRACTION))
"""How numbers of a notice may stand at a partner, in the order in which pages show it."""


@dataclass(frozen=True, kw_only=True)
class OutcomeCounts:
    """Answers to a notice or to a whole batch, in (number, partner) pairs. They add up to `total`."""

    unbound: int = 0
    absent: int = 0
    kept: int = 0
    pending: int = 0
    refused: int = 0
    outstanding: int = 0

    @property
    def answered(self) -> int:
        return self.total - self.outstanding

    @property
    def total(self) -> int:
        return sum(count for _, count in self.parts)

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """The outcomes in their fixed order, each with its count; without an answer is `unanswered`."""
        return _parts(self, RENEWED)

    @staticmethod
    def of(counts: Mapping[str, int], outstanding: int) -> OutcomeCounts:
        """From counts by outcome."""
        return OutcomeCounts(**{one: counts.get(one, 0) for one in OUTCOMES_OF[Purpose.RENEWAL]}, outstanding=outstanding)

    @staticmethod
    def total_of(rows: Iterable[OutcomeCounts]) -> OutcomeCounts:
        """All of some together."""
        every = [dict(row.parts) for row in rows]
        together = {one: sum(parts[one] for parts in every) for one in RENEWED}
        return OutcomeCounts.of(together, together["unanswered"])


def _parts(of: object, words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple((one, getattr(of, "outstanding" if one == "unanswered" else one)) for one in words)


@dataclass(frozen=True, kw_only=True)
class PartnerRow(OutcomeCounts):
    """How one partner stands on one batch. Counts are numbers of the batch; `waived` counts those of its open
    numbers (outstanding, pending, refused) that an operator waived."""

    name: Text
    kind: str
    """app, labeler or sender"""
    required: bool = True
    waived: int = 0

    @property
    def open(self) -> int:
        """Numbers of the batch that this partner still keeps from being released."""
        return self.outstanding + self.pending + self.refused - self.waived if self.required else 0


@dataclass(frozen=True, kw_only=True)
class GateCounts:
    """The gate at a glance, in numbers of a batch. One number may stand in several of the lines that wait.

    clear: nothing keeps it back, released ones included. releasable_now: clear and not released before. freezing: the
    freeze has not ended. outstanding, pending, refused: at one or more required partners, not waived. held, retracted.
    waived: a waiver covers it at one or more partners. released.
    """

    total: int
    clear: int = 0
    releasable_now: int = 0
    freezing: int = 0
    outstanding: int = 0
    pending: int = 0
    refused: int = 0
    held: int = 0
    retracted: int = 0
    waived: int = 0
    released: int = 0

    @property
    def lines(self) -> tuple[tuple[str, int], ...]:
        """State by state, as the pages list them: what may go first, then what waits, then what is out."""
        return (("released", self.released), ("releasable", self.releasable_now), ("freezing", self.freezing),
                ("outstanding", self.outstanding), ("pending", self.pending), ("refused", self.refused),
                ("held", self.held), ("retracted", self.retracted), ("waived", self.waived))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Waited:
    """A partner's notice, and the numbers that it is waited for: without an answer or pending, neither waived nor taken
    back."""

    partner: int
    notice: str
    answer_by: datetime
    waits_outstanding: int
    waits_pending: int

    @property
    def waits(self) -> int:
        return self.waits_outstanding + self.waits_pending

    def late(self, now: datetime) -> bool:
        """Whether the end of its time has come and it is still waited for."""
        return self.waits > 0 and now >= self.answer_by


@dataclass(frozen=True, kw_only=True)
class PartnerFigures(PartnerRow, Waited):
    """One partner of a batch. `answered_at`: since when it has left none without an answer (None: not yet)."""

    answered_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TakenBackRow(Waited):
    """How one partner answered a retraction, in numbers."""

    name: Text
    restored: int = 0
    absent: int = 0
    irreversible: int = 0
    pending: int = 0
    outstanding: int = 0

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """The outcomes in their fixed order, each with its count; without an answer is `unanswered`."""
        return _parts(self, TAKEN_BACK)


@dataclass(frozen=True, kw_only=True)
class RetractionFigures:
    """Numbers taken back from a batch: how many, when, by whose order and why (empty: the carrier reported reclaims)."""

    id: int
    numbers: int
    at: datetime
    by: str = ""
    reason: str = ""
    rows: tuple[TakenBackRow, ...] = ()

    def total(self, word: str) -> int:
        """How many answers there are of a kind, at all partners together."""
        return sum(dict(row.parts)[word] for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class BatchHead:
    """What lists show of a batch. `told`: partners; `outcomes` in pairs; `waiting`: partners that are waited for; `due`: how
    many of them by the end of their time."""

    numbers: int
    carriers: tuple[str, ...]
    gate: GateCounts
    told: int
    outcomes: OutcomeCounts
    waiting: int
    due: dict[datetime, int]

    def late(self, now: datetime) -> int:
        """How many partners are late at an instant."""
        return sum(count for end, count in self.due.items() if now >= end)


@dataclass(frozen=True, kw_only=True)
class BatchFigures(BatchHead):
    """What only a batch's own page needs as well. `freezes`: carrier, first day of sale, numbers."""

    partners: tuple[PartnerFigures, ...]
    retractions: tuple[RetractionFigures, ...]
    freezes: tuple[tuple[str, date, int], ...]
