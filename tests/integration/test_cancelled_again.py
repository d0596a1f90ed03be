"""A number that is cancelled again on a day on which it was planned, released or cancelled before. It rests after another
cancellation, so it is in no batch yet, whatever the days say: nobody was asked what is still tied to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.disclosure import NotForSale
from huanxin.domain.pool import STATES, PoolState
from huanxin.figures import pool
from huanxin.release.explain import Explanation, explain
from huanxin.store.plan import batches
from huanxin.store.release import releases
from ordering import imported, plan_now, send_now
from selling import CLEAN, REFUSED, SPARE, Shop, open_shop
from town import FROZEN, town

Report = Callable[..., Path]
TODAY = "2026-11-24"


@pytest.fixture
def shop(platform: Platform, clock: Clock, tmp_path: Path) -> Shop:
    """A batch of 25 August that was planned, answered and released this morning."""
    return open_shop(platform, clock, tmp_path)


@pytest.fixture
def tell(platform: Platform, clock: Clock, report: Report) -> Callable[..., int]:
    """Import a file of events, such as `reclaimed 2026-11-24T11:00`, five hours later; how many breaches it showed."""
    files = iter(range(100))

    def told(*events: str, number: int = CLEAN) -> int:
        clock.forward(hours=5)
        lines = [f"+{number},{word},{at}{':00+08:00' * ('T' in at)}" for word, at in map(str.split, events)]
        return imported(platform, report(*lines, name=f"{next(files)}.csv"), carrier="cmcc", by="li").breaches

    return told


def explained(platform: Platform, number: int = CLEAN) -> Explanation:
    with platform.read() as reading:
        return explain(reading, number)


def planned(platform: Platform) -> list[int]:
    made = plan_now(platform, by="li")
    if made is None:
        return []
    with platform.database.transaction() as tx:
        return list(batches.numbers_of(tx, made.id))


Tell = Callable[..., int]
DANCE = (f"reclaimed {TODAY}T11:00", f"cancelled {TODAY}T13:00")


def test_released_reclaimed_and_cancelled_on_one_day_it_is_not_sold_as_confirmed_by_all(
    shop: Shop, platform: Platform, clock: Clock, tell: Tell
) -> None:
    assert shop.told(CLEAN).for_sale
    for event in DANCE:
        tell(event)
    assert shop.told(CLEAN).why is NotForSale.FREEZING
    clock.forward(days=95)
    assert shop.told(CLEAN).why is NotForSale.NOT_RELEASED
    found = explained(platform)
    assert (found.batch_id, found.released) == (None, False)
    assert f"frozen since {TODAY}" in found.findings[0].text
    assert tell("opened 2027-02-27T10:00") == 1, "a sale that no release covers"
    with platform.database.transaction() as tx:
        kinds = [one.kind for one in releases.breaches(tx) if CLEAN in releases.breach_numbers(tx, one.id)]
    assert "opened-without-release" in kinds


def test_reclaimed_and_cancelled_again_on_the_day_of_the_plan_it_is_planned_for_its_new_tenure(
    shop: Shop, platform: Platform, clock: Clock, tell: Tell
) -> None:
    tell(*DANCE)
    assert planned(platform) == [], "its freeze has only begun"
    clock.forward(days=76)
    assert planned(platform) == [CLEAN]
    assert planned(platform) == []
    assert explained(platform).batch_id not in (None, shop.batch)
    assert explained(platform, SPARE[0]).batch_id == shop.batch, "which was not cancelled again"


def test_a_dance_that_is_told_long_after_the_plan_begins_a_tenure_too_on_the_very_day_of_the_first_cancellation(
    shop: Shop, platform: Platform, tell: Tell
) -> None:
    """The order of events decides, not that of arrival, and no day says that anything changed."""
    tell("cancelled 2026-08-25T10:00", "reclaimed 2026-08-25T11:00", "cancelled 2026-08-25T13:00")
    assert shop.told(CLEAN).why is NotForSale.NOT_RELEASED
    assert planned(platform) == [CLEAN]


def test_sold_in_the_report_that_says_that_it_was_cancelled_again_it_was_sold_out_of_its_new_freeze(
    shop: Shop, platform: Platform, tell: Tell
) -> None:
    """Not out of the batch, which it had left by then: what a regulator reads is a sale on the day of the cancellation."""
    assert tell(*DANCE, f"opened {TODAY}T14:00", number=REFUSED) == 1
    with platform.database.transaction() as tx:
        kinds = [(one.kind, one.batch_id) for one in releases.breaches(tx) if one.kind != "opened-without-disclosure"]
    assert kinds[-1] == ("opened-in-freeze", None)
    assert ("opened-without-release", shop.batch) not in kinds


def test_the_pool_counts_it_as_frozen_and_not_as_released(shop: Shop, platform: Platform, tell: Tell) -> None:
    def counted() -> dict[PoolState, int]:
        with platform.database.transaction() as tx:
            found = pool.make(tx, platform)[""]
        return {state: int(found.prefixes["counts"][:, place].sum()) for place, state in enumerate(STATES)}

    before = counted()
    tell(*DANCE)
    after = counted()
    assert (after[PoolState.RELEASED], after[PoolState.FROZEN]) == (
        before[PoolState.RELEASED] - 1,
        before[PoolState.FROZEN] + 1,
    )


def test_its_first_batch_is_taken_back_once_and_what_the_next_owner_takes_back_is_none_of_its_business(
    shop: Shop, platform: Platform, clock: Clock, tell: Tell
) -> None:
    """Restored by the first batch, the ties of whoever held it first would be on the number of somebody else."""
    tell(f"opened {TODAY}T14:00")
    clock.forward(days=30)
    tell("cancelled 2026-12-10", "reclaimed 2026-12-20")
    with platform.database.transaction() as tx:
        assert batches.retractions_of(tx, shop.batch) == []
    tell(f"reclaimed {TODAY}T12:00", number=SPARE[0])
    with platform.database.transaction() as tx:
        assert [one.count for one in batches.retractions_of(tx, shop.batch)] == [1]


def test_a_batch_that_was_planned_before_batches_named_cancellations_stands_on_the_last_one_that_it_knew(
    shop: Shop, platform: Platform, clock: Clock, dsn: str, tell: Tell
) -> None:
    with psycopg.connect(dsn) as old:
        old.execute("ALTER TABLE batch_span DISABLE TRIGGER USER")
        old.execute("UPDATE batch_span SET report_id = 0, layer = 0")
        old.execute("ALTER TABLE batch_span ENABLE TRIGGER USER")
    assert shop.told(CLEAN).for_sale
    assert planned(platform) == []
    tell("cancelled 2026-08-25T10:00", "reclaimed 2026-08-25T11:00", "cancelled 2026-08-25T13:00")
    assert shop.told(CLEAN).why is NotForSale.NOT_RELEASED
    assert planned(platform) == [CLEAN]


def test_the_next_owner_is_not_told_that_services_settled_what_nobody_was_asked(dsn: str, tmp_path: Path) -> None:
    with town(dsn, tmp_path) as place:
        place.clock.forward(days=26)  # the freeze of 1 October ends within the lead time
        batch = plan_now(place.platform, by="li")
        assert batch is not None
        send_now(place.platform, batch.id)
        for name in place.partners:
            place.receipt(name)
        place.clock.forward(hours=10)
        place.report(f"{FROZEN},reclaimed,2026-12-20T11:00:00+08:00", f"{FROZEN},cancelled,2026-12-20T13:00:00+08:00")
        place.clock.forward(days=100)
        place.report(f"{FROZEN},opened,2027-03-25")
        assert "no service was asked then" in place.phone(**{"Accept-Language": "en"}).sign_in(FROZEN).text


def test_the_next_owner_is_told_how_many_services_settled_it_before(dsn: str, tmp_path: Path) -> None:
    with town(dsn, tmp_path) as place:
        place.clock.forward(days=26)
        batch = plan_now(place.platform, by="li")
        assert batch is not None
        send_now(place.platform, batch.id)
        for name in list(place.partners)[:3]:
            place.receipt(name)
        place.clock.forward(days=100)
        place.report(f"{FROZEN},opened,2027-03-25")
        assert "3 of 5 services settled it" in place.phone(**{"Accept-Language": "en"}).sign_in(FROZEN).text
