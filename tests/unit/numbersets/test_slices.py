"""A piece of a stored bitmap says the same as the whole: else a number's page would show another answer than the gate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.numbersets.sharded import bitmap_of, dump
from huanxin.numbersets.slices import Piece, head_of, look


def found(stored: bytes, value: int) -> bool:
    said = look(stored[: head_of(1_000_000)], len(stored), value)
    if isinstance(said, Piece):
        return said.holds(value, stored[said.start : said.start + said.length])
    return said


def scattered(count: int, below: int) -> BitMap:
    return bitmap_of(np.unique(np.random.default_rng(7).integers(0, below, count)).astype(np.uint32))


SETS = {
    "a few": BitMap([1, 65_535, 65_536, 700_000]),
    "arrays": scattered(30_000, 1_000_000),
    "bitsets": scattered(600_000, 1_000_000),
    "runs": BitMap([n for n in range(1_000_000) if n % 100 < 90]),
    "one container": scattered(3_000, 65_536),
    "runs and few containers": BitMap([n for n in range(150_000) if n % 40 < 20]),
    "gaps between containers": BitMap([*range(0, 5_000, 2), *range(900_000, 905_000, 2), *range(400_000, 400_900, 3)]),
    "more containers than the head describes": scattered(200_000, 12_000_000),
    "all": BitMap(range(1_000_000)),
    "none": BitMap(),
}


@pytest.mark.parametrize("name", SETS)
def test_each_kind_of_container_is_read_right(name: str) -> None:
    bitmap = SETS[name]
    stored = dump(bitmap)
    edges = {0, 1, 65_535, 65_536, 131_071, 899_999, 999_999, 1_000_000, 11_999_999}
    for value in sorted(edges | set(np.random.default_rng(8).integers(0, 1_100_000, 300).tolist()) | set(bitmap[:50])):
        assert found(stored, value) is (value in bitmap), value


def test_little_of_a_large_set_is_read() -> None:
    stored = dump(SETS["bitsets"])
    said = look(stored[: head_of(1_000_000)], len(stored), 500_000)
    assert isinstance(said, Piece)
    assert said.length <= 8192 < len(stored) / 15


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1, 3_000), st.integers(1, 5)), max_size=8),
    st.integers(0, 2_100_000),
)
def test_any_set_and_any_value_agree(stretches: list[tuple[int, int, int]], value: int) -> None:
    bitmap = BitMap()
    for start, length, step in stretches:
        bitmap |= BitMap(range(start, start + length * step, step))
    stored = dump(bitmap)
    assert found(stored, value) is (value in bitmap)
