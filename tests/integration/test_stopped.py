"""Numbers stand on a release list when an authority holds them, an operator takes them back or a partner objects. The list
can't be called back: unless somebody says so loudly a shop sells them on, and nobody learns that it did."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from clocks import Clock
from exchanging import register
from holding import hold, placed
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.disclose.desk import look_up
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.holds import lift_hold
from huanxin.release.listing import write_release_lists
from huanxin.release.waiving import waive
from huanxin.store.acting import Reading
from huanxin.store.release import releases, stops
from operators import signed_in
from ordering import imported, retracted, send_now
from selling import CLEAN, HELD, LATE, REFUSED, SERVING, SPARE, WAIVED, Shop, open_shop, served_shop

TODAY = "2026-11-24"
A, B, C, D = SPARE[:4]
Sold = Callable[..., dict[str, list[int] | int]]


@pytest.fixture
def shop(platform: Platform, clock: Clock, tmp_path: Path) -> Shop:
    """CLEAN and SPARE are released and for sale; HELD is held since, LATE was objected to, REFUSED was not released."""
    return open_shop(platform, clock, tmp_path)


@pytest.fixture
def sold(shop: Shop) -> Sold:
    """The carrier reports sales; the numbers of the breaches that this shows by kind (of a batch: how many), but for those
    without a disclosure."""

    def report(*lines: tuple[int, str]) -> dict[str, list[int] | int]:
        with shop.platform.database.transaction() as tx:
            before = {one.id for one in releases.breaches(tx)}
        path = shop.folder / f"sold-{len(before)}-{lines[0][0]}.csv"
        path.write_text("\n".join(["number,event,at", *(f"+{number},opened,{at}" for number, at in lines), ""]))
        imported(shop.platform, path, carrier="cmcc", by="li")
        with shop.platform.database.transaction() as tx:
            return {
                one.kind: sorted(releases.breach_numbers(tx, one.id)) or one.count for one in releases.breaches(tx)
                if one.id not in before and one.kind != "opened-without-disclosure"
            }  # fmt: skip

    return report


def lift(shop: Shop, hold_id: int) -> None:
    with shop.platform.act("li") as act:
        lift_hold(act, hold_id, reason="over")


def words(page: httpx.Response) -> str:
    """What somebody reads of a page."""
    return re.sub(r"<[^>]+>", "", page.text)


def rows(shop: Shop, *, stopped: bool, as_of: datetime | None = None) -> dict[int, str]:
    """What stands in the lists: by number, from which day it may be sold, or why not."""
    folder = shop.folder / f"lists-{as_of or shop.clock.now:%H%M%S%f}-{stopped}"
    with shop.platform.read(as_of=as_of) as seen:
        lists = write_release_lists(seen, folder)
    wanted = [one for one in lists if one.stem.endswith("-stopped") == stopped]
    lines = [line.split(",") for one in wanted for line in one.read_text().splitlines()[1:]]
    assert len({number for number, _ in lines}) == len(lines), "each number once"
    return {int(number.removeprefix("+")): said for number, said in lines}


def for_sale(shop: Shop, as_of: datetime | None = None) -> set[int]:
    """What the lists offer, each from the day on which its freeze ended."""
    listed = rows(shop, stopped=False, as_of=as_of)
    assert set(listed.values()) <= {"2026-11-24"}
    return set(listed)


def test_a_hold_says_which_of_its_numbers_are_on_which_list_already(shop: Shop) -> None:
    of = placed(shop.platform, [A, B, REFUSED, SERVING], order="1")
    assert [(one.carrier, one.release_id, one.batch_id, one.count) for one in of.stopped] == [("cmcc", 1, shop.batch, 2)]
    again = placed(shop.platform, [A, B, REFUSED, SERVING], order="1")
    assert (again.new, again.released) == (False, 2), "asked twice, said twice"
    assert placed(shop.platform, [REFUSED, SERVING], order="2").stopped == []


def test_a_number_that_was_sold_or_came_back_is_on_no_list_whatever_was_released_once(
    shop: Shop, clock: Clock, sold: Sold
) -> None:
    """Sold; reclaimed and cancelled again on one day: it waits for a batch of its own."""
    clock.forward(hours=6)
    assert sold((A, f"{TODAY}T11:00:00+08:00")) == {}
    path = shop.folder / "back.csv"
    path.write_text(
        f"number,event,at\n+{B},reclaimed,{TODAY}T11:00:00+08:00\n+{B},cancelled,{TODAY}T12:00:00+08:00\n"
        f"+{C},reclaimed,{TODAY}\n"
    )
    imported(shop.platform, path, carrier="cmcc", by="li")
    assert placed(shop.platform, [A, B, C]).stopped == []
    assert placed(shop.platform, [A, B, C, D]).released == 1


def test_a_sale_while_a_hold_binds_is_a_breach_of_the_hold_and_one_before_it_is_none(
    shop: Shop, clock: Clock, sold: Sold
) -> None:
    """By when it was sold, not by when that was reported."""
    clock.forward(hours=3)  # noon at the carrier
    hold(shop.platform, [A, B, C, D])
    clock.forward(hours=3)
    times = ((A, f"{TODAY}T12:01:00+08:00"), (B, f"{TODAY}T12:01:01+08:00"), (C, TODAY))
    assert sold(*times) == {"opened-while-held": [B]}, (
        "clocks may be a minute apart; of the day alone nobody can say that it was after"
    )
    clock.forward(days=1)
    assert sold((D, "2026-11-25")) == {"opened-while-held": [D]}


def test_a_hold_that_was_lifted_or_has_ended_by_the_sale_is_not_broken_by_it(shop: Shop, clock: Clock, sold: Sold) -> None:
    lifted = hold(shop.platform, [A, B], order="1")
    hold(shop.platform, [C, D], order="2", until=date(2026, 11, 25))
    clock.now = datetime.fromisoformat("2026-11-25T10:00:00+08:00")
    lift(shop, lifted)
    clock.forward(days=2)
    times = (
        (A, "2026-11-25T09:58:59+08:00"), (B, "2026-11-25T09:59:00+08:00"),
        (C, "2026-11-25T23:58:59+08:00"), (D, "2026-11-25T23:59:00+08:00"),
    )  # fmt: skip
    assert sold(*times) == {"opened-while-held": [A, C]}


def test_a_sale_that_is_reported_before_the_hold_has_ended_breaks_it_whatever_the_carriers_clock_says(
    shop: Shop, clock: Clock, sold: Sold
) -> None:
    """In the last minute clocks may differ, but what is on record by then was done by then."""
    hold(shop.platform, [A, B], until=date(2026, 11, 25))
    clock.now = datetime.fromisoformat("2026-11-25T23:59:50+08:00")
    assert sold((A, "2026-11-25T23:59:30+08:00")) == {"opened-while-held": [A]}
    clock.forward(minutes=1)
    assert sold((B, "2026-11-25T23:59:30+08:00")) == {}


def test_a_held_number_that_no_batch_released_is_sold_against_the_hold_too(shop: Shop, clock: Clock, sold: Sold) -> None:
    hold(shop.platform, [REFUSED])
    clock.forward(days=1)
    assert sold((REFUSED, "2026-11-25")) == {"opened-without-release": 1, "opened-while-held": [REFUSED]}


def test_what_was_taken_back_or_objected_to_after_its_release_is_said_and_its_sale_is_a_breach(
    shop: Shop, clock: Clock, sold: Sold
) -> None:
    clock.forward(hours=3)
    made = retracted(shop.platform, shop.batch, NumberSet.of([A, B, REFUSED]), reason="wrong list", by="li")
    shop.answer("飞燕快递", f"+{C},refused,legal_hold,", f"+{D},refused,debt,")
    with shop.platform.act("li") as act:
        assert [one.count for one in stops.known(act.tx, retraction_id=made.id)] == [2], "REFUSED was on no list"
        assert [one.count for one in stops.known(act.tx) if one.receipt_id] == [1, 2], "of LATE, and of these"
        waive(act, shop.batch, partner_id=2, only=NumberSet.of([D]), reason="settled")
    clock.forward(hours=3)
    times = [(A, f"{TODAY}T11:59:00+08:00"), *((one, f"{TODAY}T14:00:00+08:00") for one in (B, C, D))]
    assert sold(*times) == {"opened-after-stop": [B, C]}, "A was sold before, D's objection was waived"


def test_a_sale_before_its_release_is_one_without_a_release_though_it_is_reported_later(
    shop: Shop, clock: Clock, sold: Sold
) -> None:
    """REFUSED, whose freeze has ended, is released on the next day, once its refusal is waived."""
    clock.forward(days=1)
    with shop.platform.act("li") as act:
        waive(act, shop.batch, partner_id=2, only=None, reason="settled")
    assert [one.count for one in release(shop.platform, by="li")] == [1]
    clock.forward(days=1)
    assert sold((REFUSED, TODAY)) == {"opened-without-release": 1}
    assert sold((CLEAN, TODAY)) == {}, "released on that day, at whatever hour it was sold"


RELEASED = {CLEAN, WAIVED, HELD, LATE, *SPARE}


def test_a_list_says_what_may_be_sold_now_and_the_one_beside_it_what_may_not_and_why_in_the_desks_words(
    shop: Shop, clock: Clock, sold: Sold
) -> None:
    """A shop that reads them each morning never sells what was held, objected to, taken back or given back in the night, and
    can't tell which of the first three it was; what has ended is offered again."""
    withheld, held = dict.fromkeys((HELD, LATE), "withheld"), hold(shop.platform, [A])
    assert for_sale(shop) == RELEASED - {HELD, LATE, A}
    assert rows(shop, stopped=True) == withheld | {A: "withheld"}
    clock.forward(hours=1)
    path = shop.folder / "back.csv"
    path.write_text(f"number,event,at\n+{B},reclaimed,{TODAY}\n+{C},opened,{TODAY}\n")
    imported(shop.platform, path, carrier="cmcc", by="li")
    retracted(shop.platform, shop.batch, NumberSet.of([D]), reason="wrong list", by="li")
    assert for_sale(shop) == RELEASED - {HELD, LATE, A, B, C, D}
    gone = dict.fromkeys((B, C), "in_service")
    assert rows(shop, stopped=True) == withheld | gone | {A: "withheld", D: "withheld"}
    lift(shop, held)
    lift(shop, 1)
    clock.forward(hours=1)
    assert for_sale(shop) == RELEASED - {LATE, B, C, D}
    assert rows(shop, stopped=True) == gone | {LATE: "withheld", D: "withheld"}
    for number in RELEASED:
        assert (number in for_sale(shop)) == shop.told(number).for_sale, "the desk and the lists say the same"


