"""The pool's counts: a report, a receipt or a night changes what they say, and only what changed is counted again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from clocks import Clock
from exchanging import notice_of, register
from holding import hold
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.platform import Allotments
from huanxin.answer.receiving import Filing, file_receipt
from huanxin.domain.errors import BadInput
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.partners import Partner
from huanxin.domain.pool import STATES, TO_COME, PoolState
from huanxin.figures import pool, summaries
from huanxin.figures.pool_sums import Sums, blocks_of, cells_of
from huanxin.numbersets import tables
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.holds import lift_hold
from huanxin.report.allocations import import_allocation
from huanxin.store.figures import summaries as stored
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.web.pages.console.pool import data as pool_data
from ordering import imported, plan_now, retracted, send_now

Report = Callable[..., Path]
OVER, SOON, FRESH = "2026-08-01", "2026-09-05", "2026-11-01"  # the freeze has ended, ends within 15 days, lasts


def n(tail: int, prefix: str = "861380013") -> str:
    return f"+{prefix}{tail:04d}"


LINES = (
    *(f"{n(tail)},cancelled,{OVER}" for tail in range(6)), f"{n(6)},cancelled,{SOON}", f"{n(7)},cancelled,{FRESH}",
    f"{n(8)},opened,2026-01-01", f"{n(9)},ported_out,2026-01-01", f"{n(10)},cancelled,{OVER}",
    f"{n(1, '861390000')},cancelled,{FRESH}",
)  # fmt: skip


def sums(platform: Platform) -> Sums:
    with platform.database.transaction() as tx:
        return pool.make(tx, platform)[""]


def states(platform: Platform, prefix: int = 861380013) -> dict[str, int]:
    """Numbers of a block by state, never sold ones and zeros left out; by day they have to be as many."""
    found = sums(platform)
    (row,) = found.prefixes[found.prefixes["prefix"] == prefix]
    counts = {state.value: int(count) for state, count in zip(STATES, row["counts"], strict=True) if count}
    with platform.database.transaction() as tx:
        live = cells_of(tx, found, first=prefix, last=prefix)
    assert int(live["count"].sum()) == sum(counts.values()) - counts["never_sold"]
    assert counts.pop("never_sold") + sum(counts.values()) == row["capacity"]
    for index, state in enumerate(STATES[1:], start=1):
        total = found.prefixes["counts"][:, index].sum()
        assert found.days["count"][found.days["kind"] == index].sum() == total, state
    return counts


@pytest.fixture
def partner(platform: Platform, report: Report) -> Partner:
    imported(platform, report(*LINES), carrier="cmcc", by="test")
    return register(platform, "青禾音乐")


def answer(platform: Platform, partner: Partner, batch: int, folder: Path, *lines: str) -> None:
    path = folder / "receipt.csv"
    path.write_text("\n".join(["number,outcome,reason,until", *lines, ""]))
    with platform.act("li") as act:
        notice = notices.get(act.tx, notice_of(platform, partner, batch))
        assert notice is not None
        file_receipt(
            act, tables.inspect(path),
            Filing(notice=notice, roster=batches.roster(act.tx, batch), zone="Asia/Shanghai", complete=False),
        )  # fmt: skip


def test_numbers_go_through_their_states_one_after_the_other(
    platform: Platform, partner: Partner, tmp_path: Path, clock: Clock, report: Report
) -> None:
    assert states(platform) == {"in_service": 1, "elsewhere": 1, "frozen": 1, "due": 8}
    order = hold(platform, [int(n(0)), int(n(7)), int(n(8))], until=date(2026, 11, 26))
    assert states(platform) == {"in_service": 1, "elsewhere": 1, "held": 2, "due": 7}
    batch = plan_now(platform, by="test")
    assert batch is not None
    assert states(platform) == {"in_service": 1, "elsewhere": 1, "held": 2, "renewing": 7}
    send_now(platform, batch.id)
    answer(platform, partner, batch.id, tmp_path, f"{n(1)},refused,debt,", *(f"{n(x)},absent,," for x in (2, 3, 6)))
    assert states(platform) == {"in_service": 1, "elsewhere": 1, "held": 2, "blocked": 1, "renewing": 4, "clear": 2}
    release(platform, by="test")
    assert states(platform) == {"in_service": 1, "elsewhere": 1, "held": 2, "blocked": 1, "renewing": 4, "released": 2}
    imported(platform, report(f"{n(2)},opened,2026-11-24", name="sold.csv"), carrier="cmcc", by="test")
    assert states(platform) == {"in_service": 2, "elsewhere": 1, "held": 2, "blocked": 1, "renewing": 4, "released": 1}
    imported(platform, report(f"{n(4)},reclaimed,2026-11-23", name="next.csv"), carrier="cmcc", by="test")
    assert states(platform) == {"in_service": 3, "elsewhere": 1, "held": 2, "blocked": 1, "renewing": 3, "released": 1}
    retracted(platform, batch.id, NumberSet.of([int(n(5))]), reason="sold by mistake", by="test")
    assert states(platform)["blocked"] == 2
    clock.forward(days=3)
    assert "held" not in states(platform), "the order has expired"
    clock.forward(days=10)
    assert states(platform)["clear"] == 1, "the freeze of an answered number ended in the night"
    with platform.act("test") as act:
        lift_hold(act, order, reason="done")
    assert sum(states(platform).values()) == 11


def test_what_a_hold_lets_go_within_120_days_is_seen_coming_by_the_rule_of_the_gate(
    platform: Platform, partner: Partner, tmp_path: Path
) -> None:
    """Whoever plans sales sees held numbers on the day after their hold, or after their freeze if that ends later; what a
    partner refused, or was released before, doesn't come with the end of the hold."""
    until = date(2026, 12, 24)
    batch = plan_now(platform, by="test")
    assert batch is not None
    send_now(platform, batch.id)
    answer(platform, partner, batch.id, tmp_path, f"{n(0)},absent,,", f"{n(1)},refused,debt,", f"{n(2)},absent,,")
    release(platform, by="test")
    held = [int(n(tail)) for tail in (0, 1, 3, 6, 7, 8)]
    order = hold(platform, held, until=until)
    hold(platform, [int(n(4))], order="18", until=date(2060, 1, 1))

    def coming() -> dict[date, tuple[int, int]]:
        """By day: all numbers, and the held ones."""
        found = sums(platform)
        with platform.database.transaction() as tx:
            of_block = pool_data.pool(tx, found, pool_data.Filters(prefix="1380013")).ahead
            everything = pool_data.pool(tx, found, pool_data.Filters(carrier="cmcc")).ahead
        held = {row.day: row.counts[TO_COME.index(PoolState.HELD)] for row in everything}
        assert held == {row.day: row.counts[TO_COME.index(PoolState.HELD)] for row in of_block}
        return {row.day: (row.total, held[row.day]) for row in of_block if row.total}

    today, after, fresh = platform.today(), date(2026, 12, 25), date(2027, 1, 31)
    assert coming() == {today: (2, 0), after: (2, 2), fresh: (1, 1)}, "5 and 10; 3 and 6; 7, whose freeze lasts longer"
    assert states(platform)["held"] == 6
    with platform.act("test") as act:
        lift_hold(act, order, reason="done")
    assert coming() == {today: (3, 0), date(2026, 12, 5): (1, 0), fresh: (1, 0)}, (
        "what was lifted comes when its freeze ends"
    )


