"""Instants beside a set: what is read back is what was reported, in whatever unit it was, or that only the day is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huanxin.numbersets.instants import NO_TIME, dump_all, load

DAY = 20_600
START = DAY * 86_400_000_000
HOUR = 3_600_000_000
IN_A_DAY = st.integers(-14 * HOUR, 38 * HOUR)  # of any zone
INSTANT = st.one_of(
    st.just(NO_TIME), IN_A_DAY.map(lambda µs: START + µs // 1_000_000 * 1_000_000),
    IN_A_DAY.map(lambda µs: START + µs // 1_000 * 1_000), IN_A_DAY.map(lambda µs: START + µs),
)  # fmt: skip


@given(st.lists(st.lists(INSTANT, min_size=1, max_size=6), max_size=5))
def test_every_set_of_a_report_is_read_back_as_it_was(sets: list[list[int]]) -> None:
    dumped = dump_all([np.array(one, np.int64) for one in sets], [DAY] * len(sets))
    assert [load(stored, DAY, len(one)).tolist() for stored, one in zip(dumped, sets, strict=True)] == sets


@pytest.mark.parametrize(("unit", "size"), [(1_000_000, 3), (1_000, 4), (1, 5)], ids=["seconds", "milliseconds", "finer"])
def test_an_instant_takes_no_more_bytes_than_its_precision_needs(unit: int, size: int) -> None:
    (stored,) = dump_all([START + np.arange(100, dtype=np.int64) * unit], [DAY])
    assert stored is not None
    assert len(stored) == 1 + 100 * size


def test_days_alone_take_nothing_and_a_thousand_equal_instants_take_one() -> None:
    days, same = dump_all([np.full(1000, NO_TIME), np.full(1000, START)], [DAY, DAY])
    assert days is None
    assert same is not None
    assert len(same) == 4
