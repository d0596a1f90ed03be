"""Acts that tests make in a transaction of their own, where several are tried at once or one after another."""

from __future__ import annotations

from datetime import datetime

from huanxin.acts import Platform
from huanxin.store.acting import Act
from huanxin.store.database import Tx


def acting(tx: Tx, platform: Platform, *, now: datetime | None = None, by: str = "li") -> Act:
    """An order in an open transaction, now or at another instant."""
    return Act(
        tx=tx, now=platform.now() if now is None else now, plan=platform.plan, rules=platform.rules, issuer=platform.issuer,
        by=by,
    )  # fmt: skip
