"""A report's lines as sets: nothing is lost, nothing counted twice, and what happened first stays first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.domain.errors import BadInput
from huanxin.domain.lifecycle import EVENTS, Event
from huanxin.numbersets.instants import NO_TIME
from huanxin.numbersets.sharded import SHARD_SIZE
from huanxin.report.grouping import MOST_A_DAY, Layers, by_shard, in_layers
from huanxin.report.lines import Lines

_DAY = 86_400_000_000
LINES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(EVENTS), st.integers(0, 3), st.integers(0, 2)), max_size=25)


def lines(rows: list[tuple[int, Event, int, int]]) -> Lines:
    """(number, event, day, moment of the day) as a report's columns; numbers lie in two shards."""
    number = np.array([8613800 * SHARD_SIZE + n // 3 * SHARD_SIZE + n for n, *_ in rows], np.int64)
    day = np.array([20_000 + day for _, _, day, _ in rows], np.int64)
    at = day * _DAY + np.array([moment for *_, moment in rows], np.int64)
    event = np.array([EVENTS.index(event) for _, event, _, _ in rows], np.int8)
    return Lines(number=number, event=event, at=at, day=day, line=np.arange(2, 2 + len(rows), dtype=np.int64))


def told_apart(rows: list[tuple[int, Event, int, int]]) -> tuple[list[int], list[int], list[int]]:
    """The rows that are kept, those that repeat another, and those that may or may not, as a person reads each number's
    days: by time, and by line where two events share an instant."""
    days: dict[tuple[int, int], list[int]] = {}
    for row, (number, _, day, _) in enumerate(rows):
        days.setdefault((number, day), []).append(row)
    kept, repeated, unclear = [], [], []
    for mine in days.values():
        mine.sort(key=lambda row: (rows[row][3], row))
        for place, row in enumerate(mine):
            earlier = [other for other in mine[:place] if rows[other] == rows[row]]
            if not earlier:
                kept.append(row)
            elif all(rows[other] == rows[row] for other in mine[mine.index(earlier[-1]) : place]):
                repeated.append(row)
            else:
                unclear.append(row)
    return kept, repeated, unclear


@given(LINES)
def test_every_line_is_in_exactly_one_set_but_for_those_that_stand_again(rows: list[tuple[int, Event, int, int]]) -> None:
    """Repeated ones, and those of which nobody can tell: cancelled, reclaimed and cancelled in one instant."""
    layers = in_layers(lines(rows))
    kept, repeated, unclear = told_apart(rows)
    assert layers.repeated == len(repeated)
    assert sorted(layers.unclear.line.tolist()) == sorted(row + 2 for row in unclear)
    grouped = [fact for _, facts in by_shard(layers, "cmcc") for fact in facts]
    assert sum(len(fact.numbers) for fact in grouped) == len(kept)
    assert {fact.carrier for fact in grouped} <= {"cmcc"}


@given(LINES)
def test_a_number_with_several_events_on_a_day_keeps_their_order_and_each_its_instant(
    rows: list[tuple[int, Event, int, int]],
) -> None:
    """Cancelled then reclaimed is a number in service; the other way round it would be sold."""
    kept, _, _ = told_apart(rows)
    for shard, facts in by_shard(in_layers(lines(rows)), "cmcc"):
        order = [(fact.day, fact.layer, EVENTS.index(fact.event)) for fact in facts]
        assert order == sorted(set(order)), "one set for all that share them"
        for number in {n for fact in facts for n in fact.numbers}:
            one = BitMap([number])
            named = [fact for fact in facts if number in fact.numbers]
            told = [(fact.event, fact.instants(one).tolist()) for fact in named]
            for day in {fact.day for fact in named}:
                layers = [fact.layer for fact in named if fact.day == day]
                assert layers == list(range(len(layers))), "the first event of a number's day, the second, ..."
            mine = [rows[row] for row in kept if rows[row][0] == number and 8613800 + number // 3 == shard]
            mine.sort(key=lambda row: (row[2], row[3]))
            assert told == [(event, [(20_000 + day) * _DAY + moment]) for _, event, day, moment in mine]


@pytest.mark.parametrize(
    ("day", "kept", "repeated", "unclear"),
    [
        ("C R C", "C R", 0, "C"),
        ("C C R", "C R", 1, ""),
        ("C R R", "C R", 1, ""),
        ("C9 R10 C11", "C9 R10 C11", 0, ""),
        ("C R10 C11", "C R10", 0, "C11"),
        ("C9 R", "C9 R", 0, ""),
        ("R C9", "R C9", 0, ""),
        ("C9 C", "C9", 1, ""),
        ("C C9", "C9", 1, ""),
        ("C9 R10 C", "C9 R10", 0, "C"),
        ("C11 R10 C", "R10 C11", 1, ""),
        ("C11 R10 C9", "C9 R10 C11", 0, ""),
        ("C9 R10 C9 R10", "C9 R10", 2, ""),
        ("C R C C", "C R", 1, "C"),
        ("C R C C9", "C R", 1, "C9"),
    ],
)
def test_days_without_times_are_taken_in_the_order_of_the_file_as_far_as_anybody_can_tell(
    day: str, kept: str, repeated: int, unclear: str
) -> None:
    """A cancellation that an export names twice must not freeze a number in service, nor a second reclaim be lost."""
    events = {"C": Event.CANCELLED, "R": Event.RECLAIMED}
    found = lines([(0, events[one[0]], 0, int(one[1:] or -1)) for one in day.split()])
    found = replace(found, at=np.where(found.at == 20_000 * _DAY - 1, NO_TIME, found.at))
    layers = in_layers(found)

    def said(some: Lines) -> str:
        moments = ["" if at == NO_TIME else str(at - 20_000 * _DAY) for at in some.at.tolist()]
        return " ".join(EVENTS[event][0].upper() + at for event, at in zip(some.event.tolist(), moments, strict=True))

    assert (said(layers.lines), layers.repeated, said(layers.unclear)) == (kept, repeated, unclear)


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(EVENTS[:3]), st.integers(0, 1), st.integers(0, 2)), min_size=3))
@settings(max_examples=300)
def test_what_is_made_of_a_number_hangs_on_its_own_lines_alone(rows: list[tuple[int, Event, int, int]]) -> None:
    """Whatever stands beside them in the report, with times or without: another number's time must not order its day."""
    report = lines(rows)
    report = replace(report, at=np.where(report.at == report.day * _DAY, NO_TIME, report.at))

    def told(layers: Layers, number: int) -> tuple[list[tuple[int, ...]], list[int]]:
        mine = layers.lines.number == number
        kept = zip(layers.lines.line[mine].tolist(), layers.layer[mine].tolist(), strict=True)
        return sorted(kept), layers.unclear.line[layers.unclear.number == number].tolist()

    whole = in_layers(report)
    for number in set(report.number.tolist()):
        assert told(whole, number) == told(in_layers(report.take(report.number == number)), number)


