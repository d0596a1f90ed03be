"""Text as billing systems, databases and spreadsheets export it. What stands above and below the list is passed over, and
nothing that could be a line of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huanxin.numbersets import delimited, tables

COLUMNS = tables.Columns(names=("number", "event", "at"), aliases={"号码": "number", "事件": "event", "时间": "at"})
HEAD = "号码,事件,时间"
ROWS = ["+8613800138000,销户,2026-03-01", "+8613800138001,开户,2026-03-02"]
LIST = tables.Columns(names=("number",), whole=True)


def read(text: str | bytes, columns: tables.Columns = COLUMNS) -> tuple[list[tuple[Any, ...]], list[tuple[int, str]]]:
    """Each row's line and cells; and the lines that can't be taken, with why."""
    with tables.read(tables.inspect(text.encode() if isinstance(text, str) else text), columns) as table:
        found = [
            (line, *cells)
            for chunk in table.chunks
            for line, *cells in zip(
                chunk.lines.tolist(), *(column.to_pylist() for column in chunk.columns.values()), strict=True
            )
        ]
    return found, [(line, str(why)) for line, why, _ in table.ragged]


def rows(first: int = 2) -> list[tuple[Any, ...]]:
    return [(first + at, *row.split(",")) for at, row in enumerate(ROWS)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_any_separator_in_any_encoding(mark: str, encoding: str) -> None:
    text = "\r\n".join([HEAD, *ROWS, ""]).replace(",", mark)
    assert read(text.encode(encoding)) == (rows(), [])


@pytest.mark.parametrize("said", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_the_line_that_tells_excel_what_separates_is_obeyed_and_counted(said: str) -> None:
    assert read("\n".join([said, *(line.replace(",", ";") for line in (HEAD, *ROWS))])) == (rows(3), [])


def test_a_separator_that_only_its_line_names() -> None:
    assert read("\n".join(["sep=^", *(line.replace(",", "^") for line in (HEAD, *ROWS))])) == (rows(3), [])


@pytest.mark.parametrize(
    "above",
    [
        ["中国移动2026年3月销号清单"], ["中国移动销号清单,,"], ["销号清单", "制表时间：2026-04-01 08:00", ""],
        ['"清单, 三月"'], ["清单", "日期,20260301080000"], ["联系人,13800138000"], ['"two\nlines"'],
    ],
)  # fmt: skip
def test_a_title_above_the_heading_is_passed_over_and_its_lines_are_counted(above: list[str]) -> None:
    assert read("\n".join([*above, HEAD, *ROWS])) == (rows(2 + len(above)), [])


def test_a_line_of_the_list_above_the_heading_is_no_title() -> None:
    """Two files that somebody put into one: what stands above the second's heading would be lost without a word."""
    with pytest.raises(tables.BadTable, match="number"):
        read("\n".join([ROWS[0], HEAD, ROWS[1]]))
    with pytest.raises(tables.BadTable, match="number"):
        read("+8613800138000\nnumber\n+8613800138001\n", LIST)


def test_a_heading_that_stands_deep_in_the_file_is_not_looked_for() -> None:
    with pytest.raises(tables.BadTable):
        read("\n".join([*["title"] * 6, HEAD, *ROWS]))


def test_a_heading_that_lacks_a_column_is_told_by_its_own_line() -> None:
    """Not by the title's, which lacks all of them."""
    with pytest.raises(tables.BadTable, match="at is missing") as refused:
        read("\n".join(["三月清单", "号码,事件,几时", *ROWS]))
    assert refused.value.line == 2


@pytest.mark.parametrize(
    "total",
    [
        "合计,2,", "合计：2条", "总计 2,,", ",,合计", "共2条记录", "合 计,,2", "Total: 2", "total,2,", "(2 rows affected)",
        "2 rows selected.", '"合计","2",""', "合计,,,,",
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n", "\n\x1a", "\x1a\r\n"])
def test_a_total_below_the_list_is_none_of_its_lines(total: str, end: str) -> None:
    assert read("\n".join([HEAD, *ROWS, total]) + end) == (rows(), [])


@pytest.mark.parametrize("last", ["合计,+8613800138002,", "合计员,x,y", "Total Recall,cancelled,2026-03-01"])
def test_a_last_line_that_says_more_than_a_total_stays_one_of_them(last: str) -> None:
    found, _ = read("\n".join([HEAD, *ROWS, last]))
    assert [line for line, *_ in found] == [2, 3, 4]


def test_a_total_that_is_not_last_is_a_bad_line() -> None:
    """Lists that were put one under the other; a total that was passed over there would hide that the file is two."""
    found, bad = read("\n".join([HEAD, ROWS[0], "合计,1", ROWS[1]]))
    assert [line for line, *_ in found] == [2, 4]
    assert [line for line, _ in bad] == [3]


@pytest.mark.parametrize("surplus", [",", ",,", ", ,", ',""'])
def test_separators_at_the_end_of_lines_say_nothing(surplus: str) -> None:
    for head, end in ((HEAD + surplus, surplus), (HEAD, surplus), (HEAD + surplus, "")):
        assert read("\n".join([head, *(row + end for row in ROWS)])) == (rows(), []), (head, end)
    assert read("\n".join([HEAD, ROWS[0], ROWS[1] + surplus])) == (rows(), []), "on some lines only"
    assert read("\n".join([HEAD, ROWS[0] + surplus, ROWS[1]])) == (rows(), [])


def test_a_remark_that_excel_left_out_of_a_line_is_an_empty_one() -> None:
    """It writes no separators for empty cells at the end of some lines."""
    assert read("\n".join([HEAD + ",备注", ROWS[0] + ",a", ROWS[1], ""])) == (rows(), [])


def test_a_line_that_was_cut_off_lacks_nothing_in_silence() -> None:
    """2026-03-0 is all that came of 2026-03-09,…: without its line end nobody knows that the line is whole."""
    found, bad = read("\n".join([HEAD + ",备注", ROWS[0] + ",a", ROWS[1]]))
    assert [line for line, *_ in found] == [2]
    assert bad == [(3, "3 columns where the header has 4")]


def test_a_line_that_lacks_what_is_looked_for_or_has_more_is_refused() -> None:
    _, bad = read("\n".join([HEAD, "+8613800138000,销户", ROWS[0] + ",x", ROWS[1], ""]))
    assert [line for line, _ in bad] == [2, 3]


def test_a_heading_in_two_lines_of_one_cell_is_one_heading() -> None:
    columns = tables.Columns(names=("number",), aliases={"手机号码": "number"})
    assert read('"序号\n(自动)",手机号码\n1,+8613800138000\n', columns) == ([(2, "+8613800138000")], [])


ROW = st.sampled_from([*ROWS, ROWS[0] + ",", ROWS[1] + ",,", "", "  "])


@given(body=st.lists(ROW, max_size=40), block=st.integers(60, 300), end=st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=60)
def test_a_text_says_the_same_wherever_the_reader_cuts_it(body: list[str], block: int, end: str) -> None:
    expected = [(at, *row.rstrip(",").split(",")) for at, row in enumerate(body, start=2) if row.strip()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", block)
        found, bad = read(end.join([HEAD, *body, "合计,,"]))
    assert [one for one in found if any(one[1:])] == expected
    assert bad == []
