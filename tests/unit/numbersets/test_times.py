"""A time is read as the day or the instant that it can mean, or refused with the reason. Whoever reads a day for another one
ends a freeze too early."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from huanxin.numbersets import moments, times
from huanxin.numbersets.times import Order

CHINA = ZoneInfo("Asia/Shanghai")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = datetime(2026, 3, 1, tzinfo=CHINA)


def at_of(found: moments.Times, row: int = 0) -> datetime:
    return EPOCH + timedelta(microseconds=int(found.at[row]))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "2026/3/1",
        "2026-3-1",
        "2026.3.1",
        "2026/03/01",
        "2026年3月1日",
        "2026年03月01日",
        "20260301",
        "'2026-03-01",
        '="2026-03-01"',
        "２０２６－０３－０１",
        "\ufeff2026/3/1",
        "1-Mar-2026",
        "01 March 2026",
        "2026 年 3 月 1 日",
        "20260301.0",
        "2026年3月1号",
    ],
)
def test_a_day_is_a_day_and_no_instant(text: str) -> None:
    """Read as midnight it would go before what happened that night, and decide the order of a day's events."""
    found = moments.instants(pa.array([text]), "Asia/Shanghai")
    assert (found.good[0], found.timed[0], at_of(found)) == (True, False, DAY)
    assert times.read(text) == times.Moment(at=DAY.replace(tzinfo=None), timed=False)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01 15:05",
        "2026-3-1 15:05:00",
        "2026/3/1 15:05",
        "2026.03.01 15:05:00",
        "2026年3月1日 15:05",
        "2026年3月1日15:05:00",
        "2026年3月1日 15时5分",
        "2026年3月1日下午3点5分0秒",
        "2026/3/1 下午 3:05",
        "2026/3/1 下午3:05:00",
        "2026/3/1 3:05:00 PM",
        "2026-03-01 03:05 p.m.",
        "20260301150500",
        "202603011505",
        "20260301 150500",
        "20260301T150500+0800",
        "2026-03-01T15:05:00+08:00",
        "2026-03-01 15:05:00 +0800",
        "2026-03-01T07:05:00Z",
        "2026-03-01 07:05:00 UTC",
        "2026-03-01 15:05:00 GMT+8",
        "2026-03-01T15:05+08:00[Asia/Shanghai]",
        "2026-03-01T15:05:00.000000000+08:00",
        "2026-03-01 15:05:00.000",
        "1772348700",
        "1772348700000",
        "1772348700.0",
        "01-MAR-2026 15:05:00",
        "2026-03-01 15:05:00,000",
    ],
)
def test_an_instant_is_read_however_it_is_written(text: str) -> None:
    expected = DAY + timedelta(hours=15, minutes=5)
    for beside in ([], ["2026-03-01T08:00:00+08:00"], ["2026/3/1"], ["no time"]):
        found = moments.instants(pa.array([text, *beside]), "Asia/Shanghai")
        assert (found.good[0], found.timed[0], at_of(found)) == (True, True, expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("2026-02-30", "no calendar has"),
        ("2026/2/29 8:00", "no calendar has"),
        ("2026-03-01 24:01", "no calendar"),
        ("2026-03-01 08:60:00", "no calendar"),
        ("2026-03-01 23:59:60", "no calendar"),
        ("2026/3/1 上午 13:00", "no calendar"),
        ("2026/3/1 下午 0:30", "no calendar"),
        ("2026年13月1日", "no calendar"),
        ("9999-12-31 24:00", "no calendar"),
        ("03/04/2026", "may be two days"),
        ("3-4-2026 8:00", "may be two days"),
        ("3.4.2026", "may be two days"),
        ("2026-03-01 8", "can't be read"),
        ("2026-3-108:00", "can't be read"),
        ("2026-03/01", "can't be read"),
        ("2026年3-1", "can't be read"),
        ("26-03-01", "can't be read"),
        ("2026-W10-1", "can't be read"),
        ("46082", "can't be read"),
        ("2026030108", "can't be read"),
        ("20261301", "can't be read"),
        ("1772348700 000", "can't be read"),
        ("yesterday", "can't be"),
        ("2026-03-01 15:05:00 CST", "can't be read"),
        ("2026-03-01+08:00", "can't be read"),
        ("2026-03", "can't be read"),
        ("8613800138000", "can't be read"),
        ("99", "can't be read"),
        ("-1772348700", "can't be read"),
        ("2026-03-01T15:05:00+25:00", "no calendar"),
        ("٢٠٢٦-٠٣-٠١", "can't be read"),
        ("1-Abc-2026", "can't be read"),
    ],
)
def test_what_means_no_instant_or_two_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        times.read(text)
    for beside in ([], ["2026-03-01T08:00:00+08:00"], [text], ["2026/3/1"]):
        found = moments.instants(pa.array([text, *beside]), "Asia/Shanghai")
        assert not found.good[0]
        assert why in found.why_not(0)


