"""What carriers report about numbers, and what follows from it: tenures, freezes and which event may come next.

The facts are sets: on DAY, CARRIER reported EVENT for these numbers. The day is precise enough for tenures, since at
least 90 days lie between two owners; a file that names a number twice on a day is stored in layers, so order is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from pyroaring import BitMap

_Key = TypeVar("_Key")


class Event(StrEnum):
    """What a carrier may report of a number (DESIGN: carrier report)."""

    OPENED = "opened"
    CANCELLED = "cancelled"
    RECLAIMED = "reclaimed"
    TRANSFERRED = "transferred"
    PORTED_OUT = "ported_out"


EVENTS = tuple(Event)
"""The order in which events are stored as small integers."""

EVENT_WORDS = {event.value: event for event in Event} | {
    "开户": Event.OPENED, "开通": Event.OPENED, "销户": Event.CANCELLED, "销号": Event.CANCELLED,
    "复机": Event.RECLAIMED, "过户": Event.TRANSFERRED, "携出": Event.PORTED_OUT,
}  # fmt: skip
"""How events are written in reports."""

FREEZE_DAYS = 90
"""电信服务规范 (Telecom Service Code): a cancelled number rests for at least 90 days."""


def sellable_from(closed_on: date, freeze_days: int = FREEZE_DAYS) -> date:
    """The first day on which a number cancelled on `closed_on` may be sold again.

    The day of cancellation is not counted (Civil Code of China, art. 201), so day 1 of the freeze is the next day.
    """
    return closed_on + timedelta(days=freeze_days + 1)


@dataclass(frozen=True, kw_only=True)
class SetFact:
    """On `day`, `carrier` reported `event` for `numbers` (places within one shard)."""

    day: date
    carrier: str
    event: Event
    numbers: BitMap


@dataclass(kw_only=True)
class ShardState:
    """Where the numbers of one shard stand after some facts. A number that no fact names is in none of the sets."""

    in_service: dict[str, BitMap] = field(default_factory=dict)
    """by carrier that serves it"""
    frozen: dict[tuple[str, date], BitMap] = field(default_factory=dict)
    """by carrier that reported the cancellation, and its day"""
    ported: dict[str, BitMap] = field(default_factory=dict)
    """by carrier that it left"""
    known: BitMap = field(default_factory=BitMap)
    """numbers that any fact named"""
    asleep: BitMap = field(default_factory=BitMap)
    """numbers that are frozen, whoever cancelled them and when"""

    def frozen_by(self, carrier: str) -> BitMap:
        """Numbers that this carrier cancelled and that are frozen still."""
        return BitMap.union(BitMap(), *(places for (code, _), places in self.frozen.items() if code == carrier))

    def possible(self, event: Event, carrier: str, range_owner: str | None, among: BitMap) -> BitMap:
        """Those of `among` for which this event of this carrier may come next.

        A number without history is its range owner's to report. Then the one who serves it reports it; a number that
        left by port-out is served by another carrier (a port-out is not a cancellation: rule 4), and a cancelled one
        may be opened by the carrier that cancelled it or by the owner of its range.
        """
        nothing = BitMap()
        if event is Event.RECLAIMED:
            return among & self.frozen_by(carrier)
        unknown = among - self.known if carrier == range_owner else nothing
        if event is Event.OPENED:
            return unknown | (among & (self.asleep if carrier == range_owner else self.frozen_by(carrier)))
        elsewhere = BitMap.union(nothing, *(places for left, places in self.ported.items() if left != carrier))
        return unknown | (among & (self.in_service.get(carrier, nothing) | elsewhere))

    def apply(self, fact: SetFact) -> None:
        """Move the fact's numbers to where the event puts them; the event is one that was possible for them."""
        places = fact.numbers
        self.known |= places
        if fact.event in (Event.OPENED, Event.RECLAIMED):
            _take_out(self.frozen, places)
            self.asleep -= places
        else:
            _take_out(self.in_service, places)
            _take_out(self.ported, places)
        if fact.event is Event.CANCELLED:
            key_day = (fact.carrier, fact.day)
            self.frozen[key_day] = self.frozen.get(key_day, BitMap()) | places
            self.asleep |= places
        elif fact.event is Event.PORTED_OUT:
            self.ported[fact.carrier] = self.ported.get(fact.carrier, BitMap()) | places
        else:
            self.in_service[fact.carrier] = self.in_service.get(fact.carrier, BitMap()) | places


def _take_out(table: dict[_Key, BitMap], places: BitMap) -> None:
    for key in [key for key, kept in table.items() if not kept.isdisjoint(places)]:
        table[key] = table[key] - places
        if not table[key]:
            del table[key]


def fold(facts: Iterable[SetFact]) -> ShardState:
    """The state after some facts of one shard, given in the order in which they happened."""
    state = ShardState()
    for fact in facts:
        state.apply(fact)
    return state