@given(
    rows=st.lists(st.tuples(st.integers(10_000_000, 9 * 10**14), st.integers(6_200, 22_000)), min_size=1, max_size=30,
                  unique_by=lambda row: row[0]),
)  # fmt: skip
def test_numbers_of_any_country_and_years_that_lie_far_apart_lose_nothing(rows: list[tuple[int, int]]) -> None:
    """A key that overflows puts a number on another day, or nowhere."""
    number, day = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    report = Lines(number=number, event=np.zeros(len(rows), np.int8), at=day * _DAY, day=day, line=np.arange(len(rows)))
    found = {
        (shard * SHARD_SIZE + offset, (fact.day - date(1970, 1, 1)).days)
        for shard, facts in by_shard(in_layers(report), "cmcc") for fact in facts for offset in fact.numbers
    }  # fmt: skip
    assert found == set(rows)


def test_what_no_number_goes_through_on_a_day_is_handed_back_and_nothing_moves_to_another_day() -> None:
    events = [Event.CANCELLED, Event.RECLAIMED] * 150
    rows = [(0, event, 0, moment) for moment, event in enumerate(events)]
    layers = in_layers(lines([*rows, (1, Event.CANCELLED, 1, 0)]))
    assert layers.crowded.line.tolist() == list(range(2 + MOST_A_DAY, 2 + len(rows)))
    days = {fact.day for _, facts in by_shard(layers, "cmcc") for fact in facts if 0 in fact.numbers}
    assert days == {date(1970, 1, 1) + timedelta(days=20_000)}


def ranges(count: int) -> Lines:
    """A number of each of so many millions."""
    day = np.full(count, 20_000, np.int64)
    number = np.arange(count, dtype=np.int64) * SHARD_SIZE * 2
    return Lines(number=number, event=np.zeros(count, np.int8), at=day * _DAY, day=day, line=np.arange(count))


def test_a_report_of_more_ranges_than_a_key_has_room_for_is_refused_in_words() -> None:
    assert len(list(by_shard(in_layers(ranges(1 << 14)), "cmcc"))) == 1 << 14
    with pytest.raises(BadInput, match="the report names numbers of more than 16384 ranges of a million; divide it"):
        list(by_shard(in_layers(ranges((1 << 14) + 1)), "cmcc"))


def test_an_empty_report_has_no_sets() -> None:
    assert list(by_shard(in_layers(lines([])), "cmcc")) == []