def test_only_what_changed_is_counted_again(platform: Platform, partner: Partner, report: Report, clock: Clock) -> None:
    batch = plan_now(platform, by="test")
    assert batch is not None

    def counted() -> tuple[int, int]:
        with platform.database.transaction() as tx:
            return pool.count(tx, platform)

    assert counted() == (2, 1)
    assert counted() == (0, 0)
    clock.forward(days=1)
    assert counted() == (0, 0), "a night changes no facts"
    send_now(platform, batch.id)
    assert counted() == (0, 1)
    imported(platform, report(f"{n(2, '861390000')},opened,2026-11-20", name="b.csv"), carrier="cmcc", by="test")
    assert counted() == (1, 0), "a report that takes nothing out of a batch leaves its counts alone"
    imported(platform, report(f"{n(2)},reclaimed,2026-11-24", name="c.csv"), carrier="cmcc", by="test")
    assert counted() == (1, 1)


def test_the_summary_rests_a_minute_and_is_whole_again_after_it(
    platform: Platform, partner: Partner, clock: Clock, report: Report
) -> None:
    def shown() -> int:
        with platform.database.transaction() as tx:
            summaries.refresh(tx, platform)
            found = stored.get(tx, pool.POOL.kind)
        assert found is not None
        return int(found.body.days["count"].sum())

    assert shown() == 12
    imported(platform, report(f"{n(20)},opened,2026-11-20", name="b.csv"), carrier="cmcc", by="test")
    assert shown() == 12
    clock.forward(minutes=1)
    assert shown() == 13


