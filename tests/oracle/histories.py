"""What carriers said of numbers: one plain list of events for each, in the order in which they happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from oracle.days import midnight, owner_of

OPENED, CANCELLED, RECLAIMED, TRANSFERRED, PORTED_OUT = "opened", "cancelled", "reclaimed", "transferred", "ported_out"
EVENTS = (OPENED, CANCELLED, RECLAIMED, TRANSFERRED, PORTED_OUT)
UNKNOWN, SERVING, FROZEN, ELSEWHERE = "unknown", "in_service", "frozen", "ported_out"


@dataclass(eq=False)
class Said:
    """One event of one number. `at`: None if the carrier gave the day only. Two are the same only if they are one."""

    number: int
    event: str
    carrier: str
    day: date
    at: datetime | None = None


@dataclass
class Line:
    """One line of a report that a carrier is about to send."""

    number: int
    event: str
    day: date
    at: datetime | None = None

    def instant(self, carrier: str) -> datetime:
        return self.at or midnight(carrier, self.day)


@dataclass
class Judged:
    """What becomes of a report's lines: new events in order, how many are known, the numbers of those that can't be."""

    taken: list[Said] = field(default_factory=list)
    known: int = 0
    refused: list[int] = field(default_factory=list)


Histories = dict[int, list[Said]]


def where(events: list[Said]) -> tuple[str, str]:
    """Where a number stands, and with which carrier: that serves it, that froze it, that it left."""
    if not events:
        return UNKNOWN, ""
    last = events[-1]
    return {CANCELLED: FROZEN, PORTED_OUT: ELSEWHERE}.get(last.event, SERVING), last.carrier


def may_follow(events: list[Said], event: str, carrier: str, number: int) -> bool:
    """Whether a carrier may report this event next."""
    state, whose = where(events)
    mine = carrier == owner_of(number)
    if event == RECLAIMED:
        return state == FROZEN and whose == carrier
    if event == OPENED:
        return (state == UNKNOWN and mine) or (state == FROZEN and (mine or whose == carrier))
    if state == UNKNOWN:
        return mine
    if state == ELSEWHERE:
        return whose != carrier
    return state == SERVING and whose == carrier


def judge(histories: Histories, carrier: str, lines: list[Line], now: datetime) -> Judged:
    """Judge the lines of a report without recording anything."""
    found, seen, kept = Judged(), set(), []
    for place, line in enumerate(lines):
        key = (line.number, line.event, line.instant(carrier))
        if line.instant(carrier) > now:
            found.refused.append(line.number)
        elif key in seen:
            found.known += 1
        else:
            seen.add(key)
            kept.append((line.instant(carrier), place, line))
    walked = {line.number: list(histories[line.number]) for line in lines}
    for _, _, line in sorted(kept, key=lambda one: one[:2]):
        past = walked[line.number]
        if any((one.event, one.carrier, one.day) == (line.event, carrier, line.day) for one in past):
            found.known += 1
        elif any(one.day > line.day for one in past) or not may_follow(past, line.event, carrier, line.number):
            found.refused.append(line.number)
        else:
            past.append(Said(line.number, line.event, carrier, line.day, line.at))
            found.taken.append(past[-1])
    return found


@dataclass
class Tenure:
    """The time of one subscriber. `opened_on` None: before anything was reported."""

    opened_on: date | None
    carrier: str
    closed_on: date | None = None


def tenures(events: list[Said]) -> list[Tenure]:
    """A number's subscribers, oldest first. Whoever takes his number to another carrier is the same subscriber there."""
    found: list[Tenure] = []
    for one in events:
        held = bool(found) and found[-1].closed_on is None
        if one.event in (CANCELLED, TRANSFERRED, PORTED_OUT) and not held:
            found.append(Tenure(None, one.carrier))
        if one.event in (CANCELLED, TRANSFERRED):
            found[-1].closed_on = one.day
            found[-1].carrier = one.carrier
        if one.event in (OPENED, TRANSFERRED):
            found.append(Tenure(one.day, one.carrier))
        if one.event == RECLAIMED:
            found[-1].closed_on = None
    return found


def holder(events: list[Said]) -> Tenure | None:
    """The tenure of whoever a carrier serves now; None if nobody does, or nobody knows."""
    return tenures(events)[-1] if where(events)[0] == SERVING else None


def had_predecessor(events: list[Said]) -> bool | None:
    """Whether the present subscriber had one; None if that isn't known."""
    now = holder(events)
    return None if now is None or now.opened_on is None else len(tenures(events)) > 1


def last_cancellation(events: list[Said]) -> Said | None:
    return next((one for one in reversed(events) if one.event == CANCELLED), None)


def since(events: list[Said], one: Said) -> list[Said]:
    """What happened after an event."""
    return events[events.index(one) + 1 :]