def test_the_record_is_read_as_it_was_at_an_instant_whatever_came_since(shop: Shop, clock: Clock) -> None:
    """A court asks what the shop could know when it sold a number: the list of then is written again, as is each gate."""
    before = clock.now
    clock.forward(hours=1)
    hold(shop.platform, [A])
    held = clock.now
    clock.forward(hours=1)
    path = shop.folder / "back.csv"
    path.write_text(f"number,event,at\n+{B},reclaimed,{TODAY}\n")
    imported(shop.platform, path, carrier="cmcc", by="li")
    lift(shop, 2)
    retracted(shop.platform, shop.batch, NumberSet.of([C]), reason="wrong list", by="li")
    shop.answer("飞燕快递", f"+{D},refused,debt,")
    with shop.platform.act("li") as act:
        waive(act, shop.batch, partner_id=2, only=None, reason="settled")
    clock.forward(hours=1)
    assert [one.count for one in release(shop.platform, by="li")] == [1], "REFUSED"
    assert for_sale(shop) == (RELEASED | {REFUSED}) - {HELD, B, C}
    assert for_sale(shop, as_of=before) == RELEASED - {HELD, LATE}
    assert for_sale(shop, as_of=held) == RELEASED - {HELD, LATE, A}
    assert rows(shop, stopped=True, as_of=held) == dict.fromkeys((HELD, LATE, A), "withheld")
    assert for_sale(shop, as_of=before - timedelta(seconds=1)) == set(), "nothing was released yet"
    with shop.platform.read(as_of=held) as seen:
        assert looked_up_at(seen, [A, B]) == [False, True]
    assert for_sale(shop) == (RELEASED | {REFUSED}) - {HELD, B, C}, "a look back leaves nothing behind"


