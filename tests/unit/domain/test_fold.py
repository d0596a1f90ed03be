"""When a partner had answered: else a company that answered in time stands in public as late, or a late one as done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.domain.answers import Answer, Outcome, Receipt, Waiver, fold

EVERYONE = BitMap(range(6))
SENT = datetime(2026, 11, 24, tzinfo=UTC)
OUTCOMES = (Outcome.UNBOUND, Outcome.ABSENT, Outcome.KEPT, Outcome.PENDING, Outcome.REFUSED)
SAID = st.dictionaries(st.integers(0, 5), st.sampled_from(OUTCOMES))


def receipt(said: dict[int, Outcome], complete: bool, hours: int) -> Receipt:
    answers: dict[Answer, BitMap] = {}
    for place, outcome in said.items():
        answers.setdefault(Answer(outcome=outcome), BitMap()).add(place)
    return Receipt(answers=answers, complete=complete, received=SENT + timedelta(hours=hours))


@given(st.lists(st.tuples(SAID, st.booleans()), max_size=5), st.frozensets(st.integers(0, 5)).map(BitMap))
def test_a_partner_had_answered_when_the_last_number_that_it_is_asked_about_had_a_final_answer(
    said: list[tuple[dict[int, Outcome], bool]], asked: BitMap
) -> None:
    """Told again number by number: pending is no answer yet, silence is one in a receipt that is complete."""
    came = [receipt(of, complete, hour) for hour, (of, complete) in enumerate(said)]
    expected, words = None, dict[int, Outcome]()
    for one, (of, complete) in zip(came, said, strict=True):
        words |= of
        if complete:
            words = dict.fromkeys(EVERYONE, Outcome.ABSENT) | words
        if expected is None and all(words.get(place, Outcome.PENDING) is not Outcome.PENDING for place in asked):
            expected = one.received
    standing, at = fold(came, EVERYONE, lambda found: not found.waiting(asked))
    assert at == expected
    assert standing.counts() == {word: list(words.values()).count(word) for word in set(words.values())} | {
        answer.outcome.value: 0 for answer, places in standing.answers.items() if answer.outcome not in words.values()
    }


def test_a_waiver_is_no_answer_of_the_partner() -> None:
    """The operators went on without it: that says nothing of how long the partner takes."""
    waiver = Waiver(id=1, places=EVERYONE, by="li", reason="silent for a week")
    standing, at = fold([waiver], EVERYONE, lambda found: not found.open(EVERYONE))
    assert (bool(standing.open(EVERYONE)), at) == (False, None)
    late = receipt({}, complete=True, hours=9)
    assert fold([waiver, late], EVERYONE, lambda found: not found.waiting(EVERYONE))[1] == late.received


def test_what_is_pending_or_silent_is_waited_for_unless_it_was_waived_or_taken_back() -> None:
    said = receipt({0: Outcome.PENDING, 1: Outcome.PENDING, 2: Outcome.REFUSED, 3: Outcome.UNBOUND}, complete=False, hours=1)
    waiver = Waiver(id=1, places=BitMap([1, 2, 4]), by="li", reason="closed")
    standing, _ = fold([said, waiver], EVERYONE, lambda _: False)
    found = standing.progress(EVERYONE, back=BitMap([0]))
    assert (found.unanswered, found.outstanding, found.pending, found.open) == (2, 1, 0, 1)
    assert found.counts == {"pending": 2, "refused": 1, "unbound": 1}
