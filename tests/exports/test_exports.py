"""Fifty and more export files: each is read as it should be, or refused with the reason and the line that people see."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from exports.cases import CASES, ONE, TWO, Case
from huanxin.domain.errors import BadInput
from huanxin.domain.lifecycle import EVENTS
from huanxin.domain.numbers import chinese_plan
from huanxin.numbersets import tables
from huanxin.report.lines import read_lines

PLAN, NOW = chinese_plan(), datetime(2026, 11, 24, 4, tzinfo=UTC)
MARCH = {int(f"86{ONE}"): "cancelled", int(f"86{TWO}"): "opened"}
DAYS = {date(2026, 3, 1), date(2026, 3, 2)}


def test_there_are_fifty() -> None:
    assert len(CASES) >= 50


@pytest.mark.parametrize("name", CASES)
def test_an_export_is_read_or_refused_as_it_should_be(name: str, tmp_path: Path) -> None:
    case, path = CASES[name], tmp_path / "report"
    path.write_bytes(case.content)
    if case.whole:
        with pytest.raises((tables.BadTable, BadInput), match=case.whole):
            read(path)
        return
    good, bad = read(path)
    assert [line for line, *_ in good] == list(case.lines)
    assert all(MARCH[number] == event and day in DAYS for _, number, event, day in good), good
    assert {line: why for line, why in bad if case.bad[line] not in why} == {}
    assert len(bad) == len(case.bad)


def read(path: Path) -> tuple[list[tuple[int, int, str, date]], list[tuple[int, str]]]:
    """The good lines as (line, number, event, day), and the bad ones with why."""
    good: list[tuple[int, int, str, date]] = []
    bad: list[tuple[int, str]] = []
    for lines, faults in read_lines(tables.inspect(path), carrier=PLAN.carriers["cmcc"], plan=PLAN, now=NOW):
        days = [date.fromordinal(date(1970, 1, 1).toordinal() + day) for day in lines.day.tolist()]
        events = [EVENTS[event].value for event in lines.event.tolist()]
        good += zip(lines.line.tolist(), lines.number.tolist(), events, days, strict=True)
        bad += [(fault.line, str(fault.reason)) for fault in faults]
    return good, bad


def test_a_workbook_with_what_failed_is_refused_by_its_rows_in_every_form(tmp_path: Path) -> None:
    """python-calamine reads a look-up that failed as an empty cell: a hold would be placed without that number."""
    from exports.making import FILES, ods, xlsx
    from huanxin.release.holds import read_numbers

    rows = [("姓名", "号码"), ("a", f"+86{ONE}"), ("b", "=NA()"), (None, "=NA()"), ("d", "=NA()")]
    failed = [[cell.replace("=NA()", "#N/A") if cell else cell for cell in row] for row in rows]
    for content in (ods(rows), xlsx(failed), (FILES / "errors.xls").read_bytes()):
        (tmp_path / "list").write_bytes(content)
        with pytest.raises(BadInput) as refused:
            read_numbers(tmp_path / "list", PLAN)
        assert [fault.line for fault in refused.value.faults] == [3, 4, 5]


def test_ranges_end_in_zeros_in_a_workbook_too(tmp_path: Path) -> None:
    """Nothing rounded them."""
    from exports.making import xlsx
    from huanxin.report.allocations import columns_in

    (tmp_path / "ranges").write_bytes(xlsx([("起", "止"), (13800000000, 13800999999)]))
    with tables.read(tables.inspect(tmp_path / "ranges"), columns_in(PLAN.words)) as read:
        (chunk,) = read.chunks
    assert chunk.columns["from"].to_pylist() == ["13800000000"]


def test_the_case_of_each_file_says_one_thing() -> None:
    for name, case in CASES.items():
        assert isinstance(case, Case)
        assert not (case.whole and case.bad), name
