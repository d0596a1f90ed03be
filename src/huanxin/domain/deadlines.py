"""When a partner is reminded of a notice, and when its silence becomes somebody's matter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from huanxin.domain.clock import after_working_days, before_working_days, working_days_between

OVERDUE = "overdue"
LATE = "late-"
"""With which the names of the steps begin that come after: the working days since are the rest."""
LATER = 5
_MORNING = time(9)
"""Reminders come when people begin to work."""


@dataclass(frozen=True, kw_only=True, order=True)
class Checkpoint:
    """One instant at which a notice is looked at: `name` is the working days that are left, or `overdue`."""

    at: datetime
    name: str


def steps(answer_by: datetime, *, days: Iterable[int], zone: ZoneInfo) -> list[Checkpoint]:
    """The steps of a notice, in order: a morning so many working days before the last day for the answer, and the end of
    that day. `answer_by` is the midnight that ends the last day."""
    last = (answer_by - timedelta(microseconds=1)).astimezone(zone).date()
    mornings = {count: datetime.combine(before_working_days(last, count), _MORNING, zone) for count in days}
    found = [Checkpoint(at=at, name=str(count)) for count, at in mornings.items()]
    return sorted([*found, Checkpoint(at=answer_by, name=OVERDUE)])


def newest_late(answer_by: datetime, *, zone: ZoneInfo, now: datetime) -> Checkpoint | None:
    """The last step after the overdue one that is due: a morning of every fifth working day after the last day for the
    answer, for whoever said that it is pending. None before the first."""
    last = (answer_by - timedelta(microseconds=1)).astimezone(zone).date()
    for rounds in range(working_days_between(last, now.astimezone(zone).date()) // LATER, 0, -1):
        at = datetime.combine(after_working_days(last, rounds * LATER), _MORNING, zone)
        if at <= now:
            return Checkpoint(at=at, name=f"{LATE}{rounds * LATER}")
    return None


def newest_due(found: Iterable[Checkpoint], *, now: datetime, sent_at: datetime) -> Checkpoint | None:
    """The last step that is due: after an outage one reminder goes out, not all that were missed. None for one that lies
    before the notice itself."""
    due = [step for step in found if step.at <= now and (step.at > sent_at or step.name == OVERDUE)]
    return max(due, default=None)
