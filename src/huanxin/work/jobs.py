"""The one loop of jobs: claim what is due, do it, say when it is due again. What is done is each kind's own."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from huanxin.acts import Platform
from huanxin.domain.retries import Retries
from huanxin.store import jobs
from huanxin.store.acting import PLATFORM, Act
from huanxin.store.jobs import Job


class Failed(Exception):
    """A job was tried in vain; what was recorded of it stays, and it is tried again later and later, then given up."""


class Later(Exception):
    """A job can't be tried before an instant, and nobody failed."""

    def __init__(self, next_at: datetime) -> None:
        super().__init__(next_at)
        self.next_at = next_at


@dataclass(frozen=True, kw_only=True)
class Jobs(ABC):
    """The jobs of one kind. Doing one and saying when it is due again is one transaction: a worker that dies in it leaves
    the job to the next."""

    KIND: ClassVar[str]
    SURE: ClassVar[bool] = False
    """whether the clocks are compared first, since what is done can't be taken back"""
    GIVEN_UP: ClassVar[bool] = True
    """whether it is given up after the days of `retries`"""

    platform: Platform
    retries: Retries = field(default_factory=Retries)
    chance: Callable[[], float] = random.random

    def one_job(self) -> bool:
        """Do the job that has been due longest; False if none is due, or another worker is at it."""
        return self.claimed(None)

    def claimed(self, failing: bool | None) -> bool:
        """The same, only of those that failed the last time, or only of those that did not."""
        with self.platform.act(PLATFORM, sure=self.SURE) as act:
            if always := self.always(act):
                jobs.keep(act.tx, self.KIND, always, at=act.now)
            job = jobs.claim(act.tx, self.KIND, act.now, failing=failing)
            if job is None:
                return False
            try:
                jobs.end(act.tx, job, next_at=self.do(act, job))
            except Later as later:
                jobs.wait(act.tx, job, next_at=later.next_at)
            except Failed:
                now = self.platform.now()
                again = self.retries.next if self.GIVEN_UP else self._for_ever
                jobs.failed(act.tx, job, at=now, next_at=again(job, now, self.chance))
        return True

    def _for_ever(self, job: Job, now: datetime, chance: Callable[[], float]) -> datetime:
        return self.retries.after(job.tries, now, chance)

    def always(self, act: Act) -> Collection[str]:
        """Keys of the jobs that there are without anybody putting them."""
        return ()

    @abstractmethod
    def do(self, act: Act, job: Job) -> datetime | None:
        """Do it; when it is due again, None if it is done for good. Raises Failed or Later."""
