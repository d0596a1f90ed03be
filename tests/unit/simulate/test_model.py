"""The simulation: histories that can be worked out by hand, and what may never come out whatever the history is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huanxin.domain.rules import Rules
from huanxin.figures.history import History, Pace
from huanxin.simulate.model import Forecast, Scenario, simulate

TODAY = date(2026, 11, 24)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def quiet(**more: object) -> History:
    """100 numbers frozen 80 days ago by a carrier that nobody leaves or joins any more; nobody asks partners."""
    plain = History(
        carrier="cmcc", today=TODAY, rules=Rules(), first=ago(7), cancelled=(0,) * 7, opened=(0,) * 7,
        frozen={ago(80): 100}, for_sale=0, never_sold=0, in_service=300, capacity=1000,
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def pace(days: float, *, share: float = 1.0, id: int = 1, **more: object) -> Pace:
    plain = Pace(id=id, name=f"partner {id}", required=True, notices=4, days=(days,), share=(share,), ties=0.5)
    return replace(plain, **more)  # type: ignore[arg-type]


def run(
    history: History, freeze: int = 90, lead: int = 15, faster: frozenset[int] = frozenset(), days: int = 60
) -> Forecast:
    return simulate(history, [Scenario(freeze_days=freeze, lead_days=lead, faster=faster)], days=days, seed=1)[0]


def on_sale(result: Forecast) -> dict[int, float]:
    """Numbers that go on sale by day, counted from today."""
    return {day: round(float(count), 6) for day, count in enumerate(result.supply, start=1) if count}


def test_numbers_go_on_sale_on_the_day_after_ninety_days_of_freeze() -> None:
    assert on_sale(run(quiet())) == {11: 100}, "cancelled 80 days ago; day 91 is the first on which they may be sold"
    assert on_sale(run(quiet(), freeze=120)) == {41: 100}


def test_what_the_owner_takes_back_is_not_for_sale_and_is_in_service_again() -> None:
    chances = (*(0.0,) * 85, 0.1, 0.2)
    found = run(quiet(back=chances))
    assert on_sale(found) == {11: pytest.approx(100 * 0.9 * 0.8)}
    assert found.in_service[4:7].tolist() == pytest.approx([310, 328, 328]), "10 on day 85 of the freeze, 18 of 90 on day 86"
    assert on_sale(run(quiet(back=(0.5, 0.5)))) == {11: 100}, "those days are over for numbers frozen for 80"


def test_a_required_partner_that_needs_longer_than_the_lead_time_keeps_numbers_back() -> None:
    slow = quiet(frozen={ago(10): 100}, partners=[pace(20)])
    assert on_sale(run(slow, days=120)) == {86: 100}, "told on day 66 of 81, answered on day 86"
    assert on_sale(run(slow, lead=30, days=120)) == {81: 100}, "told early enough, nothing waits for the partner"
    assert on_sale(run(slow, faster=frozenset({1}), days=120)) == {81: 100}


def test_the_gate_sells_no_number_with_an_unanswered_tie_and_without_it_half_would_be() -> None:
    found = run(quiet(frozen={ago(10): 100}, partners=[pace(20)]), days=120)
    assert (found.open_sold, found.open_if_sold) == (0, 0.5)
    assert run(quiet(frozen={ago(10): 100}, partners=[pace(20)]), lead=30, days=120).open_if_sold == 0


def test_numbers_of_a_partner_that_never_answers_are_sold_only_as_far_as_operators_waive() -> None:
    silent = pace(1, share=0.0)
    assert on_sale(run(quiet(partners=[silent]))) == {}
    found = run(quiet(partners=[silent], waived=0.25, waived_after=8))
    assert on_sale(found) == {11: 25}
    assert found.open_sold == 0.5, "half of what was waived has a tie that nobody answered for"
    assert found.waiting[-1] == 75


def test_an_optional_partner_keeps_nothing_back_but_leaves_ties_open() -> None:
    found = run(quiet(frozen={ago(10): 100}, partners=[pace(20, required=False)]), days=120)
    assert on_sale(found) == {81: 100}
    assert found.open_sold == 0.5


def test_refusals_stay_back_and_pending_ties_count_as_unanswered_when_waived() -> None:
    found = run(quiet(partners=[pace(1, pending=0.1, refused=0.1)], waived=1.0, waived_after=5))
    assert on_sale(found) == {11: 100}
    assert found.open_sold == pytest.approx(0.1)
    assert on_sale(run(quiet(partners=[pace(1, pending=0.1, refused=0.1)]))) == {11: pytest.approx(80)}


def test_buyers_get_numbers_sold_before_then_new_ones_then_none() -> None:
    found = run(quiet(opened=(5,) * 7, for_sale=5, never_sold=7), days=10)
    assert found.unserved == 50 - 12
    assert found.in_service.tolist() == [305, 310, *[312] * 8]
    assert (found.utilisation, found.highest) == (0.312, 0.312)


def test_the_coming_days_are_past_days_of_the_same_weekday() -> None:
    first = ago(14)
    by_weekday = tuple(10 * (first + timedelta(days=n)).weekday() for n in range(14))
    found = run(quiet(first=first, cancelled=by_weekday, opened=(0,) * 14, frozen={}, in_service=10_000), days=100)
    assert on_sale(found) == {
        day: amount for day in range(92, 101) if (amount := 10 * (TODAY + timedelta(days=day - 91)).weekday())
    }


def any_pace(days: float, share: float, pending: float, refused: float, cut: float) -> Pace:
    return pace(days, share=share, pending=pending, refused=refused, ties=pending + refused + cut)


SOME = st.floats(0, 0.3)
PACES = st.builds(any_pace, st.floats(0, 60), st.floats(0, 1), SOME, SOME, SOME)
HISTORIES = st.builds(
    lambda frozen, cancelled, back, paces, waived, after: quiet(
        frozen={ago(day): count for day, count in frozen.items()}, cancelled=tuple(cancelled), back=tuple(back),
        partners=[replace(one, id=place) for place, one in enumerate(paces)], waived=waived, waived_after=after,
    ),
    st.dictionaries(st.integers(0, 300), st.integers(1, 1000), max_size=8),
    st.lists(st.integers(0, 1000), min_size=7, max_size=7),
    st.lists(st.floats(0, 0.5), max_size=100), st.lists(PACES, max_size=4), st.floats(0, 1), st.integers(0, 40),
)  # fmt: skip


@settings(max_examples=60)
@given(history=HISTORIES, lead=st.integers(1, 30), days=st.integers(1, 250))
def test_a_longer_freeze_never_brings_more_numbers_and_faster_answers_never_more_unanswered_ties(
    history: History, lead: int, days: int
) -> None:
    everyone = frozenset(one.id for one in history.partners)
    supplied = [run(history, freeze, lead, days=days).supply.sum() for freeze in (90, 120, 180)]
    assert supplied[0] >= supplied[1] - 1e-6
    assert supplied[1] >= supplied[2] - 1e-6
    now, halved = run(history, lead=lead, days=days), run(history, lead=lead, days=days, faster=everyone)
    assert halved.open_if_sold <= now.open_if_sold + 1e-9
    assert halved.open_sold <= now.open_sold + 1e-9
    assert halved.supply.sum() >= now.supply.sum() - 1e-6
    for one in (now, halved):
        assert one.supply.min() >= 0
        assert one.waiting.min() >= -1e-6
        assert 0 <= one.open_sold <= 1


def test_the_same_seed_gives_the_same_result_and_another_seed_another() -> None:
    mixed = quiet(cancelled=tuple(range(60)), opened=(1,) * 60, first=ago(60), partners=[pace(9, share=0.5), pace(30, id=2)])
    scenario = [Scenario(freeze_days=90, lead_days=7)]
    once, again, other = (simulate(mixed, scenario, days=200, seed=seed)[0].supply.tolist() for seed in (3, 3, 4))
    assert once == again
    assert once != other
