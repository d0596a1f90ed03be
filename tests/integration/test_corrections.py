"""Single events of a report were wrong: they are corrected, and what stood on them is set right."""

from __future__ import annotations

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.desk import certify
from huanxin.disclose.verifying import Verdict, verify
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.mended import What
from huanxin.domain.numbers import parse
from huanxin.domain.tenures import State
from huanxin.store.release import releases
from mending_reports import (
    RIGHT,
    WRONG,
    Correct,
    Report,
    Tell,
    closed_on,
    corrector,
    partner,
    state,
    teller,
)
from ordering import plan_now, send_now


@pytest.fixture
def tell(platform: Platform, report: Report) -> Tell:
    return teller(platform, report)


@pytest.fixture
def correct(platform: Platform, report: Report) -> Correct:
    return corrector(platform, report)


def test_a_wrong_date_is_corrected_and_the_freeze_counted_anew(platform: Platform, tell: Tell, correct: Correct) -> None:
    """What worked was an invented reclaim, which put a lie on record."""
    tell(f"{WRONG},cancelled,2026-08-20")
    mended = correct(f"{WRONG},cancelled,2026-10-20,cancelled 2026-08-20")
    assert (mended.taken_back, mended.added) == ({"cancelled": 1}, {"cancelled": 1})
    assert closed_on(platform, WRONG) == ["2026-10-20"]
    assert plan_now(platform) is None, "the freeze runs until January"


