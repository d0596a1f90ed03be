"""Numbers that were sold too early though no batch knew them: nobody had them cleaned, and the regulator must learn it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from clocks import Clock
from holding import hold
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.domain.disclosure import NotForSale
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.release.waiving import waive
from huanxin.store.release import releases
from ordering import imported, lists_written, looked_at, plan_now, send_now
from selling import CLEAN, REFUSED, SPARE, open_shop

Report = Callable[..., Path]
N = 8613800138000


@pytest.fixture
def take(platform: Platform, clock: Clock, report: Report) -> Callable[..., int]:
    """Takes a report a day after the last; how many breaches it showed."""

    def taken(*lines: str) -> int:
        clock.forward(days=1)
        return imported(platform, report(*lines, name=f"{clock.now:%d}.csv"), carrier="cmcc", by="li").breaches

    return taken


def breaches(platform: Platform) -> list[tuple[str, int | None, list[int]]]:
    """Kind, batch, and the numbers of those that were found in a report."""
    with platform.database.transaction() as tx:
        return [
            (one.kind, one.batch_id, sorted(releases.breach_numbers(tx, one.id)))
            for one in releases.breaches(tx) if one.kind != "opened-without-disclosure"
        ]  # fmt: skip


def test_a_number_sold_a_few_days_after_its_cancellation_is_a_breach_though_in_no_batch(
    platform: Platform, take: Callable[..., int]
) -> None:
    assert take(f"+{N},cancelled,2026-11-20", f"+{N + 1},cancelled,2026-11-20", f"+{N + 2},opened,2026-01-05") == 0
    assert take(f"+{N},opened,2026-11-26T00:10:00+08:00", f"+{N + 9},opened,2026-11-26T00:10:00+08:00") == 1
    assert breaches(platform) == [("opened-in-freeze", None, [N])], "a number without a history is sold for the first time"


def test_a_number_that_rested_long_enough_but_was_never_released_is_a_breach_too(
    platform: Platform, take: Callable[..., int]
) -> None:
    take(f"+{N},cancelled,2026-06-01", f"+{N + 1},cancelled,2026-06-01", f"+{N + 2},cancelled,2026-11-20")
    sold = "2026-11-26T00:10:00+08:00"
    assert take(f"+{N},opened,{sold}", f"+{N + 2},reclaimed,{sold}", f"+{N + 3},transferred,{sold}") == 1
    assert breaches(platform) == [("opened-without-release", None, [N])], "neither a reclaim nor a transfer is a sale"


def test_a_freeze_binds_through_its_last_day_and_no_longer(platform: Platform, take: Callable[..., int]) -> None:
    take(f"+{N},cancelled,2026-08-27", f"+{N + 1},cancelled,2026-08-28")
    assert take(f"+{N},opened,2026-11-26T00:10:00+08:00", f"+{N + 1},opened,2026-11-26T00:10:00+08:00") == 2
    assert breaches(platform) == [("opened-in-freeze", None, [N + 1]), ("opened-without-release", None, [N])]


def test_of_numbers_that_rest_after_one_cancellation_each_counts_once_in_a_batch_or_in_none(
    platform: Platform, take: Callable[..., int]
) -> None:
    """What was held when the batch was planned is in none, and its sale no less a breach."""
    take(f"+{N},cancelled,2026-08-20", f"+{N + 1},cancelled,2026-08-20")
    hold(platform, [N + 1], until=date(2026, 11, 25))
    planned = plan_now(platform, by="li")
    assert planned is not None
    assert take(f"+{N},opened,2026-11-26T00:10:00+08:00", f"+{N + 1},opened,2026-11-26T00:10:00+08:00") == 2
    assert breaches(platform) == [("opened-without-release", planned.id, []), ("opened-without-release", None, [N + 1])]


def test_what_was_sold_before_the_platforms_first_report_is_not_held_against_the_carrier(
    platform: Platform, take: Callable[..., int]
) -> None:
    history = (f"+{N},cancelled,2026-09-01", f"+{N},opened,2026-10-01", f"+{N + 1},cancelled,2026-06-01")
    assert take(*history) == 0
    assert take(f"+{N + 1},opened,2026-11-01") == 0
    assert breaches(platform) == []


def test_nor_is_it_when_several_releases_gave_back_what_had_been_sold_by_then(
    platform: Platform, clock: Clock, report: Report, tmp_path: Path
) -> None:
    """The carrier reports it late. What the second release gave back would else count as never released."""
    shop = open_shop(platform, clock, tmp_path)
    clock.forward(days=1)
    with platform.act("li") as act:
        waive(act, shop.batch, partner_id=2, only=None, reason="settled")
    assert [one.count for one in release(platform, by="li")] == [1], "REFUSED, after the others"
    sold = report(f"+{CLEAN},opened,2026-11-23", f"+{REFUSED},opened,2026-11-23", name="late.csv")
    assert imported(platform, sold, carrier="cmcc", by="li").breaches == 0
    assert "opened-without-release" not in {kind for kind, _, _ in breaches(platform)}


def test_a_release_covers_its_own_tenure_alone_and_no_number_is_recorded_twice(
    platform: Platform, clock: Clock, tmp_path: Path
) -> None:
    shop = open_shop(platform, clock, tmp_path)
    again = clock.now

    def take(day: str, *lines: str) -> int:
        clock.forward(days=1)
        path = tmp_path / f"{day}.csv"
        path.write_text("\n".join(["number,event,at", *lines, ""]))
        return imported(platform, path, carrier="cmcc", by="li").breaches

    assert take("released", *(f"+{number},opened,{again:%Y-%m-%d}" for number in (CLEAN, SPARE[0]))) == 0
    with platform.database.transaction() as tx:
        assert [one.kind for one in releases.breaches(tx) if one.batch_id is None] == ["opened-without-disclosure"]
    assert take("unreleased", f"+{REFUSED},opened,2026-11-25") == 1
    assert breaches(platform)[-1] == ("opened-without-release", shop.batch, []), "it stands with its batch, once"
    assert take("next tenure", f"+{CLEAN},cancelled,2026-11-26", f"+{CLEAN},opened,2026-11-27") == 1
    assert breaches(platform)[-1] == ("opened-in-freeze", None, [CLEAN])


def test_a_released_number_whose_sale_is_reported_for_a_day_of_its_freeze_is_a_breach(
    platform: Platform, clock: Clock, tmp_path: Path, report: Report
) -> None:
    path = report("+8613900138000,opened,2026-01-01", name="first.csv")
    clock.forward(days=-3)
    imported(platform, path, carrier="cmcc", by="li")
    clock.forward(days=3)
    open_shop(platform, clock, tmp_path)
    sold = report(f"+{CLEAN},opened,2026-11-23", name="sold.csv")
    clock.forward(hours=1)
    assert imported(platform, sold, carrier="cmcc", by="li").breaches == 1
    assert breaches(platform)[-1] == ("opened-in-freeze", None, [CLEAN])


def test_a_batch_that_was_planned_with_a_longer_freeze_binds_the_sale_of_its_numbers_to_that(
    platform: Platform, clock: Clock, report: Report, tmp_path: Path
) -> None:
    """The setting was shortened since; what the batch says is later than what the setting would allow."""
    longer = replace(platform, rules=replace(platform.rules, freeze_days=95))
    imported(platform, report(f"+{N + 900},opened,2026-11-01"), carrier="cmcc", by="li")  # from here on sales count
    clock.forward(days=5)
    open_shop(longer, clock, tmp_path)  # cancelled on 25 August: for sale from 29 November
    clock.forward(days=1)
    sold = report(f"+{CLEAN},opened,2026-11-28", f"+{SPARE[0]},opened,2026-11-29", name="sold.csv")
    assert imported(platform, sold, carrier="cmcc", by="li").breaches == 1
    assert breaches(platform)[-1] == ("opened-in-freeze", None, [CLEAN])


def test_a_batch_keeps_its_longer_freeze_for_gate_explanation_desk_and_list_when_the_setting_is_shortened(
    platform: Platform, clock: Clock, report: Report, tmp_path: Path
) -> None:
    longer = replace(platform, rules=replace(platform.rules, freeze_days=95))
    imported(platform, report(f"+{N},cancelled,2026-08-25"), carrier="cmcc", by="li")
    with platform.act("li") as act:
        partner = add_partner(act, NewPartner(name="app", kind=Kind.APP), https_only=False).partner
    batch = plan_now(longer, by="li")
    assert batch is not None
    send_now(platform, batch.id)
    with platform.act("li") as act:
        waive(act, batch.id, partner_id=partner.id, only=None, reason="closed down")

    def seen() -> tuple[bool, bool, NotForSale | None]:
        with platform.read() as reading:
            gate = load_gate(reading, batch.id).gate
            why = explain(reading, N)
        return bool(gate.clear()), why.clear, looked_at(platform, [N], seller="cmcc")[0].why

    clock.now = datetime.fromisoformat("2026-11-28T23:59:00+08:00")
    assert seen() == (False, False, NotForSale.FREEZING)
    assert release(platform, by="li") == []
    clock.forward(minutes=1)
    assert seen() == (True, True, NotForSale.NOT_RELEASED)
    release(platform, by="li")
    (path,) = lists_written(platform, tmp_path / "lists")
    assert path.read_text() == f"number,sellable_from\n+{N},2026-11-29\n"
