"""The numbers of the demo's world: which exist, what happened to each, and where each stands on the day `today`.

Everything is columns: a number is a place in `Truth.number`, an event a place in `Events`. Days count from 1970-01-01 in
the carriers' zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from huanxin.demo.allotments import BLOCK_SIZE, blocks

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FREEZE_DAYS, LEAD_DAYS = 90, 15
"""The world is shaped around these: 电信服务规范 (90 days), and a notice about two weeks before the freeze ends."""

EVENTS = ("opened", "cancelled", "reclaimed", "transferred", "ported_out", "ported_in")
OPENED, CANCELLED, RECLAIMED, TRANSFERRED, PORTED_OUT, PORTED_IN = range(6)

_FILL = 5_000  # numbers of the world per block of 10,000
_SHARE_OF_CARRIER = (0.55, 0.2, 0.2, 0.05)
_OLDEST = 4_000  # days: what happened before, the carriers' systems no longer know
_EPOCH = date(1970, 1, 1).toordinal()


class State(IntEnum):
    """Where a number stands."""

    IN_SERVICE = 0
    FROZEN = 1
    PORTED_OUT = 2


class Fate(IntEnum):
    """What happened to a number last; decides the rest of its history."""

    RIPE = 0
    SOON = 1
    FRESH = 2
    RECLAIMED = 3
    PORTED_OUT = 4
    TRANSFERRED = 5
    SERVING = 6


SHARE_OF_FATE = {
    Fate.RIPE: 0.20, Fate.SOON: 0.10, Fate.FRESH: 0.10, Fate.RECLAIMED: 0.05, Fate.PORTED_OUT: 0.03,
    Fate.TRANSFERRED: 0.04, Fate.SERVING: 0.48,
}  # fmt: skip
"""Ripe numbers could be sold for 0 to 20 days, soon ones can within 15, fresh ones were cancelled lately."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Where every number stands, as columns of one length, ascending by number.

    carrier: index into CARRIERS; state: a State; closed: the day of the last cancellation if frozen, else -1.
    """

    number: Ints
    carrier: npt.NDArray[np.int8]
    state: npt.NDArray[np.int8]
    closed: npt.NDArray[np.int32]

    def frozen(self) -> Bools:
        return np.equal(self.state, State.FROZEN)

    def sellable(self, today: date, freeze_days: int = FREEZE_DAYS) -> Bools:
        """Which numbers' freeze has ended; the day of cancellation is not counted (Civil Code of China, art. 201)."""
        return self.frozen() & (self.closed + freeze_days + 1 <= day_number(today))

    def due(self, today: date, lead_days: int = LEAD_DAYS, freeze_days: int = FREEZE_DAYS) -> Bools:
        """Which numbers' freeze ends within the lead time (holds not looked at)."""
        return self.frozen() & (self.closed + freeze_days + 1 <= day_number(today) + lead_days)

    def where(self, numbers: Ints) -> Ints:
        """The places of some numbers of the world. Raises KeyError if one isn't in it."""
        places = np.searchsorted(self.number, numbers)
        inside = places < len(self.number)
        if not bool(inside.all()) or not bool(np.all(self.number[places] == numbers)):
            raise KeyError("a number is not in this world")
        return places.astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Events:
    """What happened, as columns of one length, by time: place of the number, event, seconds since 1970 local time."""

    place: Ints
    event: npt.NDArray[np.int8]
    second: Ints

    def take(self, rows: Ints | Bools) -> Events:
        return Events(place=self.place[rows], event=self.event[rows], second=self.second[rows])


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def make_numbers(rng: np.random.Generator, count: int) -> tuple[Ints, npt.NDArray[np.int8]]:
    """`count` distinct numbers, ascending, and their carriers; they cluster in allotted blocks as real ones do."""
    plan = blocks()
    chosen = []
    for carrier, share in enumerate(_SHARE_OF_CARRIER):
        here = np.flatnonzero(plan.carrier == carrier)
        wanted = min(len(here), max(1, round(count * share / _FILL)))
        chosen.append(rng.choice(here, size=wanted, replace=False))
    picked = np.sort(np.concatenate(chosen))
    room = len(picked) * BLOCK_SIZE
    if count > room:
        raise ValueError(f"the world has room for {room:,} numbers; ask for fewer than {count:,}")
    spots = np.sort(rng.choice(room, size=count, replace=False))
    block, offset = picked[spots // BLOCK_SIZE], spots % BLOCK_SIZE
    return plan.start[block] + offset, plan.carrier[block]


def make_history(rng: np.random.Generator, number: Ints, carrier: npt.NDArray[np.int8], today: date) -> tuple[Truth, Events]:
    """Give each number a past of one to three tenures that ends the day before `today` at the latest."""
    count, now = len(number), day_number(today)
    fate = rng.choice(np.array(list(SHARE_OF_FATE)), size=count, p=list(SHARE_OF_FATE.values())).astype(np.int8)
    log = _Log(rng)
    first = _last_stage(rng, log, fate, now)
    _earlier_tenures(rng, log, first, fate == Fate.SERVING, now - _OLDEST)
    state = np.full(count, State.IN_SERVICE, np.int8)
    state[fate <= Fate.FRESH] = State.FROZEN
    state[fate == Fate.PORTED_OUT] = State.PORTED_OUT
    closed = np.where(fate <= Fate.FRESH, first, -1).astype(np.int32)
    return Truth(number=number, carrier=carrier, state=state, closed=closed), log.events()


class _Log:
    """Collects events of many numbers at a time, each at some time of its day."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._parts: list[tuple[Ints, npt.NDArray[np.int8], Ints]] = []

    def add(self, places: Ints, event: int, days: Ints) -> None:
        # Cancellations are worked off by night, in runs of half an hour; shops open at 08:00.
        if event == CANCELLED:
            minutes = 60 + 30 * self._rng.integers(0, 8, len(places))
        else:
            minutes = 480 + 5 * self._rng.integers(0, 144, len(places))
        self._parts.append((places, np.full(len(places), event, np.int8), days * 86_400 + minutes * 60))

    def events(self) -> Events:
        place, event, second = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        order = np.lexsort((place, second))
        return Events(place=place[order], event=event[order], second=second[order])


def _last_stage(rng: np.random.Generator, log: _Log, fate: npt.NDArray[np.int8], now: int) -> Ints:
    """Log what happened last to each number; the day of the first of these events."""
    ends = now - FREEZE_DAYS - 1  # cancelled on this day, a number can be sold from today
    spread = {
        Fate.RIPE: (ends - 20, ends + 1), Fate.SOON: (ends + 1, ends + LEAD_DAYS + 1),
        Fate.FRESH: (ends + LEAD_DAYS + 1, now), Fate.RECLAIMED: (now - 600, now - 2),
        Fate.PORTED_OUT: (now - 900, now), Fate.TRANSFERRED: (now - 900, now), Fate.SERVING: (now - 3000, now),
    }  # fmt: skip
    low = np.array([spread[kind][0] for kind in Fate])[fate]
    high = np.array([spread[kind][1] for kind in Fate])[fate]
    day = rng.integers(low, high)
    events = {Fate.PORTED_OUT: PORTED_OUT, Fate.TRANSFERRED: TRANSFERRED, Fate.SERVING: OPENED}
    kinds = np.array([events.get(kind, CANCELLED) for kind in Fate])[fate]
    for event in (OPENED, CANCELLED, TRANSFERRED, PORTED_OUT):
        places = np.flatnonzero(kinds == event)
        log.add(places, event, day[places])
    back = np.flatnonzero(fate == Fate.RECLAIMED)
    room = np.minimum(FREEZE_DAYS - 10, now - 1 - day[back])  # within the freeze, and not after yesterday
    log.add(back, RECLAIMED, day[back] + 1 + (rng.random(len(back)) * room).astype(np.int64))
    return day


def _earlier_tenures(rng: np.random.Generator, log: _Log, first: Ints, vacant: Bools, oldest: int) -> None:
    """Log openings and cancellations before `first`, going back; `vacant` numbers had no owner just before it."""
    day, places = first.copy(), np.arange(len(first))
    opening = places[~vacant]
    before = places[vacant & (rng.random(len(first)) < 0.4)]
    for _ in range(3):
        day[opening] -= 30 + rng.exponential(700, len(opening)).astype(np.int64)
        opening = opening[(day[opening] > oldest) & (rng.random(len(opening)) < 0.65)]  # else not on record
        log.add(opening, OPENED, day[opening])
        again = opening[rng.random(len(opening)) < 0.35]
        closing = np.sort(np.concatenate([again, before]))
        day[closing] -= FREEZE_DAYS + 1 + rng.exponential(120, len(closing)).astype(np.int64)
        closing = closing[day[closing] > oldest]
        log.add(closing, CANCELLED, day[closing])
        opening, before = closing, np.empty(0, np.int64)
