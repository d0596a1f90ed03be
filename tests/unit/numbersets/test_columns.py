"""What is no phone number is none in any file, whatever a library would read it as, and whoever stands beside it: one line
that passes for another's number cuts a stranger's ties."""

from __future__ import annotations

from datetime import UTC, date, datetime

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


def test_a_time_is_known_for_one_and_a_day_for_no_more_than_a_day_in_whatever_form_it_comes() -> None:
    """Auckland sets its clocks back on 5 April 2026: half past two comes twice that night."""
    text = ["2026-04-05", "2026-04-05T09:00:00", "2026-04-05T02:30:00", "2026-04-05T02:30:00+13:00", "2026-04-05T00:00:00"]
    found = columns.instants(pa.array(text), "Pacific/Auckland")
    assert found.good.all()
    assert found.timed.tolist() == [False, True, False, True, True]
    hours = (found.at - found.at[0]) // 3_600_000_000
    assert hours.tolist() == [0, 10, 2, 2, 0]
    days = pa.array([date(2026, 4, 5)], pa.date32())
    local = pa.array([datetime(2026, 4, 5, 2, 30), datetime(2026, 4, 5, 9)], pa.timestamp("us"))  # noqa: DTZ001
    known = pa.array([datetime(2026, 4, 4, 13, 30, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    timed = [columns.instants(one, "Pacific/Auckland").timed.tolist() for one in (days, local, known)]
    assert timed == [[False], [False, True], [True]]
