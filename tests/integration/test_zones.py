"""Carriers in several zones: what a carrier's day decides is decided where the carrier is, and pages have one zone of their
own. An hour on the wrong day sells a number too early, or cuts a tie of its new owner."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clocks import Clock
from exchanging import Shop, cancelled, decides, notice_of, planned, reader_of, register
from holding import hold
from huanxin.acts import Platform
from huanxin.domain.answers import Outcome
from huanxin.domain.numbers import Carrier, chinese_plan, parse
from huanxin.domain.partners import IDENTIFIER_RECYCLED
from huanxin.figures import summaries
from huanxin.figures.watch import bulletin
from huanxin.plan.batches import due as due_numbers
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.store.answer import receipts
from huanxin.store.connect import partners
from huanxin.store.figures import summaries as stored
from huanxin.store.plan import batches
from huanxin.work.reminding import Reminder
from ordering import imported, plan_now, send_now
from receiving import receiving
from selling import CLEAN, open_shop
from ssf_world import opened
from town import settings_of, town

AUCKLAND, NEW_YORK = ZoneInfo("Pacific/Auckland"), ZoneInfo("America/New_York")
SOUTH, WEST = "+64211234567", "+12125551234"
PLAN = chinese_plan({
    "south": Carrier(code="south", name="South", zone=AUCKLAND, prefixes=("6421",)),
    "west": Carrier(code="west", name="West", zone=NEW_YORK, prefixes=("1212",)),
})  # fmt: skip
Report = Callable[..., Path]


@pytest.fixture
def abroad(platform: Platform) -> Platform:
    """China's carriers, one in Auckland and one in New York."""
    return replace(platform, plan=PLAN)


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_a_tie_that_the_new_owner_made_at_one_in_the_morning_is_not_cut_by_the_news_of_his_number(
    abroad: Platform, dsn: str, tmp_path: Path, clock: Clock, report: Report
) -> None:
    """Polled or pushed, the event says the first instant of the day in Auckland, five hours before it is in China."""
    imported(abroad, report(f"{SOUTH},cancelled,2026-08-01"), carrier="south", by="li")
    with opened(abroad, dsn, tmp_path, clock) as world:
        one = world.partner(recycled=True)
        clock.forward(hours=24)
        imported(world.live, report(f"{SOUTH},opened,2026-11-25", name="b.csv"), carrier="south", by="li")
        (token,) = one.poll()["sets"].values()
        event = claims(token)["events"][IDENTIFIER_RECYCLED]
        tie = datetime(2026, 11, 25, 1, tzinfo=AUCKLAND)
        assert event["event_timestamp"] == datetime(2026, 11, 25, tzinfo=AUCKLAND).timestamp()
        assert tie.timestamp() > event["event_timestamp"]
        with receiving() as receiver:
            world.partner("bank", endpoint=receiver.url, recycled=True)
            clock.forward(hours=24)
            imported(world.live, report(f"{SOUTH},transferred,2026-11-26", name="c.csv"), carrier="south", by="li")
            while world.pusher().one_job():
                pass
        pushed = [claims(token)["events"][IDENTIFIER_RECYCLED]["event_timestamp"] for token in receiver.got]
        assert pushed == [datetime(2026, 11, 26, tzinfo=AUCKLAND).timestamp()]


def test_a_hold_binds_until_its_last_day_has_ended_at_every_carrier(
    abroad: Platform, clock: Clock, report: Report, tmp_path: Path
) -> None:
    """Plan, gate, explanation and desk say the same of the hours between."""
    shop = open_shop(abroad, clock, tmp_path)
    due = CLEAN + 50
    imported(abroad, report(f"+{due},cancelled,2026-08-20", name="due.csv"), carrier="cmcc", by="li")
    hold(abroad, [CLEAN, due], until=date(2026, 11, 30))

    def held() -> list[bool]:
        with abroad.read() as reading:
            gate = load_gate(reading, shop.batch)
            texts = [[one.text for one in explain(reading, one).findings] for one in (CLEAN, due)]
            now = due_numbers(reading)
        planned = [number for found in now.values() for number in found]
        explained = [any("keeps it frozen" in text for text in found) for found in texts]
        in_gate = CLEAN in gate.roster.subset(gate.gate.held_places())
        return [in_gate, *explained, due not in planned, not shop.told(CLEAN).for_sale]

    clock.now = datetime.fromisoformat("2026-12-01T12:59:00+08:00")  # one minute before midnight in New York
    assert held() == [True] * 5
    clock.forward(minutes=1)
    assert held() == [False] * 5


def planned_now(platform: Platform) -> list[int]:
    made = plan_now(platform, by="li")
    if made is None:
        return []
    with platform.database.transaction() as tx:
        return list(batches.numbers_of(tx, made.id))


