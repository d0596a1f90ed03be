"""A day on which a number is named again. What is dropped though it happened, or taken though it didn't, ends a freeze that
runs or freezes a number in service: 91 days later the number of somebody who has it is sold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.domain.acceptance import Verdict, judge
from huanxin.domain.lifecycle import Event, SetFact
from huanxin.numbersets.instants import NO_TIME

DAY = date(2026, 3, 1)
HOUR = 3_600_000_000
EVENTS = {"O": Event.OPENED, "C": Event.CANCELLED, "R": Event.RECLAIMED, "T": Event.TRANSFERRED}


def said(text: str, number: int = 1) -> list[SetFact]:
    """`C9 R10 C`: cancelled at nine, reclaimed at ten, cancelled on that day."""
    return [
        SetFact(day=DAY, carrier="cmcc", event=EVENTS[one[0]], numbers=BitMap([number]), layer=layer,
                at=np.array([int(one[1:]) * HOUR if one[1:] else NO_TIME], np.int64))
        for layer, one in enumerate(text.split())
    ]  # fmt: skip


def imported(*files: str) -> tuple[str, list[Verdict]]:
    """The events on record after some files, and what was said of each file."""
    record: list[SetFact] = []
    verdicts = []
    for report, text in enumerate(files, 1):
        verdicts.append(judge(record, said(text), "cmcc"))
        record += [replace(fact, report=report) for fact in verdicts[-1].accepted]
        record.sort(key=lambda fact: fact.order)
    return " ".join(fact.event[0].upper() for fact in record), verdicts


@pytest.mark.parametrize(
    ("files", "record", "known"),
    [
        (("C8", "R9", "C10", "R11"), "C R C R", 0),
        (("C8", "R9", "C10", "R9"), "C R C", 1),
        (("C8", "C8"), "C", 1),
        (("C8 R9", "C8"), "C R", 1),
        (("C8 R9", "C8 R9 C10"), "C R C", 2),
        (("C", "C"), "C", 1),
        (("C", "C R"), "C R", 1),
        (("C R", "C R"), "C R", 2),
        (("C R", "R"), "C R", 1),
        (("C R", "R T"), "C R T", 1),
        (("C R", "C R T"), "C R T", 2),
        (("C", "C8"), "C", 1),
        (("C8", "C"), "C", 1),
        (("C8", "R"), "C R", 0),
        (("C8", "R8"), "C R", 0),
        (("C", "R9"), "C R", 0),
        (("C R", "C8 R9 C10"), "C R C", 2),
        (("C11", "C9 R10"), "C R C", 0),
        (("C9 R12", "R10 C11"), "C R C R", 0),
        (("C9 R16", "R10 C15", "C11 R14", "R12 C13"), "C R C R C R C R", 0),
    ],
)
def test_what_could_happen_is_taken_and_what_is_said_again_changes_nothing(
    files: tuple[str, ...], record: str, known: int
) -> None:
    found, verdicts = imported(*files)
    assert not [str(refusal.reason) for verdict in verdicts for refusal in verdict.refusals]
    assert (found, sum(verdict.known for verdict in verdicts)) == (record, known)


@pytest.mark.parametrize(
    ("files", "record", "reason"),
    [
        (("C R", "C"), "C R", "cancelled stands on this day already"),
        (("C R", "R C"), "C R", "each with its time"),
        (("C R", "C8"), "C R", "each with its time"),
        (("C R", "C R C"), "C R", "each with its time"),
        (("C8 R9", "C"), "C R", "each with its time"),
        (("C R", "C8 R9 C"), "C R", "each with its time"),
        (("C8 R8", "C8"), "C R", "each with its time"),
        (("C9 R11", "C10"), "C R", "too late"),
        (("C R11", "C9"), "C R", "each with its time"),
        (("O C12", "T11"), "O C", "without a time"),
        (("C8", "C9"), "C", "can't follow"),
    ],
)
def test_what_nobody_can_tell_or_comes_too_late_is_neither_dropped_nor_taken(
    files: tuple[str, ...], record: str, reason: str
) -> None:
    found, verdicts = imported(*files)
    assert reason in verdicts[-1].refusals[0].reason
    assert found == record


TIMES = st.lists(st.integers(0, 30), unique=True, min_size=1, max_size=7).map(sorted)


@given(TIMES, st.data())
def test_whatever_is_exported_again_between_the_record_is_what_happened(times: list[int], data: st.DataObject) -> None:
    """A day of one number in several files, each of which repeats whatever it likes of what came before it."""
    truth = [f"{'CR'[place % 2]}{hour}" for place, hour in enumerate(times)]
    files = []
    done = 0
    while done < len(truth):
        more = data.draw(st.integers(1, len(truth) - done))
        again = [one for one in truth[:done] if data.draw(st.booleans())]
        files.append(" ".join([*again, *truth[done : done + more]]))
        done += more
    found, verdicts = imported(*files)
    assert not any(verdict.refusals for verdict in verdicts)
    assert found == " ".join(one[0] for one in truth)


@given(st.lists(st.lists(st.sampled_from("OCRT"), min_size=1, max_size=4), min_size=2, max_size=5))
def test_a_file_of_days_that_is_known_or_refused_leaves_the_number_where_it_stood(files: list[list[str]]) -> None:
    """And one that is taken adds no event of a kind that the day has already."""
    record: list[SetFact] = []
    for text in files:
        verdict = judge(record, said(" ".join(text)), "cmcc")
        had = {fact.event for fact in record}
        if record:
            assert not had & {fact.event for fact in verdict.accepted}
        record += verdict.accepted


ONE_DAY, ANOTHER_FILE = ("C", "C8", "C9", "R9", "R", "C R", "C8 R9", "C8 R9 C10"), ("C", "C8", "R9")


@given(st.lists(st.tuples(st.sampled_from(ONE_DAY), st.sampled_from(ANOTHER_FILE)), min_size=1, max_size=30))
def test_many_numbers_at_once_get_the_verdict_that_each_would_get_alone(pairs: list[tuple[str, str]]) -> None:
    """Those that stand again alone are looked at as sets, the others one by one."""
    record = _merged([fact for number, (before, _) in enumerate(pairs) for fact in said(before, number)])
    new = _merged([fact for number, (_, after) in enumerate(pairs) for fact in said(after, number)])
    together = judge(record, new, "cmcc")
    alone = [judge(said(before), said(after), "cmcc") for before, after in pairs]
    assert together.known == sum(one.known for one in alone)
    refused = {number for refusal in together.refusals for number in refusal.numbers}
    assert refused == {number for number, one in enumerate(alone) if one.refusals}
    accepted = {number for fact in together.accepted for number in fact.numbers}
    assert accepted == {number for number, one in enumerate(alone) if one.accepted}


def _merged(facts: list[SetFact]) -> list[SetFact]:
    """As a report records them: one set for each layer and event."""
    found: dict[tuple[int, Event], dict[int, int]] = {}
    for fact in facts:
        assert fact.at is not None
        found.setdefault((fact.layer, fact.event), {})[fact.numbers[0]] = int(fact.at[0])
    return [
        SetFact(day=DAY, carrier="cmcc", event=event, numbers=BitMap(at), layer=layer,
                at=np.array([at[number] for number in sorted(at)], np.int64))
        for (layer, event), at in sorted(found.items(), key=lambda one: (one[0][0], list(Event).index(one[0][1])))
    ]  # fmt: skip