def test_the_end_of_a_day_is_the_beginning_of_the_next() -> None:
    found = moments.instants(pa.array(["2026-03-01 24:00", "2026年2月28日24:00:00", "20260228240000"]), "Asia/Shanghai")
    assert [at_of(found, row) for row in range(3)] == [DAY + timedelta(days=1), DAY, DAY]
    assert found.timed.all()
    assert found.day.tolist() == [20514, 20513, 20513]


def test_days_that_may_be_two_are_read_where_the_file_shows_which() -> None:
    column = pa.array(["03/04/2026", "25/12/2025 8:00", "04/04/2026"])
    assert moments.shown(column) == {Order.DAY}
    assert moments.shown(pa.array(["12/25/2025", "25.12.2025", "03/04/2026", "2026/13/1"])) == {Order.DAY, Order.MONTH}
    alone = moments.instants(column, "Asia/Shanghai")
    assert (alone.good.tolist(), alone.unclear) == ([False, True, True], True)
    for order, day in ((Order.DAY, date(2026, 4, 3)), (Order.MONTH, date(2026, 3, 4))):
        found = moments.instants(column, "Asia/Shanghai", order=order)
        assert found.good.all()
        assert date(1970, 1, 1) + timedelta(days=int(found.day[0])) == day
        assert not found.unclear


def test_a_number_in_a_spreadsheet_counts_days_and_elsewhere_nothing() -> None:
    serials = pa.array(["46082", "46082.5", "46082.627777777778", "1772348700", "20260301", "31777", "73050"])
    found = moments.instants(serials, "Asia/Shanghai", sheet=True)
    assert found.good.tolist() == [True] * 5 + [False] * 2
    assert found.timed.tolist()[:5] == [False, True, True, True, False]
    noon, five = DAY + timedelta(hours=12), DAY + timedelta(hours=15, minutes=4)
    assert [at_of(found, row) for row in range(3)] == [DAY, noon, five]
    assert not moments.instants(serials, "Asia/Shanghai").good[:3].any()


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_columns_of_numbers_hold_days_and_unix_times(kind: pa.DataType) -> None:
    stored = pa.array([20260301, 20260301150500, 1772348700, 1772348700000, 46082, None], kind)
    found = moments.instants(stored, "Asia/Shanghai")
    assert found.good.tolist() == [True] * 4 + [False] * 2
    assert found.timed.tolist()[:4] == [False, True, True, True]
    afternoon = DAY + timedelta(hours=15, minutes=5)
    assert [at_of(found, row) for row in range(4)] == [DAY, afternoon, afternoon, afternoon]
    half = moments.instants(pa.array([1772348700.5]), "Asia/Shanghai")
    assert at_of(half) == afternoon + timedelta(milliseconds=500)


