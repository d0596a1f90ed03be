"""What the pages show, as plain values. Counts only: no page of these lists a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from huanxin.domain.suppression import Shown
from huanxin.words.saying import Text

Sum = Shown | tuple[int, bool]
"""A count as published, or those of several months that are shown, added up, and whether something is missing from it."""


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
        return self.unbound + self.absent + self.kept + self.pending + self.refused

    @property
    def total(self) -> int:
        return self.answered + self.outstanding

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """The outcomes in their fixed order, each with its count; without an answer is `unanswered`."""
        return (("unbound", self.unbound), ("absent", self.absent), ("kept", self.kept),
                ("pending", self.pending), ("refused", self.refused), ("unanswered", self.outstanding))  # fmt: skip


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
class BatchSummary:
    """One batch in the console's list. `outcomes` counts (number, partner) pairs; `late`: partners that are waited for after
    the day by which to answer; counted at `as_of`."""

    id: int
    cutoff: datetime
    answer_by: datetime
    numbers: int
    partners: int
    outcomes: OutcomeCounts
    released: int = 0
    late: int = 0
    as_of: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class HomeView:
    """The first page: counts as published, over all months."""

    noticed: Sum = 0
    ties_cut: Sum = 0
    partners: int = 0
    batches: int = 0
    released: Sum = 0


@dataclass(frozen=True, kw_only=True)
class PublicBatch:
    """A batch as anybody may see it. `told`: partners that were asked; `waiting`: those of them that have not answered in
    full, `late` if the day by which to answer is over; `figures`: counts as published, none before they were
    counted."""

    id: int
    cutoff: datetime
    answer_by: datetime
    told: int = 0
    waiting: int = 0
    late: bool = False
    figures: Mapping[str, Shown] = field(default_factory=dict)

    @property
    def href(self) -> str:
        return f"/batches/{self.id}"


@dataclass(frozen=True, kw_only=True)
class BatchesView:
    """The latest batches; `older` counts those left out."""

    latest: tuple[PublicBatch, ...] = ()
    older: int = 0


@dataclass(frozen=True, kw_only=True)
class LateRow:
    """A partner whose answer is overdue `since` then: numbers without an answer and pending, how often it was reminded,
    when that was escalated. `batch`: the batch that it is late with, which is another one if its `purpose` is retraction."""

    name: Text
    since: datetime
    outstanding: int
    pending: int
    reminded: int = 0
    escalated_at: datetime | None = None
    partner: int = 0
    batch: int = 0
    purpose: str = "renewal"


@dataclass(frozen=True, kw_only=True)
class TakenBackRow:
    """How one partner answered a retraction, in numbers."""

    name: Text
    restored: int = 0
    absent: int = 0
    irreversible: int = 0
    pending: int = 0
    outstanding: int = 0


@dataclass(frozen=True, kw_only=True)
class RetractionView:
    """Numbers taken back from a batch: how many, when, by whose order and why (empty: the carrier reported reclaims)."""

    id: int
    numbers: int
    at: datetime
    by: str = ""
    reason: str = ""
    rows: tuple[TakenBackRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BatchView:
    """One batch: `numbers` in it, its partners and its gate, counted at `as_of`."""

    id: int
    cutoff: datetime
    answer_by: datetime
    as_of: datetime
    numbers: int
    gate: GateCounts
    partners: tuple[PartnerRow, ...] = ()
    late_rows: tuple[LateRow, ...] = ()
    retractions: tuple[RetractionView, ...] = ()

    @property
    def late(self) -> bool:
        return self.as_of > self.answer_by


@dataclass(frozen=True, kw_only=True)
class ErrorView:
    """A problem in plain words: what happened, what it means, what to do. `reference` is what to quote when asking."""

    status: int
    happened: Text
    meaning: Text = ""
    todo: Text = ""
    reference: str = ""
