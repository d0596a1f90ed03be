"""A report was wrong, and what batches do about its numbers: by what is on record now, whichever mend made it so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.domain.mended import What
from huanxin.domain.numbers import parse
from huanxin.store.plan import batches
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
