"""Planning a batch from the console: in the request where reports are few, else by a worker, so that no page takes long."""

from __future__ import annotations

from dataclasses import dataclass

from huanxin.acts.platform import Platform
from huanxin.plan.batches import plan_batch
from huanxin.store.database import Tx
from huanxin.store.notify import deliveries
from huanxin.store.plan import plannings
from huanxin.store.report import reports

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
class Planner:
    """A worker's job: plan what people at the console want planned, one after another."""

    platform: Platform

    def one_job(self) -> bool:
        """Carry out the oldest wish; False if there is none. The batch and the end of the wish are one transaction."""
        platform = self.platform
        with platform.database.transaction() as tx:
            wish = plannings.claim(tx)
            if wish is None:
                return False
            batch = plan_batch(
                tx, plan=platform.plan, rules=platform.rules, now=platform.sure(), by=wish.ordered_by, carrier=wish.carrier
            )
            plannings.end(tx, wish.id, batch_id=batch.id if batch else None, at=platform.now())
        return True
