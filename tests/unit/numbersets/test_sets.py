"""Set laws: every figure of the gate is a union, a difference or a rank of these sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import NumberSet, dump, load, union

NUMBERS = st.frozensets(st.integers(8613800000000, 8613803000000) | st.integers(10**6, 10**15 - 1), max_size=60)


@given(NUMBERS, NUMBERS)
def test_number_sets_obey_the_laws_of_sets(a: frozenset[int], b: frozenset[int]) -> None:
    x, y = NumberSet.of(a), NumberSet.of(b)
    assert set(x | y) == a | b
    assert set(x & y) == a & b
    assert set(x - y) == a - b
    assert set(union([x, y, x])) == a | b
    assert list(x) == sorted(a)
    assert len(x) == len(a)


@given(NUMBERS)
def test_a_set_comes_back_from_its_stored_form(a: frozenset[int]) -> None:
    stored = {shard: dump(bitmap) for shard, bitmap in NumberSet.of(a).shards.items()}
    assert NumberSet({shard: load(data) for shard, data in stored.items()}) == NumberSet.of(a)


@given(NUMBERS, NUMBERS)
def test_places_and_numbers_translate_into_each_other(a: frozenset[int], b: frozenset[int]) -> None:
    roster = Roster.of(NumberSet.of(a))
    places = roster.places_in(NumberSet.of(b))
    assert set(roster.at(places).tolist()) == a & b
    assert roster.everyone == BitMap(range(len(a)))
    found, known = roster.places(np.array(sorted(b), np.int64))
    assert known.tolist() == [number in a for number in sorted(b)]
    assert all(roster.numbers[place] == number for place, number, ok in zip(found, sorted(b), known, strict=True) if ok)
