"""The simulation. The numbers cancelled on one day are a cohort and go together; days count from today, which is day 0.

    freeze ends = cancelled + freeze + 1                       told = freeze ends - lead
    answered    = told + the partner's days, drawn from its own answer times, halved where the scenario says so
    for sale    = the later of "freeze ends" and the last required partner's answer

What a required partner leaves open goes on sale only as far as operators waive, as they did before. Chances, draws and
rules are the same for every scenario, so that scenarios differ by what they change and by nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huanxin.figures.history import Floats, History

Ints = npt.NDArray[np.int64]

Days = Ints | Floats
"""Days counted from today; infinite for what never comes."""
_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What to try. `faster`: partners, by id, that answer in half the time."""

    freeze_days: int
    lead_days: int
    faster: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What came of a scenario, in numbers. By day from tomorrow on: `supply` (go on sale), `in_service`, `waiting` (freeze
    ended, not on sale). `unserved`: buyers for whom there was no number. `open_if_sold`: the share of numbers with a tie
    that nobody had answered for when the freeze ended; `open_sold`: the same of those that went on sale, when they did."""

    scenario: Scenario
    supply: Floats
    in_service: Floats
    waiting: Floats
    capacity: int
    unserved: float
    open_if_sold: float
    open_sold: float

    @property
    def total(self) -> int:
        """Numbers that go on sale in all."""
        return round(float(self.supply.sum()))

    @property
    def utilisation(self) -> float:
        """In service, as a share of capacity, on the last day."""
        return float(self.in_service[-1]) / self.capacity if self.capacity else 0.0

    @property
    def highest(self) -> float:
        """The highest utilisation of any day."""
        return float(self.in_service.max()) / self.capacity if self.capacity else 0.0


@dataclass(frozen=True, kw_only=True)
class _Future:
    """What is drawn once for all scenarios: cohorts with their days of cancellation and sizes, buyers by day, and the days
    that each partner (a column) takes to answer for each cohort (a row), infinite if it never does."""

    closed: Ints
    planned: Ints
    """the freeze under which a cohort was planned, 0 if it was not"""
    size: Floats
    opened: Floats
    waits: Floats


def simulate(history: History, scenarios: Sequence[Scenario], *, days: int, seed: int) -> list[Forecast]:
    """Every scenario over the same `days` days from tomorrow on. The same seed and history give the same results."""
    future = _draw(history, days, np.random.default_rng(seed))
    return [_run(history, future, one, days) for one in scenarios]


def _draw(history: History, days: int, rng: np.random.Generator) -> _Future:
    """Each coming day is a day of the past that fell on the same weekday, with its cancellations and openings."""
    weekdays = (history.first.weekday() + np.arange(len(history.cancelled))) % _WEEK
    picked = rng.random(days)
    past = np.empty(days, dtype=np.int64)
    for day in range(days):
        alike = np.flatnonzero(weekdays == (history.today.weekday() + 1 + day) % _WEEK)
        choice = alike if len(alike) else np.arange(len(weekdays))
        past[day] = choice[int(picked[day] * len(choice))]
    frozen = sorted(history.frozen.items())
    known = np.array([(day - history.today).days for day, _ in frozen], dtype=np.int64)
    return _Future(
        closed=np.concatenate([known, np.arange(1, days + 1)]),
        planned=np.array([*(history.planned.get(day, 0) for day, _ in frozen), *[0] * days], dtype=np.int64),
        size=np.concatenate([[n for _, n in frozen], np.array(history.cancelled)[past]]).astype(np.float64),
        opened=np.array(history.opened, dtype=np.float64)[past],
        waits=_waits(history, rng.random((len(known) + days, len(history.partners)))),
    )


def _waits(history: History, luck: Floats) -> Floats:
    waits = np.empty(luck.shape)
    for column, partner in enumerate(history.partners):
        drawn = np.searchsorted(np.array(partner.share), luck[:, column], side="right")
        waits[:, column] = np.array([*partner.days, np.inf])[drawn]
    return waits


def _run(history: History, future: _Future, scenario: Scenario, days: int) -> Forecast:
    ends = future.closed + np.maximum(scenario.freeze_days, future.planned) + 1  # domain.lifecycle.freeze_of
    told = _told(history, future, scenario, ends)
    pace = np.array([0.5 if one.id in scenario.faster else 1.0 for one in history.partners])
    answers = told[:, None] + np.floor(future.waits * pace)
    left = future.size * _stay(history, future.closed, scenario)
    first = np.maximum(ends, 1)
    supply, open_sold = _supplied(history, left, first, told, answers, days)
    in_service, unserved = _sold(history, future, scenario, supply, days)
    at_end = _unanswered(history, answers, first, everyone=True)
    within = first <= days
    return Forecast(
        scenario=scenario, supply=supply, in_service=in_service, capacity=history.capacity, unserved=unserved,
        waiting=np.cumsum(_by_day(first, left, days)) - np.cumsum(supply),
        open_if_sold=_share(float((left * at_end)[within].sum()), float(left[within].sum())),
        open_sold=_share(open_sold, float(supply.sum())),
    )  # fmt: skip


def _told(history: History, future: _Future, scenario: Scenario, ends: Ints) -> Ints:
    """The day on which partners are told: past for what the present rules have sent already, today at the earliest else."""
    sent = future.closed + history.rules.freeze_days + 1 - history.rules.lead_days
    return np.where((sent <= 0) & (future.closed <= 0), sent, np.maximum(ends - scenario.lead_days, 0))


def _stay(history: History, closed: Ints, scenario: Scenario) -> Floats:
    """The share of each cohort, as it is known now, that nobody takes back before the freeze ends."""
    stays = np.cumprod(1 - np.array([*history.back, *np.zeros(scenario.freeze_days + 1)]))[: scenario.freeze_days + 1]
    past = np.clip(-closed, 0, scenario.freeze_days)
    return np.asarray(np.where(closed > 0, stays[-1], stays[-1] / np.maximum(stays[past], 1e-12)), dtype=np.float64)


def _supplied(history: History, left: Floats, ends: Ints, told: Ints, answers: Floats, days: int) -> tuple[Floats, float]:
    """(numbers that go on sale, by day; how many of them had a tie that nobody had answered for)."""
    required = np.array([one.required for one in history.partners], dtype=bool)
    settled = float(np.prod([1 - one.pending - one.refused for one in history.partners if one.required]))
    pending = 1 - float(np.prod([1 - one.pending for one in history.partners if one.required]))
    last = np.maximum(ends, answers[:, required].max(axis=1)) if required.any() else ends
    by_waiver = np.maximum(ends, told + history.waived_after)
    before = by_waiver < last  # operators waive while a required partner is silent: all of the cohort is open then
    waived = left * history.waived * np.where(before, 1.0, 1 - settled)
    clear = left * settled * np.where(before, 1 - history.waived, 1.0)
    optional = _unanswered(history, answers, by_waiver, everyone=False)
    among = min(1.0, pending / (1 - settled)) if settled < 1 else 0.0
    open_waived = np.where(before, _unanswered(history, answers, by_waiver, everyone=True), 1 - (1 - among) * (1 - optional))
    open_clear = _unanswered(history, answers, last, everyone=False)
    supply = _by_day(by_waiver, waived, days) + _by_day(last, clear, days)
    unanswered = _by_day(by_waiver, waived * open_waived, days) + _by_day(last, clear * open_clear, days)
    return supply, float(unanswered.sum())


def _unanswered(history: History, answers: Floats, on: Days, *, everyone: bool) -> Floats:
    """The chance that a number has a tie at a partner (any, or an optional one) that has not answered for it on a day."""
    chosen = [column for column, one in enumerate(history.partners) if everyone or not one.required]
    ties = np.array([history.partners[column].ties for column in chosen])
    pending = np.array([history.partners[column].pending for column in chosen])
    answered: Floats = 1 - np.where(answers[:, chosen] > on[:, None], ties, pending)
    return np.asarray(1 - answered.prod(axis=1), dtype=np.float64)


def _sold(history: History, future: _Future, scenario: Scenario, supply: Floats, days: int) -> tuple[Floats, float]:
    """(numbers in service by day; buyers who found none). Numbers that were sold before go first, then those never sold."""
    in_service = np.empty(days)
    back, cancelled = _back(history, future, scenario, days), future.size[-days:]
    used, new, active, unserved = float(history.for_sale), float(history.never_sold), float(history.in_service), 0.0
    for day in range(days):
        used += float(supply[day])
        again = min(used, float(future.opened[day]))
        fresh = min(new, float(future.opened[day]) - again)
        used, new, unserved = used - again, new - fresh, unserved + float(future.opened[day]) - again - fresh
        active = max(0.0, active + again + fresh + float(back[day]) - float(cancelled[day]))
        in_service[day] = active
    return in_service, unserved


def _back(history: History, future: _Future, scenario: Scenario, days: int) -> Floats:
    """Numbers that their owners take back, by day."""
    found, left = np.zeros(days), future.size.copy()
    for day_of_freeze, chance in enumerate(history.back[: scenario.freeze_days + 1]):
        ahead = future.closed + day_of_freeze > 0
        found += _by_day(np.where(ahead, future.closed + day_of_freeze, np.inf), left * chance, days)
        left *= np.where(ahead, 1 - chance, 1.0)
    return found


def _by_day(on: Days, amounts: Floats, days: int) -> Floats:
    """Amounts added up by day, from tomorrow (day 1) to the last one; what lies beyond is left out."""
    within = on <= days
    return np.asarray(
        np.bincount(on[within].astype(np.int64) - 1, weights=amounts[within], minlength=days), dtype=np.float64
    )


def _share(part: float, of: float) -> float:
    return part / of if of else 0.0
