"""Keeping summaries fresh: one worker at a time makes those again whose facts have changed, or whose day is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.figures import batch_figures, counting, history, pool
from huanxin.figures.watch import bulletin
from huanxin.store import recurring
from huanxin.store.database import Tx
from huanxin.store.figures import answered, summaries

Make = Callable[[Tx, Platform], Mapping[str, dict[str, Any]] | None]
"""Counts by key, from the facts as they are now; keys left out are as they were. None: not now, ask again."""


def _answers(tx: Tx, platform: Platform) -> Mapping[str, dict[str, Any]]:
    answered.refresh(tx, now=platform.now())
    return {}  # kept there, a batch at a time, since only what is new is counted


MAKERS: dict[str, Make] = {
    batch_figures.KIND: batch_figures.make,
    "pool": pool.make,
    bulletin.KIND: bulletin.make,
    answered.KIND: _answers,
    history.KIND: lambda tx, platform: history.count_answers(tx, platform.plan.carriers, platform.now()),
    counting.KIND: lambda tx, platform: counting.count(tx, platform.plan),
}
"""By kind of summary: how it is made."""

RESTS: dict[str, timedelta] = {"pool": timedelta(minutes=1)}
"""Kinds that take seconds at a country's size are not made again before they have rested so long."""

_EVERY = timedelta(seconds=5)
_AS_LONG = 5
"""So many times as long as it took, making summaries then rests: while reports come in one after the other, what counts
them all again must not take the processor from those who import and answer."""
_NOT_AT_ALL = timedelta(0)
_JOB = "summaries"
_LOOKED = "looked"
"""A row for each kind, with the facts for which it was made last: there may be nothing to keep of them."""


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
            ended = self.platform.now()
            recurring.done(tx, _JOB, next_at=ended + max(_EVERY, _AS_LONG * (ended - now)))
        return False


def refresh(tx: Tx, platform: Platform, *, only: Collection[str] | None = None) -> list[str]:
    """Make every summary (or those of some kinds) whose facts or day have changed; the kinds that were made."""
    now = platform.now()
    current = f"{summaries.stamp(tx)}@{platform.today()} {platform.zone}"
    looked = {one.key: one.stamp for one in summaries.all_of(tx, _LOOKED)}
    made = []
    for kind, make in MAKERS.items():
        if only is not None and kind not in only:
            continue
        known = summaries.stamps(tx, kind)
        if looked.get(kind) == current and all(one == current for one, _ in known):
            continue
        if known and max(at for _, at in known) > now - RESTS.get(kind, _NOT_AT_ALL):
            continue
        counted = make(tx, platform)
        if counted is None:
            continue
        for key, body in counted.items():
            summaries.put(tx, kind, key, stamp=current, body=body, at=now)
        summaries.confirm(tx, kind, stamp=current, at=now)
        summaries.put(tx, _LOOKED, kind, stamp=current, body={}, at=now)
        made.append(kind)
    return made
