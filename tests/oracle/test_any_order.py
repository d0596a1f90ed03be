"""Whatever the order in which files come, and whatever was wrong and withdrawn or corrected between, or told by a baseline,
what they say together is what is known in the end, and the gate is not laxer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.acts.mending import correct, withdraw
from huanxin.domain.errors import BadInput
from huanxin.release.gate import load_gate
from huanxin.report.baseline import import_baseline
from huanxin.store.report import reports
from oracle.days import ZONES, owner_of
from oracle.driver import Driver, Stage, staged
from oracle.histories import (
    CANCELLED,
    ELSEWHERE,
    EVENTS,
    FROZEN,
    OPENED,
    PORTED_IN,
    SERVING,
    Said,
    insert,
    may_follow,
    possible,
    tenures,
    where,
)
from oracle.soaking import wanted
from ordering import plan_now

NUMBERS = (8613800000000, 8613800000001, 8613000000000)
NOW = datetime(2026, 11, 24, 1, tzinfo=ZONES["cn"])
BEGIN = date(2024, 6, 1)
CARRIERS = ("cn", "cu")
WRONG = st.tuples(
    st.integers(0, 2), st.sampled_from((CANCELLED, CANCELLED, *EVENTS)), st.sampled_from(CARRIERS), st.integers(0, 760)
)
SLIP = st.tuples(st.integers(0, 20), st.sampled_from((-40, -9, -1, 1, 9, 40)), st.integers(0, 5))
"""Which event was reported with another day, how many days aside, and after which file that is seen."""
STEP = st.tuples(st.integers(0, 11), st.sampled_from((0, 0, 1, 30, 100)), st.booleans())


def truth(number: int, steps: list[tuple[int, int, bool]]) -> list[Said]:
    """What happened to a number, in order. Whoever takes a number in says so, and whoever cancelled it sells it: so of the
    two carriers one can tell its part of it without the other's."""
    found: list[Said] = []
    day, hour = BEGIN, 0
    for which, gap, timed in steps:
        state, whose = where(found)
        may = [
            (event, carrier) for event in EVENTS for carrier in CARRIERS
            if may_follow(found, event, carrier, number)
            and (state != ELSEWHERE or (event == PORTED_IN and carrier != whose))
            and (event != OPENED or state != FROZEN or carrier == whose)
        ]  # fmt: skip
        if not may:
            break
        event, carrier = may[which % len(may)]
        day, hour = (day, hour + 1) if gap == 0 and found else (day + timedelta(days=gap or 1), 1)
        at = datetime.combine(day, time(hour), ZONES[carrier])
        found.append(Said(number, event, carrier, day, at if timed else None))
    alone = {one.day for one in found if sum(other.day == one.day for other in found) == 1}
    for one, (_, _, _), hour in zip(found, steps, _hours(found), strict=False):
        if one.day not in alone and one.at is None:  # without times nobody can tell the order of a day
            one.at = datetime.combine(one.day, time(hour), ZONES[one.carrier])
    return found


def _hours(events: list[Said]) -> Iterator[int]:
    hour, day = 0, date.min
    for one in events:
        hour, day = (hour + 1 if one.day == day else 1), one.day
        yield hour


def line(one: Said) -> str:
    return f"+{one.number},{one.event},{(one.at or one.day).isoformat()}"


File = tuple[str, list[Said]]


def slipped(told: dict[int, list[Said]], slip: tuple[int, int, int] | None) -> tuple[Said, Said] | None:
    """An event, and the same with a wrong day on which it could have been, with nothing else on either day."""
    every = [one for events in told.values() for one in events if slip]
    if slip is None or not every:
        return None
    one = every[slip[0] % len(every)]
    wrong = Said(one.number, one.event, one.carrier, one.day + timedelta(days=slip[1]))
    others = [other for other in told[one.number] if other is not one]
    if wrong.day > NOW.date() or any(other.day in (one.day, wrong.day) for other in others):
        return None
    insert(others, wrong)
    return (one, wrong) if possible(others) else None


