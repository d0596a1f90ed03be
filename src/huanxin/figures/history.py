"""What a carrier's past says of its future, as plain values: how many, how fast, how often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from huanxin.acts.platform import Platform
from huanxin.domain.rules import Rules
from huanxin.figures import batch_figures
from huanxin.figures.batch_body import PartnerFigures
from huanxin.figures.counting import Past
from huanxin.figures.projection import Projection, everything
from huanxin.store.database import Tx
from huanxin.store.figures import asked
from huanxin.store.figures.asked import BatchAsked
from huanxin.store.figures.summaries import SummaryKind

Floats = npt.NDArray[np.float64]

LONGEST = 365
"""Days of the past at most that stand for the future."""
MOST_BATCHES = 26
"""The newest batches by which partners' answers are measured: half a year of weekly ones."""
_DAY = 86_400
_HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a partner answers, over the notices that it was sent. `days`, `share`: within so many days it had answered such a
    share of notices whole (ascending). `pending`, `refused`: the share of numbers so answered. `ties`: the share of numbers
    on which it held a tie."""

    id: int
    name: str
    required: bool
    notices: int
    days: tuple[float, ...]
    share: tuple[float, ...]
    pending: float = 0.0
    refused: float = 0.0
    ties: float = 0.0

    @property
    def never(self) -> float:
        """The share of notices that are not answered whole, as far as can be seen."""
        return 1 - self.share[-1] if self.share else 1.0

    @property
    def typical(self) -> float | None:
        """Days within which half of its notices are answered; None if half are not."""
        return next((day for day, share in zip(self.days, self.share, strict=True) if share >= _HALF), None)


@dataclass(frozen=True, kw_only=True)
class Paces:
    """How partners answered a carrier's newest batches: the share of what required partners left open that operators
    waived, `waived_after` days after the notice."""

    partners: Sequence[Pace] = ()
    waived: float = 0.0
    waived_after: int = 0


@dataclass(frozen=True, kw_only=True)
class Answered(BatchAsked):
    """One partner's answers to one batch of `numbers`."""

    counts: PartnerFigures

    @property
    def answered_at(self) -> datetime | None:
        return self.counts.answered_at


@dataclass(frozen=True, kw_only=True)
class History(Paces):
    """One carrier's past until `today`, in numbers. `cancelled`, `opened`: each day from `first` on. `frozen`: not released
    yet, by day of cancellation. `back`: the chance to be taken back on each day of the freeze, from day 0."""

    carrier: str
    today: date
    rules: Rules
    first: date
    cancelled: tuple[int, ...]
    opened: tuple[int, ...]
    frozen: Mapping[date, int]
    for_sale: int
    never_sold: int
    in_service: int
    capacity: int
    back: tuple[float, ...] = ()
    planned: Mapping[date, int] = field(default_factory=dict)
    """by day of cancellation the days of the freeze under which its numbers were planned: no shorter one lets them go"""


def answered(tx: Tx, platform: Platform, carrier: str, *, newest: int = MOST_BATCHES) -> list[Answered]:
    """Every partner's answers to the newest renewal batches that have numbers of a carrier, by batch and partner."""
    told = asked.of_carrier(tx, carrier, newest=newest)
    counted = batch_figures.answers(tx, platform, {one.batch_id for one in told})
    stand = {(batch, one.partner): one for batch, figures in counted.items() for one in figures.partners}
    return [Answered(**vars(one), counts=stand[one.batch_id, one.partner_id]) for one in told]


def _make(tx: Tx, platform: Platform, carriers: Collection[str]) -> Mapping[str, Paces]:
    now, found = platform.now(), {}
    for carrier in carriers:
        answers = answered(tx, platform, carrier)
        waived, after = waivers(answers, now)
        found[carrier] = Paces(partners=paces(answers, now), waived=waived, waived_after=after)
    return found


PACES = Projection(
    kind=SummaryKind("paces", Paces), make=_make,
    facts=lambda tx, platform: dict.fromkeys(platform.plan.carriers, everything(tx, platform)),
)  # fmt: skip
"""By carrier."""


def read(past: Past, answers: Paces, *, planned: Mapping[date, int], carrier: str, today: date, rules: Rules) -> History:
    """The history of a carrier, of what it reported, how partners answered, and what it has planned."""
    last = past.last or today
    first = max(past.first or today, last - timedelta(days=LONGEST - 1))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return History(
        **vars(answers), carrier=carrier, today=today, rules=rules, first=first,
        cancelled=tuple(past.cancelled.get(day, 0) for day in days), opened=tuple(past.opened.get(day, 0) for day in days),
        frozen=past.frozen, for_sale=past.for_sale, never_sold=past.never_sold, in_service=past.in_service,
        capacity=past.capacity, planned=planned,
        back=tuple(n / at_risk if at_risk else 0.0 for n, at_risk in zip(past.back, past.at_risk, strict=True)),
    )  # fmt: skip


def paces(answers: Sequence[Answered], now: datetime) -> tuple[Pace, ...]:
    """How each partner answers, in the order of partners."""
    by_partner: dict[int, list[Answered]] = defaultdict(list)
    for one in answers:
        by_partner[one.partner_id].append(one)
    return tuple(_pace(found, now) for _, found in sorted(by_partner.items()))


def _pace(found: Sequence[Answered], now: datetime) -> Pace:
    pairs = sum(one.numbers for one in found if one.counts.answered)

    def share(*outcomes: str) -> float:
        return sum(getattr(one.counts, outcome) for one in found for outcome in outcomes) / pairs if pairs else 0.0

    days, shares = _answered_within(found, now)
    newest = found[-1]
    return Pace(
        id=newest.partner_id, name=newest.partner, required=newest.required, notices=len(found), days=days, share=shares,
        pending=share("pending"), refused=share("refused"), ties=share("unbound", "pending", "refused"),
    )  # fmt: skip


def _answered_within(found: Sequence[Answered], now: datetime) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The share of notices answered within so many days. A notice that is still open counts for as long as it is known to be
    open, and not after (Kaplan and Meier, 1958): a partner is not slow because it was asked yesterday."""
    waits = sorted(((one.answered_at or now) - one.sent_at).total_seconds() / _DAY for one in found)
    times = sorted((one.answered_at - one.sent_at).total_seconds() / _DAY for one in found if one.answered_at)
    left, days, shares = 1.0, [], []
    for day in sorted(set(times)):
        at_risk = sum(wait >= day for wait in waits)
        left *= 1 - times.count(day) / at_risk
        days.append(day)
        shares.append(1 - left)
    return tuple(days), tuple(shares)


def waivers(answers: Sequence[Answered], now: datetime) -> tuple[float, int]:
    """(share waived of what required partners left open beyond the day by which to answer, days after the notice)."""
    left_open, waived, spans = 0, 0, []
    for one in answers:
        if not one.required or (now < one.answer_by and not one.waived):
            continue
        late = one.answered_at is None or one.answered_at > one.answer_by
        open_then = one.numbers if late else one.counts.pending + one.counts.refused
        left_open += max(open_then, one.waived)
        waived += one.waived
        if one.waived_at:
            spans.append((one.waived_at - one.sent_at).days)
    return (waived / left_open if left_open else 0.0), int(np.median(spans)) if spans else 0