def looked_up_at(seen: Reading, numbers: list[int]) -> list[bool]:
    """Which of some numbers the desk would have sold."""
    return [one.for_sale for one in look_up(seen, numbers, seller="cmcc")]


def test_an_authoritys_hold_until_the_last_of_days_is_kept_like_any_other(shop: Shop, clock: Clock, sold: Sold) -> None:
    hold(shop.platform, [A], until=date.max)
    clock.now += timedelta(days=1)
    assert sold((A, "2026-11-25")) == {"opened-while-held": [A]}


def test_a_hold_is_said_loudly_through_its_last_day(shop: Shop) -> None:
    hold(shop.platform, [A], order="1", until=date(2026, 11, 25))
    with shop.platform.read() as seen:
        said = [[one.hold_id for one in stops.known(seen.tx, bound_on=date(2026, 11, day))] for day in (25, 26)]
    assert [2 in found for found in said] == [True, False]


def test_of_a_release_that_names_no_partner_those_were_asked_who_had_been_told_by_then(shop: Shop, clock: Clock) -> None:
    """As those have it that were recorded before releases named them: who refuses later is heard, but reopens nothing if
    the numbers were released before it was asked."""
    with shop.platform.database.transaction() as tx:
        tx.execute("ALTER TABLE release DISABLE TRIGGER USER; UPDATE release SET asked = NULL")
    clock.forward(hours=1)
    register(shop.platform, "late")
    send_now(shop.platform, shop.batch)
    for partner in ("晨星商城", "late"):
        shop.answer(partner, f"+{A},refused,debt,")
    with shop.platform.read() as seen:
        assert [one.partner for one in releases.breaches(seen.tx) if one.kind == "answered-after-release"] == [
            "飞燕快递",
            "晨星商城",
        ]