def test_the_freeze_ends_with_the_day_of_the_carrier_that_cancelled_the_number(
    abroad: Platform, clock: Clock, report: Report
) -> None:
    """The same day, eighteen hours apart."""
    for number, carrier in ((SOUTH, "south"), (WEST, "west")):
        lines = report(f"{number},cancelled,2026-09-10", name=f"{carrier}.csv")
        imported(abroad, lines, carrier=carrier, by="li")  # due from the 25th of November on
    for zone, number in ((AUCKLAND, SOUTH), (NEW_YORK, WEST)):
        clock.now = datetime(2026, 11, 25, tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
        assert planned_now(abroad) == []
        clock.forward(seconds=1)
        assert planned_now(abroad) == [parse(number)]
    for batch, zone in ((1, AUCKLAND), (2, NEW_YORK)):
        clock.now = datetime(2026, 12, 10, tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
        assert freezing(abroad, batch)
        clock.forward(seconds=1)
        assert not freezing(abroad, batch)


def freezing(platform: Platform, batch: int) -> bool:
    with platform.read() as reading:
        return bool(load_gate(reading, batch).gate.frozen_still())


def test_partners_are_reminded_on_a_morning_of_the_carrier_in_whose_day_they_have_to_answer(
    abroad: Platform, clock: Clock, report: Report
) -> None:
    silent = register(abroad, "silent")
    imported(abroad, report(f"{WEST},cancelled,2026-08-20"), carrier="west", by="li")
    batch = planned(abroad)
    send_now(abroad, batch)  # on Monday evening in New York: to be answered until the end of Monday, November 30

    def reminded(at: str) -> bool:
        clock.now = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
        return decides(Reminder(platform=abroad, days=(1,), escalates=False))

    moments = ("2026-11-26T20:30", "2026-11-27T08:59", "2026-11-27T09:00", "2026-11-30T23:59", "2026-12-01T00:00")
    assert [reminded(at) for at in moments] == [False, False, True, False, True]
    with abroad.database.transaction() as tx:
        found = partners.events_of_notice(tx, notice_of(abroad, silent, batch))
    assert [one.detail["step"] for one in found] == ["1", "overdue"]


def test_an_instant_until_which_an_answer_is_pending_is_a_day_of_the_carrier_of_its_numbers(
    abroad: Platform, tmp_path: Path, report: Report
) -> None:
    shop = Shop.opened(abroad, "shop", tmp_path)
    imported(abroad, report(f"{SOUTH},cancelled,2026-08-20"), carrier="south", by="li")
    batch = planned(abroad)
    send_now(abroad, batch)
    shop.answer([f"{SOUTH},pending,,2026-12-04T12:00:00Z"], notice=notice_of(abroad, shop.partner, batch))
    assert reader_of(abroad).one_job()
    with abroad.database.transaction() as tx:
        (answers,) = (standing.answers for standing in receipts.standings(tx, batch, load(abroad, batch)).values())
    assert [one.until for one in answers if one.outcome is Outcome.PENDING] == [date(2026, 12, 5)]


def load(platform: Platform, batch: int) -> Any:
    with platform.read() as reading:
        return load_gate(reading, batch).roster.everyone


def test_pages_give_instants_and_months_in_the_zone_of_the_settings(dsn: str, tmp_path: Path) -> None:
    settings = settings_of(dsn, tmp_path).model_copy(update={"zone": "Pacific/Auckland"})
    with town(dsn, tmp_path, settings=settings) as place:
        page = place.phone(**{"Accept-Language": "en"}).http.get("/watch").text
        assert "Months are counted in Pacific/Auckland time." in page
        assert "14:00 (Pacific/Auckland time)" in page, "one o'clock in UTC"
        assert "Beijing" not in page
        assert place.phone().http.get("/watch/data").json()["zone"] == "Pacific/Auckland"


def test_months_are_counted_again_when_the_platforms_zone_is_another(
    platform: Platform, clock: Clock, report: Report
) -> None:
    """Sent at three in the morning of the first of December in Auckland, on the last of November in China."""
    register(platform, "silent")
    cancelled(platform, report)
    clock.now = datetime(2026, 12, 1, 3, tzinfo=AUCKLAND)
    send_now(platform, planned(platform))

    def months(of: Platform) -> list[str]:
        clock.forward(minutes=2)
        with of.database.transaction() as tx:
            summaries.refresh(tx, of, only={bulletin.SUPERVISION.kind.name})
            kept = stored.get(tx, bulletin.SUPERVISION.kind)
        assert kept is not None
        return [month for (month, _), _ in kept.body.carriers]

    assert months(platform) == ["2026-11"]
    assert months(replace(platform, zone=AUCKLAND)) == ["2026-12"]
    assert months(platform) == ["2026-11"]
