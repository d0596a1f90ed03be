"""Holds are an authority's word: nothing about them may be guessed, and none may vanish without a name and a reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from clocks import Clock
from holding import hold, placed
from huanxin.acts import Platform
from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.domain.numbers import chinese_plan
from huanxin.plan.batches import held_now
from huanxin.release.holds import lift_hold, read_numbers
from huanxin.store.plan import holds
from huanxin.web.pages.console.forms import typed_numbers

PLAN = chinese_plan()
NUMBERS = [8613800138000]


def test_a_file_with_one_unreadable_number_is_refused_whole(tmp_path: Path) -> None:
    """A hold that silently misses a number lets that number be sold."""
    path = tmp_path / "holds.csv"
    path.write_text("号码\n+8613800138000\n8.61E+12\n\n1380013800\n", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_numbers(path, PLAN)
    assert [fault.line for fault in refused.value.faults] == [3, 5]
    path.write_text("号码\n+8613800138000\n", encoding="utf-8")
    assert list(read_numbers(path, PLAN)) == [8613800138000]


def test_bad_lines_far_apart_are_all_named(tmp_path: Path) -> None:
    """The file is read in pieces: what the first piece holds must not be forgotten over the last."""
    path = tmp_path / "holds.csv"
    good = [f"+{8613800000000 + n}" for n in range(200_000)]
    path.write_text("\n".join(["number", "1300000000", *good, "1999999999", ""]), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_numbers(path, PLAN)
    assert [(fault.line, "10 digits" in fault.reason) for fault in refused.value.faults] == [(2, True), (200_003, True)]


def test_a_file_without_any_number_holds_none(tmp_path: Path) -> None:
    (tmp_path / "holds.csv").write_text("number\n", encoding="utf-8")
    assert list(read_numbers(tmp_path / "holds.csv", PLAN)) == []


def test_a_workbook_is_checked_as_the_same_list_in_csv_would_be(tmp_path: Path) -> None:
    """Excel keeps numbers as numbers: whole ones are read, what it has rounded is refused by the row of the sheet."""
    path = tmp_path / "holds.xlsx"
    book = Workbook()
    for row in (("name", "号码"), ("a", 8613800138000), ("b", "+8613800138001"), (None, None), ("c", 8613800138002.0)):
        book.active.append(row)
    book.save(path)
    assert list(read_numbers(path, PLAN)) == [8613800138000, 8613800138001, 8613800138002]
    for row in (("d", 8.61e12), ("e", "8.61E+12"), ("f", 1380013800), ("g", "x"), ("h", 86138001380.5)):
        book.active.append(row)
    book.save(path)
    with pytest.raises(BadInput) as refused:
        read_numbers(path, PLAN)
    assert [fault.line for fault in refused.value.faults] == [6, 7, 8, 9, 10]
    rounded, text, short, *_ = (fault.reason for fault in refused.value.faults)
    assert "spreadsheet rounded" in rounded
    assert "spreadsheet rounded" in text
    assert "not a whole mobile number" in short


def test_a_list_may_stand_on_a_later_sheet_and_a_damaged_workbook_says_so(tmp_path: Path) -> None:
    path = tmp_path / "holds.xlsx"
    book = Workbook()
    book.create_sheet("numbers").append(["number"])
    book["numbers"].append(["+8613800138000"])
    book.save(path)
    assert list(read_numbers(path, PLAN)) == [8613800138000]
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(BadInput, match="Excel workbook"):
        read_numbers(path, PLAN)


def _sheet(path: Path, *rows: tuple[object, ...]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cell in (cell for row in book.active.iter_rows() for cell in row):
        if str(cell.value).startswith("#"):
            cell.data_type = "e"
    book.save(path)
    return path


def test_a_cell_that_holds_an_error_or_a_formula_without_its_value_is_refused_with_its_row(tmp_path: Path) -> None:
    """A look-up that failed reads as an empty cell: the hold was placed without that number, which could then be sold."""
    rows = (("name", "号码"), ("a", "+8613800138000"), ("b", "#N/A"), ("c", "=VLOOKUP(C1,A1:B2,2)"), (None, None),
            ("d", "#REF!"))  # fmt: skip
    with pytest.raises(BadInput) as refused:
        read_numbers(_sheet(tmp_path / "holds.xlsx", *rows), PLAN)
    assert [(fault.line, fault.text) for fault in refused.value.faults] == [
        (3, "#N/A"),
        (4, "=VLOOKUP(C1,A1:B2,2)"),
        (6, "#REF!"),
    ]
    assert all("of a spreadsheet" in fault.reason for fault in refused.value.faults)
    csv = tmp_path / "holds.csv"
    csv.write_text("\n".join(",".join(str(cell or "") for cell in row) for row in rows[:3]), encoding="utf-8")
    with pytest.raises(BadInput) as same:
        read_numbers(csv, PLAN)
    assert [(one.line, one.reason) for one in same.value.faults] == [(3, refused.value.faults[0].reason)]


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_a_row_that_names_somebody_and_no_number_is_refused_and_an_empty_one_says_nothing(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"holds.{form}"
    names, numbers = ["a", None, "c"], ["+8613800138000", None, None]
    if form == "xlsx":
        _sheet(path, ("name", "number"), *zip(names, numbers, strict=True))
    elif form == "csv":
        path.write_text("name,number\na,+8613800138000\n,\nc,\n", encoding="utf-8")
    else:
        pq.write_table(pa.table({"name": ["a", "c"], "number": numbers[::2]}), path)
    with pytest.raises(BadInput) as refused:
        read_numbers(path, PLAN)
    assert [(fault.line, fault.reason) for fault in refused.value.faults] == [
        (2 if form == "parquet" else 4, "the number is empty")
    ]


def test_a_second_list_in_a_workbook_is_not_left_out_in_silence(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["number"])
    book.active.append(["+8613800138000"])
    book.create_sheet("more").append(["number"])
    book["more"].append(["+8613800138001"])
    book.save(tmp_path / "holds.xlsx")
    with pytest.raises(BadInput, match="several sheets"):
        read_numbers(tmp_path / "holds.xlsx", PLAN)


def test_a_number_in_no_carriers_range_is_refused_with_its_line(tmp_path: Path) -> None:
    """A digit that an authority's clerk left out: the hold was placed, held nothing, and the number could be sold."""
    path = tmp_path / "holds.csv"
    path.write_text("number\n+8613800138000\n+861380013701\n+4915112345678\n 1380013800\n", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_numbers(path, chinese_plan())
    assert [(fault.line, "in no range" in fault.reason) for fault in refused.value.faults] == [
        (3, False),
        (4, True),
        (5, False),
    ]
    assert "12 digits" in refused.value.faults[0].reason
    assert "10 digits" in refused.value.faults[2].reason
    with pytest.raises(BadInput) as typed:
        typed_numbers("13800138000\n+861380013701\n+4915112345678\n", chinese_plan())
    assert [fault.line for fault in typed.value.faults] == [2, 3]
    path.write_text("number\n+8613800138000\n", encoding="utf-8")
    assert list(read_numbers(path, chinese_plan())) == NUMBERS == list(typed_numbers("138 0013 8000\n", chinese_plan()))


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"source": "  "}, "source"), ({"order": ""}, "number of the authority's order"), ({"reason": " "}, "reason"),
        ({"numbers": []}, "no number"), ({"until": date(2026, 11, 23)}, "before today"),
        ({"review": date(2026, 11, 23)}, "day of review"), ({"review": date(2027, 5, 2)}, "day of review"),
    ],
)  # fmt: skip
def test_an_order_without_what_makes_it_one_is_refused(platform: Platform, order: dict[str, Any], why: str) -> None:
    """On the pages and on the command line alike: a hold nobody can trace, or one that is over, helps nobody."""
    with pytest.raises(BadInput, match=why):
        hold(platform, **({"numbers": NUMBERS} | order))
    with platform.database.transaction() as tx:
        assert holds.all_holds(tx) == []


