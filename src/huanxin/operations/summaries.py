"""Keeping summaries fresh: one worker at a time makes those again whose facts have changed, or whose day is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from huanxin.operations import batch_figures
from huanxin.operations.platform import Platform
from huanxin.store import recurring, summaries
from huanxin.store.database import Tx

Make = Callable[[Tx, Platform], Mapping[str, dict[str, Any]]]
"""Counts by key, from the facts as they are now. What it leaves out is as it was counted before."""

MAKERS: dict[str, Make] = {batch_figures.KIND: batch_figures.make}
"""By kind of summary: how it is made."""

_EVERY = timedelta(seconds=5)
_JOB = "summaries"


@dataclass(frozen=True, kw_only=True)
class Summarizer:
    """A worker's job: look every few seconds whether facts came, and count again if so."""

    platform: Platform

    def one_job(self) -> bool:
        """Make what is stale; False, since nothing more is waiting then."""
        database, now = self.platform.database, self.platform.now()
        with database.transaction() as tx:
            if recurring.claim(tx, _JOB, now) is None:
                return False
            refresh(tx, self.platform)
            recurring.done(tx, _JOB, next_at=now + _EVERY)
        return False


def refresh(tx: Tx, platform: Platform) -> list[str]:
    """Make every summary whose facts or day have changed; the kinds that were made."""
    now = platform.now()
    current = f"{summaries.stamp(tx)}@{platform.today()}"
    made = []
    for kind, make in MAKERS.items():
        if summaries.stamps(tx, kind) == {current}:
            continue
        for key, body in make(tx, platform).items():
            summaries.put(tx, kind, key, stamp=current, body=body, at=now)
        summaries.confirm(tx, kind, stamp=current, at=now)
        made.append(kind)
    return made
