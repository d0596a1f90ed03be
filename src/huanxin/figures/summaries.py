"""Keeping summaries fresh: those are made again whose facts have changed, or whose day is over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.figures import batch_figures, counting, history, pool
from huanxin.figures.projection import Projection, everything
from huanxin.figures.watch import bulletin
from huanxin.store.database import Tx

PROJECTIONS: tuple[Projection[Any], ...] = (
    batch_figures.BATCHES, pool.POOL, bulletin.PUBLISHED, bulletin.SUPERVISION, history.PACES, counting.PASTS,
)  # fmt: skip
"""Everything that is kept fresh."""


def refresh(tx: Tx, platform: Platform, *, only: Collection[str] | None = None) -> list[str]:
    """Make every summary (or those of some kinds) whose facts or day have changed; the kinds that were made."""
    facts = everything(tx, platform)
    wanted = [one for one in PROJECTIONS if only is None or one.kind.name in only]
    return [one.kind.name for one in wanted if one.keep_fresh(tx, platform, facts)]
