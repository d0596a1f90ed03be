"""Rule 1 and its kin: a number that should wait and doesn't is sold with a stranger's debts attached."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.domain.answers import ABSENT, Answer, Outcome, Receipt, Standing, Waiver, standing
from huanxin.domain.gate import Gate
from huanxin.domain.lifecycle import Event, freeze_of, sellable_from

EVERYONE = BitMap(range(12))
TODAY = date(2026, 11, 24)
PLACES = st.frozensets(st.integers(0, 11)).map(BitMap)
REFUSED = Answer(outcome=Outcome.REFUSED, reason="debt")
PENDING = Answer(outcome=Outcome.PENDING)
UNBOUND = Answer(outcome=Outcome.UNBOUND)
ANSWERS = st.sampled_from([UNBOUND, ABSENT, Answer(outcome=Outcome.KEPT), PENDING, REFUSED])


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    """A receipt that says one thing of each number it names."""
    said = draw(st.dictionaries(st.integers(0, 11), ANSWERS))
    answers: dict[Answer, BitMap] = {}
    for place, answer in said.items():
        answers.setdefault(answer, BitMap()).add(place)
    return Receipt(answers=answers, complete=draw(st.booleans()))


@st.composite
def entries(draw: st.DrawFn) -> list[Receipt | Waiver]:
    found: list[Receipt | Waiver] = []
    for key in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            found.append(draw(receipts()))
        else:
            found.append(Waiver(id=key, places=draw(PLACES), by="li", reason="silent"))
    return found


def gate(**given_: object) -> Gate:
    facts: dict[str, object] = {
        "everyone": EVERYONE,
        "spans": {("cmcc", TODAY - timedelta(days=120)): EVERYONE},
        "standings": {},
        "required": frozenset(),
        "sent": True,
        "today": {"cmcc": TODAY},
        "freeze_days": 90,
    }
    return Gate(**(facts | given_))  # type: ignore[arg-type]


@given(entries())
def test_a_number_is_clear_only_if_its_last_answer_settles_it_or_was_waived(history: list[Receipt | Waiver]) -> None:
    """Told again number by number, without sets: the gate must agree with the plain reading of the rule."""
    clear = gate(standings={1: standing(history, EVERYONE)}, required=frozenset({1})).clear()
    for place in range(12):
        answer, waived = None, set[int]()
        for entry in history:
            if isinstance(entry, Waiver):
                waived |= {entry.id} if place in entry.places else set()
                continue
            named = next((said for said, places in entry.answers.items() if place in places), None)
            if named is not None:
                answer = named
                if not named.settles:
                    waived.clear()
            elif entry.complete and answer is None:
                answer = ABSENT
        assert (place in clear) == (bool(waived) or (answer is not None and answer.settles)), (place, history)


@given(entries())
def test_a_receipt_filed_twice_changes_nothing(history: list[Receipt | Waiver]) -> None:
    once = standing(history, EVERYONE)
    again = standing([*history, *history[-1:]], EVERYONE)
    assert again.open(EVERYONE) == once.open(EVERYONE)


@given(entries(), PLACES, PLACES, PLACES)
def test_nothing_held_reclaimed_or_outstanding_is_ever_clear(
    history: list[Receipt | Waiver], held: BitMap, reclaimed: BitMap, early: BitMap
) -> None:
    found = standing(history, EVERYONE)
    one = gate(
        standings={1: found},
        required=frozenset({1}),
        held={7: held},
        retracted={Event.RECLAIMED: reclaimed},
        spans={("cmcc", TODAY - timedelta(days=90)): early, ("cmcc", TODAY - timedelta(days=91)): EVERYONE - early},
    )
    assert not one.clear() & (held | reclaimed | early | found.open(EVERYONE))


def test_a_part_of_a_receipt_does_not_pass_for_the_whole() -> None:
    part = Receipt(answers={UNBOUND: BitMap([0, 1])})
    one = gate(standings={1: standing([part], EVERYONE)}, required=frozenset({1}))
    assert one.clear() == BitMap([0, 1])


def test_a_refusal_that_comes_after_the_waiver_was_waived_by_nobody() -> None:
    waiver = Waiver(id=1, places=EVERYONE, by="li", reason="silent for a week")
    late = Receipt(answers={REFUSED: BitMap([3])})
    one = gate(standings={1: standing([waiver, late], EVERYONE)}, required=frozenset({1}))
    assert one.clear() == EVERYONE - BitMap([3])


def test_a_batch_that_was_never_sent_releases_nothing() -> None:
    assert not gate(sent=False).clear()


def test_an_optional_partner_holds_nothing_back() -> None:
    assert gate(standings={1: Standing()}).clear() == EVERYONE


def test_the_day_of_cancellation_is_not_counted_into_the_freeze() -> None:
    """Civil Code, art. 201: day 1 is the next day, so the 90th ends on March 1 + 90 days and the sale begins after it."""
    assert sellable_from(date(2026, 3, 1)) == date(2026, 5, 31)


def test_a_batch_that_nobody_has_to_answer_for_is_released_once_and_refused_by_nobody() -> None:
    free = gate(released=BitMap([1, 2]))
    assert (free.refused(), free.open()) == (BitMap(), BitMap())
    assert free.releasable() == EVERYONE - BitMap([1, 2])
    assert Standing().refused() == BitMap()


def test_the_freeze_ends_with_its_last_day_and_is_the_batchs_own() -> None:
    """Ninety days after its cancellation a number rests still, and on the next day it doesn't; a batch may rest longer."""
    closed = TODAY - timedelta(days=91)
    for day, days, still in ((TODAY, 90, False), (TODAY - timedelta(days=1), 90, True), (TODAY, 91, True)):
        found = gate(spans={("cmcc", closed): EVERYONE}, today={"cmcc": day}, freeze_days=days)
        assert bool(found.frozen_still()) is still


def test_a_planned_number_rests_by_the_longer_of_its_own_freeze_and_todays() -> None:
    assert (freeze_of(90, 120), freeze_of(120, 90), freeze_of(90, 90)) == (120, 120, 90)
