"""A report was wrong: it is withdrawn, and what stood on it is set right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from huanxin.acts import Platform, mending
from huanxin.acts.batches import release
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.mended import Mended, What
from huanxin.domain.numbers import parse
from huanxin.domain.partners import Kind, NewPartner
from huanxin.domain.tenures import State
from huanxin.notify.partners import add_partner
from huanxin.release.gate import load_gate
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases, stops
from huanxin.store.report import reports
from ordering import imported, plan_now, send_now

Report = Callable[..., Path]
WRONG, RIGHT = "+8613800138000", "+8613800138001"
Tell = Callable[..., int]


@pytest.fixture
def tell(platform: Platform, report: Report) -> Tell:
    names = iter(range(100))

    def told(*lines: str, carrier: str = "cmcc") -> int:
        """The id of the report."""
        return imported(platform, report(*lines, name=f"{next(names)}.csv"), carrier=carrier).imported.report_id

    return told


def withdrawn(platform: Platform, report_id: int, reason: str = "the wrong month") -> Mended:
    with platform.act("li") as act:
        return mending.withdraw(act, report_id, reason=reason)


def state(platform: Platform, number: str) -> State:
    with platform.read() as seen:
        return reports.standing_of(seen.tx, parse(number)).state


def partner(platform: Platform, name: str = "shop", *, required: bool = True) -> None:
    with platform.act("li") as act:
        add_partner(act, NewPartner(name=name, kind=Kind.APP, required=required), https_only=False)


def retracted(platform: Platform, batch_id: int) -> list[list[int]]:
    with platform.read() as seen:
        return [list(batches.numbers_of(seen.tx, one.id)) for one in batches.retractions_of(seen.tx, batch_id)]


def test_a_month_of_another_carrier_is_withdrawn_before_anybody_was_told(platform: Platform, tell: Tell) -> None:
    """What stood in the file is as if it had never been said, and nothing else."""
    kept = tell(f"{RIGHT},cancelled,2026-08-20")
    wrong = tell(f"{WRONG},cancelled,2026-08-20")
    assert withdrawn(platform, wrong).taken_back == {"cancelled": 1}
    assert state(platform, WRONG) is State.UNKNOWN
    assert state(platform, RIGHT) is State.FROZEN
    batch = plan_now(platform)
    assert batch is not None
    with platform.read() as seen:
        assert list(batches.numbers_of(seen.tx, batch.id)) == [parse(RIGHT)]
        found = {one.id: one for one in reports.all_reports(seen.tx)}
    assert (found[kept].withdrawn_by, found[wrong].withdrawn_by) == (None, wrong + 1)
    assert (found[wrong + 1].kind, found[wrong + 1].reason, found[wrong + 1].recorded_by) == (
        "withdrawal", "the wrong month", "li",
    )  # fmt: skip


def test_numbers_of_a_withdrawn_report_are_taken_back_from_whoever_was_told(platform: Platform, tell: Tell) -> None:
    tell(f"{RIGHT},cancelled,2026-08-20")
    wrong = tell(f"{WRONG},cancelled,2026-08-20")
    batch = plan_now(platform)
    assert batch is not None
    partner(platform)
    send_now(platform, batch.id)
    mended = withdrawn(platform, wrong)
    assert (mended.count(What.RETRACTED), mended.count(What.IN_ERROR)) == (1, 0)
    assert retracted(platform, batch.id) == [[parse(WRONG)]]
    with platform.read() as seen:
        (back,) = batches.retractions_of(seen.tx, batch.id)
        assert [one.partner for one in notices.of_batch(seen.tx, back.id)] == ["shop"]
        assert list(load_gate(seen, batch.id).gate.retracted_places()) == [0]


def test_what_was_released_on_a_wrong_report_is_a_breach_and_stopped_at_once(
    platform: Platform, tell: Tell, clock: Clock
) -> None:
    """The owner of a number that was sold by a slip of the pen has to be found before its buyer is."""
    tell(f"{RIGHT},cancelled,2026-08-20")
    wrong = tell(f"{WRONG},cancelled,2026-08-20")
    batch = plan_now(platform)
    assert batch is not None
    partner(platform, required=False)
    send_now(platform, batch.id)
    clock.forward(days=60)
    (given,) = release(platform, by="li")
    assert given.count == 2
    mended = withdrawn(platform, wrong)
    assert {what: mended.count(what) for what in What} == {
        What.RETRACTED: 1, What.STANDS: 0, What.STOPPED: 1, What.IN_ERROR: 1,
    }  # fmt: skip
    with platform.read() as seen:
        assert [(one.kind, one.batch_id, one.count) for one in releases.breaches(seen.tx)] == [
            ("released-in-error", batch.id, 1)
        ]
        assert [(one.release_id, one.carrier, one.count) for one in stops.known(seen.tx)] == [(given.id, "cmcc", 1)]


def test_a_number_that_a_mistaken_reclaim_took_out_goes_into_a_new_batch(platform: Platform, tell: Tell) -> None:
    """Partners gave its ties back to whoever held it: it stays out of the batch that they were told to forget."""
    tell(f"{WRONG},cancelled,2026-08-20", f"{RIGHT},cancelled,2026-08-20")
    first = plan_now(platform)
    assert first is not None
    partner(platform)
    send_now(platform, first.id)
    wrong = tell(f"{WRONG},reclaimed,2026-10-01")
    assert plan_now(platform) is None
    withdrawn(platform, wrong)
    with platform.read() as seen:
        assert list(load_gate(seen, first.id).gate.retracted_places()) == [0]
    second = plan_now(platform)
    assert second is not None
    with platform.read() as seen:
        assert list(batches.numbers_of(seen.tx, second.id)) == [parse(WRONG)]
    assert plan_now(platform) is None


def test_a_reclaim_that_nobody_was_told_of_leaves_the_number_in_its_batch(platform: Platform, tell: Tell) -> None:
    tell(f"{WRONG},cancelled,2026-08-20")
    batch = plan_now(platform)
    assert batch is not None
    wrong = tell(f"{WRONG},reclaimed,2026-10-01")
    assert withdrawn(platform, wrong).consequences == []
    with platform.read() as seen:
        assert not load_gate(seen, batch.id).gate.retracted_places()
    assert plan_now(platform) is None


def test_what_later_facts_stand_on_is_not_withdrawn_before_them(platform: Platform, tell: Tell) -> None:
    """The reports to withdraw first are named, the last one first."""
    first = tell(f"{WRONG},cancelled,2026-01-10", f"{RIGHT},cancelled,2026-01-10")
    second = tell(f"{WRONG},reclaimed,2026-03-02")
    third = tell(f"{RIGHT},reclaimed,2026-03-01")
    with pytest.raises(BadInput) as refused:
        withdrawn(platform, first)
    assert str(refused.value) == (
        "this can't be mended yet: of 2 numbers something is on record that could not be so any more; withdraw or correct"
        f" these reports first, in this order: {third}, {second}"
    )
    assert [one.text for one in refused.value.faults] == [
        f"{RIGHT},reclaimed,2026-03-01", f"{WRONG},reclaimed,2026-03-02",
    ]  # fmt: skip
    for report_id in (third, second, first):
        withdrawn(platform, report_id)
    assert state(platform, WRONG) is State.UNKNOWN


def test_a_withdrawn_file_may_be_imported_again_and_withdrawn_again(platform: Platform, report: Report) -> None:
    path = report(f"{WRONG},cancelled,2026-08-20")
    once = imported(platform, path, carrier="cmcc").imported
    assert imported(platform, path, carrier="cmcc").imported.already
    withdrawn(platform, once.report_id)
    again = imported(platform, path, carrier="cmcc").imported
    assert (again.already, again.accepted) == (False, 1)
    assert imported(platform, path, carrier="cmcc").imported.report_id == again.report_id
    withdrawn(platform, again.report_id)
    assert imported(platform, path, carrier="cmcc").imported.accepted == 1


def test_a_report_is_withdrawn_once(platform: Platform, tell: Tell) -> None:
    wrong = tell(f"{WRONG},cancelled,2026-08-20")
    withdrawal = withdrawn(platform, wrong).report_id
    with pytest.raises(Conflict, match=f"report {wrong} was withdrawn already, by report {withdrawal}"):
        withdrawn(platform, wrong)
    with pytest.raises(Conflict, match="import the file that it withdrew again"):
        withdrawn(platform, withdrawal)
    with pytest.raises(BadInput, match="say why"):
        withdrawn(platform, tell(f"{RIGHT},cancelled,2026-08-20"), " ")


HEADING = "number,event,at,instead_of"


@pytest.fixture
def correct(platform: Platform, report: Report) -> Callable[..., Mended]:
    names = iter(range(100))

    def corrected(*lines: str, approved_by: str = "") -> Mended:
        path = report(*lines, name=f"c{next(names)}.csv", heading=HEADING)
        with platform.act("li") as act:
            return mending.correct(act, path, carrier="cmcc", reason="a slip of the pen", approved_by=approved_by)

    return corrected


Correct = Callable[..., Mended]


def closed_on(platform: Platform, number: str) -> list[str]:
    with platform.read() as seen:
        return [str(one.closed_on) for one in reports.standing_of(seen.tx, parse(number)).tenures]


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
        What.RETRACTED: 0, What.STANDS: 1, What.STOPPED: 0, What.IN_ERROR: 0,
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
        What.STANDS: [parse(WRONG), parse(RIGHT)], What.IN_ERROR: [parse(WRONG)],
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
        ("cancelled,2026-08-21,cancelled", "can't be read"),
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
