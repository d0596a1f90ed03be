"""One number's tenures, from what carriers reported of it: who holds it now is never known, only since when.

A tenure is the time for which one subscriber held a number, `[opened_on, closed_on)`: each a day in the zone of the
carrier that reported it. A port-out ends no tenure, since the subscriber goes on elsewhere (rule 4): where, the carrier
says that took the number in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum

from huanxin.domain.lifecycle import OF_BASELINES, Cancellation, Event, SetFact
from huanxin.domain.numbers import NumberingPlan


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one report said of the number, and in which layer of the day. report: its id, 0 if that doesn't matter."""

    day: date
    event: Event
    carrier: str
    report: int = 0
    layer: int = 0


class State(StrEnum):
    """Where a number stands. `unknown` is an answer of its own (rule 4): nothing reported is never a "no"."""

    IN_SERVICE = "in_service"
    FROZEN = "frozen"
    PORTED_OUT = "ported_out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Tenure:
    """The time of one subscriber. `opened_on` is None where the opening lies before the first report; `carrier` reported
    of the subscriber last, `opened_by` the opening (empty where that is not known): a number that was taken along to
    another carrier has two. `how` is the event that ended it, None while it goes on; `closing` the cancellation that did, as
    batches name it, None if it was not one. `told`: a baseline says that it goes on, and whether somebody had the number
    before is not known."""

    carrier: str
    opened_on: date | None
    opened_by: str = ""
    closed_on: date | None = None
    how: Event | None = None
    closing: Cancellation | None = None
    told: bool = False


@dataclass(frozen=True, kw_only=True)
class NumberTenures:
    """A number's tenures, oldest first, and where it stands. A reclaimed tenure is one that never ended. `first`: the report
    that tells of it first, by the order in which things happened; 0 if none does."""

    state: State
    tenures: tuple[Tenure, ...] = ()
    first: int = 0

    @property
    def current(self) -> Tenure | None:
        """The tenure that goes on; None if nobody holds the number, or it is not known."""
        return self.tenures[-1] if self.state is State.IN_SERVICE else None

    @property
    def closing(self) -> Cancellation | None:
        """The cancellation after which the number rests; None if it is not frozen."""
        return self.tenures[-1].closing if self.state is State.FROZEN else None

    @property
    def of_day(self) -> int:
        """Which of those that began on its day the tenure is that goes on, from 1; 0 if none does."""
        return sum(one.opened_on == self.current.opened_on for one in self.tenures) if self.current else 0

    @property
    def recycled(self) -> bool | None:
        """Whether the present subscriber had a predecessor: None if nobody holds the number, or its past is not known."""
        if self.current is None or self.current.opened_on is None:
            return None
        return True if len(self.tenures) > 1 else None if self.current.told else False

    @property
    def renewable(self) -> bool:
        """Whether the present subscriber can have older ties cut: since when the number is theirs is known, and nobody knows
        that they were its first (rule 4: unknown is never silently "no")."""
        return self.current is not None and self.current.opened_on is not None and self.recycled is not False


def said_of(facts: Iterable[SetFact], place: int) -> list[Said]:
    """What a shard's facts say of one number, by its place, in the same order."""
    return [
        Said(day=one.day, event=one.event, carrier=one.carrier, report=one.report, layer=one.layer)
        for one in facts
        if place in one.numbers
    ]


def standing(said: Sequence[Said]) -> NumberTenures:
    """A number's standing after what was reported of it, given in the order in which it happened."""
    tenures: list[Tenure] = []
    state = State.UNKNOWN
    for one in said:
        if one.event is Event.OPENED:
            tenures.append(_begun(one))
        elif one.event is Event.RECLAIMED:
            tenures.append(replace(tenures.pop(), closed_on=None, how=None, closing=None))
        else:
            same = state in (State.IN_SERVICE, State.PORTED_OUT)  # whoever took it along holds it still
            last = replace(tenures.pop(), carrier=one.carrier) if same else Tenure(carrier=one.carrier, opened_on=None)
            if one.event is Event.IN_SERVICE and last.opened_on is None:
                last = replace(_begun(one), told=True)
            ends = one.event not in (Event.PORTED_OUT, Event.PORTED_IN, *OF_BASELINES)
            tenures.append(replace(last, closed_on=one.day, how=one.event, closing=_closing(one)) if ends else last)
            if one.event is Event.TRANSFERRED:
                tenures.append(_begun(one))
        state = _AFTER.get(one.event, State.IN_SERVICE)
    return NumberTenures(state=state, tenures=tuple(tenures), first=said[0].report if said else 0)


_AFTER = {Event.CANCELLED: State.FROZEN, Event.PORTED_OUT: State.PORTED_OUT}


def _closing(said: Said) -> Cancellation | None:
    if said.event is not Event.CANCELLED:
        return None
    return Cancellation(carrier=said.carrier, day=said.day, report=said.report, layer=said.layer)


def _begun(said: Said) -> Tenure:
    return Tenure(carrier=said.carrier, opened_on=said.day, opened_by=said.carrier)


def cutoff_of(tenure: Tenure, plan: NumberingPlan) -> datetime | None:
    """The cut-off of a request (rule 2): the first instant of the day on which the current tenure was opened, in the zone
    of the carrier that reported it, so that a tie made on the boundary day is kept. None if that day is not known."""
    if tenure.opened_on is None:
        return None
    return datetime.combine(tenure.opened_on, time(), plan.carriers[tenure.opened_by].zone)
