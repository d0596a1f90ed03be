"""A day too early, a number too many: each story is lost by one small change of the code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from clocks import Clock
from exchanging import register
from huanxin.acts import Platform
from huanxin.acts.batches import decide
from huanxin.acts.batches import release as release_clear
from huanxin.acts.requests import order_request
from huanxin.answer.receiving import Filing, file_receipt
from huanxin.domain.errors import Conflict
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.domain.partners import Partner
from huanxin.domain.rules import Rules
from huanxin.numbersets import tables
from huanxin.numbersets.sharded import NumberSet
from huanxin.plan.batches import due
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.release.holds import add_hold
from huanxin.release.listing import release_lists
from huanxin.release.proposals import Outcome
from huanxin.release.waiving import waive
from huanxin.request.ordering import Purpose, Wish
from huanxin.store.answer import receipts
from huanxin.store.database import Database
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases
from huanxin.store.report import reports
from huanxin.store.request import requests
from operators import operator
from ordering import imported, looked_at, plan_now, send_now, waiver_proposed
from waiting import until

Report = Callable[..., Path]
SHANGHAI, AUCKLAND = ZoneInfo("Asia/Shanghai"), ZoneInfo("Pacific/Auckland")
CN, OTHER, NZ = 8613800138000, 8613800138001, 64211000000
CLOSED = date(2026, 8, 25)
"""The freeze of 90 days ends with November 23, so that the 24th is the first day of sale."""
SALE = date(2026, 11, 24)


@pytest.fixture
def platform(database: Database, clock: Clock) -> Platform:
    """Two carriers in two zones, five hours apart."""
    carriers = {
        "cn": Carrier(code="cn", name="cn", zone=SHANGHAI, prefixes=("86138",)),
        "nz": Carrier(code="nz", name="nz", zone=AUCKLAND, prefixes=("64211",)),
    }
    return Platform(
        database=database, plan=NumberingPlan(carriers=carriers), rules=Rules(), issuer="http://127.0.0.1:1", clock=clock,
        development=True,
    )  # fmt: skip


@pytest.fixture
def frozen(platform: Platform, clock: Clock, report: Report) -> Partner:
    """A required partner, and three numbers that were cancelled on one day, as each carrier has days."""
    clock.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    for carrier, numbers in (("cn", (CN, OTHER)), ("nz", (NZ,))):
        lines = [line for number in numbers for line in (f"+{number},opened,2025-01-01", f"+{number},cancelled,{CLOSED}")]
        imported(platform, report(*lines, name=f"{carrier}.csv"), carrier=carrier, by="li")
    return register(platform, "app")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def planned_and_sent(platform: Platform, clock: Clock) -> int:
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    batch = plan_now(platform, by="li")
    assert batch is not None
    send_now(platform, batch.id)
    return batch.id


def waived(platform: Platform, batch: int, partner: Partner) -> None:
    with platform.act("li") as act:
        waive(act, batch, partner_id=partner.id, only=None, reason="gone")


def held_until(platform: Platform, day: date, *numbers: int) -> None:
    with platform.act("li") as act:
        add_hold(
            act, NumberSet.of(numbers), source="court", order="1", reason="fraud", until=day, review_on=day,
        )  # fmt: skip


def clear(platform: Platform, batch: int) -> set[int]:
    with platform.read() as reading:
        loaded = load_gate(reading, batch)
    return {int(loaded.roster.numbers[place]) for place in loaded.gate.clear()}


def is_due(platform: Platform) -> set[int]:
    with platform.read() as reading:
        found = due(reading)
    return {int(number) for numbers in found.values() for number in numbers.numbers()}


def explained_held(platform: Platform, number: int) -> bool:
    with platform.read() as reading:
        found = explain(reading, number)
    return any(not one.ok and "hold" in str(one.text) for one in found.findings)


def test_a_hold_binds_to_the_end_of_its_last_day_wherever_that_comes_last(
    platform: Platform, clock: Clock, frozen: Partner
) -> None:
    """It is the 29th in Auckland already: the hold until the 28th binds there too, as the authority's day is China's."""
    batch = planned_and_sent(platform, clock)
    waived(platform, batch, frozen)
    held_until(platform, date(2026, 11, 28), CN, NZ)
    clock.now = midnight(date(2026, 11, 29), SHANGHAI) - timedelta(microseconds=1)
    assert platform.today() == date(2026, 11, 28)
    assert clear(platform, batch) == {OTHER}
    assert (explained_held(platform, CN), explained_held(platform, NZ)) == (True, True)
    release_clear(platform, by="li", batch_id=batch)
    told = {one.number: one.why and one.why.value for one in looked_at(platform, [CN, OTHER, NZ], seller=None)}
    assert told == {CN: "not_released", OTHER: None, NZ: "not_released"}
    clock.now += timedelta(microseconds=1)
    assert clear(platform, batch) == {CN, OTHER, NZ}
    assert not explained_held(platform, CN)


def test_a_release_of_one_batch_says_nothing_of_another_whose_numbers_lie_at_the_same_places(
    platform: Platform, clock: Clock, frozen: Partner, report: Report
) -> None:
    first = planned_and_sent(platform, clock)
    lines = [f"+{number},cancelled,{CLOSED}" for number in (OTHER + 1, OTHER + 2, OTHER + 3)]
    imported(platform, report(*lines, name="later.csv"), carrier="cn", by="li")
    second = planned_and_sent(platform, clock)
    clock.now = midnight(SALE, SHANGHAI) + timedelta(days=1)
    for batch in (second, first):
        waived(platform, batch, frozen)
        (made,) = release_clear(platform, by="li", batch_id=batch)
        assert (made.batch_id, made.count, made.alone) == (batch, 3, True), "nobody proposed it"


def test_what_took_a_number_out_of_its_freeze_first_is_what_is_said_of_it(
    platform: Platform, clock: Clock, frozen: Partner, report: Report
) -> None:
    """What came afterwards, to its next owners, says nothing of this batch."""
    batch = planned_and_sent(platform, clock)
    clock.now = midnight(SALE, SHANGHAI) + timedelta(days=9)
    lines = [f"+{CN},reclaimed,2026-11-21", f"+{OTHER},reclaimed,2026-11-22", f"+{CN},transferred,2026-11-23",
             f"+{CN},cancelled,2026-11-24", f"+{CN},opened,2026-12-02"]  # fmt: skip
    imported(platform, report(*lines, name="after.csv"), carrier="cn", by="li")
    with platform.read() as reading:
        gone = load_gate(reading, batch).gate.retracted
    assert {event.value: len(places) for event, places in gone.items()} == {"reclaimed": 2}


def test_what_is_held_on_its_last_day_is_neither_planned_nor_offered(
    platform: Platform, clock: Clock, frozen: Partner
) -> None:
    held_until(platform, date(2026, 11, 28), CN, NZ)
    clock.now = midnight(date(2026, 11, 29), SHANGHAI) - timedelta(microseconds=1)
    assert is_due(platform) == {OTHER}
    assert explained_held(platform, NZ)
    clock.now += timedelta(microseconds=1)
    assert is_due(platform) == {CN, OTHER, NZ}
    batch = plan_now(platform, by="li")
    assert batch is not None
    send_now(platform, batch.id)
    waived(platform, batch.id, frozen)
    release_clear(platform, by="li")
    held_until(platform, date(2026, 11, 30), CN)
    clock.now = midnight(date(2026, 12, 1), SHANGHAI) - timedelta(microseconds=1)
    assert [one.for_sale for one in looked_at(platform, [CN, NZ], seller=None)] == [False, True]
    clock.now += timedelta(microseconds=1)
    assert [one.for_sale for one in looked_at(platform, [CN, NZ], seller=None)] == [True, True]


def test_a_number_is_due_and_free_on_the_day_that_it_is_at_its_carrier(
    platform: Platform, clock: Clock, frozen: Partner
) -> None:
    """In Auckland the day begins five hours before it does in Shanghai, and thirteen before it does in UTC."""
    first = SALE - timedelta(days=platform.rules.lead_days)
    clock.now = midnight(first, AUCKLAND) - timedelta(microseconds=1)
    assert is_due(platform) == set()
    clock.now += timedelta(microseconds=1)
    assert is_due(platform) == {NZ}
    clock.now = midnight(first, SHANGHAI)
    assert is_due(platform) == {CN, OTHER, NZ}
    batch = planned_and_sent(platform, clock)
    waived(platform, batch, frozen)
    clock.now = midnight(SALE, AUCKLAND)
    assert clear(platform, batch) == {NZ}
    clock.now = midnight(SALE, SHANGHAI) - timedelta(microseconds=1)
    assert clear(platform, batch) == {NZ}
    clock.now += timedelta(microseconds=1)
    assert clear(platform, batch) == {CN, OTHER, NZ}


def test_a_batch_keeps_the_longer_freeze_that_it_was_planned_with(
    platform: Platform, clock: Clock, frozen: Partner, report: Report
) -> None:
    """The regulator asked for ten days more. Whoever sets the setting back does not free what was planned under it: not at
    the gate, not on the list, not at the desk, and a sale in those days is one during the freeze."""
    longer = Platform(**vars(platform) | {"rules": Rules(freeze_days=100)})
    batch = planned_and_sent(longer, clock)
    waived(platform, batch, frozen)
    clock.now = midnight(SALE, SHANGHAI) + timedelta(days=10) - timedelta(microseconds=1)
    assert clear(platform, batch) == {NZ}
    assert looked_at(platform, [CN], seller=None)[0].sellable_from == SALE + timedelta(days=10)
    clock.now += timedelta(microseconds=1)
    assert clear(platform, batch) == {CN, OTHER, NZ}
    (release,) = release_clear(platform, by="li", batch_id=batch)
    with platform.read() as seen:
        lists = release_lists(seen.tx, release, load_gate(seen, batch))
    assert {str(day) for one in lists.values() for day in one.for_sale["sellable_from"].to_pylist()} == {"2026-12-04"}
    told = looked_at(platform, [CN], seller=None)[0]
    assert (told.for_sale, told.freeze_days) == (True, 100)
    clock.now += timedelta(days=1)
    done = imported(platform, report(f"+{CN},opened,2026-12-03", name="sold.csv"), carrier="cn", by="li")
    assert done.breaches == 1
    with platform.database.transaction() as tx:
        assert [one.kind for one in releases.breaches(tx)][:1] == ["opened-in-freeze"]


def test_two_people_waive_what_one_of_them_proposed_and_no_more(platform: Platform, clock: Clock, frozen: Partner) -> None:
    batch = planned_and_sent(platform, clock)
    li, wang = (operator(platform, "supervisor", login=login) for login in ("li", "wang"))
    wanted = waiver_proposed(platform, batch, partner_id=frozen.id, only=NumberSet.of([CN]), reason="gone", by=li)
    assert decide(platform, wanted, Outcome.APPROVED, note="", by=wang) == 1
    clock.now = midnight(SALE, SHANGHAI)
    assert clear(platform, batch) == {CN}


def test_whoever_has_a_number_whose_past_is_unknown_has_nothing_to_renew(
    platform: Platform, clock: Clock, frozen: Partner, report: Report
) -> None:
    """It was in service before the carrier's first report: when that began nobody knows, so no tie is older for sure."""
    number = CN + 77
    lines = (f"+{number},cancelled,2026-10-01", f"+{number},reclaimed,2026-10-02")
    imported(platform, report(*lines, name="back.csv"), carrier="cn", by="li")
    with platform.database.transaction() as tx:
        assert reports.standing_of(tx, number).recycled is None
    wish = Wish(purpose=Purpose.RENEW, number=number, partner_ids=[frozen.id], consent_text="yes", channel="web",
                language="en", shown_at=clock.now)  # fmt: skip
    with pytest.raises(Conflict, match="can't be told apart"):
        order_request(platform, wish)