def baselines(told: dict[int, list[Said]], prefixes: list[int]) -> tuple[list[Said], dict[int, list[Said]]]:
    """The states of some numbers after some of their events, as a baseline has them, and what happened since. Nobody else
    tells of a number that nothing is on record of than the carrier that its range is of."""
    states, since = [], {}
    for (number, events), size in zip(told.items(), prefixes, strict=True):
        state, whose = where(events[:size])
        day = events[:size][-1].day if events[:size] else None
        if whose == owner_of(number) and day and sum(one.day == day for one in events) == 1:
            states.append(Said(number, state, whose, day))
            since[number] = events[size:]
    return states, since


def known(state: Said | None, events: list[Said]) -> list[Said]:
    """All that can be known of a number: who holds it when a baseline comes began on its day, as far as anybody knows."""
    word = {SERVING: OPENED, FROZEN: CANCELLED}
    begun = [replace(state, event=word.get(state.event, state.event))] if state else []
    return [*begun, *events]


def files_of(told: dict[int, list[Said]], choose: st.DataObject) -> list[File]:
    """Each carrier's events in up to four files, in any order."""
    parts: dict[tuple[str, int], list[Said]] = defaultdict(list)
    for events in told.values():
        for one in events:
            parts[one.carrier, choose.draw(st.integers(0, 3))].append(one)
    return list(choose.draw(st.permutations([(carrier, events) for (carrier, _), events in sorted(parts.items(), key=str)])))


class Sent:
    """Files as they come: which were taken, as which report (of the wrong one no file), and the batch planned meanwhile."""

    def __init__(
        self, driver: Driver, files: list[File], plan_after: int, wrong: Said | None, slip: tuple[Said, Said] | None,
        seen_after: int,
    ) -> None:  # fmt: skip
        self.driver, self.waiting, self.plan_after, self.wrong = driver, list(files), plan_after, wrong
        self.slip, self.seen_after = slip, seen_after
        self.in_batch = False
        """whether a batch was planned before the slip was seen: no correction makes a freeze shorter then"""
        self.taken: list[tuple[int, File | None]] = []
        self.batch: int | None = None

    def all(self) -> None:
        """Send files until no more are taken; then withdraw what was wrong, with all that came after it, which comes again;
        what is left of a carrier comes together in the end."""
        while [one for one in list(self.waiting) if self._send(one)] or self._withdraw():
            pass
        _together(self.driver, self.waiting)
        if self.slip:
            self._correct()

    def _send(self, file: File) -> bool:
        carrier, events = file
        try:
            done = self.driver.report(carrier, events, skip_bad=False)
        except BadInput:
            return False
        self.waiting.remove(file)
        self.taken.append((done.imported.report_id, file))
        if len(self.taken) == self.plan_after:
            self._meanwhile()
        if self.slip and self.slip[1] in events and not self.wrong and len(self.taken) >= self.seen_after:
            with suppress(BadInput):  # what is on record may not fit yet
                self._correct()
        return True

    def _correct(self) -> None:
        """A file that was corrected is not withdrawn, so nothing wrong is on record when it is."""
        assert self.slip
        right, wrong = self.slip
        said = f"{line(right)},{wrong.event} {wrong.day}"
        path = self.driver.path("number,event,at,instead_of", [said])
        with self.driver.platform.act("li") as act:
            correct(act, path, carrier=right.carrier, reason="a slip of the pen", approved_by="wang")
        self.slip, self.in_batch = None, self.batch is not None

    def _meanwhile(self) -> None:
        if self.wrong:
            with suppress(BadInput):
                done = self.driver.report(self.wrong.carrier, [self.wrong], skip_bad=False)
                self.taken.append((done.imported.report_id, None))
            self.wrong = None
        if self.batch is None:
            made = plan_now(self.driver.platform, by="li")
            self.batch = made.id if made else None

    def _withdraw(self) -> bool:
        if all(file for _, file in self.taken):
            return False
        while True:
            report, file = self.taken.pop()
            with self.driver.platform.act("li") as act:
                withdraw(act, report, reason="it was wrong")
            if file is None:
                return True
            self.waiting.append(file)


