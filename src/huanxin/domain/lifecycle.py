"""What carriers report about numbers, and what follows from it: tenures, freezes and which event may come next.

The facts are sets: on DAY, CARRIER reported EVENT for these numbers. The day is precise enough for tenures, since at
least 90 days lie between two owners. Of several events of a number on one day the instants, kept beside the sets, say which
came first (`domain.same_day`); in a file such a number stands in several layers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.numbersets.instants import NO_TIME, Instants
from huanxin.numbersets.sharded import dump, load, values_of
from huanxin.words.sentences import Sentence


class Event(StrEnum):
    """What a carrier may report of a number (DESIGN: carrier report)."""

    OPENED = "opened"
    CANCELLED = "cancelled"
    RECLAIMED = "reclaimed"
    TRANSFERRED = "transferred"
    PORTED_OUT = "ported_out"
    PORTED_IN = "ported_in"
    IN_SERVICE = "in_service"
    """said by a baseline: it was opened on that day, and who had it before is not known"""
    SERVED = "served"
    """said by a baseline: it was in service on that day, and since when is not known"""


EVENTS = tuple(Event)
"""The order in which events are stored as small integers: a new one comes last, and `report.grouping` has room for eight."""

OF_BASELINES = (Event.IN_SERVICE, Event.SERVED)
"""What only the present state of a carrier's numbers says, not a report."""

REPORTED = tuple(event for event in EVENTS if event not in OF_BASELINES)
"""What a report may say."""

UNFREEZING = tuple(event for event in Event if event is not Event.CANCELLED)
"""Whatever takes a number out of a freeze. A cancellation begins one, and of a frozen number can only come after another
event."""

BEGINNING = (Event.OPENED, Event.TRANSFERRED)
"""Events with which somebody else has the number."""

EVENTS_SAID = {
    Event.OPENED: Sentence("opened"), Event.CANCELLED: Sentence("cancelled"), Event.RECLAIMED: Sentence("reclaimed"),
    Event.TRANSFERRED: Sentence("transferred"), Event.PORTED_OUT: Sentence("ported_out"),
    Event.PORTED_IN: Sentence("ported_in"), Event.IN_SERVICE: Sentence("in_service"), Event.SERVED: Sentence("in_service"),
}  # fmt: skip
"""How events are called in sentences."""

FREEZE_DAYS = 90
"""电信服务规范 (Telecom Service Code): a cancelled number rests for at least 90 days."""


def sellable_from(closed_on: date, freeze_days: int = FREEZE_DAYS) -> date:
    """The first day on which a number cancelled on `closed_on` may be sold again.

    The day of cancellation is not counted (Civil Code of China, art. 201), so day 1 of the freeze is the next day.
    """
    return closed_on + timedelta(days=freeze_days + 1)


def closed_until(sellable_on: date, freeze_days: int = FREEZE_DAYS) -> date:
    """The last day of cancellation after which a number may be sold on a day: `sellable_from`, read backwards."""
    return sellable_on - timedelta(days=freeze_days + 1)


def freeze_of(planned_under: int, in_force: int) -> int:
    """The days that the freeze of a planned number has until it is released: the more of those that were in force when its
    batch was planned and those that are today. The law may lengthen a freeze under way; a shorter one shortens nothing that
    was planned."""
    return max(planned_under, in_force)


@dataclass(frozen=True, kw_only=True, order=True)
class Cancellation:
    """One cancellation of some numbers, named as it is on record: who reported it, for which day, in which report and layer
    of it. A number that is cancelled again rests after another one, be it on the same day; by this name a batch says what
    it stands on. report: 0 of one that is not on record."""

    carrier: str
    day: date
    report: int = 0
    layer: int = 0


Place = tuple[int, ...]
"""Where a fact stands within its day, compared as tuples are."""


