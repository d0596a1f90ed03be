"""Who is reminded when: in the mornings of the second and of the last working day before the day on which an answer is due;
when that day is over; and every fifth working day after it, if the partner asked for time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from oracle.days import ZONES, people_work
from oracle.outbox import REMINDER, tell
from oracle.renewal import waits_for
from oracle.world import Batch, Filed, Notice, Retraction, World

BEFORE = (2, 1)
AGAIN = 5
MORNING = time(9)
OVERDUE = "overdue"


def subjects(world: World) -> list[Batch | Retraction]:
    """What partners are asked about many numbers, as they were asked."""
    return sorted((one for batch in world.batches for one in batch.asked), key=lambda one: one.key)


def zone_of(of: Batch | Retraction, answer_by: datetime) -> ZoneInfo:
    """Of the batch's carriers, the one whose day ends then."""
    batch = of if isinstance(of, Batch) else of.batch
    zones = sorted({ZONES[one.carrier] for one in batch.stands_on.values()}, key=str)
    return next((zone for zone in zones if answer_by.astimezone(zone).time() == time()), ZONES["cn"])


def looked_at(notice: Notice, zone: ZoneInfo, now: datetime) -> list[tuple[datetime, str]]:
    """The instants until now at which somebody looks whether an answer is missing, with their names."""
    last = (notice.answer_by - timedelta(seconds=1)).astimezone(zone).date()
    found = [(_morning(_working(last, -days), zone), f"{days}") for days in BEFORE]
    found = [one for one in found if one[0] > notice.sent_at]
    found.append((notice.answer_by, OVERDUE))
    day, rounds = last, 0
    while found[-1][0] <= now:
        rounds += AGAIN
        day = _working(day, AGAIN)
        found.append((_morning(day, zone), f"after {rounds}"))
    return [one for one in found if one[0] <= now]


def ahead(world: World, span: timedelta) -> list[datetime]:
    """The instants within a span from now at which somebody looks, soonest first."""
    found = {
        at for of in subjects(world) for notice in of.notices.values()
        for at, _ in looked_at(notice, zone_of(of, notice.answer_by), world.now + span)
    }  # fmt: skip
    return sorted(one for one in found if one > world.now)


def _working(day: date, days: int) -> date:
    """The working day that comes so many working days after a day, or before it."""
    step, left = (1 if days > 0 else -1), abs(days)
    while left:
        day += timedelta(days=step)
        left -= people_work(day)
    return day


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone)


def remind_due(world: World) -> None:
    """What the worker does that reminds: of each notice only the newest instant counts, and each counts once."""
    for of in subjects(world):
        for notice in of.notices.values():
            _remind_of(world, of, notice)


def _remind_of(world: World, of: Batch | Retraction, notice: Notice) -> None:
    due = looked_at(notice, zone_of(of, notice.answer_by), world.now)
    if OVERDUE not in notice.looked:
        due = [one for one in due if not one[1].startswith("after")]
    if not due or due[-1][1] in notice.looked:
        return
    at, name = due[-1]
    outstanding, pending, _ = waits_for(world, of, notice.partner.key)
    if name.startswith("after"):
        filed = [one.at for one in notice.entries if isinstance(one, Filed)]
        if not pending or (filed and max(filed) >= at):
            return
    notice.looked.add(name)
    if outstanding + pending:
        urgent = name == OVERDUE or (name.startswith("after") and not notice.escalated_at)
        remind(world, of, notice, urgent=urgent)


def remind(world: World, of: Batch | Retraction, notice: Notice, *, urgent: bool) -> None:
    """Tell a partner that it is waited for; `urgent`: it is somebody's matter now."""
    if urgent:
        notice.escalated_at = world.now
    else:
        notice.reminded += 1
    tell(world, notice.partner, REMINDER, of)
