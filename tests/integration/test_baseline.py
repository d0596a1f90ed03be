"""A carrier's first day: what was so before is told once, and what comes after is no error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.disclosure import Grade, NotForSale
from huanxin.domain.errors import BadInput
from huanxin.domain.numbers import parse
from huanxin.domain.tenures import NumberTenures, State
from huanxin.figures.tracing import trace
from huanxin.release.explain import explain
from huanxin.report.baseline import import_baseline
from huanxin.report.importing import Imported
from huanxin.store.report import reports
from ordering import imported, looked_at, plan_now

Report = Callable[..., Path]
SERVED, SINCE, FROZEN, LEFT, NEW, SHELF = (f"+861380013800{n}" for n in range(6))
LINES = (
    f"{SERVED},in_service,", f"{SINCE},in_service,2024-03-01", f"{FROZEN},frozen,2026-08-20",
    f"{LEFT},ported_out,2025-05-05", f"{NEW},never_sold,", f"{SHELF},frozen,2026-03-01",
)  # fmt: skip
TODAY = "2026-11-24"


def first_day(platform: Platform, path: Path, carrier: str = "cmcc", *, skip_bad: bool = False) -> Imported:
    with platform.act("li") as act:
        return import_baseline(act, path, carrier=carrier, skip_bad=skip_bad)


@pytest.fixture
def begun(platform: Platform, report: Report) -> Imported:
    return first_day(platform, report(*LINES, heading="number,state,since", name="state.csv"))


def stands(platform: Platform, number: str) -> NumberTenures:
    with platform.read() as reading:
        return reports.standing_of(reading.tx, parse(number))


def test_the_present_state_is_where_each_number_stands(platform: Platform, begun: Imported) -> None:
    assert begun.counts == {"in_service": 2, "frozen": 2, "ported_out": 1, "never_sold": 1}
    states = {number: stands(platform, number).state for number in (SERVED, SINCE, FROZEN, LEFT, NEW)}
    assert list(states.values()) == [State.IN_SERVICE, State.IN_SERVICE, State.FROZEN, State.PORTED_OUT, State.UNKNOWN]
    opened = {number: one.opened_on for number in (SERVED, SINCE) if (one := stands(platform, number).current)}
    assert {number: str(day) for number, day in opened.items()} == {SERVED: "None", SINCE: "2024-03-01"}


def test_reclaims_and_sales_of_what_was_frozen_before_are_no_errors(
    platform: Platform, report: Report, begun: Imported
) -> None:
    """Without it every reclaim of the first day sinks its file. What was on sale already has had no release here."""
    day = (f"{FROZEN},reclaimed,{TODAY}", f"{SHELF},opened,{TODAY}", f"{SERVED},cancelled,{TODAY}", f"{NEW},opened,{TODAY}")
    done = imported(platform, report(*day), carrier="cmcc", by="li")
    assert (done.imported.accepted, done.breaches) == (4, 0)
    assert stands(platform, FROZEN).state is State.IN_SERVICE


def test_what_was_frozen_before_and_is_sold_within_its_freeze_or_out_of_a_batch_is_a_breach_all_the_same(
    platform: Platform, report: Report, clock: Clock
) -> None:
    lines = (f"{FROZEN},frozen,2026-11-01", f"{SHELF},frozen,2026-03-01")
    first_day(platform, report(*lines, heading="number,state,since", name="state.csv"))
    assert plan_now(platform, by="li") is not None
    done = imported(platform, report(f"{FROZEN},opened,{TODAY}", f"{SHELF},opened,{TODAY}"), carrier="cmcc", by="li")
    assert done.breaches == 2


def test_who_had_a_number_before_its_carrier_took_part_is_not_known_and_never_silently_nobody(
    platform: Platform, begun: Imported
) -> None:
    """Rule 4: its holder may have older ties cut, since the day on which it became theirs is known."""
    for number, renewable in ((SERVED, False), (SINCE, True)):
        where = stands(platform, number)
        assert (where.recycled, where.renewable) == (None, renewable)


def test_what_can_be_told_of_a_number_begins_with_the_baseline_and_the_desk_and_the_console_say_so(
    platform: Platform, begun: Imported, report: Report
) -> None:
    imported(platform, report("+8613800138009,cancelled,2026-08-20"), carrier="cmcc", by="li")
    numbers = [parse(one) for one in (SHELF, NEW, "+8613800138009")]
    shelf, new, other = looked_at(platform, numbers, seller="cmcc")
    assert (shelf.why, str(shelf.evaluable_since)) == (NotForSale.NOT_RELEASED, TODAY)
    assert (new.grade, new.evaluable_since) == (Grade.A, None), "never sold is more than silence"
    assert other.evaluable_since is None
    with platform.read() as reading:
        assert str(trace(reading.tx, platform, parse(SHELF)).evaluable_since) == TODAY


def test_the_carrier_that_took_a_number_in_says_so_in_its_own_baseline(
    platform: Platform, report: Report, begun: Imported
) -> None:
    assert first_day(platform, report(f"{LEFT},in_service,", heading="number,state,since"), "cucc").accepted == 1
    assert (one := stands(platform, LEFT).current)
    assert one.carrier == "cucc"


def test_chinese_words_and_parquet_read_the_same(platform: Platform, report: Report, tmp_path: Path) -> None:
    lines = (f"{SERVED},在用,", f"{FROZEN},冷冻,2026-08-20", f"{LEFT},携出,", f"{NEW},未售,")
    assert first_day(platform, report(*lines, heading="号码,状态,起始日期", name="zh.csv")).accepted == 4
    table = {
        "number": [parse(one) for one in (SERVED, FROZEN, LEFT, NEW)], "since": [None, "2026-08-20", None, None],
        "state": ["in_service", "frozen", "ported_out", "never_sold"],
    }  # fmt: skip
    pq.write_table(pa.table(table), tmp_path / "state.parquet")
    assert first_day(platform, tmp_path / "state.parquet").known == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{FROZEN},frozen,", "the time is empty"),
        (f"{FROZEN},gone,2026-01-01", "it is one of in_service, frozen, ported_out, never_sold"),
        (f"{FROZEN},in_service,2027-01-01", "lies in the future"),
        (f"{SHELF},in_service,2025-01-01", "the record says something else"),
        (f"{SHELF},never_sold,", "never sold can't be"),
        ("+8613000138000,in_service,2025-01-01", "the range belongs to cucc"),
        ("+8613000138000,never_sold,", "never sold can't be"),
    ],
)
def test_what_can_not_be_refuses_the_file_and_says_why(platform: Platform, report: Report, line: str, reason: str) -> None:
    imported(platform, report(f"{SHELF},cancelled,2026-03-01"), carrier="cmcc", by="li")
    path = report(f"{SERVED},in_service,", line, heading="number,state,since", name="state.csv")
    with pytest.raises(BadInput) as refused:
        first_day(platform, path)
    (fault,) = refused.value.faults
    assert (fault.line, reason in fault.reason) == (3, True), fault.reason
    assert stands(platform, SERVED).state is State.UNKNOWN
    assert first_day(platform, path, skip_bad=True).accepted == 1


def test_a_number_has_one_state_and_a_baseline_that_comes_twice_changes_nothing(platform: Platform, report: Report) -> None:
    lines = (f"{FROZEN},frozen,2026-08-20", f"{FROZEN},frozen,2026-08-20", f"{FROZEN},in_service,")
    path = report(*lines, heading="number,state,since", name="state.csv")
    with pytest.raises(BadInput) as refused:
        first_day(platform, path)
    assert [fault.text for fault in refused.value.faults] == [f"{FROZEN},in_service,"]
    again = report(*lines[:2], heading="number,state,since", name="again.csv")
    assert first_day(platform, again).accepted == 1
    assert first_day(platform, again).already
    assert first_day(platform, report(lines[0], heading="number,state,since", name="c.csv")).known == 1


def test_no_report_says_what_only_a_baseline_may(platform: Platform, report: Report) -> None:
    """A daily file that says `in_service` would end a freeze that runs."""
    for word in ("in_service", "served"):
        with pytest.raises(BadInput):
            imported(platform, report(f"{SERVED},{word},2026-08-20"), carrier="cmcc", by="li")


def test_whoever_asks_why_a_number_is_not_clear_hears_since_when_anything_is_known(
    platform: Platform, report: Report, begun: Imported
) -> None:
    """Else its history reads as if nobody had held it before."""
    imported(platform, report("+8613800138009,cancelled,2026-08-20"), carrier="cmcc", by="li")
    with platform.read() as reading:
        since = {number: explain(reading, parse(number)).evaluable_since for number in (FROZEN, SERVED, "+8613800138009")}
    assert {number: day and str(day) for number, day in since.items()} == {
        FROZEN: TODAY,
        SERVED: TODAY,
        "+8613800138009": None,
    }
