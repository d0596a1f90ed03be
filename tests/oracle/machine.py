"""Histories: whatever carriers, partners, operators, clerks and owners do, in any order, with a clock that jumps to each
boundary. Every step is taken on the real platform and in the oracle, and then both are asked everything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from itertools import islice
from typing import Any, ClassVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from huanxin.domain.errors import HuanxinError
from oracle import deadlines, outbox, renewal, reporting
from oracle.comparing import Counts, compare, same
from oracle.days import ZONES, first_sellable, midnight, owner_of, today
from oracle.driver import Driver, Stage
from oracle.following import followed
from oracle.histories import (
    CANCELLED,
    ELSEWHERE,
    EVENTS,
    FROZEN,
    IN_SERVICE,
    OPENED,
    PORTED_OUT,
    SERVED,
    UNKNOWN,
    Line,
    Said,
    can_be_told,
    judge,
    may_follow,
    where,
)
from oracle.world import Batch, Hold, Number, Partner, Report, World
from ordering import plan_now, send_now

NUMBERS = (8613800000000, 8613800000001, 8613000000000, 64211000000)
"""Two in one range, one of another carrier in the same zone, one in the other zone."""
STARTS = (
    datetime(2026, 11, 24, 1, tzinfo=UTC), datetime(2026, 11, 23, 11, 30, tzinfo=UTC),
    datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC), datetime(2027, 4, 3, 12, tzinfo=UTC),
)  # fmt: skip
"""In the morning of both zones; after midnight in the one and before it in the other, either way; as summer time ends."""
STORIES: tuple[tuple[tuple[str, int], ...], ...] = (
    *(((OPENED, 700), (CANCELLED, days)) for days in (91, 91, 90, 76, 75, 74, 120, 0)),
    ((CANCELLED, 91),), ((OPENED, 700), (CANCELLED, 400), (OPENED, 300), (CANCELLED, 91)),
    (), ((OPENED, 700),), ((OPENED, 700), (CANCELLED, 400), (OPENED, 30)), (("transferred", 20),), (("ported_out", 50),),
    (("ported_out", 50), ("ported_in", 20)),
)  # fmt: skip
"""What is known of a number at the beginning, as days before it."""
WAYS = ("poll", "push", "files", "poll")

index = st.integers(0, 11)


class NotNow(Exception):
    """There is nothing to do such a step with."""


def only_if(holds: object) -> None:
    if not holds:
        raise NotNow


def chosen(things: Iterable[Any], at: int) -> Any:
    """One of some things; the step doesn't happen if there is none."""
    found = list(things)
    only_if(found)
    return found[at % len(found)]


