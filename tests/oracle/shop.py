"""What a buyer is told of a number, and whether it may be sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from oracle.days import ALLOTTED, first_sellable, owner_of, today
from oracle.histories import ELSEWHERE, FROZEN, SERVING, UNKNOWN, tenures, where
from oracle.renewal import UNSETTLED, answer_of, batch_of, freeze_of, held, kept_open, ordered_back
from oracle.world import Disclosure, Number, World


@dataclass
class Case:
    """`why`: everything that keeps it from being sold."""

    grade: str
    why: set[str]
    closed_on: date | None
    asked: int
    confirmed: int
    sellers: list[str]


def sellers_of(world: World, number: Number) -> list[str]:
    """Who may open it next: whoever froze it, and the owner of its range."""
    state, whose = where(world.histories[number])
    first = [whose] if state == FROZEN else []
    return list(dict.fromkeys([*first, owner_of(number)]))


def standing_disclosures(world: World, number: Number, closed_on: date | None) -> list[Disclosure]:
    """Those that were not withdrawn, made after the tenure that ended then and before the next."""
    return [
        one for one in world.disclosures if (one.number, one.closed_on, one.withdrawn) == (number, closed_on, False)
    ]  # fmt: skip


def case_of(world: World, number: Number, seller: str | None) -> Case:
    events = world.histories[number]
    state, whose = where(events)
    sellers = sellers_of(world, number)
    closed_on = tenures(events)[-1].closed_on if state == FROZEN else None
    batch = batch_of(world, events[-1]) if state == FROZEN else None
    freeze = freeze_of(world, batch, number) if batch else world.rules.freeze
    asked = list(batch.notices.values()) if batch else []
    answers = [answer_of(one, number)[0] for one in asked]
    confirmed = sum(one is not None and one[0] not in UNSETTLED for one in answers)
    ours = state in (FROZEN, UNKNOWN)
    objected = batch is not None and (kept_open(batch, number) or ordered_back(batch, number))
    unallotted = state == UNKNOWN and owner_of(number) not in ALLOTTED
    found = {
        "other_carrier": seller is not None and seller not in sellers and ours,
        "in_service": state == SERVING,
        "ported_out": state == ELSEWHERE,
        "freezing": closed_on is not None and today(whose, world.now) < first_sellable(closed_on, freeze),
        "not_released": closed_on is not None and (batch is None or number not in batch.released),
        # Read alike, so that nobody finds a held number by elimination.
        "withheld": held(world, number) or objected or unallotted,
        "acknowledged": ours and bool(standing_disclosures(world, number, closed_on)),
    }
    why = {name for name, holds in found.items() if holds}
    if why - {"acknowledged"}:
        asked, confirmed = [], 0  # else the counts would tell objections from holds
    grade = "blocked" if why else "A" if closed_on is None else "B" if confirmed == len(asked) else "C"
    return Case(grade, why, closed_on, len(asked), confirmed, sellers)
