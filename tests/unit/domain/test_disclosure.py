"""What a buyer is told of a number, case by case: what must not be sold is never graded, and nobody's number is told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from huanxin.domain.disclosure import Case, Grade, NotForSale, Renewal, tell
from huanxin.domain.tenures import NumberTenures, State, Tenure

CLOSED, TODAY = date(2026, 8, 25), date(2026, 11, 24)  # 91 days later: the first day on which it may be sold
FROZEN = NumberTenures(state=State.FROZEN, tenures=(Tenure(carrier="cmcc", opened_on=None, closed_on=CLOSED),))
CLEAN = Case(
    number=8613800138000, today=TODAY, standing=FROZEN, sellers=("cmcc",), held=False, acknowledged=False, allotted=True,
    freeze_days=90,
    renewal=Renewal(freeze_days=90, asked=3, confirmed=3, open=False, released=True, taken_back=False),
)  # fmt: skip
WAIVED = replace(CLEAN, renewal=replace(CLEAN.renewal, confirmed=1)) if CLEAN.renewal else CLEAN


def test_what_was_released_is_graded_by_what_was_confirmed_and_told_with_its_counts() -> None:
    told = tell(CLEAN, "cmcc")
    assert (told.grade, told.why, told.for_sale, told.carrier) == (Grade.B, None, True, "cmcc")
    assert (told.asked, told.confirmed, told.open, told.frozen_days, told.sellable_from) == (3, 3, 0, 91, TODAY)
    assert tell(CLEAN, None).carrier == "cmcc", "whoever may sell it"
    told = tell(WAIVED, "cmcc")
    assert (told.grade, told.asked, told.confirmed, told.open) == (Grade.C, 3, 1, 2)


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (replace(CLEAN, sellers=()), NotForSale.NO_NUMBER),
        (replace(CLEAN, today=date(2026, 11, 23)), NotForSale.FREEZING),
        (replace(CLEAN, renewal=None), NotForSale.NOT_RELEASED),
        (replace(CLEAN, held=True), NotForSale.WITHHELD),
        (replace(CLEAN, acknowledged=True), NotForSale.ACKNOWLEDGED),
        (replace(CLEAN, standing=replace(FROZEN, state=State.IN_SERVICE)), NotForSale.IN_SERVICE),
        (replace(CLEAN, standing=replace(FROZEN, state=State.PORTED_OUT)), NotForSale.PORTED_OUT),
    ],
)
def test_what_may_not_be_sold_has_a_reason_and_no_grade(case: Case, why: NotForSale) -> None:
    told = tell(case, "cmcc" if case.sellers else None)
    assert (told.why, told.grade, told.for_sale) == (why, Grade.BLOCKED, False)


@pytest.mark.parametrize("case", [replace(CLEAN, held=True), replace(CLEAN, today=date(2026, 11, 23))])
def test_of_what_is_not_for_sale_no_counts_are_told_since_they_tell_objections_from_holds(case: Case) -> None:
    told = tell(case, "cmcc")
    assert (told.asked, told.confirmed) == (0, 0)
    assert told.closed_on == CLOSED


def test_another_carriers_number_is_told_of_to_nobody() -> None:
    told = tell(CLEAN, "cucc")
    assert (told.why, told.carrier) == (NotForSale.OTHER_CARRIER, None)
    assert (told.recycled, told.closed_on, told.frozen_days, told.sellable_from, told.asked) == (None, None, None, None, 0)
    nobodys = tell(replace(CLEAN, sellers=()), None)
    assert (nobodys.carrier, nobodys.recycled, nobodys.closed_on) == (None, None, None)


@pytest.mark.parametrize("state", [State.IN_SERVICE, State.PORTED_OUT])
def test_of_a_number_that_somebody_holds_nothing_is_told_but_that(state: State) -> None:
    told = tell(replace(CLEAN, standing=replace(FROZEN, state=state)), "cmcc")
    assert (told.recycled, told.closed_on, told.frozen_days, told.asked, told.confirmed) == (None, None, None, 0, 0)


def test_a_number_that_nobody_had_is_for_first_use_if_it_was_allotted() -> None:
    new = replace(CLEAN, standing=NumberTenures(state=State.UNKNOWN, tenures=()), renewal=None)
    told = tell(new, "cmcc")
    assert (told.grade, told.recycled, told.closed_on, told.asked, told.confirmed) == (Grade.A, False, None, 0, 0)
    assert tell(replace(new, allotted=False), "cmcc").why == NotForSale.WITHHELD
