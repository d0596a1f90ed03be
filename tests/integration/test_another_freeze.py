"""The freeze is lengthened, or no longer so long, while numbers wait: the longer of a batch's own and today's binds what is
not released yet. Else a number is sold in a freeze that the law asks for, or one that was promised to rest is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from clocks import Clock
from exchanging import register
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.answer.receiving import Filing, file_receipt
from huanxin.domain.lifecycle import sellable_from
from huanxin.domain.pool import STATES, PoolState
from huanxin.figures import batch_figures, pool
from huanxin.numbersets import tables
from huanxin.plan.batches import due
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.release.listing import obstacles
from huanxin.simulate.planner import Choices, plan
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases
from ordering import imported, lists_written, looked_at, plan_now, send_now

CLOSED = date(2026, 8, 25)  # day 91 is 2026-11-24, on which the clock begins
FIRST, SECOND = 8613800138000, 8613800138001
Report = Callable[..., Path]


@dataclass
class Case:
    """A batch of two numbers that every partner has answered, planned under a freeze."""

    platform: Platform
    report: Report
    batch: int = 1

    def under(self, days: int) -> Platform:
        """The platform once the freeze has so many days."""
        self.platform = replace(self.platform, rules=replace(self.platform.rules, freeze_days=days))
        return self.platform

    def sold(self, number: int, day: date) -> dict[str, int]:
        """The breaches after a carrier reports a sale, by kind."""
        path = self.report(f"+{number},opened,{day}", name=f"sold-{number}-{day}.csv")
        imported(self.platform, path, carrier="cmcc", by="li")
        with self.platform.database.transaction() as tx:
            return releases.breach_totals(tx)

    def released(self) -> int:
        return sum(one.count for one in release(self.platform, by="li", batch_id=self.batch))

    def listed(self, folder: Path) -> set[str]:
        """The days from which the lists say that numbers may be sold."""
        lists = lists_written(self.platform, folder)
        return {line.split(",")[1] for path in lists for line in path.read_text().splitlines()[1:]}


def planned(platform: Platform, report: Report, folder: Path, days: int) -> Case:
    case = Case(platform, report)
    case.under(days)
    lines = [f"+{number},cancelled,{CLOSED}" for number in (FIRST, SECOND)]
    imported(case.platform, report(*lines, name="first.csv"), carrier="cmcc", by="li")
    partner = register(platform, "shop")
    made = plan_now(replace(case.platform, rules=replace(case.platform.rules, lead_days=60)), by="li")
    assert made is not None
    send_now(platform, made.id)
    path = folder / "receipt.csv"
    path.write_text("number,outcome\n")
    with platform.act("li") as act:
        (notice,) = notices.of_batch(act.tx, made.id)
        file_receipt(
            act, tables.inspect(path),
            Filing(notice=notice, roster=batches.roster(act.tx, made.id), zone="Asia/Shanghai", complete=True),
        )  # fmt: skip
    assert notice.partner_id == partner.id
    return case


@pytest.mark.parametrize(("planned_under", "in_force"), [(90, 120), (120, 90)], ids=["lengthened", "shortened"])
def test_the_longer_freeze_binds_what_is_planned_wherever_the_freeze_decides(
    platform: Platform, report: Report, tmp_path: Path, clock: Clock, planned_under: int, in_force: int
) -> None:
    case = planned(platform, report, tmp_path, planned_under)
    under = case.under(in_force)
    assert case.released() == 0, "day 91"
    with under.act("li") as act:
        loaded = load_gate(act, case.batch)
        said = explain(act, FIRST)
        figures = batch_figures.current(act.tx, under, case.batch)[0].body
        counted = pool.make(act.tx, under)[""]
    assert list(loaded.gate.frozen_still()) == [0, 1]
    assert [one.until for one in obstacles(loaded) if one.state == "freezing"] == ["2026-12-24"]
    assert "the freeze of 120 days runs" in str(said.findings[0].text)
    assert (figures.gate.freezing, figures.freezes) == (2, (("cmcc", date(2026, 12, 24), 2),))
    by_state = {state: int(counted.days["count"][counted.days["kind"] == at].sum()) for at, state in enumerate(STATES)}
    assert (by_state[PoolState.RENEWING], by_state[PoolState.CLEAR]) == (2, 0)
    (told,) = looked_at(under, [FIRST], seller="cmcc")
    assert (told.why is not None, told.freeze_days, str(told.sellable_from)) == (True, 120, "2026-12-24")
    clock.forward(days=29)  # the 120th day
    assert case.released() == 0
    clock.forward(days=1)
    assert case.released() == 2
    assert looked_at(case.under(in_force), [FIRST], seller="cmcc")[0].why is None
    assert case.listed(tmp_path / "lists") == {"2026-12-24"}


def test_what_was_released_keeps_the_freeze_under_which_it_was(
    platform: Platform, report: Report, tmp_path: Path, clock: Clock
) -> None:
    """It is on the carrier's list: a freeze that is lengthened afterwards takes nothing back, and makes no sale a breach."""
    case = planned(platform, report, tmp_path, 90)
    assert case.released() == 2
    under = case.under(120)
    with under.read() as reading:
        gate = load_gate(reading, case.batch).gate
        said = explain(reading, FIRST)
    assert not gate.frozen_still()
    assert "the freeze of 90 days has ended" in str(said.findings[0].text)
    (told,) = looked_at(under, [FIRST], seller="cmcc")
    assert (told.why, told.freeze_days) == (None, 90)
    assert case.listed(tmp_path / "lists") == {"2026-11-24"}
    clock.forward(days=2)
    assert "opened-in-freeze" not in case.sold(FIRST, date(2026, 11, 25))


def test_a_sale_is_early_by_the_freeze_under_which_its_number_was_released(
    platform: Platform, report: Report, tmp_path: Path, clock: Clock
) -> None:
    """Released on day 121 of a longer freeze, reported as sold on day 100: whatever the setting is by then."""
    case = planned(platform, report, tmp_path, 90)
    case.under(120)
    clock.forward(days=30)
    assert case.released() == 2
    case.under(90)
    assert case.sold(FIRST, date(2026, 12, 3))["opened-in-freeze"] == 1
    assert case.sold(SECOND, date(2026, 12, 24))["opened-in-freeze"] == 1, "and the day after its end is none"


def test_a_number_in_no_batch_rests_by_the_freeze_of_today(platform: Platform, report: Report, clock: Clock) -> None:
    case = Case(platform, report)
    imported(platform, report(f"+{FIRST},cancelled,{CLOSED}", name="first.csv"), carrier="cmcc", by="li")
    for days, is_due in ((90, True), (120, False)):
        under = case.under(days)
        with under.read() as reading:
            assert bool(due(reading)) == is_due
            said = explain(reading, FIRST)
        assert str(sellable_from(CLOSED, days)) in str(said.findings[0].text)
    case.under(120)
    clock.forward(days=9)
    assert case.sold(FIRST, date(2026, 12, 3)) == {"opened-in-freeze": 1, "opened-without-disclosure": 1}


def test_the_planner_lets_nothing_that_is_planned_go_before_its_own_freeze(
    platform: Platform, report: Report, tmp_path: Path
) -> None:
    case = planned(platform, report, tmp_path, 120)
    under = case.under(90)
    with under.act("li") as act:
        found = plan(act.tx, under, "cmcc", Choices(freezes=(90, 150), days=90))
    first = {one.scenario.freeze_days: int(one.supply.nonzero()[0][0]) + 1 for one in found.results if one.supply.any()}
    assert first == {90: 30, 150: 60}, "days from today on which the first go on sale"