@dataclass(frozen=True, kw_only=True)
class SetFact:
    """On `day`, `carrier` reported `event` for `numbers` (places within one shard).

    layer: the how manieth event of these numbers on the day it is in its file, from 0. at: when, in the order of the
    numbers; None where only the day is known, or nobody has looked. report: in which it is on record, 0 before it is.
    place: where it stands within its day if that is not where its report does, since it was reported late.
    """

    day: date
    carrier: str
    event: Event
    numbers: BitMap
    layer: int = 0
    report: int = 0
    at: Instants | None = field(default=None, compare=False, repr=False)
    place: Place = ()

    @property
    def order(self) -> Place:
        """Where it stands within its day: by report and layer there, unless it has a place of its own."""
        return self.place or (self.report, self.layer)

    def instants(self, among: BitMap) -> Instants:
        """When it happened to each of `among`, all of which it names, in their order; NO_TIME where that isn't known."""
        if self.at is None:
            return np.full(len(among), NO_TIME, np.int64)
        if len(among) == len(self.numbers):
            return self.at
        return self.at[np.searchsorted(values_of(self.numbers), values_of(among))]

    @property
    def cancellation(self) -> Cancellation:
        """The name of this cancellation."""
        return Cancellation(carrier=self.carrier, day=self.day, report=self.report, layer=self.layer)

    def part(self, numbers: BitMap) -> SetFact:
        """The same of some of its numbers."""
        return replace(self, numbers=numbers, at=None if self.at is None else self.instants(numbers))


Name = tuple[int, int, int]
"""(day counted from the year 1, report, layer): a carrier's cancellation, packed"""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Frozen numbers of a carrier by the cancellation after which they rest, packed: most are never asked for.

    names: a row for each, its day counted from the year 1, its report, its layer, and where its set ends in `sets`; in the
    order of the cancellations.
    """

    carrier: str
    names: npt.NDArray[np.int64]
    sets: bytes

    @classmethod
    def of(cls, carrier: str, resting: Mapping[Cancellation, BitMap]) -> Kept:
        """Pack what rests after a carrier's cancellations."""
        every = sorted(resting)
        stored = [dump(resting[one]) for one in every]
        ends = np.cumsum([len(one) for one in stored], dtype=np.int64)
        names = [(one.day.toordinal(), one.report, one.layer, end) for one, end in zip(every, ends.tolist(), strict=True)]
        return cls(carrier=carrier, names=np.array(names, np.int64).reshape(-1, 4), sets=b"".join(stored))

    def among(self, left: BitMap) -> Iterator[tuple[Cancellation, BitMap]]:
        """Those of some numbers that rest after each cancellation, the newest first. Ends once all are found."""
        rows, missing = self.names.tolist(), len(left)
        for place in range(len(rows) - 1, -1, -1):
            if not missing:
                return
            if here := load(self._stored(rows, place)) & left:
                missing -= len(here)
                yield self._name(rows[place]), here

    def until(self, day: date, but: Container[Name]) -> dict[Cancellation, BitMap]:
        """What rests after the cancellations until a day, but for some. Most are neither unpacked nor named: a plan asks
        this of every shard, and what rests unsold is more each year."""
        rows, last = self.names.tolist(), day.toordinal()
        wanted = [place for place, row in enumerate(rows) if row[0] <= last and (row[0], row[1], row[2]) not in but]
        return {self._name(rows[place]): load(self._stored(rows, place)) for place in wanted}

    def _name(self, row: Sequence[int]) -> Cancellation:
        day, report, layer, _ = row
        return Cancellation(carrier=self.carrier, day=date.fromordinal(day), report=report, layer=layer)

    def _stored(self, rows: Sequence[Sequence[int]], place: int) -> bytes:
        return self.sets[rows[place - 1][3] if place else 0 : rows[place][3]]


