"""The planner: what somebody wants to try, and what came of it, for the page and for `huanxin simulate plan`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from huanxin.acts.platform import Platform
from huanxin.domain.errors import BadInput, NotFound
from huanxin.domain.lifecycle import FREEZE_DAYS
from huanxin.figures import counting, history
from huanxin.figures.history import History
from huanxin.simulate.model import Forecast, Scenario, simulate
from huanxin.store.database import Tx
from huanxin.store.plan import batches
from huanxin.words.sentences import Sentence

FREEZES, LEADS = (90, 120, 180), (7, 15, 30)
"""Days that the planner offers."""
EVERYONE = "everyone"
KINDS = (counting.PASTS.kind.name, history.PACES.kind.name)
"""The summaries that it reads."""
INDIFFERENT = Sentence(
    "lead times and answer times make no difference here: in this history each partner answered within the shortest of these"
    " lead times, or not at all"
)
MOST_SCENARIOS, LONGEST_FREEZE, MOST_DAYS = 18, 720, 1095
_DIGITS = 6  # of what is printed: enough for everybody, and the same on every machine


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Every freeze with every lead time, in days; and again with `faster` (a partner's id or name, or everyone) answering in
    half the time, if given. `capacity`: numbers that the carrier has, if it knows better than its reports."""

    freezes: tuple[int, ...] = FREEZES
    leads: tuple[int, ...] = ()
    faster: str = ""
    days: int = 365
    seed: int = 1
    capacity: int | None = None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A simulation that was run. `as_of`: when the history was counted."""

    choices: Choices
    history: History
    results: list[Forecast]
    as_of: datetime

    @property
    def indifferent(self) -> bool:
        """Whether scenarios of one freeze that differ in lead or answer times all came out the same."""
        outcomes: dict[int, list[tuple[object, ...]]] = {}
        for one in self.results:
            same = (one.supply.tobytes(), one.open_if_sold, one.open_sold)
            outcomes.setdefault(one.scenario.freeze_days, []).append(same)
        return bool(self.history.partners) and all(len(found) > len(set(found)) == 1 for found in outcomes.values())


def plan(tx: Tx, platform: Platform, carrier: str, choices: Choices) -> Planned:
    """Run the scenarios on a carrier's history. Raises BadInput for what can't be tried, NotFound without a history."""
    if carrier not in platform.plan.carriers:
        raise BadInput(
            Sentence(
                "there is no carrier %(carrier)s; the carriers are %(names)s", carrier=carrier,
                names=", ".join(platform.plan.carriers),
            )
        )  # fmt: skip
    counted = counting.PASTS.shown(tx, platform, carrier)
    if not counted.body.cancelled:
        raise NotFound(
            Sentence(
                "%(carrier)s has reported no cancellation yet; import its reports first: huanxin report import",
                carrier=carrier,
            )
        )
    answers = history.PACES.shown(tx, platform, carrier)
    today = platform.plan.carriers[carrier].today(platform.now())
    past = history.read(
        counted.body, answers.body, planned=batches.freezes(tx, carrier), carrier=carrier, today=today, rules=platform.rules
    )
    if choices.capacity is not None:
        past = replace(past, capacity=choices.capacity, never_sold=_never_sold(past, choices.capacity))
    results = simulate(past, list(_scenarios(choices, past)), days=choices.days, seed=choices.seed)
    return Planned(choices=choices, history=past, results=results, as_of=min(counted.made_at, answers.made_at))


def _never_sold(past: History, capacity: int) -> int:
    known = past.capacity - past.never_sold
    if capacity < known:
        raise BadInput(
            Sentence(
                "the reports name %(known)s numbers, so the capacity can't be %(capacity)s; give it in numbers",
                known=f"{known:,}",
                capacity=f"{capacity:,}",
            )
        )
    return capacity - known


def _scenarios(choices: Choices, past: History) -> Iterator[Scenario]:
    leads = choices.leads or (past.rules.lead_days,)
    _check(choices, leads)
    faster = _faster(choices.faster, past)
    for freeze in sorted(set(choices.freezes)):
        for lead in sorted(set(leads)):
            yield Scenario(freeze_days=freeze, lead_days=lead)
            if faster:
                yield Scenario(freeze_days=freeze, lead_days=lead, faster=faster)


def _check(choices: Choices, leads: Sequence[int]) -> None:
    if not choices.freezes or not all(FREEZE_DAYS <= freeze <= LONGEST_FREEZE for freeze in choices.freezes):
        raise BadInput(
            Sentence(
                "a freeze has %(freeze_days)s to %(longest_freeze)s days; the law wants %(freeze_days)s at least",
                freeze_days=FREEZE_DAYS,
                longest_freeze=LONGEST_FREEZE,
            )
        )
    if not all(1 <= lead <= FREEZE_DAYS for lead in leads):
        raise BadInput(Sentence("a lead time has 1 to %(freeze_days)s days", freeze_days=FREEZE_DAYS))
    if not 1 <= choices.days <= MOST_DAYS or choices.seed < 0:
        raise BadInput(
            Sentence("the simulation runs for 1 to %(most_days)s days, and a seed is 0 or more", most_days=MOST_DAYS)
        )
    if len(set(choices.freezes)) * len(set(leads)) * (2 if choices.faster else 1) > MOST_SCENARIOS:
        raise BadInput(
            Sentence(
                "at most %(most_scenarios)s scenarios stand side by side; choose fewer freezes or lead times",
                most_scenarios=MOST_SCENARIOS,
            )
        )


def _faster(wanted: str, past: History) -> frozenset[int]:
    if wanted == EVERYONE:
        return frozenset(one.id for one in past.partners)
    found = frozenset(one.id for one in past.partners if wanted in (one.name, str(one.id)))
    if wanted and not found:
        raise BadInput(
            Sentence(
                "%(wanted)s was told of no batch of %(carrier)s; give the name of a partner, or %(everyone)s",
                wanted=wanted,
                carrier=past.carrier,
                everyone=EVERYONE,
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Month:
    """A calendar month of a result: numbers that go on sale in it, and utilisation at its end."""

    first: date
    supply: int
    utilisation: float


def months(result: Forecast, today: date) -> list[Month]:
    """A result by calendar month, from tomorrow on; the first and the last may be cut."""
    days = [today + timedelta(days=1 + n) for n in range(len(result.supply))]
    ends = [n for n, day in enumerate(days) if n + 1 == len(days) or days[n + 1].month != day.month]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [
        Month(
            first=days[start], supply=round(float(result.supply[start : end + 1].sum())),
            utilisation=float(result.in_service[end]) / result.capacity if result.capacity else 0.0,
        )
        for start, end in zip(starts, ends, strict=True)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """A result in figures: numbers whole, shares of 1. `faster`: partners by name."""

    freeze_days: int
    lead_days: int
    faster: list[str]
    supply: int
    supply_per_day: float
    waiting: int
    unserved: int
    utilisation: float
    highest_utilisation: float
    open_if_sold: float
    open_sold: float


def figures(result: Forecast, past: History) -> Outlook:
    """What came of a scenario."""
    return Outlook(
        freeze_days=result.scenario.freeze_days, lead_days=result.scenario.lead_days,
        faster=[one.name for one in past.partners if one.id in result.scenario.faster],
        supply=result.total, supply_per_day=round(result.total / len(result.supply), 1),
        waiting=round(float(result.waiting[-1])), unserved=round(result.unserved),
        utilisation=round(result.utilisation, _DIGITS), highest_utilisation=round(result.highest, _DIGITS),
        open_if_sold=round(result.open_if_sold, _DIGITS), open_sold=round(result.open_sold, _DIGITS),
    )  # fmt: skip
