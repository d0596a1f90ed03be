"""The pool: every number of a carrier's ranges is in exactly one state. This file says which, in words and as sets.

A number belongs to the carrier that its range is allotted to, wherever it is served now. Its state is the first of these
that holds:

    never sold      allotted, and no report ever named it
    in service      an owner has it, served by the carrier of its range
    served elsewhere  an owner has it who took it along to another carrier (rule 4: that is not a cancellation)
    held            cancelled, and an authority's order binds it today, whatever else is true of it
    released        given back for sale, and not opened again yet
    blocked         a required partner refused and nobody waived that, or an operator took it back from its batch
    renewing        in a batch; a required partner owes an answer, or all have answered and the freeze still runs
    clear           in a batch; all required partners have answered and the freeze has ended: it may be released
    due             cancelled, in no batch, and the freeze ends within the lead time or has ended
    frozen          cancelled, in no batch, and the freeze ends later

What depends on the day (frozen or due, renewing or clear, held or not any more) is told apart when it is shown: a `CellKind`
is what the facts alone say, so it has to be counted again only when a fact comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import IntEnum, StrEnum

from pyroaring import BitMap

from huanxin.domain.gate import Gate
from huanxin.domain.lifecycle import ShardState


class PoolState(StrEnum):
    """Where a number of the pool stands, in the order in which pages list it."""

    NEVER_SOLD = "never_sold"
    IN_SERVICE = "in_service"
    ELSEWHERE = "elsewhere"
    FROZEN = "frozen"
    HELD = "held"
    DUE = "due"
    RENEWING = "renewing"
    CLEAR = "clear"
    BLOCKED = "blocked"
    RELEASED = "released"


STATES = tuple(PoolState)
USED = (PoolState.IN_SERVICE, PoolState.ELSEWHERE)
"""What utilisation counts: numbers that somebody has."""

CANCELLED = (
    PoolState.FROZEN, PoolState.DUE, PoolState.RENEWING, PoolState.CLEAR, PoolState.BLOCKED, PoolState.HELD,
    PoolState.RELEASED,
)  # fmt: skip
"""Numbers that had an owner and have none now."""

TO_COME = (PoolState.FROZEN, PoolState.DUE, PoolState.RENEWING, PoolState.CLEAR, PoolState.HELD)
"""Numbers that can be sold once their freeze is over, their partners have answered and no hold binds them any more."""


class CellKind(IntEnum):
    """What the facts say of a number, whatever the day; stored by value."""

    SERVED = 0
    ELSEWHERE = 1
    HELD = 2
    RELEASED = 3
    BLOCKED = 4
    OPEN = 5
    """in a batch; a required partner owes an answer"""
    ANSWERED = 6
    """in a batch; nothing but the freeze can keep it"""
    RESTING = 7
    """cancelled, in no batch"""
    HELD_ANYWAY = 8
    """held, and in a batch that has released it or will not (blocked): the end of the hold changes nothing"""


_ALWAYS = {
    CellKind.SERVED: PoolState.IN_SERVICE, CellKind.ELSEWHERE: PoolState.ELSEWHERE, CellKind.HELD: PoolState.HELD,
    CellKind.RELEASED: PoolState.RELEASED, CellKind.BLOCKED: PoolState.BLOCKED, CellKind.OPEN: PoolState.RENEWING,
    CellKind.HELD_ANYWAY: PoolState.HELD,
}  # fmt: skip


def state_of(kind: CellKind, *, days_left: int, lead_days: int) -> PoolState:
    """The state of a number whose freeze ends in `days_left` days (0 or less: it has ended)."""
    if kind is CellKind.ANSWERED:
        return PoolState.RENEWING if days_left > 0 else PoolState.CLEAR
    if kind is CellKind.RESTING:
        return PoolState.FROZEN if days_left > lead_days else PoolState.DUE
    return _ALWAYS[kind]


def of_shard(state: ShardState, owner: str | None, held: BitMap) -> Mapping[tuple[CellKind, date | None], BitMap]:
    """The numbers of a shard that reports named, by kind and day of cancellation (None: not cancelled).

    `owner` is the carrier of the range, `held` what holds bind. Numbers in batches count as resting here: `of_batch` says
    more of them.
    """
    found: dict[tuple[CellKind, date | None], BitMap] = {}
    for kind, table in ((CellKind.SERVED, state.in_service), (CellKind.ELSEWHERE, state.ported)):
        for carrier, places in table.items():
            _add(found, kind if carrier == owner else CellKind.ELSEWHERE, None, places)
    for (_, day), places in state.frozen().items():
        _add(found, CellKind.HELD, day, places & held)
        _add(found, CellKind.RESTING, day, places - held)
    return found


def _add(found: dict[tuple[CellKind, date | None], BitMap], kind: CellKind, day: date | None, places: BitMap) -> None:
    if places:
        found[kind, day] = found.get((kind, day), BitMap()) | places


def of_batch(gate: Gate) -> dict[CellKind, BitMap]:
    """The places of a batch by kind. Those that left the freeze after the plan are in none: the batch is over for them."""
    left = gate.everyone - BitMap.union(BitMap(), *gate.retracted.values())
    held, blocked = gate.held_places(), gate.refused() | BitMap.union(BitMap(), *gate.ordered.values())
    claims = (
        (CellKind.HELD_ANYWAY, held & (gate.released | blocked)), (CellKind.HELD, held), (CellKind.RELEASED, gate.released),
        (CellKind.BLOCKED, blocked), (CellKind.OPEN, gate.open()), (CellKind.ANSWERED, gate.everyone),
    )  # fmt: skip
    found = {}
    for kind, places in claims:
        found[kind] = left & places
        left = left - places
    return found
