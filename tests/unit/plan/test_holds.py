"""Holds are an authority's word: nothing about them may be guessed, and none may vanish without a name and a reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.numbersets.sharded import NumberSet
from huanxin.operations import Platform
from huanxin.plan.batches import held_now
from huanxin.plan.holds import add_hold, lift_hold, read_numbers
from huanxin.store import holds

NUMBERS = NumberSet.of([8613800138000])
LATER = date(2027, 1, 1)


def place(
    platform: Platform, numbers: NumberSet = NUMBERS, *, source: str = "police", until: date = date(2027, 1, 1)
) -> int:
    with platform.database.transaction() as tx:
        return add_hold(tx, numbers, source=source, reason="fraud", until=until, review_on=None, now=platform.now(), by="li")


def test_a_file_with_one_unreadable_number_is_refused_whole(tmp_path: Path) -> None:
    """A hold that silently misses a number lets that number be sold."""
    path = tmp_path / "holds.csv"
    path.write_text("号码\n+8613800138000\n8.61E+12\n\n13800138001\n", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_numbers(path)
    assert [fault.line for fault in refused.value.faults] == [3, 5]
    path.write_text("号码\n+8613800138000\n", encoding="utf-8")
    assert list(read_numbers(path)) == [8613800138000]


def test_a_workbook_is_checked_as_the_same_list_in_csv_would_be(tmp_path: Path) -> None:
    """Excel keeps numbers as numbers: whole ones are read, what it has rounded is refused by the row of the sheet."""
    path = tmp_path / "holds.xlsx"
    book = Workbook()
    for row in (("name", "号码"), ("a", 8613800138000), ("b", "+8613800138001"), (None, None), ("c", 8613800138002.0)):
        book.active.append(row)
    book.save(path)
    assert list(read_numbers(path)) == [8613800138000, 8613800138001, 8613800138002]
    for row in (("d", 8.61e12), ("e", "8.61E+12"), ("f", 13800138003), ("g", "x"), ("h", 86138001380.5)):
        book.active.append(row)
    book.save(path)
    with pytest.raises(BadInput) as refused:
        read_numbers(path)
    assert [fault.line for fault in refused.value.faults] == [6, 7, 8, 9, 10]
    rounded, text, national, *_ = (fault.reason for fault in refused.value.faults)
    assert "spreadsheet rounded" in rounded
    assert "spreadsheet rounded" in text
    assert "country code" in national


def test_a_list_may_stand_on_a_later_sheet_and_a_damaged_workbook_says_so(tmp_path: Path) -> None:
    path = tmp_path / "holds.xlsx"
    book = Workbook()
    book.create_sheet("numbers").append(["number"])
    book["numbers"].append(["+8613800138000"])
    book.save(path)
    assert list(read_numbers(path)) == [8613800138000]
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(BadInput, match="Excel workbook"):
        read_numbers(path)


def test_a_hold_names_its_source_and_at_least_one_number(platform: Platform) -> None:
    with pytest.raises(BadInput, match="source"):
        place(platform, source="  ")
    with pytest.raises(BadInput, match="no number"):
        place(platform, NumberSet())


def test_a_hold_binds_through_its_last_day_and_no_longer(platform: Platform) -> None:
    place(platform, until=date(2026, 11, 23))
    assert place(platform, NumberSet.of([8613800138001]), until=date(2026, 11, 24))
    with platform.database.transaction() as tx:
        assert list(held_now(tx, platform.plan.carriers, platform.now())) == [8613800138001]


def test_a_hold_keeps_the_number_of_its_order_and_says_when_its_review_is_overdue(platform: Platform) -> None:
    with platform.database.transaction() as tx:
        add_hold(tx, NUMBERS, source="police", order=" 17 ", reason="fraud", until=LATER, review_on=date(2026, 11, 23),
                 now=platform.now(), by="li")  # fmt: skip
        (hold,) = holds.of_number(tx, 8613800138000)
        assert holds.of_number(tx, 8613800138001) == []
    assert (hold.order_number, hold.named) == ("17", "police, 17")
    assert hold.review_overdue(date(2026, 11, 24))
    assert not hold.review_overdue(date(2026, 11, 23)), "its day is not over"
    assert not hold.review_overdue(date(2027, 1, 2)), "it has let go"


def test_a_hold_is_lifted_once_by_name_with_a_reason_and_stays_on_record(platform: Platform) -> None:
    hold = place(platform)
    with pytest.raises(BadInput, match="why"), platform.database.transaction() as tx:
        lift_hold(tx, hold, reason=" ", now=platform.now(), by="wang")
    with platform.database.transaction() as tx:
        lift_hold(tx, hold, reason="cleared", now=platform.now(), by="wang")
    with pytest.raises(Conflict, match="wang"), platform.database.transaction() as tx:
        lift_hold(tx, hold, reason="again", now=platform.now(), by="li")
    with pytest.raises(NotFound), platform.database.transaction() as tx:
        lift_hold(tx, hold + 1, reason="none", now=platform.now(), by="li")
    with platform.database.transaction() as tx:
        assert [(one.reason, one.lifted_by, one.lift_reason) for one in holds.all_holds(tx)] == [
            ("fraud", "wang", "cleared")
        ]
