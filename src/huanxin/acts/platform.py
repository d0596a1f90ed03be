"""The platform as one caller has it, and what can be ordered of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import inf
from time import monotonic
from zoneinfo import ZoneInfo

from huanxin.domain.clock import Clock
from huanxin.domain.numbers import CHINA, NumberingPlan
from huanxin.domain.rules import Rules
from huanxin.settings import Settings
from huanxin.store.acting import Act, Reading
from huanxin.store.as_of import go_back
from huanxin.store.database import LIVE, SANDBOX, Database, Tx
from huanxin.store.migrate import migrate
from huanxin.store.one_clock import OneClock, may_be_simulated, sure
from huanxin.store.report import allocations

_OFTEN = 60.0  # seconds


@dataclass(kw_only=True)
class Allotments:
    """Keeps a plan informed of what carriers were allotted, looked for once a minute: thousands of orders a second go by."""

    looked_at: float = -inf
    newest: int = 0

    def look(self, tx: Tx, plan: NumberingPlan) -> None:
        if monotonic() - self.looked_at < _OFTEN:
            return
        self.looked_at = monotonic()
        if (newest := allocations.newest(tx)) != self.newest:
            plan.learn(allocations.shards_of(tx), whole=True)
            self.newest = newest


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The platform as one caller has it: the database, the settings as plain values, the clock."""

    database: Database
    plan: NumberingPlan
    rules: Rules
    issuer: str
    clock: Clock
    development: bool
    sandbox: bool = False
    zone: ZoneInfo = CHINA
    """in which pages give instants and bulletins count months; what a carrier's day decides is decided in the carrier's"""
    cool_down: timedelta = timedelta(days=1)
    """for so long a partner that answered a request is not asked again for the same number"""

    allotments: Allotments = field(default_factory=Allotments, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.clock, OneClock):
            may_be_simulated(self.database)

    def now(self) -> datetime:
        return self.clock()

    def sure(self) -> datetime:
        """Now, for what can't be taken back: the clocks are compared first. Raises ClockInDoubt."""
        return sure(self.clock, within=0)

    def today(self) -> date:
        """The earliest day that it is anywhere where a carrier is: nothing is due a day early."""
        return self.plan.today(self.clock())

    @contextmanager
    def read(self, *, as_of: datetime | None = None) -> Iterator[Reading]:
        """Read what is on record, or was at an instant that has passed, in one transaction that can't write."""
        with self.database.reading(writable=as_of is not None) as tx:
            seen = self.within(tx)
            if as_of is not None:
                go_back(tx, as_of)
            yield seen if as_of is None else replace(seen, now=as_of)

    def within(self, tx: Tx) -> Reading:
        """A reading in a transaction that is open."""
        self.allotments.look(tx, self.plan)
        return Reading(tx=tx, now=self.clock(), plan=self.plan, rules=self.rules, issuer=self.issuer)

    @contextmanager
    def act(self, by: str, *, sure: bool = False) -> Iterator[Act]:
        """One order in one transaction, recorded with who ordered it: done when the block ends, undone if it raises.

        `sure`: for what can't be taken back; raises ClockInDoubt.
        """
        now = self.sure() if sure else self.clock()
        with self.database.transaction() as tx:
            yield self._order(tx, now, by)

    @contextmanager
    def rehearse(self, by: str) -> Iterator[Act]:
        """The same, undone when the block ends: what an order would do is what it did here."""
        with self.database.reading(writable=True) as tx:
            yield self._order(tx, self.clock(), by)

    def _order(self, tx: Tx, now: datetime, by: str) -> Act:
        self.allotments.look(tx, self.plan)
        return Act(tx=tx, now=now, plan=self.plan, rules=self.rules, issuer=self.issuer, by=by, clock=self.clock)


@contextmanager
def open_platform(
    settings: Settings, *, sandbox: bool = False, clock: Clock | None = None, made_up: bool = False
) -> Iterator[Platform]:
    """The platform on the settings' database, brought to the present schema.

    The sandbox is a whole platform of its own in another schema, with its own issuer and keys: nothing rehearsed there
    can be taken for real, by a partner or by the gate. A `clock` of its own takes a database that was made for it; one that
    is made now is, with such a clock or for a `made_up` world. Else the database's clock is the one.
    """
    dsn, schema = settings.dsn(), SANDBOX if sandbox else LIVE
    migrate(dsn, schema, simulated=made_up or clock is not None)
    issuer = settings.issuer.rstrip("/") + ("/sandbox" if sandbox else "")
    with Database(dsn, schema=schema, max_connections=settings.workers + 24) as database, ExitStack() as ticking:
        yield Platform(
            database=database, plan=settings.plan(), rules=settings.rules(), issuer=issuer,
            clock=clock or ticking.enter_context(OneClock(database)), development=settings.development, sandbox=sandbox,
            zone=ZoneInfo(settings.zone),
            cool_down=timedelta(hours=settings.cool_down_hours),
        )  # fmt: skip
