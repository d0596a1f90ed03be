"""A report was wrong, and what batches do about its numbers: by what is on record now, whichever mend made it so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.inventory import look
from huanxin.domain.mended import What
from huanxin.domain.numbers import parse
from huanxin.release import inventory
from huanxin.release.gate import load_gate
from huanxin.release.stopped import off_sale
from huanxin.store.plan import batches
from huanxin.store.release import releases
from mending_reports import (
    RIGHT,
    WRONG,
    Correct,
    Report,
    Tell,
    corrector,
    partner,
    retracted,
    teller,
    withdrawn,
)
from ordering import plan_now, send_now


@pytest.fixture
def tell(platform: Platform, report: Report) -> Tell:
    return teller(platform, report)


@pytest.fixture
def correct(platform: Platform, report: Report) -> Correct:
    return corrector(platform, report)


def sent(platform: Platform) -> int:
    """A batch of all that is due, sent to one partner whose answer nobody waits for."""
    batch = plan_now(platform)
    assert batch is not None
    partner(platform, required=False)
    send_now(platform, batch.id)
    return batch.id


def test_an_owner_who_is_back_after_all_gets_their_ties_back(platform: Platform, tell: Tell) -> None:
    """The number was said to have passed on, so partners were told nothing of the reclaim. That was wrong."""
    tell(f"{RIGHT},cancelled,2026-08-20")
    assert plan_now(platform) is not None
    tell(f"{RIGHT},reclaimed,2026-09-01")
    wrong = tell(f"{RIGHT},transferred,2026-09-02")
    partner(platform)
    send_now(platform, 1)
    assert retracted(platform, 1) == []
    mended = withdrawn(platform, wrong)
    assert (retracted(platform, 1), mended.count(What.RETRACTED)) == ([[parse(RIGHT)]], 1)


def test_a_number_that_a_batch_holds_for_nothing_is_not_released_once_it_rests_again(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    """It was cancelled after the batch was planned, and sold, so partners were told to give nothing back. Then the sale was
    withdrawn: by the old batch it would have been sold months before its freeze ended."""
    tell(f"{WRONG},cancelled,2026-08-20")
    batch = sent(platform)
    planned = clock.now.date()
    clock.forward(days=30)
    sale = tell(f"{WRONG},opened,{planned + timedelta(days=20)}")
    correct(f"{WRONG},cancelled,{planned + timedelta(days=10)},cancelled 2026-08-20")
    assert retracted(platform, batch) == []
    assert withdrawn(platform, sale).count(What.RETRACTED) == 1
    assert retracted(platform, batch) == [[parse(WRONG)]]
    assert release(platform, by="li") == []
    clock.forward(days=70)
    again = plan_now(platform)
    assert again is not None
    with platform.read() as seen:
        assert list(batches.numbers_of(seen.tx, again.id)) == [parse(WRONG)]


def test_a_reclaim_between_a_corrected_day_and_the_wrong_one_keeps_the_number_from_being_sold(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    """The batch stands on both days. What came after the right one took the number out of the freeze, also if it came before
    the wrong one: it would have been sold while its owner had it."""
    tell(f"{RIGHT},cancelled,2026-08-20", f"{WRONG},cancelled,2026-08-20")
    batch = sent(platform)
    correct(f"{RIGHT},cancelled,2026-08-10,cancelled 2026-08-20", approved_by="wang")
    tell(f"{RIGHT},reclaimed,2026-08-15")
    assert retracted(platform, batch) == [[parse(RIGHT)]]
    clock.forward(days=60)
    assert [one.count for one in release(platform, by="li")] == [1]


def test_what_was_released_on_a_day_that_was_wrong_is_on_no_list_until_its_freeze_ends(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    """The carrier was told of a breach, and its machine went on selling the number."""
    tell(f"{RIGHT},cancelled,2026-08-20")
    batch = sent(platform)
    clock.now = clock.now.replace(month=11, day=30)
    assert len(release(platform, by="li")) == 1
    mended = correct(f"{RIGHT},cancelled,2026-09-20,cancelled 2026-08-20")
    assert (mended.count(What.IN_ERROR), mended.count(What.STOPPED)) == (1, 1)
    for day, off in ((19, {"withheld"}), (20, set())):
        clock.now = clock.now.replace(month=12, day=day)
        with platform.read() as seen:
            assert {why.value for why in off_sale(seen.tx, load_gate(seen, batch))} == off


def test_a_sale_that_a_second_batch_released_is_not_held_against_the_carrier(
    platform: Platform, tell: Tell, clock: Clock
) -> None:
    """A mistaken reclaim took the number out of the first batch, which had released it. That is no stop of the second one's
    release."""
    tell(f"{RIGHT},cancelled,2026-08-20")
    sent(platform)
    clock.forward(days=60)
    assert len(release(platform, by="li")) == 1
    wrong = tell(f"{RIGHT},reclaimed,{clock.now.date()}")
    clock.forward(days=1)
    assert withdrawn(platform, wrong).count(What.RETRACTED) == 1
    again = plan_now(platform)
    assert again is not None
    send_now(platform, again.id)
    assert [one.batch_id for one in release(platform, by="li")] == [again.id]
    clock.forward(days=2)
    tell(f"{RIGHT},opened,{clock.now.date()}")
    with platform.read() as seen:
        assert "opened-after-stop" not in [one.kind for one in releases.breaches(seen.tx)]


def test_a_sale_that_a_correction_puts_after_a_day_that_it_corrects_is_one_of_the_batch(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    """One file says that the number was cancelled on another day, and that it was sold since: by a release, so it breaks
    nothing."""
    tell(f"{RIGHT},cancelled,2026-08-20")
    sent(platform)
    clock.now = clock.now.replace(month=11, day=30)
    assert len(release(platform, by="li")) == 1
    clock.forward(days=2)
    correct(f"{RIGHT},cancelled,2026-08-21,cancelled 2026-08-20", f"{RIGHT},opened,2026-12-01,")
    with platform.read() as seen:
        assert [one.kind for one in releases.breaches(seen.tx) if one.kind != "opened-without-disclosure"] == []


def test_what_another_owner_has_had_since_is_given_back_to_nobody(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    """Neither what the batch cut, nor by a reclaim that comes to light when the number has passed on."""
    tell(f"{WRONG},cancelled,2026-08-20", f"{RIGHT},cancelled,2026-08-20")
    batch = sent(platform)
    planned = clock.now.date()
    clock.forward(days=30)
    tell(f"{WRONG},opened,{planned + timedelta(days=20)}")
    correct(f"{WRONG},cancelled,{planned + timedelta(days=10)},cancelled 2026-08-20")
    back, passed = planned + timedelta(days=1), planned + timedelta(days=2)
    correct(f"{RIGHT},reclaimed,{back},", f"{RIGHT},transferred,{passed},")
    assert retracted(platform, batch) == []


def test_a_number_comes_back_into_the_inventory_once_the_longer_freeze_has_ended(
    platform: Platform, tell: Tell, correct: Correct, clock: Clock
) -> None:
    """Nothing is reported on that day: a machine that asks each night would never hear of it again."""
    tell(f"{RIGHT},cancelled,2026-08-20")
    sent(platform)
    clock.now = clock.now.replace(month=11, day=30)
    release(platform, by="li")
    heard, after = [], ""
    for month, day, wrong in ((11, 30, True), (12, 1, False), (12, 19, False), (12, 20, False)):
        clock.now = clock.now.replace(month=month, day=day)
        look(platform)
        with platform.read() as seen:
            page = inventory.page(seen, "cmcc", after=after, most=9)
        after = page.onward
        heard.append([one.change for one in page.lines])
        if wrong:
            correct(f"{RIGHT},cancelled,2026-09-20,cancelled 2026-08-20")
    assert heard == [["released"], ["taken_back"], [], ["released"]]