def test_the_same_order_twice_changes_nothing_and_another_adds_to_it(platform: Platform) -> None:
    """Else lifting the one leaves the other, and the number stays frozen for good."""
    first = hold(platform, NUMBERS)
    again = placed(platform, NUMBERS)
    assert (again.id, again.new) == (first, False)
    others = [hold(platform, NUMBERS, order="18"), hold(platform, NUMBERS, until=date(2028, 1, 1)),
              hold(platform, [NUMBERS[0] + 1])]  # fmt: skip
    assert len({first, *others}) == 4
    with platform.act("wang") as act:
        lift_hold(act, first, reason="cleared")
    assert hold(platform, NUMBERS) not in {first, *others}, "one that was lifted does not come back to life"


def test_a_hold_binds_through_its_last_day_and_no_longer(platform: Platform, clock: Clock) -> None:
    hold(platform, NUMBERS, until=date(2026, 11, 24))
    hold(platform, [8613800138001], until=date(2026, 11, 25))
    clock.forward(days=1)
    with platform.read() as reading:
        assert list(held_now(reading)) == [8613800138001]


def test_a_hold_keeps_the_number_of_its_order_and_says_when_its_review_is_overdue(platform: Platform) -> None:
    hold(platform, NUMBERS, order=" 17 ", review=date(2026, 11, 24))
    with platform.database.transaction() as tx:
        (found,) = holds.of_number(tx, 8613800138000)
        assert holds.of_number(tx, 8613800138001) == []
    assert (found.order_number, found.named) == ("17", "police, 17")
    assert found.review_overdue(date(2026, 11, 25))
    assert not found.review_overdue(date(2026, 11, 24)), "its day is not over"
    assert not found.review_overdue(date(2027, 5, 2)), "it has let go"


def test_a_hold_is_lifted_once_by_name_with_a_reason_and_stays_on_record(platform: Platform) -> None:
    order = hold(platform, NUMBERS)
    with pytest.raises(BadInput, match="why"), platform.act("wang") as act:
        lift_hold(act, order, reason=" ")
    with platform.act("wang") as act:
        lift_hold(act, order, reason="cleared")
    with pytest.raises(Conflict, match="wang"), platform.act("li") as act:
        lift_hold(act, order, reason="again")
    with pytest.raises(NotFound), platform.act("li") as act:
        lift_hold(act, order + 1, reason="none")
    with platform.database.transaction() as tx:
        assert [(one.reason, one.lifted_by, one.lift_reason) for one in holds.all_holds(tx)] == [
            ("fraud", "wang", "cleared")
        ]
