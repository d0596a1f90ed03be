"""Acts that tests make in a transaction of their own, where several are tried at once or one after another."""

from __future__ import annotations

from datetime import datetime

from huanxin.acts import Platform
from huanxin.domain.numbers import NumberingPlan, chinese_plan
from huanxin.domain.rules import Rules
from huanxin.store.acting import Act
from huanxin.store.database import Tx


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
