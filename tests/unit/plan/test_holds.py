"""Holds are an authority's word: nothing about them may be guessed, and none may vanish without a name and a reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

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
