"""The pool: a number that is in two states is counted twice, and one that is in none is lost."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.domain.acceptance import judge
from huanxin.domain.answers import Answer, Outcome, Receipt, standing
from huanxin.domain.cells import CELL, NEVER, combined, day_number, in_states, summed, tally
from huanxin.domain.gate import Gate
from huanxin.domain.lifecycle import EVENTS, Event, SetFact, fold
from huanxin.domain.pool import CANCELLED, STATES, USED, CellKind, PoolState, of_batch, of_shard, state_of
from huanxin.domain.regions import NOWHERE, PROVINCES, regions_of_shard

TODAY = date(2026, 11, 24)
EVERYONE = BitMap(range(10))
PLACES = st.frozensets(st.integers(0, 9)).map(BitMap)
FACTS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(("cmcc", "cucc")), st.sampled_from(EVENTS), PLACES.filter(bool)),
    max_size=14,
)


@given(FACTS, PLACES)
def test_every_number_that_a_report_named_is_of_one_kind(lines: list[tuple[int, str, Event, BitMap]], held: BitMap) -> None:
    facts = [SetFact(day=TODAY + timedelta(days=day), carrier=carrier, event=event, numbers=numbers)
             for day, carrier, event, numbers in sorted(lines, key=lambda line: line[0])]  # fmt: skip
    state = fold(judge([], facts, "cmcc").accepted)
    found = of_shard(state, "cmcc", held)
    assert BitMap.union(BitMap(), *found.values()) == state.known
    assert sum(map(len, found.values())) == len(state.known)
    for (kind, day), places in found.items():
        assert (day is None) == (kind in (CellKind.SERVED, CellKind.ELSEWHERE))
        assert kind is not CellKind.HELD or places <= held


@given(PLACES, PLACES, PLACES, PLACES, PLACES, PLACES, st.booleans())
def test_every_number_of_a_batch_is_of_one_kind(
    held: BitMap, released: BitMap, ordered: BitMap, reclaimed: BitMap, refused: BitMap, absent: BitMap, sent: bool
) -> None:
    said = Receipt(answers={
        Answer(outcome=Outcome.REFUSED, reason="debt"): refused, Answer(outcome=Outcome.ABSENT): absent - refused,
    })  # fmt: skip
    gate = Gate(
        everyone=EVERYONE, spans={("cmcc", TODAY): EVERYONE}, standings={1: standing([said], EVERYONE)},
        required=frozenset({1}), sent=sent, held={1: held}, retracted={Event.RECLAIMED: reclaimed}, ordered={2: ordered},
        released=released, today={"cmcc": TODAY}, freeze_days=90,
    )  # fmt: skip
    found = of_batch(gate)
    assert sum(map(len, found.values())) == len(EVERYONE - reclaimed)
    assert BitMap.union(*found.values()) == EVERYONE - reclaimed
    assert found[CellKind.HELD] | found[CellKind.HELD_ANYWAY] == held - reclaimed, "a hold goes before everything else"
    kept_back = ordered | (refused if sent else BitMap())
    assert found[CellKind.HELD_ANYWAY] == (held & (released | kept_back)) - reclaimed
    assert not found[CellKind.ANSWERED] & (gate.open() | held | ordered | released)
    assert found[CellKind.ANSWERED] == gate.renewed() - released


def test_the_states_are_told_apart_by_the_day() -> None:
    days = {left: state_of(CellKind.RESTING, days_left=left, lead_days=15) for left in (16, 15, 0, -3)}
    assert days == {16: PoolState.FROZEN, 15: PoolState.DUE, 0: PoolState.DUE, -3: PoolState.DUE}
    assert state_of(CellKind.ANSWERED, days_left=1, lead_days=15) is PoolState.RENEWING
    assert state_of(CellKind.ANSWERED, days_left=0, lead_days=15) is PoolState.CLEAR
    assert {*USED, *CANCELLED, PoolState.NEVER_SOLD} == set(STATES)


def test_numbers_of_a_batch_are_taken_off_those_that_rest() -> None:
    closed = day_number(TODAY) - 80
    own = tally(np.array([861390011] * 5 + [861390012]), CellKind.RESTING, closed, freeze=0)
    batch = tally(np.array([861390011] * 3), CellKind.OPEN, closed, freeze=90)
    found = in_states(combined([own], [batch], freeze_days=90), today=TODAY, lead_days=15)
    said = [(int(one["place"]), STATES[one["kind"]], int(one["count"])) for one in found]
    assert said == [(861390011, PoolState.RENEWING, 3), (861390011, PoolState.DUE, 2), (861390012, PoolState.DUE, 1)]


def test_held_numbers_of_a_batch_are_told_apart_by_whether_the_end_of_the_hold_frees_them() -> None:
    """Five numbers rest, of which four are held until the 100th day; a partner refused one of these."""
    closed = day_number(TODAY) - 80
    own = [tally(np.array([861390011]), CellKind.RESTING, closed, freeze=0),
           tally(np.array([861390011] * 4), CellKind.HELD, closed, freeze=100)]  # fmt: skip
    batch = [tally(np.array([861390011]), CellKind.HELD_ANYWAY, closed, freeze=100)]
    found = in_states(combined(own, batch, freeze_days=90), today=TODAY, lead_days=15)
    said = {(STATES[one["kind"]], int(one["freeze"])): int(one["count"]) for one in found}
    assert said == {(PoolState.DUE, 90): 1, (PoolState.HELD, 100): 3, (PoolState.HELD, NEVER): 1}
    short = in_states(combined([tally(np.array([1]), CellKind.HELD, closed, freeze=85)], [], freeze_days=90), today=TODAY,
                      lead_days=15)  # fmt: skip
    assert short["freeze"].tolist() == [90], "a hold that ends within the freeze does not shorten it"


def test_places_of_countries_far_apart_are_kept_apart() -> None:
    far = 8_613_900_110_000
    found = summed(
        [tally(np.array([7, far, far]), CellKind.SERVED, 0, freeze=0), tally(np.array([far]), CellKind.SERVED, 0, freeze=0)]
    )
    assert found["place"].tolist() == [7, far]
    assert found["count"].tolist() == [1, 3]


def test_nothing_counts_as_nothing() -> None:
    assert len(in_states(combined([], [], freeze_days=90), today=TODAY, lead_days=15)) == 0
    assert combined([np.empty(0, CELL)], [], freeze_days=90).dtype == CELL


@pytest.mark.parametrize(
    ("block", "region"), [("861390000", "新疆"), ("861380013", "北京"), ("861920000", ""), ("447700900", "")]
)
def test_a_block_lies_where_the_numbering_plan_says(block: str, region: str) -> None:
    found = regions_of_shard(int(block[:7]))[int(block[7:])]
    assert (PROVINCES[found] if found != NOWHERE else "") == region