def _together(driver: Driver, left: list[File]) -> None:
    for carrier in (*CARRIERS, *CARRIERS):
        lines = [one for code, events in left for one in events if code == carrier]
        if not lines:
            continue
        done = driver.report(carrier, lines, skip_bad=True).imported
        rest = [lines[fault.line - 2] for fault in done.faults]
        left = [(code, events) for code, events in left if code != carrier] + [(carrier, rest)]
    unsaid = [line(one) for _, events in left for one in events]
    assert not unsaid, f"never taken: {unsaid}"


@pytest.fixture(scope="module")
def stage(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(module_dsn, tmp_path_factory.mktemp("any-order")) as found:
        yield found


@settings(max_examples=wanted(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.tuples(*[st.lists(STEP, max_size=7)] * len(NUMBERS)), st.integers(0, 4), st.none() | WRONG, st.none() | SLIP,
    st.lists(st.integers(0, 4), min_size=len(NUMBERS), max_size=len(NUMBERS)), st.data(),
)  # fmt: skip
def test_any_order_of_files_that_say_the_same_gives_the_same_tenures_and_no_laxer_gate(
    stage: Stage,
    steps: tuple[list[tuple[int, int, bool]], ...],
    plan_after: int,
    truth_is_not: tuple[int, str, str, int] | None,
    slip: tuple[int, int, int] | None,
    prefixes: list[int],
    data: st.DataObject,
) -> None:
    told = {number: truth(number, mine) for number, mine in zip(NUMBERS, steps, strict=True)}
    states, since = baselines(told, prefixes)
    told |= since
    mistake = slipped({number: events for number, events in told.items() if number not in since}, slip)
    as_sent = {n: [mistake[1] if mistake and one is mistake[0] else one for one in events] for n, events in told.items()}
    files = files_of(as_sent, data)
    note("\n".join(f"{carrier}: {'; '.join(map(line, events))}" for carrier, events in files))
    driver = Driver(stage, NOW)
    wrong = truth_is_not and Said(NUMBERS[truth_is_not[0]], *truth_is_not[1:3], BEGIN + timedelta(days=truth_is_not[3]))
    for carrier in CARRIERS:
        if lines := [f"+{one.number},{one.event},{one.day}" for one in states if one.carrier == carrier]:
            with driver.platform.act("li") as act:
                import_baseline(act, driver.path("number,state,since", lines), carrier=carrier)
    told |= {one.number: known(one, told[one.number]) for one in states}
    sent = Sent(driver, files, plan_after, wrong, mistake, slip[2] if slip else 0)
    sent.all()
    batch = sent.batch
    with driver.platform.read() as reading:
        for number, events in told.items():
            found = reports.standing_of(reading.tx, number)
            assert found.state == where(events)[0]
            assert [(one.opened_on, one.closed_on) for one in found.tenures] == [
                (one.opened_on, one.closed_on) for one in tenures(events)
            ]
        if batch is None:
            return
        loaded = load_gate(reading, batch)
        open_still = loaded.roster.everyone - BitMap.union(
            BitMap(), *loaded.gate.retracted.values(), *loaded.gate.ordered.values()
        )
        for number in loaded.roster.subset(open_still):
            assert where(told[number])[0] == FROZEN, "the gate would let go what somebody has"
        spans = {day: loaded.roster.subset(places) for (_, day), places in loaded.gate.spans.items()}
        for day, numbers in spans.items():
            for number in numbers & loaded.roster.subset(open_still):
                last = next(one for one in reversed(told[number]) if one.event == CANCELLED)
                same = mistake is None or number != mistake[0].number  # a corrected day never makes a freeze shorter
                assert last.day == day or (day > last.day and not same), (
                    "the gate counts another freeze than the one that runs"
                )
