"""One number's tenures, from what carriers reported of it: who holds it now is never known, only since when.

A tenure is the time for which one subscriber held a number, `[opened_on, closed_on)`, in days of the carrier's zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from huanxin.domain.lifecycle import Event


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one report said of the number."""

    day: date
    event: Event
    carrier: str


class State(StrEnum):
    """Where a number stands. `unknown` is an answer of its own (rule 4): nothing reported is never a "no"."""

    IN_SERVICE = "in_service"
    FROZEN = "frozen"
    PORTED_OUT = "ported_out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Tenure:
    """The time of one subscriber. `opened_on` is None where the opening lies before the first report; `how` is the event
    that ended it, None while it goes on."""

    carrier: str
    opened_on: date | None
    closed_on: date | None = None
    how: Event | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A number's tenures, oldest first, and where it stands. A reclaimed tenure is one that never ended."""

    state: State
    tenures: tuple[Tenure, ...] = ()

    @property
    def current(self) -> Tenure | None:
        """The tenure that goes on; None if nobody holds the number, or it is not known."""
        return self.tenures[-1] if self.state is State.IN_SERVICE else None

    @property
    def recycled(self) -> bool | None:
        """Whether the present subscriber had a predecessor: None if nobody holds the number, or its past is not known."""
        if self.current is None or self.current.opened_on is None:
            return None
        return len(self.tenures) > 1


def standing(said: Sequence[Said]) -> Standing:
    """A number's standing after what was reported of it, given in the order in which it happened."""
    tenures: list[Tenure] = []
    state = State.UNKNOWN
    for one in said:
        if one.event in (Event.CANCELLED, Event.PORTED_OUT):
            last = tenures.pop() if state is State.IN_SERVICE else Tenure(carrier=one.carrier, opened_on=None)
            ends = (
                one.event is Event.CANCELLED
            )  # a port-out is not a cancellation: the subscriber goes on elsewhere (rule 4)
            tenures.append(replace(last, closed_on=one.day, how=one.event) if ends else last)
            state = State.FROZEN if ends else State.PORTED_OUT
        elif one.event is Event.RECLAIMED:
            tenures.append(replace(tenures.pop(), closed_on=None, how=None))
            state = State.IN_SERVICE
        else:
            if one.event is Event.TRANSFERRED:
                before = (
                    tenures.pop()
                    if state in (State.IN_SERVICE, State.PORTED_OUT)
                    else Tenure(carrier=one.carrier, opened_on=None)
                )
                tenures.append(replace(before, closed_on=one.day, how=one.event))
            tenures.append(Tenure(carrier=one.carrier, opened_on=one.day))
            state = State.IN_SERVICE
    return Standing(state=state, tenures=tuple(tenures))


def cutoff_of(opened_on: date, zone: ZoneInfo) -> datetime:
    """The cut-off of a request (rule 2): the first instant of the day on which the current tenure was opened, in the
    carrier's zone, so that a tie made on the boundary day is kept."""
    return datetime.combine(opened_on, time(), zone)