def test_a_date_corrected_after_the_batch_was_sent_keeps_the_number_in_it(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    """Partners cut what was bound before the batch was planned: they need not be asked again. The freeze ends later."""
    tell(f"{WRONG},cancelled,2026-08-20")
    batch = plan_now(platform)
    assert batch is not None
    partner(platform, required=False)
    send_now(platform, batch.id)
    mended = correct(f"{WRONG},cancelled,2026-09-20,cancelled 2026-08-20")
    assert {what: mended.count(what) for what in What} == {
        What.RETRACTED: 0, What.STANDS: 1, What.STOPPED: 0, What.IN_ERROR: 0, What.REVOKED: 0, What.ORDERS: 0,
    }  # fmt: skip
    assert plan_now(platform) is None
    clock.now = clock.now.replace(month=12, day=1)  # 90 days after the wrong date
    assert release(platform, by="li") == []
    clock.now = clock.now.replace(month=12, day=20)
    (given,) = release(platform, by="li")
    assert given.count == 1


def test_a_correction_never_makes_a_freeze_shorter_that_partners_were_told_of(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    tell(f"{WRONG},cancelled,2026-08-28")
    batch = plan_now(platform)
    assert batch is not None
    partner(platform, required=False)
    send_now(platform, batch.id)
    correct(f"{WRONG},cancelled,2026-08-10,cancelled 2026-08-28", approved_by="wang")
    assert release(platform, by="li") == []
    clock.forward(days=4)
    assert [one.count for one in release(platform, by="li")] == [1]


def test_one_person_makes_no_freeze_shorter(platform: Platform, tell: Tell, correct: Correct) -> None:
    """A date that is set back could sell a number before its time."""
    tell(f"{WRONG},cancelled,2026-09-28")
    line = f"{WRONG},cancelled,2026-06-10,cancelled 2026-09-28"
    with pytest.raises(Conflict, match="the freeze of 1 numbers would end earlier"):
        correct(line)
    assert closed_on(platform, WRONG) == ["2026-09-28"]
    correct(line, approved_by="wang")
    assert plan_now(platform) is not None


def test_a_date_corrected_after_the_release_is_a_breach_if_the_freeze_had_not_ended(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    tell(f"{WRONG},cancelled,2026-08-20", f"{RIGHT},cancelled,2026-08-20")
    batch = plan_now(platform)
    assert batch is not None
    partner(platform, required=False)
    send_now(platform, batch.id)
    clock.forward(days=10)
    assert len(release(platform, by="li")) == 1
    mended = correct(
        f"{WRONG},cancelled,2026-09-20,cancelled 2026-08-20",
        f"{RIGHT},cancelled,2026-08-19,cancelled 2026-08-20",
        approved_by="wang",
    )
    assert {one.what: list(one.numbers) for one in mended.consequences} == {
        What.STANDS: [parse(WRONG), parse(RIGHT)], What.IN_ERROR: [parse(WRONG)], What.STOPPED: [parse(WRONG)],
    }  # fmt: skip
    with platform.read() as seen:
        assert [(one.kind, one.count) for one in releases.breaches(seen.tx)] == [("released-in-error", 1)]


def test_an_event_that_never_was_is_taken_back_alone(platform: Platform, tell: Tell, correct: Correct) -> None:
    tell(f"{WRONG},cancelled,2026-08-20", f"{RIGHT},cancelled,2026-08-20")
    tell(f"{WRONG},reclaimed,2026-10-01T10:00:00+08:00", f"{RIGHT},reclaimed,2026-10-01")
    mended = correct(f"{WRONG},,,reclaimed 2026-10-01")
    assert (mended.taken_back, mended.added) == ({"reclaimed": 1}, {})
    assert (state(platform, WRONG), state(platform, RIGHT)) == (State.FROZEN, State.IN_SERVICE)


def test_an_event_that_was_missing_is_put_on_record(platform: Platform, tell: Tell, correct: Correct) -> None:
    tell(f"{WRONG},cancelled,2026-01-10")
    tell(f"{WRONG},opened,2026-06-01")
    assert correct(f"{WRONG},cancelled,2026-08-01,").added == {"cancelled": 1}
    assert closed_on(platform, WRONG)[-1] == "2026-08-01"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("cancelled,2026-08-21,opened 2026-08-20", "opened on 2026-08-20 is not on record of this number"),
        ("cancelled,2026-08-21,cancelled", "the time is empty"),
        ("cancelled,2026-08-21,vanished 2026-08-20", "event 'vanished' is unknown"),
        (",,", "neither an event nor what it is instead of is given"),
        ("cancelled,2027-08-21,cancelled 2026-08-20", "lies in the future"),
        ("reclaimed,2026-08-21,cancelled 2026-08-20", "can't come first"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused_whole(
    platform: Platform, tell: Tell, correct: Correct, line: str, why: str
) -> None:
    tell(f"{WRONG},cancelled,2026-08-20", f"{RIGHT},cancelled,2026-08-20")
    with pytest.raises(BadInput) as refused:
        correct(f"{RIGHT},cancelled,2026-08-22,cancelled 2026-08-20", f"{WRONG},{line}")
    assert [one.line for one in refused.value.faults] == [3]
    assert why in refused.value.faults[0].reason
    assert closed_on(platform, RIGHT) == ["2026-08-20"]


def test_a_correction_that_later_facts_contradict_names_them(platform: Platform, tell: Tell, correct: Correct) -> None:
    tell(f"{WRONG},cancelled,2026-08-20")
    later = tell(f"{WRONG},reclaimed,2026-09-01")
    with pytest.raises(BadInput, match=f"in this order: {later}"):
        correct(f"{WRONG},,,cancelled 2026-08-20")


def test_a_certificate_that_stood_on_a_wrong_report_is_revoked(platform: Platform, tell: Tell, correct: Correct) -> None:
    """Whoever is shown it would take it for proof of a day on which nothing happened."""
    tell(f"{WRONG},cancelled,2026-01-10", f"{RIGHT},cancelled,2026-01-10")
    tell(f"{WRONG},opened,2026-06-01", f"{RIGHT},opened,2026-06-01")
    made = [certify(platform, parse(one), lambda _kind, _claims: "a.b.c", by="li") for one in (WRONG, RIGHT)]
    mended = correct(f"{WRONG},opened,2026-06-02,opened 2026-06-01")
    assert mended.count(What.REVOKED) == 1
    with platform.read() as seen:
        assert [verify(seen, one.id).verdict for one in made] == [Verdict.REVOKED, Verdict.VALID]
