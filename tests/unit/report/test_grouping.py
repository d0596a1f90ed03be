"""A report's lines as sets: nothing is lost, nothing counted twice, and what happened first stays first."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from huanxin.domain.lifecycle import EVENTS, Event
from huanxin.numbersets.sharded import SHARD_SIZE
from huanxin.report.grouping import MOST_A_DAY, by_shard, in_layers
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


@given(LINES)
def test_every_line_is_in_exactly_one_set_but_for_repeated_ones(rows: list[tuple[int, Event, int, int]]) -> None:
    layers = in_layers(lines(rows))
    assert layers.repeated == len(rows) - len(set(rows))
    grouped = [(shard, fact, layer) for shard, facts in by_shard(layers, "cmcc") for layer, fact in facts]
    assert sum(len(fact.numbers) for _, fact, _ in grouped) == len(set(rows))
    for _, fact, _ in grouped:
        assert fact.carrier == "cmcc"


@given(LINES)
def test_a_number_with_several_events_on_a_day_keeps_their_order(rows: list[tuple[int, Event, int, int]]) -> None:
    """Cancelled then reclaimed is a number in service; the other way round it would be sold."""
    for shard, facts in by_shard(in_layers(lines(rows)), "cmcc"):
        order = [(fact.day, layer) for layer, fact in facts]
        assert order == sorted(order)
        for number in {n for _, fact in facts for n in fact.numbers}:
            told = [fact.event for _, fact in facts if number in fact.numbers]
            mine = [row for row in dict.fromkeys(rows) if row[0] == number and 8613800 + row[0] // 3 == shard]
            assert told == [event for _, event, _, _ in sorted(mine, key=lambda row: (row[2], row[3]))]


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
        for shard, facts in by_shard(in_layers(report), "cmcc") for _, fact in facts for offset in fact.numbers
    }  # fmt: skip
    assert found == set(rows)


def test_what_no_number_goes_through_on_a_day_is_handed_back_and_nothing_moves_to_another_day() -> None:
    events = [Event.CANCELLED, Event.RECLAIMED] * 150
    rows = [(0, event, 0, moment) for moment, event in enumerate(events)]
    layers = in_layers(lines([*rows, (1, Event.CANCELLED, 1, 0)]))
    assert layers.crowded.line.tolist() == list(range(2 + MOST_A_DAY, 2 + len(rows)))
    days = {fact.day for _, facts in by_shard(layers, "cmcc") for _, fact in facts if 0 in fact.numbers}
    assert days == {date(1970, 1, 1) + timedelta(days=20_000)}


def test_an_empty_report_has_no_sets() -> None:
    assert list(by_shard(in_layers(lines([])), "cmcc")) == []
