"""When what failed is tried again, and when it is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol


class Tried(Protocol):
    """Something that was tried in vain, since it could be: how often, on how many days (UTC), and the last of these."""

    @property
    def tries(self) -> int: ...

    @property
    def tried_days(self) -> int: ...

    @property
    def tried_on(self) -> date | None: ...


@dataclass(frozen=True, kw_only=True)
class Retries:
    """When to try again: doubling from `first` to `longest`, each time shortened at random by up to half; given up after it
    was tried in vain on so many `days`.

    Days on which it was tried, not its age: it may have waited for a paused stream, or the platform may have stood still, or
    the clock may have jumped.
    """

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=15)
    days: int = 14

    def next(self, tried: Tried, now: datetime, chance: Callable[[], float]) -> datetime | None:
        """The instant of the next try, after one more failed now; None to give up."""
        days = tried.tried_days + (tried.tried_on != now.date())
        return None if days > self.days else self.after(tried.tries, now, chance)

    def after(self, tries: int, now: datetime, chance: Callable[[], float]) -> datetime:
        """The instant of the next try of what is never given up, after `tries` and one more failed."""
        wait: timedelta = min(self.longest, self.first * (1 << min(tries, 20)))
        return now + wait * (1 - chance() / 2)