def act(**drawn: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """A rule that changes nothing where it can't be: to give up the whole history for it would cost all that went before."""

    def made(step: Callable[..., None]) -> Any:
        @wraps(step)
        def tried(self: Histories, **given: Any) -> None:
            with suppress(NotNow):
                step(self, **given)

        decorate: Callable[..., Any] = rule  # it has overloads for what is not used here
        return decorate(**drawn)(tried)

    return made


class Histories(RuleBasedStateMachine):
    """What all rules share."""

    stage: ClassVar[Stage]
    counts: ClassVar[Counts]

    HOUR = timedelta(hours=1)

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0

    def attempt(self, act: Callable[[], Any]) -> Any:
        """What an act gives; the error, if the platform refuses it."""
        try:
            return act()
        except HuanxinError as error:
            return error

    def refused(self, what: str, result: Any, *, expected: bool) -> bool:
        """Whether an act was refused, which both must say."""
        real = isinstance(result, HuanxinError)
        same(f"{what} is refused ({result})", real, expected)
        return real

    def step(self, name: str, *, aside: bool = False) -> None:
        """Compare after a step; `aside`: one that touches no renewal."""
        self.turn += 1
        self.counts.steps += 1
        self.counts.acts[name] += 1
        self.compare(aside=aside)

    def compare(self, *, aside: bool = False, over: bool = False) -> None:
        try:
            compare(self.driver, self.world, self.counts, turn=self.turn, aside=aside, over=over)
        except AssertionError:
            note(self.world.told_of_numbers())
            raise

    def teardown(self) -> None:
        """A history that came to its end without a fault is compared once more, in everything."""
        if self.turn and sys.exc_info()[0] is None:
            self.compare(over=True)

    # The beginning ----------------------------------------------------------------------------------------------------
    @initialize(
        start=st.sampled_from(STARTS), stories=st.tuples(*[st.sampled_from(STORIES)] * len(NUMBERS)),
        required=st.tuples(st.booleans(), st.booleans()), first=st.integers(0, 3),
        baseline=st.sampled_from(("", "", "since", "served")),
    )  # fmt: skip
    def begin(
        self, start: datetime, stories: tuple[tuple[tuple[str, int], ...], ...], required: tuple[bool, bool], first: int,
        baseline: str,
    ) -> None:  # fmt: skip
        self.first = first
        self.counts.histories += 1
        self.counts.reported.clear()
        self.driver = Driver(self.stage, start)
        self.world = World(start, {number: [] for number in NUMBERS})
        for carrier in ZONES:
            told = [
                Line(number, event, today(carrier, start) - timedelta(days=days))
                for number, story in zip(NUMBERS, stories, strict=True) if owner_of(number) == carrier
                for event, days in story
            ]  # fmt: skip
            if told and baseline:
                self.baseline(carrier, {one.number: one for one in told}, since=baseline == "since")
            elif told:
                self.report(carrier, told, skip_bad=False)
        for name, needed in zip(("app", "bank"), (True, required[0]), strict=True):
            self.join(name, required=needed)
        self.step("begin")

    def join(self, name: str, *, required: bool) -> None:
        place = len(self.world.partners)
        way = WAYS[(self.first + place) % len(WAYS)]
        asks = way == "poll"
        made = self.driver.partner(f"{name}{place}", required=required, way=way, asks=asks)
        self.world.partners.append(Partner(made.id, name, required, way, asks, self.world.now))

    # The clock --------------------------------------------------------------------------------------------------------
    def boundaries(self) -> list[datetime]:
        """The instants at which something begins or ends, from now on, soonest first."""
        now, found = self.world.now, set[datetime]()
        for carrier in ZONES:
            found.add(midnight(carrier, today(carrier, now) + timedelta(days=1)))
            found |= {midnight(carrier, hold.until + timedelta(days=1)) for hold in self.world.holds if not hold.lifted}
        for events in self.world.histories.values():
            if where(events)[0] == FROZEN:
                last = events[-1]
                end = first_sellable(last.day, self.world.rules.freeze)
                found |= {midnight(last.carrier, end), midnight(last.carrier, end - timedelta(days=15))}
        for batch in self.world.batches:
            found |= {batch.answer_by, *(notice.answer_by for notice in batch.notices.values())}
            found |= {renewal.freeze_ends(self.world, batch, number) for number in batch.stands_on}
        found |= set(deadlines.ahead(self.world, timedelta(days=12)))
        found |= {one.expires_at for one in self.world.certificates}
        found |= {one.at + self.world.rules.cool_down for one in self.world.orders}
        found |= {one.look_at for one in self.world.orders}
        return sorted(one for one in found if one > now)

    @act(which=index, aside=st.sampled_from((-1, 0, 0, 1)))
    def jump(self, which: int, aside: int) -> None:
        """To a boundary, or a microsecond before or after it."""
        at = chosen(islice(self.boundaries(), 12), which) + timedelta(microseconds=aside)
        only_if(at > self.world.now)
        self.pass_to(at)
        self.step("jump")

    @act(minutes=st.sampled_from((1, 60, 24 * 60, 20 * 24 * 60)))
    def wait(self, minutes: int) -> None:
        self.pass_to(self.world.now + timedelta(minutes=minutes))
        self.step("wait")

    def pass_to(self, at: datetime) -> None:
        self.world.now = self.stage.clock.now = at.astimezone(UTC)

    # Reports ----------------------------------------------------------------------------------------------------------
    def report(self, carrier: str, lines: list[Line], *, skip_bad: bool, nth: int | None = None) -> None:
        """A carrier sends a report: taken or refused, and all that follows from it. `nth`: of one that it sends again."""
        judged = judge(self.world.histories, carrier, lines, self.world.now)
        done = self.attempt(lambda: self.driver.report(carrier, lines, skip_bad=skip_bad, nth=nth))
        if self.refused("report", done, expected=bool(judged.refused) and not skip_bad):
            return
        same("taken, known, refused", (done.imported.accepted, done.imported.known, len(done.imported.faults)),
             (len(judged.taken), judged.known, len(judged.refused)))  # fmt: skip
        key = done.imported.report_id
        self.world.reports.append(Report(key, carrier, lines, self.driver.files if nth is None else nth))
        followed(self.driver, self.world, done.consequences, reporting.take(self.world, carrier, judged, key))
        self.counts.reported.clear()

    def baseline(self, carrier: str, last: dict[Number, Line], *, since: bool) -> None:
        """A carrier's first day: it says where each number stands, perhaps without saying since when it is served."""
        day = today(carrier, self.world.now)
        states = {CANCELLED: FROZEN, PORTED_OUT: ELSEWHERE}
        told = [(one, states.get(one.event, IN_SERVICE)) for one in last.values()]
        lines = [f"+{one.number},{state},{one.day if since or state != IN_SERVICE else ''}" for one, state in told]
        key = self.driver.baseline(carrier, lines)
        for one, state in told:
            event = one.event if state != IN_SERVICE else IN_SERVICE if since else SERVED
            when = day if event == SERVED else one.day
            self.world.histories[one.number] = [Said(one.number, event, carrier, when, report=key)]
        self.world.reports.append(Report(key, carrier, [], 0, "baseline", day=day))
        self.world.first_report_at = self.world.first_report_at or self.world.now

    @act(which=index, event=st.sampled_from(("likely", "likely", *EVENTS)), when=st.integers(0, 5), other=st.booleans())
    def carrier_reports(self, which: int, event: str, when: int, other: bool) -> None:
        """One line, mostly of what may come next from whom it may come from; now and then from somebody else."""
        number = chosen(NUMBERS, which)
        carrier = self.reporter(number, other=other)
        if event == "likely":
            may = [one for one in EVENTS if may_follow(self.world.histories[number], one, carrier, number)]
            event = chosen(may, which // len(NUMBERS))
        line = self.line(number, event, carrier, when)
        only_if(can_be_told(self.world.histories, carrier, [line]))
        self.report(carrier, [line], skip_bad=bool(when % 2))
        self.step(f"report {event}")

    def reporter(self, number: Number, *, other: bool, events: list[Said] | None = None) -> str:
        state, whose = where(self.world.histories[number] if events is None else events)
        if state == UNKNOWN:
            whose = owner_of(number)
        elif state == ELSEWHERE:
            whose = next(code for code in ZONES if code != whose)
        return next(code for code in reversed(ZONES) if code != whose) if other else whose

    def line(self, number: Number, event: str, carrier: str, when: int) -> Line:
        now = self.world.now
        day = today(carrier, now)
        if when == 0:
            return Line(number, event, day, now)
        if when == 1:
            at = now - timedelta(hours=1)
            return Line(number, event, today(carrier, at), at)
        return Line(number, event, day - timedelta(days=(0, 0, 1, 8)[when - 2]))

    @act(which=index)
    def cancelled_long_ago(self, which: int) -> None:
        """A report that comes late, so that a freeze is nearly over: histories get on faster."""
        number = chosen(NUMBERS, which)
        events = self.world.histories[number]
        carrier = self.reporter(number, other=False)
        only_if(may_follow(events, CANCELLED, carrier, number))
        latest = max((one.day for one in events), default=date(2020, 1, 1))
        day = max(latest + timedelta(days=1), today(carrier, self.world.now) - timedelta(days=(90, 91, 76, 75)[which % 4]))
        only_if(day <= today(carrier, self.world.now))
        self.report(carrier, [Line(number, CANCELLED, day)], skip_bad=False)
        self.step("report cancelled long ago")

    # Plan, holds ------------------------------------------------------------------------------------------------------
    @act(of=st.sampled_from((None, None, "cn", "nz")))
    def plan(self, of: str | None) -> None:
        expected = renewal.due(self.world, of)
        only_if(expected or of == "nz")
        made = plan_now(self.driver.platform, by="li", carrier=of)
        same("planned", made is not None, bool(expected))
        if made:
            renewal.plan(self.world, made.id, of)
        self.step("plan")

    @act(which=index, days=st.sampled_from((0, 1, 14, 30)))
    def hold(self, which: int, days: int) -> None:
        only_if(sum(renewal.binds(one, self.world.now) for one in self.world.holds) < 2)
        self.place_hold(frozenset({NUMBERS[which % 4], NUMBERS[which // 4 % 4]}), days)
        self.step("hold")

    def place_hold(self, numbers: frozenset[Number], days: int) -> None:
        until = self.driver.platform.today() + timedelta(days=days)
        order = f"{len(self.world.holds)}"
        key = self.driver.hold(numbers, until=until, order=order)
        self.world.holds.append(Hold(key, numbers, until, self.world.now, order))

    @precondition(lambda self: any(not one.lifted for one in self.world.holds))
    @act(which=index)
    def lift(self, which: int) -> None:
        self.lift_hold(chosen((one for one in self.world.holds if not one.lifted), which))
        self.step("lift")

    def lift_hold(self, one: Hold) -> None:
        self.driver.lift(one.key)
        one.lifted_at = self.world.now

    @act(days=st.sampled_from((0, 0, 0, 95, 100)))
    def longer_freeze(self, days: int) -> None:
        """The regulator asks for a longer freeze."""
        only_if(days > self.world.rules.freeze)
        self.world.rules.freeze = days
        self.driver.longer_freeze(days)
        self.step("longer freeze")

    # Partners come ----------------------------------------------------------------------------------------------------
    @precondition(lambda self: len(self.world.partners) < 5)
    @act(required=st.booleans())
    def partner_joins(self, required: bool) -> None:
        self.join("late", required=required)
        self.step("join")

    @precondition(lambda self: len(self.world.there) > 1)
    @act(which=index)
    def partner_is_withdrawn(self, which: int) -> None:
        """What it was asked stays open, and it is neither told nor heard any more."""
        only_if(which % 3 == 0)
        partner: Partner = chosen(self.world.there, which)
        self.driver.withdraw(partner.key)
        outbox.set_status(partner, "disabled")
        partner.withdrawn = True
        self.step("withdraw partner")

    @precondition(lambda self: self.world.batches)
    @act(which=index)
    def send(self, which: int) -> None:
        batch: Batch = chosen(self.world.batches, which)
        only_if(any(one.key not in batch.notices for one in self.world.there))
        send_now(self.driver.platform, batch.key)
        renewal.send(self.world, batch)
        # What was reclaimed between plan and notice is taken back right after it.
        again = renewal.reclaimed(self.world, batch)
        if again:
            renewal.retract(self.world, self.driver.newest_retraction(batch.key), batch, again, ordered=False)
        self.step("send")

    @precondition(lambda self: self.world.batches)
    @act(which=index, who=index)
    def retract(self, which: int, who: int) -> None:
        """An operator takes a number back for good."""
        batch: Batch = chosen(self.world.batches, which)
        number = chosen(batch.stands_on, who)
        made = self.attempt(lambda: self.driver.retract(batch.key, number))
        if not self.refused("retraction", made, expected=number in renewal.taken_back(batch)):
            renewal.retract(self.world, made.id, batch, frozenset({number}), ordered=True)
        self.step("retract")
