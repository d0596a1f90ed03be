"""Keeping summaries fresh: those are made again whose facts have changed, or whose day is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.figures import batch_figures, counting, history, pool
from huanxin.figures.watch import bulletin
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

_NOT_AT_ALL = timedelta(0)
_LOOKED = "looked"
"""A row for each kind, with the facts for which it was made last: there may be nothing to keep of them."""


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