@dataclass(kw_only=True)
class ShardState:
    """Where the numbers of one shard stand after some facts. A number that no fact names is in none of the sets.

    The sets belong to the state and change in place as facts are applied. They are few, one per carrier, so that a
    fact costs the same after ten and after a hundred thousand others: days of cancellation are looked up when asked for.
    """

    in_service: dict[str, BitMap] = field(default_factory=dict)
    """by carrier that serves it"""
    asleep: dict[str, BitMap] = field(default_factory=dict)
    """frozen, by carrier that reported the cancellation"""
    ported: dict[str, BitMap] = field(default_factory=dict)
    """by carrier that it left"""
    known: BitMap = field(default_factory=BitMap)
    """numbers that any fact named"""
    _cancellations: list[SetFact] = field(default_factory=list, repr=False)
    """all so far, in order, but for those before what was kept"""
    _kept: list[Kept] = field(default_factory=list, repr=False)

    def resting(self, among: BitMap) -> dict[Cancellation, BitMap]:
        """Those of `among` that are frozen, by the cancellation after which they rest.

        A number may have been cancelled often; the last time counts, so the walk goes backwards and stops early.
        """
        left = {carrier: places & among for carrier, places in self.asleep.items()}
        missing = sum(len(places) for places in left.values())
        found: dict[Cancellation, BitMap] = {}
        for fact in reversed(self._cancellations):
            if not missing:
                break
            if here := fact.numbers & left[fact.carrier]:
                left[fact.carrier] -= here
                missing -= len(here)
                name = fact.cancellation
                found[name] = found[name] | here if name in found else here
        for kept in self._kept if missing else ():
            found |= dict(kept.among(left[kept.carrier]))
        return found

    def frozen_on(self, among: BitMap) -> dict[tuple[str, date], BitMap]:
        """Those of `among` that are frozen, by carrier that reported the cancellation and its day."""
        found: dict[tuple[str, date], BitMap] = {}
        for one, places in self.resting(among).items():
            span = (one.carrier, one.day)
            found[span] = found[span] | places if span in found else places
        return found

    def frozen(self) -> dict[tuple[str, date], BitMap]:
        """Every frozen number, by carrier that reported the cancellation and its day."""
        return self.frozen_on(self.known)

    def sleeping(self, among: BitMap) -> BitMap:
        """Those of `among` that are frozen, whoever cancelled them."""
        return _in_any(self.asleep.values(), among)

    def possible(self, event: Event, carrier: str, range_owner: str | None, among: BitMap) -> BitMap:
        """Those of `among` for which this event of this carrier may come next.

        A number without history is its range owner's to report. Then the one who serves it reports it; a number that
        left by port-out is elsewhere (a port-out is not a cancellation: rule 4), and whoever took it in reports it, with
        or without a ported_in of its own before; one that comes back to where it left has to say so. Nobody takes in what
        nobody let go: a port has the word of both sides. A cancelled number may be opened by the carrier that cancelled it
        or by the owner of its range.
        """
        nothing = BitMap()
        if event is Event.RECLAIMED:
            return among & self.asleep.get(carrier, nothing)
        unknown = among - self.known if carrier == range_owner else nothing
        if event is Event.OPENED:
            return unknown | (self.sleeping(among) if carrier == range_owner else among & self.asleep.get(carrier, nothing))
        if event in (Event.PORTED_IN, *OF_BASELINES):
            return unknown | _in_any(self.ported.values(), among)
        elsewhere = _in_any((places for left, places in self.ported.items() if left != carrier), among)
        return unknown | elsewhere | (among & self.in_service.get(carrier, nothing))

    def keep(self, numbers: BitMap, kept: Kept) -> None:
        """Put numbers that stand nowhere yet to rest after cancellations that lie before all that is applied."""
        self.known |= numbers
        self.asleep[kept.carrier] = self.asleep.get(kept.carrier, BitMap()) | numbers
        self._kept.append(kept)

    def apply(self, fact: SetFact) -> None:
        """Move the fact's numbers to where the event puts them; the event is one that was possible for them."""
        places = fact.numbers
        self.known |= places
        if fact.event is Event.OPENED or fact.event is Event.RECLAIMED:
            _take_out(self.asleep, places)
        else:
            _take_out(self.in_service, places)
            _take_out(self.ported, places)
        goes_to = self.in_service
        if fact.event is Event.CANCELLED:
            goes_to = self.asleep
            self._cancellations.append(fact)
        elif fact.event is Event.PORTED_OUT:
            goes_to = self.ported
        if fact.carrier in goes_to:
            goes_to[fact.carrier] |= places
        else:
            goes_to[fact.carrier] = BitMap(places)


def _take_out(table: dict[str, BitMap], places: BitMap) -> None:
    for kept in table.values():
        kept -= places  # in place


def _in_any(sets: Iterable[BitMap], among: BitMap) -> BitMap:
    found = BitMap()
    for places in sets:
        found |= among & places
    return found


def fold(facts: Iterable[SetFact]) -> ShardState:
    """The state after some facts of one shard, given in the order in which they happened."""
    state = ShardState()
    for fact in facts:
        state.apply(fact)
    return state
