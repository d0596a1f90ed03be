"""A numbered receipt is taken after each lower one was taken or replaced, and nothing waits for itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from huanxin.domain.parts import Part, Parts


def test_a_part_waits_for_each_lower_one() -> None:
    assert Parts().waits_for(Part(number=1)) == []
    assert Parts(taken=frozenset({1})).waits_for(Part(number=4)) == [2, 3]
    assert len(Parts().waits_for(Part(number=999_999_999))) == 10, "a few of them are enough to say"


def test_a_replacement_takes_the_place_of_the_lowest_that_it_replaces() -> None:
    parts = Parts(taken=frozenset({1}))
    assert parts.waits_for(Part(number=4, replaces=frozenset({2}))) == []
    assert parts.waits_for(Part(number=4, replaces=frozenset({3}))) == [2]


def test_a_replacement_that_says_it_is_the_last_passes_over_nothing() -> None:
    """Part 3 waits for the replaced one: taken first, the last would speak of it as absent."""
    parts = Parts(taken=frozenset({1}))
    assert parts.passes_over(Part(number=4, replaces=frozenset({2}), complete=True)) == [3]
    assert parts.passes_over(Part(number=4, replaces=frozenset({2, 3}), complete=True)) == []
    assert parts.passes_over(Part(number=4, replaces=frozenset({2}))) == []
    assert parts.passes_over(Part(number=4, complete=True)) == [], "it waits instead"


@given(st.lists(st.tuples(st.sets(st.integers(1, 8)), st.booleans(), st.booleans()), min_size=1, max_size=8), st.randoms())
def test_in_whatever_order_parts_come_the_last_speaks_after_all_that_are_before_it(
    made: list[tuple[set[int], bool, bool]], chance: object
) -> None:
    """Parts come in any order, some are refused; whatever says that it is the last finds each lower one dealt with."""
    parts = [Part(number=number, replaces=frozenset(one for one in replaces if one < number), complete=complete)
             for number, (replaces, complete, _) in enumerate(made, start=1)]  # fmt: skip
    refused = {number for number, (_, _, bad) in enumerate(made, start=1) if bad}
    chance.shuffle(parts)  # type: ignore[attr-defined]
    taken: set[int] = set()
    replaced: set[int] = set()
    here: list[Part] = []
    for coming in parts:
        here.append(coming)
        while True:
            state = Parts(taken=frozenset(taken), replaced=frozenset(replaced))
            turn = next((one for one in here if one.number not in taken | replaced | refused and not one.replaces & taken
                         and not state.waits_for(one) and not state.passes_over(one)), None)  # fmt: skip
            if turn is None:
                break
            if turn.complete:
                assert set(range(1, turn.number)) <= taken | replaced | turn.replaces
            taken.add(turn.number)
            replaced |= turn.replaces