def test_the_console_says_it_where_the_hold_is_placed_and_to_the_carrier_whose_list_it_is(dsn: str, tmp_path: Path) -> None:
    """In both languages, by counts; the numbers are in the list for machines, which says of none why it was stopped."""
    with served_shop(dsn, tmp_path) as (shop, http), ExitStack() as seats:

        def seat(role: str, carrier: str | None = None) -> httpx.Client:
            who = signed_in(str(http.base_url), shop.platform, role, carrier=carrier, login=f"{role}-{carrier}".lower())
            who.headers["Accept-Language"] = "en"
            return seats.enter_context(closing(who))

        li, ours, theirs = seat("operator"), seat("supervisor", "cmcc"), seat("operator", "cucc")
        assert "RELEASED" not in li.get("/console/holds").text
        order = {"source": "police", "order": "9", "reason": "fraud", "until": "2027-01-31", "review": "2027-01-15"}
        file = {"file": ("list.csv", f"number\n+{A}\n+{B}\n+{REFUSED}\n".encode())}
        said = li.post("/console/holds", data=order, files=file)
        loud = "China Mobile: numbers on the list of release 1: 2, Batch 1, hold 2"
        assert loud in words(said)
        assert "released before: 2" in words(said)
        for page in ("holds", "batches", "batches/1"):
            assert loud in words(ours.get(f"/console/{page}")), page
            if page != "batches/1":
                assert "Off sale at once" not in theirs.get(f"/console/{page}").text, "another carrier's list"
        assert "objected to by a partner" in ours.get("/console/batches/1").text
        assert "请立即停售" in li.get("/console/batches?lang=zh").text
        wanted = {"carrier": "cmcc", "purpose": "sale", "ticket": "R-1", "which": "stopped"}
        listed = ours.post("/console/batches/1/releases/1", data=wanted)
        assert listed.headers["content-disposition"] == 'attachment; filename="release-1-cmcc-stopped.csv"'
        assert listed.text.split() == ["number,why", *sorted(f"+{one},withheld" for one in (HELD, LATE, A, B))]
        now = ours.post("/console/batches/1/releases/1", data=wanted | {"which": ""})
        assert sorted(now.text.split()[1:]) == sorted(f"+{one},2026-11-24" for one in RELEASED - {HELD, LATE, A, B})
        then = ours.post("/console/batches/1/releases/1", data=wanted | {"which": "", "as_of": "2026-11-23"})
        assert "no release 1 of this carrier" in words(then)
        ahead = ours.post("/console/batches/1/releases/1", data=wanted | {"which": "", "as_of": "2999-01-01"})
        assert "2999-01-01 has not come yet" in words(ahead)
        for hold_id in (1, 2):
            with shop.platform.act("li") as act:
                lift_hold(act, hold_id, reason="over")
        assert "Off sale at once" not in li.get("/console/holds?lang=en").text


def test_a_sale_against_a_hold_is_named_in_both_languages_wherever_breaches_are(dsn: str, tmp_path: Path) -> None:
    with served_shop(dsn, tmp_path) as (shop, http):
        hold(shop.platform, [A])
        shop.clock.forward(days=1)
        path = tmp_path / "sold.csv"
        path.write_text(f"number,event,at\n+{A},opened,2026-11-25\n")
        assert imported(shop.platform, path, carrier="cmcc", by="li").stopped == 1
        with closing(signed_in(str(http.base_url), shop.platform, "supervisor")) as wang:
            for language, said in (
                ("en", "sold while held: a breach of the hold"),
                ("zh", "风险冻结期间售出（违反冻结命令）"),
            ):
                for page in ("breaches?kind=opened-while-held&", "watch?"):
                    assert said in wang.get(f"/console/{page}lang={language}").text, page


def test_a_report_says_how_many_stopped_numbers_it_sold_of_either_kind(shop: Shop) -> None:
    path = shop.folder / "both.csv"
    path.write_text(f"number,event,at\n+{HELD},opened,2026-11-25\n+{LATE},opened,2026-11-25\n")
    shop.clock.forward(days=2)
    assert imported(shop.platform, path, carrier="cmcc", by="li").stopped == 2
