"""A batch that is planned before the year's holidays are known, and sent once they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from clocks import Clock
from exchanging import register
from huanxin.acts import Platform
from huanxin.domain import holidays
from ordering import imported, plan_now, send_now

CHINA = ZoneInfo("Asia/Shanghai")


def test_what_is_not_sent_yet_is_counted_anew_once_the_notice_of_the_year_is_in(
    platform: Platform, clock: Clock, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the law people are off from 20 to 23 January 2099; this notice has them work on the week-end before."""
    clock.now = datetime(2099, 1, 15, 1, tzinfo=UTC)
    imported(platform, report("+8613800138000,cancelled,2098-10-20"), carrier="cmcc")
    register(platform, "shop")
    batch = plan_now(platform)
    assert batch is not None
    assert batch.answer_by == datetime(2099, 1, 29, tzinfo=CHINA)
    works = {date(2099, 1, 17), date(2099, 1, 18)}
    monkeypatch.setattr(chinese_calendar, "is_workday", lambda day: day in works or not holidays.is_day_off(day))
    (notice,) = send_now(platform, batch.id)
    assert notice.answer_by == datetime(2099, 1, 27, tzinfo=CHINA)
