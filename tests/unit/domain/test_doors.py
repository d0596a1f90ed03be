"""What each door infers is what the documentation says, and what the door does."""

from __future__ import annotations

from pathlib import Path

import pytest

from huanxin.domain import doors
from huanxin.domain.doors import DOORS, Infers
from huanxin.domain.numbers import Carrier, chinese_plan
from huanxin.numbersets import phones

DOCS = Path(__file__).parents[3] / "docs/files.md"
PLAN = chinese_plan(
    {"ohio": Carrier(code="ohio", name="Ohio", zone=chinese_plan().carriers["cmcc"].zone, prefixes=("1380",))}
)
UNCLEAR = "13802138000"


def test_the_table_of_the_documentation_is_made_from_the_doors() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert doors.table(0) in text
    assert doors.table(1) in text


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.english)
def test_a_door_infers_what_it_says(door: doors.Door) -> None:
    chinese, american = (door.home(PLAN, PLAN.carriers[name]) for name in ("cmcc", "ohio"))
    if door.infers is Infers.CARRIER:
        assert (phones.read(UNCLEAR, chinese), phones.read(UNCLEAR, american)) == (8613802138000, 13802138000)
        assert door.home(PLAN, PLAN.carriers["ohio"].writing_in("CN")) == chinese
        return
    why = "may be a number of" if door.infers is Infers.CONFIGURED else "no country code"
    assert why in str(phones.why_not(UNCLEAR, chinese))
    assert chinese == american
    assert phones.read("+8613802138000", chinese) == 8613802138000
