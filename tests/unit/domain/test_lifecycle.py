"""Tenures as a state machine: sets must say what a person would who follows one number through its reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.domain.acceptance import judge
from huanxin.domain.lifecycle import EVENTS, OF_BASELINES, Event, SetFact, fold
from huanxin.numbersets.instants import NO_TIME

DAY = date(2026, 1, 1)
CARRIERS = ("cmcc", "cucc")
EVENT_LINES = st.lists(
    st.tuples(
        st.integers(0, 30), st.sampled_from(CARRIERS), st.sampled_from(EVENTS), st.frozensets(st.integers(0, 4), min_size=1)
    ),
    max_size=14,
)


def facts(lines: list[tuple[int, str, Event, frozenset[int]]]) -> list[SetFact]:
    found = [SetFact(day=DAY + timedelta(days=day), carrier=carrier, event=event, numbers=BitMap(numbers))
             for day, carrier, event, numbers in lines]  # fmt: skip
    return sorted(found, key=lambda fact: fact.day)


class OneNumber:
    """One number followed by hand: where it stands, at whom, since when."""

    def __init__(self) -> None:
        self.state, self.carrier, self.day = "unknown", "", DAY

    def may(self, event: Event, carrier: str, owner: str) -> bool:
        if self.state == "unknown":
            return carrier == owner and event is not Event.RECLAIMED
        if self.state == "frozen":
            return (event is Event.RECLAIMED and carrier == self.carrier) or (
                event is Event.OPENED and carrier in (self.carrier, owner)
            )
        if event in (Event.OPENED, Event.RECLAIMED):
            return False
        if event in (Event.PORTED_IN, *OF_BASELINES):
            return self.state == "ported"
        return carrier == self.carrier if self.state == "served" else carrier != self.carrier

    def take(self, event: Event, carrier: str, day: date) -> None:
        self.state = {Event.CANCELLED: "frozen", Event.PORTED_OUT: "ported"}.get(event, "served")
        self.carrier, self.day = carrier, day


@given(EVENT_LINES)
def test_sets_agree_with_following_each_number_by_hand(lines: list[tuple[int, str, Event, frozenset[int]]]) -> None:
    new = facts(lines)
    verdict = judge([], new, "cmcc")
    people = {number: OneNumber() for number in range(5)}
    refused: set[tuple[int, int]] = set()
    for index, fact in enumerate(new):
        for number in fact.numbers:
            one = people[number]
            if one.may(fact.event, fact.carrier, "cmcc"):
                one.take(fact.event, fact.carrier, fact.day)
            else:
                refused.add((index, number))
    assert sum(len(refusal.numbers) for refusal in verdict.refusals) == len(refused)
    state = fold(verdict.accepted)
    for number, one in people.items():
        assert (number in state.known) == (one.state != "unknown")
        assert (number in state.sleeping(BitMap([number]))) == (one.state == "frozen")
        if one.state == "frozen":
            assert number in state.frozen()[one.carrier, one.day]


@given(EVENT_LINES)
def test_a_report_taken_twice_changes_nothing(lines: list[tuple[int, str, Event, frozenset[int]]]) -> None:
    """Rule 7; what the first time accepted is known the second time, and nothing is added."""
    accepted = judge([], facts(lines), "cmcc").accepted
    again = judge(accepted, accepted, "cmcc")
    assert not again.accepted
    assert not again.refusals
    assert again.known == sum(len(fact.numbers) for fact in accepted)


def test_numbers_rest_after_their_own_cancellation_and_all_of_a_day_are_frozen_on_it() -> None:
    """By its name a batch says what it stands on: a number under another's name would be planned twice, or never."""
    facts = [
        SetFact(day=DAY, carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([1, 2, 9]), report=1),
        SetFact(day=DAY, carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([3]), report=1, layer=1),
        SetFact(day=DAY, carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([4]), report=2),
        SetFact(day=DAY, carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([5]), report=2),
        SetFact(day=DAY + timedelta(days=1), carrier="cmcc", event=Event.RECLAIMED, numbers=BitMap([9]), report=3),
    ]
    state = fold(facts)
    first, second, other = facts[0].cancellation, facts[1].cancellation, facts[2].cancellation
    everyone = {first: BitMap([1, 2]), second: BitMap([3]), other: BitMap([4, 5])}
    assert state.resting(state.known) == everyone
    assert state.resting(BitMap([2, 3, 9])) == {first: BitMap([2]), second: BitMap([3])}
    assert state.frozen() == {("cmcc", DAY): BitMap([1, 2, 3, 4, 5])}


def test_a_part_of_a_fact_keeps_the_instants_of_its_numbers() -> None:
    """Else a number that was reclaimed at eleven would count as reclaimed when another was."""
    whole = SetFact(day=DAY, carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([3, 5, 8]), at=np.array([30, 50, 80]))
    part = whole.part(BitMap([3, 8]))
    assert (list(part.numbers), part.instants(BitMap([3, 8])).tolist()) == ([3, 8], [30, 80])
    assert part.instants(BitMap([8])).tolist() == [80]
    untimed = replace(whole, at=None).part(BitMap([5]))
    assert untimed.at is None
    assert untimed.instants(BitMap([5])).tolist() == [NO_TIME]


def test_a_port_out_is_not_a_cancellation() -> None:
    """Rule 4: the number left with its owner, so it is not frozen, and the carrier that it left can't sell it."""
    left = SetFact(day=DAY, carrier="cmcc", event=Event.PORTED_OUT, numbers=BitMap([1]))
    sold = SetFact(day=DAY + timedelta(days=200), carrier="cmcc", event=Event.OPENED, numbers=BitMap([1]))
    verdict = judge([left], [sold], "cmcc")
    assert not verdict.accepted
    assert "ported out of cmcc" in verdict.refusals[0].reason
    assert not fold([left]).sleeping(BitMap([1]))


def test_an_event_older_than_what_is_on_record_and_impossible_before_it_is_refused() -> None:
    closed = SetFact(day=DAY + timedelta(days=5), carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([1]))
    late = SetFact(day=DAY, carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([1]))
    verdict = judge([closed], [late], "cmcc")
    assert "comes too late" in verdict.refusals[0].reason


def test_a_number_opened_after_a_cancellation_has_a_new_owner() -> None:
    closed = SetFact(day=DAY, carrier="cmcc", event=Event.CANCELLED, numbers=BitMap([1, 2]))
    opened = SetFact(day=DAY + timedelta(days=100), carrier="cmcc", event=Event.OPENED, numbers=BitMap([1, 3]))
    verdict = judge([closed], [opened], "cmcc")
    assert [list(fact.numbers) for fact in verdict.recycled] == [[1]]
