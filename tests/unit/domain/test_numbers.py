"""The numbering plan is others' work, kept current by them: what we wrote down of it must be what they say."""

from __future__ import annotations

from huanxin.domain.numbers import CHINESE_CARRIERS, chinese_plan


def test_a_number_belongs_to_the_carrier_that_the_library_of_numbering_plans_names() -> None:
    """Else a carrier's reports are refused, or another's taken, once ranges are allotted anew. When this fails after an
    update of `phonenumbers`, write its prefixes into domain/numbers.py."""
    from phonenumbers.carrierdata import CARRIER_DATA  # 45 MB, for this alone

    known = {prefix: names.get("zh") for prefix, names in CARRIER_DATA.items() if prefix.startswith("861")}
    for code, carrier in chinese_plan().carriers.items():
        named = {prefix for prefix, name in known.items() if name == CHINESE_CARRIERS[code]}
        assert set(carrier.prefixes) == named
