"""What the pages show, as plain values. Counts only: no page of these lists a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from huanxin.domain.suppression import Shown
from huanxin.figures.batch_body import GateCounts, OutcomeCounts, PartnerRow, RetractionFigures
from huanxin.words.saying import Text

Sum = Shown | tuple[int, bool]
"""A count as published, or those of several months that are shown, added up, and whether something is missing from it."""


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
    called_off: bool = False


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
    retractions: tuple[RetractionFigures, ...] = ()

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
