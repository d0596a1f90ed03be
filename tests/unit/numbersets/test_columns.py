"""Columns of times."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa

from huanxin.numbersets import columns


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
