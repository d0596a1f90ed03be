"""Days that people work, and the day by which partners answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from huanxin.domain import holidays
from huanxin.domain.clock import (
    APART,
    after_working_days,
    answer_by,
    by_law,
    counted_anew,
    is_working_day,
    lasts,
    system_clock,
    within,
    working_days_between,
    zone_of_deadline,
)

CHINA, TAIPEI = ZoneInfo("Asia/Shanghai"), ZoneInfo("Asia/Taipei")
NEW_YORK, LONDON = ZoneInfo("America/New_York"), ZoneInfo("Europe/London")
TUESDAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def test_a_holiday_is_no_working_day_and_its_make_up_saturday_is_one() -> None:
    assert not is_working_day(date(2026, 10, 1))
    assert is_working_day(date(2026, 10, 10))
    assert after_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)


def test_a_year_whose_holidays_are_not_published_yet_has_those_of_the_law() -> None:
    """Partners were told to answer within the Spring Festival."""
    assert [is_working_day(date(2099, 1, day)) for day in (1, 2, 3, 4, 5)] == [False, True, False, False, True]
    assert [is_working_day(date(2099, 1, day)) for day in (19, 20, 21, 22, 23, 26)] == [
        True,
        False,
        False,
        False,
        False,
        True,
    ]
    assert not by_law(date(2026, 12, 31))
    assert by_law(date(2099, 1, 5))
    assert is_working_day(date(2100, 10, 1)), "beyond the table: plain weeks"


def test_a_deadline_that_was_counted_by_the_law_is_counted_anew_once_the_notice_is_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The notice of 2099 says that people work on the week-end before the festival, and are free on the Monday after it."""
    planned = datetime(2099, 1, 15, 4, tzinfo=UTC)  # a Thursday; the festival is from Tuesday to Friday
    by_the_law = answer_by(planned, [CHINA], 5)
    assert counted_anew(by_the_law, planned, [CHINA], 5) == by_the_law == datetime(2099, 1, 29, tzinfo=CHINA)
    told = {date(2099, 1, 17): True, date(2099, 1, 18): True, date(2099, 1, 26): False}

    def notice(day: date) -> bool:
        if day.year > 2099:
            raise NotImplementedError
        return told.get(day, not holidays.is_day_off(day))

    monkeypatch.setattr(chinese_calendar, "is_workday", notice)
    assert counted_anew(by_the_law, planned, [CHINA], 5) == datetime(2099, 1, 28, tzinfo=CHINA)
    other = by_the_law + timedelta(days=3)
    assert counted_anew(other, planned, [CHINA], 5) == other, "one that was counted otherwise stays"


def test_partners_have_until_the_end_of_the_last_working_day() -> None:
    assert answer_by(TUESDAY, [CHINA], 5) == datetime(2026, 12, 2, tzinfo=CHINA)


def test_with_carriers_in_two_zones_the_day_that_ends_last_counts_whatever_their_order() -> None:
    """Else a partner of the western carrier would be late before its day was over."""
    late = answer_by(TUESDAY, [NEW_YORK], 5)
    assert answer_by(TUESDAY, [CHINA], 5) != late
    latest = max(late, answer_by(TUESDAY, [CHINA], 5))
    assert answer_by(TUESDAY, [CHINA, NEW_YORK], 5) == answer_by(TUESDAY, [NEW_YORK, CHINA], 5) == latest


def test_the_days_of_an_answer_are_counted_from_the_carriers_own_day() -> None:
    """At five in the afternoon of a Monday in London it is Tuesday in China already."""
    monday = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    assert answer_by(monday, [CHINA], 5) == datetime(2026, 12, 2, tzinfo=CHINA)


def test_working_days_between_two_days_leave_out_the_first_and_count_the_last() -> None:
    assert working_days_between(date(2026, 9, 30), date(2026, 10, 8)) == 1
    assert working_days_between(date(2026, 9, 30), date(2026, 10, 10)) == 3
    assert working_days_between(date(2026, 10, 9), date(2026, 10, 10)) == 1
    assert working_days_between(date(2026, 10, 10), date(2026, 10, 10)) == 0


def test_a_deadline_is_told_in_the_zone_in_which_it_ends_a_day() -> None:
    """ "Until the end of 1 December" is what a partner reads; in another zone it would be some hour of another day."""
    ends = answer_by(TUESDAY, [NEW_YORK], 5)
    for zones in ([NEW_YORK, CHINA], [CHINA, NEW_YORK]):
        assert zone_of_deadline(ends, zones, LONDON) == NEW_YORK
    assert zone_of_deadline(ends.astimezone(UTC), [NEW_YORK], LONDON) == NEW_YORK
    assert zone_of_deadline(ends, [CHINA], LONDON) == LONDON
    assert zone_of_deadline(ends, [], LONDON) == LONDON


def test_of_two_zones_with_the_same_midnight_it_is_always_the_same_that_is_named() -> None:
    ends = answer_by(TUESDAY, [CHINA], 5)
    assert {zone_of_deadline(ends, zones, LONDON) for zones in ([CHINA, TAIPEI], [TAIPEI, CHINA])} == {CHINA}


SECOND, HOUR, YEAR = timedelta(seconds=1), timedelta(hours=1), timedelta(days=365)


def test_what_happened_within_a_span_binds_until_the_span_is_over() -> None:
    assert within(TUESDAY, HOUR, TUESDAY)
    assert within(TUESDAY - HOUR + SECOND, HOUR, TUESDAY)
    assert not within(TUESDAY - HOUR, HOUR, TUESDAY)


def test_what_a_clock_noted_that_ran_ahead_binds_nobody() -> None:
    """Else somebody whose limit was noted by a clock a year ahead would be locked out for that year."""
    assert within(TUESDAY + APART, HOUR, TUESDAY)
    assert not within(TUESDAY + APART + SECOND, HOUR, TUESDAY)
    assert not within(TUESDAY + YEAR, HOUR, TUESDAY)


def test_what_lasts_is_over_at_its_end_and_never_lasts_longer_than_it_may() -> None:
    assert lasts(TUESDAY + SECOND, HOUR, TUESDAY)
    assert not lasts(TUESDAY, HOUR, TUESDAY)
    assert lasts(TUESDAY + HOUR + APART, HOUR, TUESDAY)
    assert not lasts(TUESDAY + HOUR + APART + SECOND, HOUR, TUESDAY)
    assert not lasts(TUESDAY + YEAR, HOUR, TUESDAY)
    assert not lasts(None, HOUR, TUESDAY)


def test_the_clock_gives_aware_instants() -> None:
    assert system_clock().tzinfo is UTC
