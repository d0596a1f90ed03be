"""What carriers said of numbers: one plain list of events for each, in the order in which they happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from oracle.days import midnight, owner_of

OPENED, CANCELLED, RECLAIMED, TRANSFERRED, PORTED_OUT = "opened", "cancelled", "reclaimed", "transferred", "ported_out"
PORTED_IN = "ported_in"
IN_SERVICE, SERVED = "in_service", "served"
"""What only the present state of a carrier's numbers says: that somebody has it, since a day or since nobody knows when."""
EVENTS = (OPENED, CANCELLED, RECLAIMED, TRANSFERRED, PORTED_OUT, PORTED_IN)
UNKNOWN, SERVING, FROZEN, ELSEWHERE = "unknown", "in_service", "frozen", "ported_out"


@dataclass(eq=False)
class Said:
    """One event of one number. `at`: None if the carrier gave the day only; `report`: which said so, once one did. Two are
    the same only if they are one."""

    number: int
    event: str
    carrier: str
    day: date
    at: datetime | None = None
    report: int = 0


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
    """What becomes of a report's lines: new events in order, how many are known, the numbers of those that can't be; and
    those of which something is taken that is older than what is on record."""

    taken: list[Said] = field(default_factory=list)
    known: int = 0
    refused: list[int] = field(default_factory=list)
    late: set[int] = field(default_factory=set)


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
    if event in (PORTED_IN, IN_SERVICE, SERVED):
        return state == ELSEWHERE
    if state == ELSEWHERE:
        return whose != carrier
    return state == SERVING and whose == carrier


def possible(events: list[Said]) -> bool:
    """Whether what is said of a number can be so, in its order."""
    return all(may_follow(events[:place], one.event, one.carrier, one.number) for place, one in enumerate(events))


def insert(events: list[Said], one: Said) -> int:
    """Put an event where it happened among a number's, and say where: on its day by its time, else behind the day's."""
    later = (
        place for place, other in enumerate(events)
        if other.day > one.day or (other.day == one.day and one.at and other.at and other.at > one.at)
    )  # fmt: skip
    place = next(later, len(events))
    events.insert(place, one)
    return place


def judge(histories: Histories, carrier: str, lines: list[Line], now: datetime) -> Judged:
    """Judge the lines of a report without recording anything."""
    found = Judged()
    days: dict[tuple[int, date], list[Line]] = {}
    for line in lines:
        if line.instant(carrier) > now:
            found.refused.append(line.number)
        else:
            days.setdefault((line.number, line.day), []).append(line)
    news: dict[int, list[Said]] = {}
    for (number, day), said in sorted(days.items()):
        recorded = [one for one in histories[number] if one.day == day]
        fresh = _news(found, carrier, recorded, _once(found, said))
        news.setdefault(number, []).extend(Said(number, line.event, carrier, day, line.at) for line in fresh)
    for number, told in news.items():
        _judge_number(found, histories[number], told)
    return found


def _judge_number(found: Judged, recorded: list[Said], told: list[Said]) -> None:
    """If anything is older than what is on record: all of it where the whole order is possible, else nothing of the old."""
    late = [one for one in told if insert(list(recorded), one) < len(recorded)]
    if late:
        whole = list(recorded)
        for one in told:
            insert(whole, one)
        if possible(whole):
            found.taken += told
            found.late.add(told[0].number)
            return
    walked = list(recorded)
    for one in told:
        if one in late or not may_follow(walked, one.event, one.carrier, one.number):
            found.refused.append(one.number)
        else:
            walked.append(one)
            found.taken.append(one)


def _once(found: Judged, said: list[Line]) -> list[Line]:
    """One number's lines of one day, in their order, each once. They have times all, or none has one."""
    kept: list[Line] = []
    before = None
    for line in sorted(said, key=lambda one: one.at.timestamp() if one.at else 0.0):
        key = (line.event, line.at)
        if all((one.event, one.at) != key for one in kept):
            kept.append(line)
        elif line.at or key == before:
            found.known += 1
        else:
            found.refused.append(line.number)  # it stands again with another between, and no time says whether it is new
        before = key
    return kept