@pytest.mark.parametrize("what", ["orders of one number", "receipts of one notice"])
def test_two_that_must_see_each_other_wait_for_each_other(
    platform: Platform, clock: Clock, frozen: Partner, report: Report, what: str
) -> None:
    """Two orders for one number in one instant would both ask every partner; of two receipts each would be judged without
    the other. The second one comes to the lock that the first one holds, and waits."""
    batch = planned_and_sent(platform, clock)
    number = OTHER + 77
    lines = (f"+{number},opened,2025-01-01", f"+{number},transferred,2026-10-01")
    imported(platform, report(*lines, name="given.csv"), carrier="cn", by="li")
    wish = Wish(purpose=Purpose.RENEW, number=number, partner_ids=[frozen.id], consent_text="yes", channel="web",
                language="en", shown_at=clock.now)  # fmt: skip
    with platform.database.transaction() as tx:
        (notice,) = notices.told(tx, batch)
        roster = batches.roster(tx, batch)
    receipt = report(f"+{CN},absent,,", name="receipt.csv", heading="number,outcome,reason,until")

    def second() -> None:
        if what == "orders of one number":
            order_request(platform, wish)
            return
        with platform.act("li") as act:
            file_receipt(
                act, tables.inspect(receipt), Filing(notice=notice, roster=roster, zone="Asia/Shanghai", complete=True)
            )

    with platform.database.transaction() as tx:
        if what == "orders of one number":
            requests.one_per_number(tx, number)
        else:
            receipts.one_at_a_time(tx, notice.id)
        other = Thread(target=second)
        other.start()
        until(lambda: waiting_for_a_lock(platform) == 1)
        assert other.is_alive()
    other.join(timeout=20)
    assert not other.is_alive()


def waiting_for_a_lock(platform: Platform) -> int:
    with platform.database.transaction() as tx:
        row = tx.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'").fetchone()
    assert row is not None
    return int(row[0])
