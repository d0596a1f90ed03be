"""The platform as one caller has it, and what can be ordered of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from huanxin.access import looking
from huanxin.answer.single import Answered, Line, answer
from huanxin.disclose import acknowledging, certificate, desk
from huanxin.disclose.acknowledging import Acknowledged, Acknowledgement
from huanxin.domain.clock import Clock
from huanxin.domain.disclosure import Grade, Told
from huanxin.domain.errors import BadInput
from huanxin.domain.numbers import CHINA, NumberingPlan
from huanxin.domain.operators import Operator
from huanxin.domain.partners import Partner
from huanxin.domain.rules import Rules
from huanxin.notify.notices import send_request
from huanxin.notify.own_folders import FolderRules
from huanxin.outbound import Outbound
from huanxin.request import codes
from huanxin.request.codes import CodeRules, Tried
from huanxin.request.ordering import Ordered, Wish, order
from huanxin.settings import Settings
from huanxin.signing.keys import Signer
from huanxin.store import facts
from huanxin.store.acting import VISITOR, Act, Reading
from huanxin.store.database import LIVE, SANDBOX, Database, Tx
from huanxin.store.disclose.certificates import Certificate
from huanxin.store.migrate import migrate
from huanxin.store.notify import deliveries
from huanxin.store.one_clock import OneClock, may_be_simulated, sure
from huanxin.store.request import requests


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
    def read(self) -> Iterator[Reading]:
        """Read what is on record, in one transaction that can't write."""
        with self.database.reading() as tx:
            yield self.within(tx)

    def within(self, tx: Tx) -> Reading:
        """A reading in a transaction that is open."""
        return Reading(tx=tx, now=self.clock(), plan=self.plan, rules=self.rules, issuer=self.issuer)

    @contextmanager
    def act(self, by: str, *, sure: bool = False) -> Iterator[Act]:
        """One order in one transaction, recorded with who ordered it: done when the block ends, undone if it raises.

        `sure`: for what can't be taken back; raises ClockInDoubt.
        """
        now = self.sure() if sure else self.clock()
        with self.database.transaction() as tx:
            yield Act(tx=tx, now=now, plan=self.plan, rules=self.rules, issuer=self.issuer, by=by, clock=self.clock)

    def order_request(self, wish: Wish) -> Ordered:
        """Record an owner's order and tell the partners that he chose; the standing order, if he asked for all before."""
        with self.act(VISITOR) as act:
            ordered = order(act, wish, cool_down=self.cool_down)
            if ordered.new:
                send_request(act, ordered.request, ordered.notices)
        return ordered

    def call_off(self, request_id: str, partner_ids: Sequence[int]) -> list[int]:
        """Call an order off at those of some partners that were not told of it yet; at which that was done."""
        now = self.clock()
        with self.database.transaction() as tx:
            done = facts.request_call_off(tx, request_id, partner_ids, now)
        with self.database.single() as tx:
            requests.note_done(tx, [request_id], now)
        return done

    def ask_code(self, number: int, *, address: str, secret: str, rules: CodeRules) -> str:
        """Make a code for a number, to be sent to it. Raises TooMany beyond a limit."""
        with self.act(VISITOR) as act:
            return codes.ask(act, number, address=address, secret=secret, rules=rules)

    def check_code(self, number: int, typed: str, *, secret: str, rules: CodeRules) -> Tried:
        """Try a code that somebody typed; a wrong one counts."""
        with self.act(VISITOR) as act:
            return codes.check(act, number, typed, secret=secret, rules=rules)

    def answer_requests(
        self, partner: Partner, lines: Sequence[Line], *, notice: str | None = None, key: str = ""
    ) -> Answered:
        """Record a partner's answers to requests; owners whose last answer came are to be told.

        Whose was the last is looked for once they are recorded: of answers that come at the same time each transaction sees
        only its own, and none would be the last. If we die in between, the partner has no confirmation and sends them again.
        """
        now = self.clock()
        with self.act(partner.client_id) as act:
            answered = answer(act, partner, lines, notice=notice, key=key)
        with self.database.single() as tx:
            if requests.note_done(tx, answered.request_ids, now):
                deliveries.wake_workers(tx, deliveries.OWNERS)
        return answered

    def certify(self, number: int, signer: Signer, *, by: str) -> Certificate:
        """The certificate of a number's present tenure, the same one for as long as it is good. The caller has made sure
        that the number is his who asks. Raises Conflict, in words for him, if nothing can be certified, or ClockInDoubt."""
        with self.act(by, sure=True) as act:
            made = certificate.draft(act, number)
        if made.token:
            return made
        token = signer.signed(certificate.KIND, certificate.claims(made))
        with self.act(by) as act:
            return certificate.keep(act, made, token)

    def look_up(self, numbers: Sequence[int], *, seller: str | None) -> list[Told]:
        """What is told of each number to a buyer, for a carrier that wants to sell it (None: whichever may)."""
        with self.read() as reading:
            return desk.look_up(reading, numbers, seller=seller)

    def looked_up(self, numbers: int, *, by: Operator, blocked: int = 0) -> None:
        """Count what a person looks up; `blocked`: what was told to be not for sale. Raises TooMany beyond the limit."""
        with self.act(by.login) as act:
            too_many = looking.count(act, by, numbers=numbers, blocked=blocked)
        if too_many:
            raise too_many

    def consult(self, numbers: Sequence[int], *, by: Operator) -> list[Told]:
        """The same for a person, who may look up so many within an hour. Raises TooMany; what was refused is no look-up."""
        self.looked_up(len(numbers), by=by)
        told = self.look_up(numbers, seller=by.carrier)
        if blocked := sum(not one.for_sale for one in told):
            self.looked_up(0, by=by, blocked=blocked)
        return told

    def next_clean(self, prefix: str, *, grades: Collection[Grade], after: int, most: int, seller: str | None) -> desk.Offer:
        """The next numbers with a prefix that are for sale and of these grades, above `after`."""
        with self.read() as reading:
            return desk.next_clean(reading, prefix, grades=grades, after=after, most=most, seller=seller)

    def acknowledge(self, given: Sequence[Acknowledgement], *, by: Operator) -> Acknowledged:
        """Record that buyers acknowledged what they were told, all or none. Numbers that can't be taken count as looked up:
        their reasons tell as much as the desk does. Raises BadInput with each, TooMany."""
        try:
            with self.act(by.login) as act:
                return acknowledging.acknowledge(act, given, operator=by)
        except BadInput as error:
            self.looked_up(len(error.faults), by=by, blocked=len(error.faults))
            raise error from None

    def withdraw_disclosure(self, disclosure_id: str, *, reason: str, by: Operator) -> None:
        """Record that a buyer did not take the number."""
        with self.act(by.login) as act:
            acknowledging.withdraw(act, disclosure_id, reason=reason, operator=by)


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


def open_signer(platform: Platform, settings: Settings) -> Signer:
    """The platform's signer; its first keys are made when there are none."""
    signer = Signer(
        issuer=platform.issuer, database=platform.database, passphrase=settings.passphrase(), clock=platform.clock,
        rehearsal=platform.sandbox,
    )  # fmt: skip
    signer.keys()
    return signer


def folder_rules(settings: Settings, outbound: Outbound) -> FolderRules:
    """Which folders partners may choose, and how they are reached."""
    return FolderRules(
        outbound=outbound, passphrase=settings.passphrase(), local=settings.local_folders,
        s3_services=tuple(settings.s3_services.replace(",", " ").split()),
    )  # fmt: skip
