"""One number's tenures: what a new owner is told depends on them, and what may be cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from huanxin.domain.lifecycle import Cancellation, Event
from huanxin.domain.numbers import Carrier, chinese_plan
from huanxin.domain.tenures import Said, State, Tenure, cutoff_of, standing

AUCKLAND = ZoneInfo("Pacific/Auckland")
PLAN = chinese_plan({"south": Carrier(code="south", name="South", zone=AUCKLAND, prefixes=("6421",))})


def said(*events: tuple[str, str] | tuple[str, str, str]) -> list[Said]:
    """(day, event) as cmcc reported it, or (day, event, carrier)."""
    return [Said(day=date.fromisoformat(day), event=Event(event), carrier=(*who, "cmcc")[0]) for day, event, *who in events]


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


@pytest.mark.parametrize(
    "ways",
    [(("2025-06-01", "ported_out"),), (("2025-06-01", "ported_out"), ("2025-08-01", "ported_out", "cucc")),
     (("2025-06-01", "ported_out"), ("2025-08-01", "ported_out", "cucc"), ("2025-09-01", "ported_out", "ctcc"))],
    ids=["once", "twice", "three times"],
)  # fmt: skip
def test_who_takes_his_number_along_holds_it_through_however_many_carriers(ways: tuple[tuple[str, str], ...]) -> None:
    found = standing(said(("2024-01-05", "opened"), *ways))
    assert found.state is State.PORTED_OUT
    (only,) = found.tenures
    assert (only.opened_on, only.closed_on) == (date(2024, 1, 5), None)


def test_what_was_cancelled_elsewhere_was_the_tenure_that_was_taken_there_and_the_reclaim_goes_on_with_it() -> None:
    """A tenure of nobody between the two would make the owner's own number somebody else's."""
    ported = (("2024-01-05", "opened"), ("2025-06-01", "ported_out"), ("2025-08-01", "cancelled", "cucc"))
    (closed,) = standing(said(*ported)).tenures
    assert closed == Tenure(
        carrier="cucc", opened_on=date(2024, 1, 5), opened_by="cmcc", closed_on=date(2025, 8, 1), how=Event.CANCELLED,
        closing=Cancellation(carrier="cucc", day=date(2025, 8, 1)),
    )  # fmt: skip
    found = standing(said(*ported, ("2025-08-09", "reclaimed", "cucc")))
    assert found.recycled is False
    assert found.current == Tenure(carrier="cucc", opened_on=date(2024, 1, 5), opened_by="cmcc")


def test_a_tenure_goes_on_at_the_carrier_that_took_the_number_in() -> None:
    """Else its owner would be nobody's customer until they leave, or a new owner of their own number."""
    ported = (("2024-01-05", "opened"), ("2025-06-01", "ported_out"), ("2025-06-01", "ported_in", "cucc"))
    found = standing(said(*ported))
    assert found.state is State.IN_SERVICE
    assert found.recycled is False
    assert found.current == Tenure(carrier="cucc", opened_on=date(2024, 1, 5), opened_by="cmcc")
    back = standing(said(*ported, ("2025-08-01", "ported_out", "cucc"), ("2025-08-02", "ported_in")))
    assert back.current == Tenure(carrier="cmcc", opened_on=date(2024, 1, 5), opened_by="cmcc")


def test_what_was_ported_in_before_the_first_report_has_a_tenure_that_began_nobody_knows_when() -> None:
    found = standing(said(("2025-06-01", "ported_in")))
    assert found.recycled is None
    assert found.current == Tenure(carrier="cmcc", opened_on=None)


@pytest.mark.parametrize(("events", "state"), [((), State.UNKNOWN), ((("2025-06-01", "cancelled"),), State.FROZEN)])
def test_nobody_holds_a_number_that_is_frozen_or_was_never_reported(
    events: tuple[tuple[str, str], ...], state: State
) -> None:
    found = standing(said(*events))
    assert found.state is state
    assert found.current is None
    assert found.recycled is None


def test_the_cut_off_is_the_first_instant_of_the_opening_day_where_the_carrier_is_that_reported_it() -> None:
    """A number that was opened in Auckland and taken along to China: midnight in China comes hours too late, and the
    owner's own first ties would be cut."""
    taken_along = Tenure(carrier="cmcc", opened_on=date(2025, 10, 1), opened_by="south")
    assert cutoff_of(taken_along, PLAN) == datetime(2025, 10, 1, tzinfo=AUCKLAND)
    assert cutoff_of(Tenure(carrier="cmcc", opened_on=None), PLAN) is None


def test_a_tenure_names_who_began_it_and_the_cancellation_that_ended_it() -> None:
    """By the cancellation a batch of this tenure is told from one of an earlier; who cancelled may sell the number again."""
    opened, ended = said(("2024-01-05", "opened"), ("2025-06-01", "cancelled", "south"))
    ended = replace(ended, report=7, layer=2)
    (begun,) = standing([opened]).tenures
    assert (begun.carrier, begun.opened_by) == ("cmcc", "cmcc")
    closing = Cancellation(carrier="south", day=date(2025, 6, 1), report=7, layer=2)
    assert standing([opened, ended]).closing == standing([ended]).closing == closing
    assert [one.carrier for one in standing([ended]).tenures] == ["south"]