def _news(found: Judged, carrier: str, recorded: list[Said], said: list[Line]) -> list[Line]:
    """What is neither on record of that day nor impossible to tell from what is."""
    if len(recorded) == len(said) == 1 and (recorded[0].at is None) != (said[0].at is None):
        if (recorded[0].event, recorded[0].carrier) != (said[0].event, carrier):
            return said
        found.known += 1
        return []
    keys = [(one.event, one.carrier, one.at) for one in recorded]
    new = [(one.event, carrier, one.at) for one in said]
    again = max(size for size in range(len(new) + 1) if size <= len(keys) and keys[len(keys) - size :] == new[:size])
    found.known += again
    news = []
    for line, key in zip(said[again:], new[again:], strict=True):
        if line.at is None and key in keys:
            found.refused.append(line.number)
        elif key in keys:
            found.known += 1
        else:
            news.append(line)
    return news


def can_be_told(histories: Histories, carrier: str, lines: list[Line]) -> bool:
    """Whether the rule is clear: of one day all events have times or none has, but for one beside one; and no two events of
    a number happened in the same instant."""
    for line in lines:
        beside: list[Line] = [one for one in lines if (one.number, one.day) == (line.number, line.day)]
        recorded = [one for one in histories[line.number] if one.day == line.day]
        if len({one.at is None for one in beside}) > 1:
            return False
        mixed = any((one.at is None) != (line.at is None) for one in recorded)
        if mixed and (len(recorded), len(beside)) != (1, 1):
            return False
        instants = [(one.at, one.event) for one in beside] + [(one.at, one.event) for one in recorded]
        if line.at and any(at == line.at and event != line.event for at, event in instants):
            return False
    return True


@dataclass
class Tenure:
    """The time of one subscriber. `opened_on` None: before anything was reported; else `opened_by` says in whose zone.
    `told`: by a baseline, so that nobody knows who was before."""

    opened_on: date | None
    carrier: str
    closed_on: date | None = None
    opened_by: str = ""
    told: bool = False


def tenures(events: list[Said]) -> list[Tenure]:
    """A number's subscribers, oldest first. Whoever takes their number to another carrier is the same subscriber there."""
    found: list[Tenure] = []
    for one in events:
        held = bool(found) and found[-1].closed_on is None
        if one.event in (CANCELLED, TRANSFERRED, PORTED_OUT, PORTED_IN, IN_SERVICE, SERVED) and not held:
            found.append(Tenure(None, one.carrier))
        if one.event in (CANCELLED, TRANSFERRED):
            found[-1].closed_on = one.day
            found[-1].carrier = one.carrier
        if one.event in (PORTED_IN, IN_SERVICE, SERVED):
            found[-1].carrier = one.carrier
        if one.event == IN_SERVICE and found[-1].opened_on is None:
            found[-1] = Tenure(one.day, one.carrier, opened_by=one.carrier, told=True)
        if one.event in (OPENED, TRANSFERRED):
            found.append(Tenure(one.day, one.carrier, opened_by=one.carrier))
        if one.event == RECLAIMED:
            found[-1].closed_on = None
    return found


def holder(events: list[Said]) -> Tenure | None:
    """The tenure of whoever a carrier serves now; None if nobody does, or nobody knows."""
    return tenures(events)[-1] if where(events)[0] == SERVING else None


def had_predecessor(events: list[Said]) -> bool | None:
    """Whether the present subscriber had one; None if that isn't known."""
    now = holder(events)
    if now is None or now.opened_on is None:
        return None
    return True if len(tenures(events)) > 1 else None if now.told else False


def last_cancellation(events: list[Said]) -> Said | None:
    return next((one for one in reversed(events) if one.event == CANCELLED), None)


def since(events: list[Said], one: Said) -> list[Said]:
    """What happened after an event."""
    return events[events.index(one) + 1 :]