def test_a_time_is_known_for_one_and_a_day_for_no_more_than_a_day_in_whatever_form_it_comes() -> None:
    """Auckland sets its clocks back on 5 April 2026: half past two comes twice that night."""
    for text in (
        ["2026-04-05", "2026-04-05T09:00:00", "2026-04-05T02:30:00", "2026-04-05T02:30:00+13:00", "2026-04-05T00:00:00"],
        ["2026/4/5", "2026年4月5日 上午9点", "20260405023000", "2026-04-05 02:30 +1300", "2026/4/4 24:00"],
    ):
        found = moments.instants(pa.array(text), "Pacific/Auckland")
        assert found.good.all()
        assert found.timed.tolist() == [False, True, False, True, True]
        hours = (found.at - found.at[0]) // 3_600_000_000
        assert hours.tolist() == [0, 10, 2, 2, 0]
    days = pa.array([date(2026, 4, 5)], pa.date32())
    local = pa.array([datetime(2026, 4, 5, 2, 30), datetime(2026, 4, 5, 9)], pa.timestamp("us"))  # noqa: DTZ001
    known = pa.array([datetime(2026, 4, 4, 13, 30, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    timed = [moments.instants(one, "Pacific/Auckland").timed.tolist() for one in (days, local, known)]
    assert timed == [[False], [False, True], [True]]


# The oracle: what was written is known before it is written -------------------------------------------------------------
def _half(at: datetime) -> str:
    return f"{'上午' if at.hour < 12 else '下午'} {at.hour % 12 or 12}:{at.minute:02}:{at.second:02}"


WRITTEN: dict[str, Callable[[datetime], str]] = {
    "iso": lambda at: at.isoformat(timespec="seconds"),
    "space": lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
    "slashes": lambda at: f"{at.year}/{at.month}/{at.day} {at.hour}:{at.minute:02}:{at.second:02}",
    "dots": lambda at: f"{at.year}.{at.month}.{at.day} {at.hour}:{at.minute:02}:{at.second:02}",
    "short": lambda at: f"{at.year}-{at.month}-{at.day} {at.hour}:{at.minute}:{at.second}",
    "chinese": lambda at: f"{at.year}年{at.month}月{at.day}日 {at.hour}:{at.minute:02}:{at.second:02}",
    "spoken": lambda at: f"{at.year}年{at.month:02}月{at.day:02}日{at.hour}时{at.minute}分{at.second}秒",
    "half": lambda at: f"{at.year}/{at.month}/{at.day} {_half(at)}",
    "english": lambda at: f"{at:%d-%b-%Y %I:%M:%S %p}",
    "packed": lambda at: f"{at:%Y%m%d%H%M%S}",
    "day first": lambda at: f"{at:%d/%m/%Y %H:%M:%S}",
}
AWAY: dict[str, Callable[[datetime], str]] = {
    "offset": lambda at: at.isoformat(timespec="microseconds"),
    "colonless": lambda at: f"{at:%Y-%m-%d %H:%M:%S.%f %z}",
    "zulu": lambda at: f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}",
    "seconds": lambda at: f"{(at - EPOCH) // timedelta(microseconds=1) / 1_000_000:.6f}",
}
# Arrow's zones end with 2037.
SECONDS = st.datetimes(datetime(1987, 1, 2), datetime(2036, 12, 30)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001
OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ZONES = st.sampled_from(["Asia/Shanghai", "Pacific/Auckland", "America/New_York", "UTC"])


@given(st.lists(st.tuples(SECONDS, st.sampled_from(sorted(WRITTEN))), min_size=1, max_size=4), ZONES)
@example([(datetime(2026, 4, 5, 2, 30), "packed"), (datetime(2026, 9, 27, 2, 30), "half")], "Pacific/Auckland")  # noqa: DTZ001
def test_local_times_are_read_as_what_was_written_in_whatever_company(said: list[tuple[datetime, str]], zone: str) -> None:
    """What a clock shows twice is known as a day; what it skips is put on as much."""
    found = moments.instants(pa.array([WRITTEN[form](at) for at, form in said]), zone, order=Order.DAY)
    assert found.good.all()
    for row, (at, _) in enumerate(said):
        aware = at.replace(tzinfo=ZoneInfo(zone))
        first, last = (aware.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        skipped = aware.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != at
        if not skipped:
            assert at_of(found, row) == first
            assert bool(found.timed[row]) == (first == last)
            assert found.day[row] == (at.date() - date(1970, 1, 1)).days


@given(st.lists(st.tuples(st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1)), OFFSETS, st.sampled_from(sorted(AWAY))),  # noqa: DTZ001
                min_size=1, max_size=4), ZONES)  # fmt: skip
def test_instants_are_read_as_what_was_written(said: list[tuple[datetime, timezone, str]], zone: str) -> None:
    aware = [at.replace(tzinfo=away) for at, away, _ in said]
    found = moments.instants(pa.array([AWAY[form](at) for at, (_, _, form) in zip(aware, said, strict=True)]), zone)
    assert found.good.all()
    assert found.timed.all()
    assert [at_of(found, row) for row in range(len(said))] == aware


LIKE_TIMES = st.one_of(
    st.from_regex(r"(19|20)[0-9]{2}[-/.年]1?[0-9][-/.月][0-3]?[0-9]日?"
        r"([T ]?[0-2]?[0-9]:[0-6][0-9](:[0-6][0-9])?)?( ?[-+Z][0-9:]{0,5})?",
                  fullmatch=True),
    st.from_regex(r"[0-9]{1,2}([-/.])[0-9]{1,2}([-/.])20[0-9]{2}( [0-9]{1,2}:[0-9]{2})?", fullmatch=True),
    st.from_regex(r"[12][0-9]{4,14}(\.[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[0-9 :TZ/.年月日上下午-]{4,20}", fullmatch=True),
)  # fmt: skip


def refusal(text: str, *, order: Order | None, sheet: bool) -> str:
    try:
        times.read(text, order=order, sheet=sheet)
    except ValueError as error:
        return str(error)
    return ""


@given(st.lists(LIKE_TIMES, min_size=1, max_size=4), st.sampled_from([None, *Order]), st.booleans())
def test_a_column_takes_what_the_careful_reader_takes(said: list[str], order: Order | None, sheet: bool) -> None:
    found = moments.instants(pa.array(said), "Asia/Shanghai", order=order, sheet=sheet)
    for row, text in enumerate(said):
        if why := refusal(text, order=order, sheet=sheet):
            assert not found.good[row], text
            assert found.why_not(row) == why
            continue
        one = times.read(text, order=order, sheet=sheet)
        aware = one.at if one.at.tzinfo else one.at.replace(tzinfo=CHINA)
        if aware.year >= 1992:  # China had summer time before
            assert found.good[row], text
            assert (at_of(found, row), bool(found.timed[row])) == (aware.astimezone(UTC), one.timed), text


@given(st.dates(date(1987, 1, 1), date(2099, 12, 31)), st.integers(0, 86_399))
def test_days_that_a_spreadsheet_counts_come_back(day: date, second: int) -> None:
    serial = (day - date(1899, 12, 30)).days + second / 86_400
    found = moments.instants(pa.array([repr(serial).removesuffix(".0")]), "UTC", sheet=True)
    assert at_of(found) == datetime.combine(day, time(), UTC) + timedelta(seconds=second)
    assert bool(found.timed[0]) == bool(second)
