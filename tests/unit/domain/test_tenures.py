"""One number's tenures: what a new owner is told depends on them, and what may be cut."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from huanxin.domain.lifecycle import Event
from huanxin.domain.tenures import Said, State, cutoff_of, standing

SHANGHAI = ZoneInfo("Asia/Shanghai")


def said(*events: tuple[str, str], carrier: str = "cmcc") -> list[Said]:
    return [Said(day=date.fromisoformat(day), event=Event(event), carrier=carrier) for day, event in events]


def test_a_number_sold_again_is_recycled_and_its_tenure_begins_on_the_opening_day() -> None:
    found = standing(said(("2024-01-05", "opened"), ("2025-06-01", "cancelled"), ("2025-10-01", "opened")))
    assert found.state is State.IN_SERVICE
    assert found.recycled is True
    assert found.current is not None
    assert found.current.opened_on == date(2025, 10, 1)


def test_a_number_opened_for_the_first_time_is_not_recycled() -> None:
    found = standing(said(("2025-10-01", "opened")))
    assert found.recycled is False


def test_a_number_cancelled_before_the_first_report_knows_its_first_owner_had_it() -> None:
    found = standing(said(("2025-06-01", "cancelled"), ("2025-10-01", "opened")))
    assert found.recycled is True
    assert found.tenures[0].opened_on is None


def test_a_transfer_begins_a_new_tenure_without_a_freeze() -> None:
    found = standing(said(("2024-01-05", "opened"), ("2025-06-01", "transferred")))
    assert found.recycled is True
    assert found.current is not None
    assert found.current.opened_on == date(2025, 6, 1)
    assert found.tenures[0].closed_on == date(2025, 6, 1)


def test_who_takes_his_number_back_has_held_it_all_along() -> None:
    found = standing(said(("2024-01-05", "opened"), ("2025-06-01", "cancelled"), ("2025-06-20", "reclaimed")))
    assert found.recycled is False
    assert found.current is not None
    assert found.current.opened_on == date(2024, 1, 5)


def test_who_ported_his_number_out_is_not_a_former_owner() -> None:
    found = standing(said(("2024-01-05", "opened"), ("2025-06-01", "ported_out")))
    assert found.state is State.PORTED_OUT
    assert found.current is None
    assert found.recycled is None


@pytest.mark.parametrize(("events", "state"), [((), State.UNKNOWN), ((("2025-06-01", "cancelled"),), State.FROZEN)])
def test_nobody_holds_a_number_that_is_frozen_or_was_never_reported(
    events: tuple[tuple[str, str], ...], state: State
) -> None:
    found = standing(said(*events))
    assert found.state is state
    assert found.current is None
    assert found.recycled is None


def test_the_cut_off_is_the_first_instant_of_the_opening_day_where_the_carrier_is() -> None:
    assert cutoff_of(date(2025, 10, 1), SHANGHAI) == datetime(2025, 10, 1, tzinfo=SHANGHAI)
