"""Planning a batch from the console: in the request where reports are few, else by a worker, so that no page takes long."""

from __future__ import annotations

from dataclasses import dataclass, replace

from huanxin.acts.platform import Platform
from huanxin.plan.batches import plan_batch
from huanxin.store import jobs
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.store.jobs import Job
from huanxin.store.notify import deliveries
from huanxin.store.plan import plannings
from huanxin.store.report import reports
from huanxin.work.jobs import Jobs

SMALL = 5_000
"""Stored sets of reports up to which planning takes less than a page may."""


def takes_long(tx: Tx) -> bool:
    """Whether planning is a worker's to do."""
    return reports.more_sets_than(tx, SMALL)


def order(tx: Tx, platform: Platform, *, carrier: str | None, by: str) -> int:
    """Have a worker plan a batch of everything that is due; the wish's id."""
    wish = plannings.order(tx, carrier=carrier, by=by, at=platform.now())
    deliveries.wake_workers(tx)
    return wish


@dataclass(frozen=True, kw_only=True)
class Planner(Jobs):
    """Plans what people at the console want planned, one after another, each recorded as theirs."""

    KIND = jobs.PLANNING
    SURE = True

    def do(self, act: Act, job: Job) -> None:
        wish = plannings.get(act.tx, int(job.key))
        assert wish is not None
        batch = plan_batch(replace(act, by=wish.ordered_by), carrier=wish.carrier)
        plannings.end(act.tx, wish.id, batch_id=batch.id if batch else None, at=act.now)
