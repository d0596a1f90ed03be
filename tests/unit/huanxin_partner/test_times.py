"""How a stored time is read: as what it says, or not at all. A tie of the new owner that is read as an old one is cut."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huanxin_partner.times import BadForm, Times

SHANGHAI = ZoneInfo("Asia/Shanghai")
INSTANTS = st.datetimes(datetime(2001, 9, 10), datetime(2100, 1, 1))  # noqa: DTZ001  # Hypothesis wants them so


@given(instant=INSTANTS, text=st.booleans())
def test_unix_seconds_are_no_week_of_the_year_1749(instant: datetime, text: bool) -> None:
    """Of 10,000 ties whose times stand as text of Unix seconds, 347 were read as an ISO week, of 1749 for instance."""
    seconds = int(instant.replace(tzinfo=UTC).timestamp())
    read = Times().latest(str(seconds) if text else seconds)
    real = datetime.fromtimestamp(seconds, UTC)
    assert read is None or real <= read < real + timedelta(seconds=1)
    in_doubt = 1_970_000_000 < seconds < 2_100_000_000  # may be an hour of a day, 2026060112
    assert read is not None or in_doubt


@pytest.mark.parametrize(
    "value",
    [
        "2026-W01", "2026-W01-1", "2026W011", "2026-001", "2026001", "2026-01-01T12", "20260101T12", "2026-01-01 12",
        20260601, 20260601.0, 2026060112, "2026060112", 202606011200, 20260601120000, "20260601120000", 46000.5, 2461000.5,
        "infinity", "-infinity", float("inf"), float("nan"), Decimal("NaN"), 10**400, "9999-12-31 23:59:59", date.max,
        datetime(9999, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), "0000-00-00", "0000-00-00 00:00:00",
        "0001-01-01", "1900-01-01", date(1900, 1, 1), 0, "0",
        "1970-01-01 00:00:00", datetime(1970, 1, 1, tzinfo=UTC), "1980-01-01", 816_220_800, True, False, None, "", " ",
        b"2020-01-01", "last year", "01/06/2026", "2026-6-1", "2026-02-30", "2026-01-01T25:00", "２０２６-01-01", "1e9",
        "2026-01-01T12:00:00[Asia/Shanghai]", "2026-01-01T12:00:00 CST", "2026-01-01T12:00:00+08:00:00.5", [2020],
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_in_doubt_is_not_read(value: object) -> None:
    assert Times().latest(value) is None


@pytest.mark.parametrize(
    ("value", "latest"),
    [
        ("2026-06-01", "2026-06-01T15:59:59.999999"),
        ("20260601", "2026-06-01T15:59:59.999999"),
        ("2026-06-01 12:00", "2026-06-01T04:00:59.999999"),
        ("2026-06-01 12:00:00", "2026-06-01T04:00:00.999999"),
        ("2026-06-01 12:00:00.000000", "2026-06-01T04:00:00.999999"),  # a program that prints zeros it doesn't keep
        ("2026-06-01T12:00:00.5Z", "2026-06-01T12:00:00.599999"),
        ("2026-06-01t12:00:00,25z", "2026-06-01T12:00:00.259999"),
        ("2026-06-01 12:00:00.123456+00", "2026-06-01T12:00:00.123456"),
        ("2026-06-01 12:00:00 +0200", "2026-06-01T10:00:00.999999"),
        (1_780_315_200, "2026-06-01T12:00:00.999999"),
        (" 1780315200 ", "2026-06-01T12:00:00.999999"),
        (1_780_315_200.5, "2026-06-01T12:00:00.599999"),
        (Decimal("1780315200.25"), "2026-06-01T12:00:00.259999"),
        (1_780_315_200_123, "2026-06-01T12:00:00.123999"),
        ("1780315200123456", "2026-06-01T12:00:00.123456"),
        (date(2026, 6, 1), "2026-06-01T15:59:59.999999"),
    ],
)
def test_what_is_beyond_doubt_is_read_as_the_last_instant_that_it_may_be(value: object, latest: str) -> None:
    assert Times(zone=SHANGHAI).latest(value) == datetime.fromisoformat(latest).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "value", "latest"),
    [
        ("%Y%m%d", 20260601, "2026-06-01T15:59:59.999999"),
        ("%Y%m%d", 20260601.0, "2026-06-01T15:59:59.999999"),
        ("%Y%m%d", "20260601", "2026-06-01T15:59:59.999999"),
        ("%Y%m%d%H", 2026060112, "2026-06-01T04:59:59.999999"),
        ("%Y%m%d%H%M%S", 20260601120000, "2026-06-01T04:00:00.999999"),
        ("%d/%m/%Y %H:%M", "01/06/2026 12:00", "2026-06-01T04:00:59.999999"),
        ("%d.%m.%y", "01.06.26", "2026-06-01T15:59:59.999999"),
        ("%Y-%m-%d 00:00:00", "2026-06-01 00:00:00", "2026-06-01T15:59:59.999999"),  # days in a column of times
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2026-06-01T12:00:00.5+00:00", "2026-06-01T12:00:00.599999"),
        ("%G-W%V-%u", "2026-W23-1", "2026-06-01T15:59:59.999999"),
        ("%Y%j", 2026152, "2026-06-01T15:59:59.999999"),
        ("seconds", 2026060112, "2034-03-15T18:28:32.999999"),
        ("milliseconds", "1780315200123", "2026-06-01T12:00:00.123999"),
        ("microseconds", 1780315200123456, "2026-06-01T12:00:00.123456"),
    ],
)
def test_a_form_that_is_named_leaves_no_doubt(form: str, value: object, latest: str) -> None:
    assert Times(zone=SHANGHAI, form=form).latest(value) == datetime.fromisoformat(latest).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("%Y%m%d", 2026611), ("%Y%m%d", "2026-06-01"), ("%Y%m%d", 20261301), ("%Y%m%d", 19000101), ("%Y%m%d", "20260601 "),
        ("seconds", "2026-06-01"), ("seconds", 20260601), ("seconds", True), ("seconds", 0), ("seconds", float("inf")),
        ("milliseconds", 1_780_315_200), ("%Y-%m-%d 00:00:00", "2026-06-01 12:00:00"), ("seconds", "1e999999999"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_form_that_is_named_is_in_doubt(form: str, value: object) -> None:
    assert Times(form=form).latest(value) is None


@pytest.mark.parametrize(
    "form",
    [
        "zonee",
        "%Y",
        "%Y%m",
        "%H:%M",
        "%d%m",
        "%Y-%m-%d %M",
        "%Y%m%d %S",
        "%c",
        "%A %d %m %Y",
        "%Y%m%d%Y",
        "%",
        "%Y%m%d%Q",
        " ",
    ],
)
def test_a_form_that_tells_no_time_is_refused(form: str) -> None:
    with pytest.raises(BadForm, match="%Y%m%d"):
        Times(form=form)


@given(instant=INSTANTS, zone=st.timezones(), form=st.sampled_from(["%Y%m%d", "%Y%m%d%H%M%S", "%d/%m/%Y %H:%M", "%Y-%jT%H"]))
def test_no_form_is_read_as_an_instant_before_the_real_one(instant: datetime, zone: ZoneInfo, form: str) -> None:
    real = instant.replace(tzinfo=UTC)
    read = Times(zone=zone, form=form).latest(real.astimezone(zone).strftime(form))
    assert read is not None
    assert real <= read < real + timedelta(days=2)
