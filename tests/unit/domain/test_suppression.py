"""What the public sees of small counts. An attacker here knows everything that is published, and subtracts."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from huanxin.domain.suppression import THRESHOLD, Hidden, Published, at_least, protect

SMALL = range(1, THRESHOLD)
COUNTS = st.dictionaries(
    st.sampled_from([f"region {n}" for n in range(12)]),
    st.one_of(st.integers(0, 12), st.integers(0, 60), st.integers(0, 10**6)), min_size=1,
)  # fmt: skip


def possible(shown: Published, key: str) -> set[int]:
    """Every small value that a hidden count may have, by what is published."""
    if shown.total is Hidden.SMALL:
        return set(SMALL) if all(isinstance(one, Hidden) for one in shown.cells.values()) else set()
    assert isinstance(shown.total, int)
    others = [one for name, one in shown.cells.items() if name != key]
    left = shown.total - at_least(others)[0]
    if Hidden.WITHHELD in others:  # takes whatever the small ones leave
        return {value for value in SMALL if left - value >= others.count(Hidden.SMALL)}
    sums = reduce(lambda found, _: {one + value for one in found for value in SMALL}, range(others.count(Hidden.SMALL)), {0})
    return {value for value in SMALL if left - value in sums}


@given(COUNTS, st.integers(0, 40))
def test_whoever_subtracts_what_is_shown_from_the_total_learns_nothing_of_a_hidden_count(
    counts: dict[str, int], turn: int
) -> None:
    shown = protect(counts, turn=turn)
    for key, count in counts.items():
        if 0 < count < THRESHOLD:
            assert isinstance(shown.cells[key], Hidden)
            assert possible(shown, key) == set(SMALL), (counts, shown)


@given(COUNTS, st.integers(0, 40))
def test_what_is_shown_is_true_and_a_small_total_is_not_shown(counts: dict[str, int], turn: int) -> None:
    shown = protect(counts, turn=turn)
    assert {key: count for key, count in shown.cells.items() if not isinstance(count, Hidden)}.items() <= counts.items()
    total = sum(counts.values())
    assert shown.total == (Hidden.SMALL if 0 < total < THRESHOLD else total)


@given(COUNTS, st.integers(0, 40), st.integers(THRESHOLD * 2, 10**6))
def test_which_count_is_withheld_does_not_depend_on_how_large_it_is(counts: dict[str, int], turn: int, other: int) -> None:
    cells = protect(counts, turn=turn).cells
    withheld = [key for key, one in cells.items() if one is Hidden.WITHHELD]
    if len(withheld) == 1 and sum(counts.values()) >= THRESHOLD:
        assert protect(counts | {withheld[0]: other}, turn=turn).cells == cells


def test_one_small_region_takes_another_with_it_and_months_take_turns() -> None:
    counts = {"Beijing": 500, "Shanghai": 700, "Tibet": 3, "Hainan": 0}
    first, second = (protect(counts, turn=turn).cells for turn in (0, 1))
    assert first == {"Beijing": Hidden.WITHHELD, "Shanghai": 700, "Tibet": Hidden.SMALL, "Hainan": 0}
    assert second == {"Beijing": 500, "Shanghai": Hidden.WITHHELD, "Tibet": Hidden.SMALL, "Hainan": 0}


def test_many_small_counts_hide_each_other() -> None:
    assert protect({"a": 5, "b": 5, "c": 100}).cells == {"a": Hidden.SMALL, "b": Hidden.SMALL, "c": 100}
    assert protect({"a": 1, "b": 1, "c": 100}).cells["c"] is Hidden.WITHHELD, "two that make two are one each"


def test_a_sum_of_what_is_shown_says_that_something_is_missing() -> None:
    assert at_least([3, Hidden.SMALL, 4]) == (7, True)
    assert at_least([3, 4]) == (7, False)
