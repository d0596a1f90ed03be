"""The numbering plan is others' work, kept current by them: what we wrote down of it must be what they say."""

from __future__ import annotations

import pytest

from huanxin.domain.numbers import CHINESE_CARRIERS, chinese_plan, masked_text, possible_in, why_not_ours
from huanxin.domain.ranges import prefixes_of
from huanxin.numbersets.sharded import shard_of
from huanxin.words.sentences import Sentence


def test_a_number_belongs_to_the_carrier_that_the_library_of_numbering_plans_names() -> None:
    """Else a carrier's reports are refused, or another's taken, once ranges are allotted anew. When this fails after an
    update of `phonenumbers`, write its prefixes into domain/numbers.py."""
    from phonenumbers.carrierdata import CARRIER_DATA  # 45 MB, for this alone

    known = {prefix: names.get("zh") for prefix, names in CARRIER_DATA.items() if prefix.startswith("861")}
    for code, carrier in chinese_plan().carriers.items():
        named = {prefix for prefix, name in known.items() if name == CHINESE_CARRIERS[code]}
        assert set(carrier.prefixes) - set(prefixes_of(code)) == named
        assert not named & set(prefixes_of(code)), "the library names it now: take it out of ranges.csv"


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        (8616200000000, "ctcc"), (8616512345678, "cmcc"), (8613490001234, "ctcc"), (8614900001234, "ctcc"),
        (8615400001234, None), (8614612345678, None),
    ],
)  # fmt: skip
def test_ranges_that_the_library_names_no_carrier_for_are_known_from_elsewhere(number: int, carrier: str | None) -> None:
    """One such line sank a report."""
    assert chinese_plan().owner(shard_of(number)) == carrier


def test_a_number_of_the_internet_of_things_is_refused_with_that_reason() -> None:
    assert "Internet of Things (+86146)" in why_not_ours(8614612345678)
    assert "in no range" in why_not_ours(8615400001234)


def test_whatever_the_plan_has_belongs_to_somebody() -> None:
    plan = chinese_plan()
    mobile = [shard for shard in range(8613000, 8620000) if possible_in(shard)]
    assert [shard for shard in mobile if plan.owner(shard) is None] == []


def test_what_a_carrier_was_allotted_is_its_own_where_the_plan_names_nobody() -> None:
    plan = chinese_plan()
    plan.learn({8616400: "cmcc", 8613800: "cucc", 8614600: "cucc", 8610100: "cmcc", 8616401: "nobody"})
    owners = [plan.owner(shard) for shard in (8616400, 8613800, 8614600, 8610100, 8616401)]
    assert owners == ["cmcc", "cmcc", None, None, None]
    assert chinese_plan().owner(8616400) is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("+86 139 0000 0001x", "139****0001x"),
        ("+86-139-0000-0001", "139****0001"),
        ("139.0000.0002", "139****0002"),
        ("(139) 0000–0001", "(139****0001"),
        ("１３９０００００００１", "139****0001"),
        ("+8613900000001,opened,2026-11-02", "139****0001,opened,2026-11-02"),
        ("2026-11-02T08:00:00.5+08:00, 2026/3/1 8:00", "2026-11-02T08:00:00.5+08:00, 2026/3/1 8:00"),
        ("report-20261102.csv: 1,234,567 lines", "report-20261102.csv: 1,234,567 lines"),
        ("2026-11-02 13900000001", "2026-11-02 139****0001"),
        ("13900000001 13900000002/13900000003", "139****0001 139****0002/139****0003"),
        ("工单 2026-1130-13900000001", "工单 2026-1130-139****0001"),
        ("+64 21 123 4567 or 0064211234567 or 64211234567", "642****4567 or 642****4567 or 642****4567"),
        (
            "OA-2026-1130, 京公网安备 11010502030143 号, 案号 (2026)京0105民初12345号",
            "OA-2026-1130, 京公网安备 11010502030143 号, 案号 (2026)京0105民初12345号",
        ),
        (
            "order 20261130, ID 110105199003071234, 6222021234567890123",
            "order 20261130, ID 110105199003071234, 6222021234567890123",
        ),
        ("12378, 12321, 1380013800, 86-1380013800", "12378, 12321, 1380013800, 86-1380013800"),
    ],
)
def test_what_is_quoted_shows_no_whole_phone_number_and_keeps_its_days_and_other_numbers(written: str, shown: str) -> None:
    assert masked_text(written) == shown
    said = Sentence("line: %(text)s, %(count)s", text=Sentence("%(it)s", it=written), count=13_900_000_001)
    assert masked_text(said) == f"line: {shown}, 13900000001"
