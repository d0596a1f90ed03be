"""`huanxin report check`: what an import would do, seen before it does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exports.making import columns as columns_of
from exports.making import feather, parquet, table, xlsx

Run = Callable[..., Any]
ONE, TWO = "13800138000", "13800138001"
ROWS = [
    ("三月清单", "", ""),
    ("手机号码", "事件", "时间"),
    (ONE, "销户", "2026-03-01"),
    (f"+86{TWO}", "销户", "2026-03-02T08:00:00"),
]


@pytest.fixture
def check(run: Run, tmp_path: Path) -> Callable[..., Any]:
    def call(content: bytes, *words: str, code: int = 0) -> Any:
        (tmp_path / "march").write_bytes(content)
        return run("report", "check", str(tmp_path / "march"), "--carrier", "cmcc", *words, code=code)

    return call


def test_a_check_says_how_each_column_was_understood_and_records_nothing(run: Run, check: Callable[..., Any]) -> None:
    found = check(table(ROWS, "\t", "gb18030"), "--json")
    assert (found["would_be_taken"], found["form"], found["encoding"], found["separator"]) == (True, "text", "gb18030", "\t")
    assert (found["heading_line"], found["zone"], found["looked_at"]) == (2, "Asia/Shanghai", 2)
    number, event, at = found["columns"]
    assert (number["heading"], number["meaning"]) == ("手机号码", "number")
    assert {one["form"]: one["read"] for one in number["forms"]} == dict.fromkeys(("9" * 11, "+" + "9" * 13), None) | {
        "9" * 11: "+86 138****8000", "+" + "9" * 13: "+86 138****8001",
    }  # fmt: skip
    assert [(one["form"], one["count"], one["read"]) for one in event["forms"]] == [("销户", 2, "cancelled")]
    assert {one["form"]: one["read"] for one in at["forms"]} == {
        "9999-99-99": "2026-03-01", "9999-99-99T99:99:99": "2026-03-02T08:00:00+08:00",
    }  # fmt: skip
    assert (found["counts"]["cancelled"], found["accepted"], found["lines"]) == (2, 2, 2)
    assert run("report", "list", "--json")["reports"] == []
    shown = check(table(ROWS, "\t", "gb18030"))
    assert "would be taken: 2 of 2 lines" in shown
    assert "separated by tabs, heading in line 2" in shown


def test_a_form_is_shown_as_it_is_understood_where_a_line_is_good(check: Callable[..., Any]) -> None:
    """A good date beside a bad number read as if the date were bad."""
    bad = ("1.38E+10", "销户", "2026-03-05")
    *_, at = check(table([ROWS[1], bad, ROWS[2]]), "--json", code=1)["columns"]
    assert [(one["form"], one["written"], one["read"]) for one in at["forms"]] == [
        ("9999-99-99", "2026-03-01", "2026-03-01")
    ]


def test_what_would_be_refused_is_told_by_kind_with_its_lines_and_the_exit_code(run: Run, check: Callable[..., Any]) -> None:
    rows = [*ROWS, *((f"1380013800{at}", "gone", "2026-03-01") for at in range(2, 8)), (TWO, "销户", "2099-01-01")]
    found = check(table(rows), "--json", code=1)
    assert not found["would_be_taken"]
    assert [(kind["count"], kind["samples"][0][0]) for kind in found["kinds"]] == [(6, 5), (1, 11)]
    assert len(found["kinds"][0]["samples"]) == 3
    assert "8002" in found["kinds"][0]["samples"][0][1]
    assert "13800138002" not in str(found), "numbers are masked"
    assert "7 of 9 lines can't be taken" in check(table(rows), code=1)
    assert run("report", "list", "--json")["reports"] == []


def test_a_check_judges_by_what_is_on_record(run: Run, check: Callable[..., Any], tmp_path: Path) -> None:
    """What an import would refuse for what came before is no surprise of the import."""
    check(table(ROWS))
    run("report", "import", str(tmp_path / "march"), "--carrier", "cmcc")
    assert check(table(ROWS), "--json")["already"] == 1
    again = check(table([*ROWS[1:3], (ONE, "复机", "2026-03-05"), (ONE, "携出", "2026-02-01")]), "--json", code=1)
    assert (again["known"], again["refused"]) == (1, 1)
    assert [(kind["count"], kind["samples"][0][0]) for kind in again["kinds"]] == [(1, 4)]


def test_a_file_that_cannot_be_read_is_refused_as_an_import_would(check: Callable[..., Any]) -> None:
    assert "must name the columns" in check(table(ROWS[2:]), code=1)
    assert "no line after the header" in check(table(ROWS[:2]), code=1)


def test_a_first_day_is_checked_by_its_states(run: Run, check: Callable[..., Any]) -> None:
    rows = [("号码", "状态", "起始日期"), (ONE, "冷冻", "2026-03-01"), (TWO, "未售", "")]
    found = check(table(rows), "--baseline", "--json")
    assert [(one["meaning"], one["forms"][0]["read"]) for one in found["columns"]] == [
        ("number", "+86 138****8000"), ("state", "frozen"), ("since", "2026-03-01"),
    ]  # fmt: skip
    assert {state: count for state, count in found["counts"].items() if count} == {"frozen": 1, "never_sold": 1}
    assert check(table([*rows, (TWO, "冷冻", "")]), "--baseline", "--json", code=1)["refused"] == 1
    assert run("report", "list", "--json")["reports"] == []


def test_workbooks_and_columns_are_checked_alike(check: Callable[..., Any]) -> None:
    assert check(xlsx(ROWS), "--json")["form"] == "workbook"
    for made in (feather, parquet):
        columns = columns_of([f"+86{ONE}"], ["cancelled"], ["2026-03-01"]).rename_columns(["号码", "event", "日期"])
        found = check(made(columns), "--json")
        assert (found["form"], found["heading_line"], found["accepted"]) == ("columns", 0, 1)
        assert [one["heading"] for one in found["columns"]] == ["号码", "event", "日期"]
