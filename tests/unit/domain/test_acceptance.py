"""Judging reports against what is on record, report after report, must say what a person would of each number."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.domain.acceptance import Verdict, judge
from huanxin.domain.lifecycle import EVENTS, OF_BASELINES, Event, SetFact

DAY = date(2026, 1, 1)
OWNER = "cmcc"
Line = tuple[int, str, Event, frozenset[int]]
LINE = st.tuples(
    st.integers(0, 12),
    st.sampled_from(("cmcc", "cucc")),
    st.sampled_from(EVENTS),
    st.frozensets(st.integers(0, 3), min_size=1),
)
REPORTS = st.lists(st.lists(LINE, max_size=6), max_size=5)
Seen = tuple[date, str, Event]


def facts(lines: list[Line], shift: int = 0) -> list[SetFact]:
    found = [SetFact(day=DAY + timedelta(days=day), carrier=carrier, event=event, numbers=BitMap(n + shift for n in numbers))
             for day, carrier, event, numbers in lines]  # fmt: skip
    return sorted(found, key=lambda fact: fact.day)


def may(past: list[Seen], event: Event, carrier: str) -> bool:
    """The rule as one reads it, for one number with this past."""
    if not past:
        return carrier == OWNER and event is not Event.RECLAIMED
    _, who, last = past[-1]
    if last is Event.CANCELLED:
        return (event is Event.RECLAIMED and carrier == who) or (event is Event.OPENED and carrier in (who, OWNER))
    if event in (Event.OPENED, Event.RECLAIMED):
        return False
    if event in (Event.PORTED_IN, *OF_BASELINES):
        return last is Event.PORTED_OUT
    return carrier != who if last is Event.PORTED_OUT else carrier == who


def again(past: list[tuple[str, Event]], new: list[tuple[str, Event]]) -> list[str]:
    """What a person says of the events of one number on one day, given as days alone: `known` as far as they repeat the end
    of what is on record, `unclear` where one stands again with another between, `new` otherwise."""
    size = max(n for n in range(len(new) + 1) if n <= len(past) and past[len(past) - n :] == new[:n])
    verdicts, day = ["known"] * size, list(past)
    for one in new[size:]:
        verdicts.append("unclear" if one in day else "new")
        day.append(one)
    return verdicts


def taken(past: list[Seen], news: list[Seen]) -> list[Seen]:
    """What of a number's news is refused; the rest is added to its past. If something of it is older than the past, all of
    it is taken where the whole order is possible, and else nothing of what is older."""
    late = [one for one in news if past and one[0] < past[-1][0]]
    whole = sorted([*past, *news], key=lambda one: one[0])
    if late and all(may(whole[:place], event, carrier) for place, (_, carrier, event) in enumerate(whole)):
        past[:] = whole
        return []
    refused = []
    for one in news:
        if one in late or not may(past, one[2], one[1]):
            refused.append(one)
        else:
            past.append(one)
    return refused


@given(REPORTS)
def test_each_number_gets_the_verdict_that_its_own_past_calls_for(reports: list[list[Line]]) -> None:
    """Known, unclear, too late, impossible or taken, over many reports that overlap in time."""
    record: list[SetFact] = []
    people: dict[int, list[Seen]] = {number: [] for number in range(4)}
    for lines in reports:
        new = facts(lines)
        verdict = judge(record, new, OWNER)
        known, refused = 0, []
        for number, past in people.items():
            mine = [fact for fact in new if number in fact.numbers]
            news: list[Seen] = []
            for day in sorted({fact.day for fact in mine}):
                had = [(carrier, event) for one, carrier, event in past if one == day]
                today = [fact for fact in mine if fact.day == day]
                said = again(had, [(fact.carrier, fact.event) for fact in today]) if had else ["new"] * len(today)
                known += said.count("known")
                seen = [(fact.day, fact.carrier, fact.event) for fact in today]
                refused += [(number, *one) for one, word in zip(seen, said, strict=True) if word == "unclear"]
                news += [one for one, word in zip(seen, said, strict=True) if word == "new"]
            refused += [(number, *one) for one in taken(past, news)]
        assert verdict.known == known
        assert sorted(refused) == sorted(
            (number, one.fact.day, one.fact.carrier, one.fact.event) for one in verdict.refusals for number in one.numbers
        )
        record = sorted([*record, *verdict.accepted], key=lambda fact: fact.day)
        for number, past in people.items():
            assert [(fact.day, fact.carrier, fact.event) for fact in record if number in fact.numbers] == past


@given(REPORTS, st.lists(LINE, max_size=6), st.lists(LINE, max_size=6))
def test_the_history_of_other_numbers_decides_nothing(
    reports: list[list[Line]], others: list[Line], new: list[Line]
) -> None:
    mine = judge([], facts(list(chain(*reports))), OWNER).accepted
    theirs = judge([], facts(others, shift=100), OWNER).accepted
    both = sorted([*mine, *theirs], key=lambda fact: fact.day)
    assert said(judge(mine, facts(new), OWNER)) == said(judge(both, facts(new), OWNER))


def said(verdict: Verdict) -> tuple[object, ...]:
    refusals = [(one.fact.day, sorted(one.numbers), one.reason) for one in verdict.refusals]
    return verdict.accepted, verdict.recycled, verdict.known, refusals


CANCELLED, OPENED, LEFT, RECLAIMED, TRANSFERRED, TAKEN_IN = (
    Event(one) for one in ("cancelled", "opened", "ported_out", "reclaimed", "transferred", "ported_in")
)


@pytest.mark.parametrize(
    ("past", "new", "reason"),
    [
        ([(0, "cmcc", CANCELLED)], (5, "cmcc", TRANSFERRED),
         "transferred can't follow: the number was cancelled on 2026-01-01, as cmcc reported"),
        ([(0, "cmcc", OPENED)], (5, "cucc", CANCELLED), "cancelled can't follow: the number is in service at cmcc"),
        ([(0, "cmcc", LEFT)], (5, "cmcc", OPENED),
         "opened can't follow: the number was ported out of cmcc; the carrier that took it in reports it now"),
        ([(0, "cmcc", OPENED)], (5, "cucc", TAKEN_IN),
         "ported_in can't follow yet: the number is in service at cmcc, which has not reported ported_out; send it again"
         " once it has"),
        ([(0, "cmcc", LEFT), (1, "cucc", TAKEN_IN)], (5, "cmcc", CANCELLED),
         "cancelled can't follow: the number is in service at cucc"),
        ([], (5, "cucc", TAKEN_IN),
         "the range belongs to cmcc, and no port-out of the number is on record; cmcc reports it, or its ported_out first"),
        ([], (5, "cucc", OPENED),
         "the range belongs to cmcc, and no port-out of the number is on record; cmcc reports it, or its ported_out first"),
        ([], (5, "cmcc", RECLAIMED), "reclaimed can't come first: no cancellation of the number is on record"),
        ([(7, "cmcc", CANCELLED)], (5, "cmcc", CANCELLED),
         "cancelled on 2026-01-06 comes too late: something later is on record, and it doesn't fit in before it (cancelled"
         " of 2026-01-08 is on record, and could not follow)"),
        ([(7, "cmcc", CANCELLED)], (5, "cmcc", RECLAIMED),
         "reclaimed on 2026-01-06 comes too late: something later is on record, and it doesn't fit in before it (reclaimed"
         " can't come first: no cancellation of the number is on record)"),
    ],
)  # fmt: skip
def test_a_refusal_says_why_and_who_can_mend_it(
    past: list[tuple[int, str, Event]], new: tuple[int, str, Event], reason: str
) -> None:
    number = frozenset([1])
    record = facts([(*one, number) for one in past])
    assert [one.reason for one in judge(record, facts([(*new, number)]), OWNER).refusals] == [reason]


def test_what_fits_between_two_events_on_record_is_taken_as_if_it_had_come_in_time() -> None:
    """A file that was forgotten for a month; else its carrier would have to make up a `reclaimed` that never was."""
    one, other = frozenset([1]), frozenset([2])
    record = facts([(0, "cmcc", OPENED, one | other), (200, "cmcc", OPENED, one), (200, "cmcc", TRANSFERRED, other)][:1])
    record += facts([(50, "cmcc", LEFT, one), (200, "cucc", LEFT, one)])
    record = sorted(record, key=lambda fact: fact.day)
    verdict = judge(record, facts([(60, "cucc", TAKEN_IN, one | other)]), OWNER)
    assert [list(fact.numbers) for fact in verdict.accepted] == [[1]]
    assert [list(refusal.numbers) for refusal in verdict.refusals] == [[2]]


def test_of_two_late_events_of_which_only_both_fit_a_file_that_has_both_is_taken() -> None:
    record = facts([(0, "cmcc", CANCELLED, frozenset([1, 2])), (150, "cmcc", OPENED, frozenset([1, 2]))])
    both = [(20, "cmcc", RECLAIMED, frozenset([1])), (40, "cmcc", CANCELLED, frozenset([1]))]
    alone = [(20, "cmcc", RECLAIMED, frozenset([2]))]
    verdict = judge(record, facts(both + alone), OWNER)
    assert [(fact.event, list(fact.numbers)) for fact in verdict.accepted] == [(RECLAIMED, [1]), (CANCELLED, [1])]
    assert [list(refusal.numbers) for refusal in verdict.refusals] == [[2]]


def test_what_comes_between_two_events_on_record_is_too_late_whatever_happened_to_others_meanwhile() -> None:
    """Else a number would stand where an older report puts it."""
    one, other = frozenset([1]), frozenset([2])
    record = facts([(0, "cmcc", CANCELLED, one), (20, "cmcc", CANCELLED, other), (100, "cmcc", OPENED, one)])
    late = facts([(50, "cmcc", OPENED, one), (120, "cmcc", OPENED, other)])
    verdict = judge(record, late, OWNER)
    assert [(list(refusal.numbers), "comes too late" in refusal.reason) for refusal in verdict.refusals] == [([1], True)]
    assert [list(fact.numbers) for fact in verdict.accepted] == [[2]]


def test_a_refusal_names_the_last_cancellation_not_an_earlier_one() -> None:
    """Whoever mends the report looks the day up; the day of a former tenure would send them to the wrong line."""
    cancelled = Event.CANCELLED
    one = BitMap([1])
    past = [
        SetFact(day=DAY, carrier="cmcc", event=cancelled, numbers=one),
        SetFact(day=DAY + timedelta(days=100), carrier="cmcc", event=Event.OPENED, numbers=one),
        SetFact(day=DAY + timedelta(days=200), carrier="cmcc", event=cancelled, numbers=one),
    ]
    again = SetFact(day=DAY + timedelta(days=210), carrier="cmcc", event=cancelled, numbers=one)
    (refusal,) = judge(past, [again], "cmcc").refusals
    assert str(DAY + timedelta(days=200)) in refusal.reason