def test_an_allocation_file_says_what_there_is_to_sell(platform: Platform, partner: Partner, tmp_path: Path) -> None:
    path = tmp_path / "allocation.csv"
    path.write_text("from,to\n+8613800130000,+8613800134999\n+8613800140000,+8613800149999\n")
    with platform.act("test") as act:
        count = import_allocation(act, path, carrier="cmcc")
    assert count == 15_000
    found = sums(platform).prefixes
    assert found["prefix"].tolist() == [861380013, 861380014, 861390000]
    assert found["capacity"].tolist() == [5_000, 10_000, 0], "what the carrier was not allotted has no capacity"
    assert states(platform)["due"] == 8


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("+8613800130009,+8613800130000", "comes before"), ("1380013000,+8613800130009", "10 digits"),
        ("+8613000000000,+8613000009999", "cucc's by the numbering plan"),
        ("+8614600000000,+8614600009999", "Internet of Things"), ("+861010000000,+861010009999", "12 digits"),
        ("+8613800135000,+8613800139999", "line 2 already"),
    ],
)  # fmt: skip
def test_a_bad_allocation_is_refused_whole(platform: Platform, tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "allocation.csv"
    path.write_text(f"from,to\n+8613800130000,+8613800139999\n{line}\n")
    with pytest.raises(BadInput) as refused, platform.act("test") as act:
        import_allocation(act, path, carrier="cmcc")
    assert [fault.line for fault in refused.value.faults] == [3]
    assert reason in refused.value.faults[0].reason


def test_ranges_that_share_a_block_add_up() -> None:
    prefixes, counts = blocks_of([(8613800130000, 8613800130999), (8613800135000, 8613800140000)])
    assert prefixes.tolist() == [861380013, 861380014]
    assert counts.tolist() == [6_000, 1]
    assert blocks_of([])[0].dtype == np.int64


def test_a_range_that_nobody_knew_is_its_carriers_once_an_allocation_names_it(
    platform: Platform, report: Report, tmp_path: Path
) -> None:
    """A range that was opened last month stood in no library: the report with its first number was refused whole."""
    line = "+8616400000001,opened,2026-11-02"
    with pytest.raises(BadInput) as refused:
        imported(platform, report(line, name="before.csv"), carrier="cmcc")
    assert "in no range" in refused.value.faults[0].reason
    path = tmp_path / "allocation.csv"
    path.write_text("from,to\n16400000000,16400009999\n")
    with platform.act("test") as act:
        import_allocation(act, path, carrier="cmcc")
    with pytest.raises(BadInput) as others, platform.act("test") as act:
        import_allocation(act, path, carrier="cucc")
    assert "cmcc's by the numbering plan" in others.value.faults[0].reason
    assert imported(platform, report(line), carrier="cmcc").imported.accepted == 1
    another = replace(platform, plan=chinese_plan(), allotments=Allotments())
    with another.read() as seen:
        assert seen.plan.owner(8616400) == "cmcc", "another process knows it at its first look"
