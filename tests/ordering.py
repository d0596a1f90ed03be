"""What tests order of a platform, and acts that they make in a transaction of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from huanxin.acts import Platform
from huanxin.acts.batches import send_batch
from huanxin.acts.reports import ImportDone, take_report
from huanxin.disclose.acknowledging import withdraw
from huanxin.disclose.desk import Offer, look_up, next_clean
from huanxin.domain.disclosure import Grade, Told
from huanxin.domain.numbers import NumberingPlan, chinese_plan
from huanxin.domain.operators import Operator
from huanxin.domain.rules import Rules
from huanxin.notify.reminders import escalate_now, remind_now
from huanxin.notify.retractions import retract_ordered
from huanxin.numbersets.sharded import NumberSet
from huanxin.plan.batches import plan_batch
from huanxin.release.listing import write_release_lists
from huanxin.release.proposals import propose_release, propose_waiver
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.store.notify.notices import Notice
from huanxin.store.notify.progress import Open
from huanxin.store.plan.batches import Batch


def acting(
    tx: Tx, platform: Platform | None = None, *, now: datetime | None = None, by: str = "li",
    plan: NumberingPlan | None = None, issuer: str = "http://huanxin.test",
) -> Act:  # fmt: skip
    """An order in an open transaction, now or at another instant; without a platform as one with the usual rules has it."""
    if platform is not None:
        at, plan, rules, issuer = now or platform.now(), platform.plan, platform.rules, platform.issuer
    else:
        assert now is not None, "only a platform has a clock"
        at, plan, rules = now, plan or chinese_plan(), Rules()
    return Act(tx=tx, now=at, plan=plan, rules=rules, issuer=issuer, by=by, clock=lambda: at)


def imported(platform: Platform, path: Path, *, carrier: str, by: str = "li", **how: Any) -> ImportDone:
    """Take a report."""
    with platform.act(by) as act:
        return take_report(act, path, carrier=carrier, **how)


def plan_now(platform: Platform, *, by: str = "li", carrier: str | None = None) -> Batch | None:
    """Plan a batch of everything that is due."""
    with platform.act(by, sure=True) as act:
        return plan_batch(act, carrier=carrier)


def send_now(platform: Platform, batch_id: int, *, by: str = "li") -> list[Notice]:
    """Tell every partner of a batch."""
    with platform.act(by) as act:
        return send_batch(act, batch_id)


def retracted(platform: Platform, batch_id: int, numbers: NumberSet, *, reason: str, by: str) -> Batch:
    """Take numbers back from a batch."""
    with platform.act(by) as act:
        return retract_ordered(act, batch_id, numbers, reason=reason)


def reminded(platform: Platform, batch_id: int, *, partner_id: int | None, by: str) -> list[Open]:
    """Remind the partners (or one) of a batch that still have to answer."""
    with platform.act(by) as act:
        return remind_now(act, batch_id, partner_id=partner_id)


def escalated(platform: Platform, batch_id: int, *, partner_id: int | None, escalates: bool, by: str) -> list[Open]:
    """Escalate the answers to a batch that are overdue."""
    with platform.act(by) as act:
        return escalate_now(act, batch_id, partner_id=partner_id, escalates=escalates)


def waiver_proposed(
    platform: Platform, batch_id: int, *, partner_id: int, only: NumberSet | None, reason: str, by: Operator
) -> int:
    """Propose to go on without an answer; the proposal's id."""
    with platform.act(by.login) as act:
        return propose_waiver(act, batch_id, partner_id=partner_id, only=only, reason=reason, operator=by)


def release_proposed(platform: Platform, batch_id: int, *, reason: str, by: Operator, clear: int | None = None) -> int:
    """Propose to release what is clear; the proposal's id."""
    with platform.act(by.login) as act:
        return propose_release(act, batch_id, reason=reason, operator=by, clear=clear)


def lists_written(platform: Platform, folder: Path, batch_id: int | None = None) -> list[Path]:
    """Write the lists of every release on record."""
    with platform.read() as seen:
        return write_release_lists(seen, folder, batch_id)


def looked_at(platform: Platform, numbers: Sequence[int], *, seller: str | None) -> list[Told]:
    """What is told of each number to a buyer."""
    with platform.read() as seen:
        return look_up(seen, numbers, seller=seller)


def clean_after(
    platform: Platform, prefix: str, *, grades: Collection[Grade], after: int, most: int, seller: str | None
) -> Offer:
    """The next numbers with a prefix that are for sale."""
    with platform.read() as seen:
        return next_clean(seen, prefix, grades=grades, after=after, most=most, seller=seller)


def disclosure_withdrawn(platform: Platform, disclosure_id: str, *, reason: str, by: Operator) -> None:
    """Record that a buyer did not take the number."""
    with platform.act(by.login) as act:
        withdraw(act, disclosure_id, reason=reason, operator=by)
