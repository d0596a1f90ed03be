"""Keeping summaries fresh: one worker at a time looks every few seconds whether facts came, and counts again if so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from huanxin.figures.summaries import refresh
from huanxin.store import jobs
from huanxin.store.acting import Act
from huanxin.store.jobs import Job
from huanxin.work.jobs import Jobs

_EVERY = timedelta(seconds=5)
_AS_LONG = 5
"""So many times as long as it took, making summaries then rests: while reports come in one after the other, what counts
them all again must not take the processor from those who import and answer."""


@dataclass(frozen=True, kw_only=True)
class Summarizer(Jobs):
    """Makes what is stale."""

    KIND = jobs.SUMMARIES

    def always(self, act: Act) -> Collection[str]:
        return ("",)

    def do(self, act: Act, job: Job) -> datetime:
        refresh(act.tx, self.platform)
        ended = self.platform.now()
        return ended + max(_EVERY, _AS_LONG * (ended - act.now))
