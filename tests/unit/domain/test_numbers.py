"""The numbering plan is others' work, kept current by them: what we wrote down of it must be what they say."""

from __future__ import annotations

import pytest

from huanxin.domain.numbers import CHINESE_CARRIERS, chinese_plan, masked_text
from huanxin.words.sentences import Sentence


def test_a_number_belongs_to_the_carrier_that_the_library_of_numbering_plans_names() -> None:
    """Else a carrier's reports are refused, or another's taken, once ranges are allotted anew. When this fails after an
    update of `phonenumbers`, write its prefixes into domain/numbers.py."""
    from phonenumbers.carrierdata import CARRIER_DATA  # 45 MB, for this alone

    known = {prefix: names.get("zh") for prefix, names in CARRIER_DATA.items() if prefix.startswith("861")}
    for code, carrier in chinese_plan().carriers.items():
        named = {prefix for prefix, name in known.items() if name == CHINESE_CARRIERS[code]}
        assert set(carrier.prefixes) == named


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
