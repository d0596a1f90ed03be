"""What every verb works with: one transaction at one instant, with what the platform goes by, and who orders it.

`acts.Platform.read` and `acts.Platform.act` make them; decision 19 says why, and names what else opens a transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime

from huanxin.domain.clock import Clock
from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.rules import Rules
from huanxin.store.database import Tx, deciding, recording_facts

PLATFORM = "platform"
"""who acts when nobody ordered it"""
VISITOR = "visitor"
"""who orders and isn't named: the holder of a number, a reader of a public page"""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is on record, as one transaction sees it: nothing can be recorded by it."""

    tx: Tx
    now: datetime
    """the instant at which everything in it is judged; aware, UTC"""
    plan: NumberingPlan
    rules: Rules
    issuer: str
    """the platform's name in what it signs and in the addresses that it gives to partners"""

    @property
    def today(self) -> date:
        """The earliest day that it is anywhere where a carrier is: nothing is due a day early."""
        return self.plan.today(self.now)


@dataclass(frozen=True, kw_only=True)
class Act(Reading):
    """One order: what is recorded in it is recorded whole or not at all, with the name of who ordered it."""

    by: str
    """a login of the console, a user of the command line, a partner's client_id, VISITOR or PLATFORM"""
    clock: Clock

    def in_turn(self) -> Act:
        """The same order once it is its turn to record a fact that the gate reads: it waits for a release under way. It is
        dated then, since a report that was judged meanwhile did not know of it."""
        recording_facts(self.tx)
        return replace(self, now=self.clock())

    def alone(self) -> Act:
        """The same order once no other records a fact that the gate reads, until it ends, and dated then: what was sold
        while a release waited was not released yet, nor taken back while a retraction did."""
        deciding(self.tx)
        return replace(self, now=self.clock())


Read = Callable[[], AbstractContextManager[Reading]]
Order = Callable[[str], AbstractContextManager[Act]]
"""`Platform.read` and `Platform.act`, for what is given no whole platform"""
