"""A roster keeps half of each number; what it gives back is the number, on both sides of where the other half changes."""

from __future__ import annotations

import numpy as np
import pytest
from pyroaring import BitMap

from huanxin.numbersets.roster import Roster

EDGE = 2006 << 32  # 8,615,704,395,776: in the middle of the Chinese plan
NUMBERS = np.array([8613800138000, EDGE - 2, EDGE - 1, EDGE, EDGE + 1, 8619900000000], dtype=np.int64)


@pytest.mark.parametrize(
    "roster",
    [Roster(NUMBERS), Roster.of_parts(6, [(4, NUMBERS[4:]), (1, NUMBERS[1:4]), (0, NUMBERS[:1])])],
    ids=["whole", "in parts, in any order"],
)
def test_numbers_of_several_spans_are_found_and_told(roster: Roster) -> None:
    assert roster.numbers.tolist() == NUMBERS.tolist()
    assert [roster[start : start + 2].tolist() for start in (0, 2, 4)] == NUMBERS.reshape(3, 2).tolist()
    assert roster.at(BitMap([1, 3, 5])).tolist() == NUMBERS[[1, 3, 5]].tolist()
    asked = np.array([EDGE + 1, NUMBERS[0] + (1 << 32), EDGE - 1, EDGE + 2, NUMBERS[0]], dtype=np.int64)
    places, known = roster.places(asked)
    assert known.tolist() == [True, False, True, False, True]
    assert places[known].tolist() == [4, 2, 0]


def test_an_empty_roster_knows_no_number() -> None:
    empty = Roster(NUMBERS[:0])
    assert (len(empty), empty.numbers.tolist(), empty.everyone) == (0, [], BitMap())
    assert empty.places(NUMBERS)[1].tolist() == [False] * len(NUMBERS)
