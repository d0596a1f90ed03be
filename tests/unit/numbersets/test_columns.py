"""What is no phone number is none in any file, whatever a library would read it as, and whoever stands beside it: one line
that passes for another's number cuts a stranger's ties."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huanxin.domain.numbers import parse, why_not_a_number
from huanxin.numbersets import columns

NUMBER = 8613800138000
LIKE_NUMBERS = st.one_of(
    st.from_regex(r"\+?(0[xX])?[0-9a-fA-F]{5,16}", fullmatch=True),
    st.from_regex(r"[-+ ]{0,2}[0-9_.,eE٠-٩０-９]{5,17}", fullmatch=True),
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "0x7d5abcdef01", "0X7D5ABCDEF01", "+0x7d5abcdef01", "+-8613800138000", "-8613800138000", "8_613800138000",
        "861380013e10", "8.6138e12", "8613800138000.0", "٨٦١٣٨٠٠١٣٨٠٠٠", "８６１３８００１３８０００", "0o774",
        "8613800138000\x00", "008613800138000", "inf", "nan", "1e10", "8613800138000n", "++8613800138000",
    ],
)  # fmt: skip
def test_no_other_way_of_writing_a_number_passes_for_a_phone_number(text: str) -> None:
    """Alone, among its kind, and among good numbers: the quick way must not take what the careful one refuses."""
    for column in ([text], [text] * 3, [text, f"+{NUMBER}"], [str(NUMBER), text]):
        _, good = columns.numbers(pa.array(column))
        assert good.tolist() == [one != text for one in column], column


@given(LIKE_NUMBERS)
def test_a_column_takes_what_a_person_who_types_it_is_told_to_be_a_number(text: str) -> None:
    values, good = columns.numbers(pa.array([text]))
    assert bool(good[0]) == (why_not_a_number(text) is None)
    if good[0]:
        assert values[0] == parse(text)
