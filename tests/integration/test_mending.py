"""A report was wrong: it is withdrawn, and what stood on it is set right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import LiteralString

import pytest
from psycopg.errors import RaiseException

from clocks import Clock
from huanxin.acts import Platform, consequences, mending
from huanxin.acts.batches import release
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.mended import What
from huanxin.domain.numbers import parse
from huanxin.domain.tenures import State
from huanxin.release.gate import load_gate
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases, stops
from huanxin.store.report import reports
from mending_reports import (
    RIGHT,
    WRONG,
    Report,
    Tell,
    partner,
    retracted,
    state,
    teller,
    withdrawn,
)
from ordering import imported, plan_now, send_now


@pytest.fixture
def tell(platform: Platform, report: Report) -> Tell:
    return teller(platform, report)


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
        What.RETRACTED: 1, What.STANDS: 0, What.STOPPED: 1, What.IN_ERROR: 1, What.REVOKED: 0, What.ORDERS: 0,
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


def test_two_people_who_withdraw_one_report_in_one_instant_do_it_once(platform: Platform, tell: Tell) -> None:
    wrong = tell(f"{WRONG},cancelled,2026-08-20")

    def order(_: int) -> str:
        try:
            return f"report {withdrawn(platform, wrong).report_id}"
        except Conflict as error:
            return str(error)

    with ThreadPoolExecutor(4) as people:
        said = sorted(people.map(order, range(4)), key=len)
    assert said[0] == f"report {wrong + 1}"
    assert said[1:] == [f"report {wrong} was withdrawn already, by report {wrong + 1}"] * 3


def test_a_withdrawal_that_dies_on_its_way_leaves_all_as_it_was(
    platform: Platform, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(f"{WRONG},cancelled,2026-08-20", f"{RIGHT},cancelled,2026-08-20")
    batch = plan_now(platform)
    assert batch is not None
    monkeypatch.setattr(consequences, "find_released_in_error", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        withdrawn(platform, 1)
    monkeypatch.undo()
    assert state(platform, WRONG) is State.FROZEN
    assert retracted(platform, batch.id) == []
    assert withdrawn(platform, 1).count(What.RETRACTED) == 2


def test_a_rehearsal_says_what_a_mend_does_and_does_nothing(platform: Platform, tell: Tell) -> None:
    wrong = tell(f"{WRONG},cancelled,2026-08-20")
    batch = plan_now(platform)
    assert batch is not None
    with platform.rehearse("li") as act:
        shown = mending.withdraw(act, wrong, reason="to see")
    assert shown.count(What.RETRACTED) == 1
    assert state(platform, WRONG) is State.FROZEN
    assert retracted(platform, batch.id) == []
    assert withdrawn(platform, wrong).counts() == shown.counts()


def test_the_record_as_of_an_instant_before_says_what_stood_then(platform: Platform, tell: Tell, clock: Clock) -> None:
    wrong = tell(f"{WRONG},cancelled,2026-08-20", f"{RIGHT},cancelled,2026-08-20")
    before = clock.now
    clock.forward(hours=1)
    withdrawn(platform, wrong)
    with platform.read(as_of=before) as seen:
        assert reports.standing_of(seen.tx, parse(WRONG)).state is State.FROZEN
    assert state(platform, WRONG) is State.UNKNOWN


@pytest.mark.parametrize(
    "order",
    [
        "DELETE FROM report_set",
        "UPDATE report_set SET numbers = instants",
        "UPDATE report_set SET day = day + 1",
        "DELETE FROM report_void",
        "UPDATE report_void SET voided_by = report_id",
    ],
)
def test_the_database_lets_nobody_take_facts_back_in_silence(platform: Platform, tell: Tell, order: LiteralString) -> None:
    tell(f"{RIGHT},cancelled,2026-08-20")
    withdrawn(platform, tell(f"{WRONG},cancelled,2026-08-20"))
    with pytest.raises(RaiseException, match="appended, never edited"), platform.database.transaction() as tx:
        tx.execute(order)
