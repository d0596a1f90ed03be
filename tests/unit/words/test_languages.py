"""Languages, figures and dates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest

from huanxin.words import i18n


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "chosen"),
    [
        (None, None, None, "zh_CN"),
        (None, None, "", "zh_CN"),
        (None, None, "en-GB,en;q=0.9", "en"),
        (None, None, "fr, de;q=0.9", "zh_CN"),
        (None, None, "fr, en;q=0.3", "en"),
        (None, None, "en;q=0.2, zh-TW;q=0.8", "zh_CN"),
        (None, None, "en;q=0", "zh_CN"),
        (None, None, "en;q=soon, zh", "zh_CN"),
        (None, "en", "zh-CN", "en"),
        ("zh", "en", "en", "zh_CN"),
        ("tlh", None, "en", "en"),
    ],
)
def test_the_address_wins_over_the_cookie_and_the_cookie_over_the_browser(
    query: str | None, cookie: str | None, accept: str | None, chosen: str
) -> None:
    assert i18n.choose_language(query, cookie, accept) == chosen


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        (0, "0", "0"),
        (9_999, "9,999", "9,999"),
        (12_345, "1.2万", "12.3k"),
        (10_000, "1万", "10k"),
        (1_000_000, "100万", "1M"),
        (250_318_442, "2.5亿", "250.3M"),
        (1_004_771_209, "10.05亿", "1B"),
    ],
)
def test_large_figures_are_shortened_as_each_language_counts(number: int, zh: str, en: str) -> None:
    assert i18n.short(number, "zh_CN") == zh
    assert i18n.short(number, "en") == en


def test_the_whole_figure_shows_on_hover() -> None:
    assert 'title="12,345"' in i18n.figure(12_345, "en")
    assert "title" not in i18n.figure(345, "en")


@pytest.mark.parametrize(
    ("part", "of", "text"),
    [
        (0, 10, "0%"),
        (10, 10, "100%"),
        (1, 3, "33.3%"),
        (1, 10**6, "< 0.1%"),
        (10**6 - 1, 10**6, "> 99.9%"),
        (0, 0, "–"),
    ],
)
def test_a_share_never_rounds_to_nothing_or_all(part: int, of: int, text: str) -> None:
    assert i18n.percent(part, of, "en") == text


def test_an_instant_names_its_zone() -> None:
    at = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
    assert i18n.moment(at, "zh_CN") == "2026年11月25日 02:30（北京时间）"
    assert i18n.moment(at, "en") == "25 Nov 2026, 02:30 (Beijing time, UTC+8)"
    with pages_in("Europe/London"):
        assert i18n.moment(at, "en") == "24 Nov 2026, 18:30 (Europe/London time)"
        assert i18n.moment(at, "zh_CN") == "2026年11月24日 18:30（Europe/London 时间）"
        assert i18n.stamp(at, "en") == "24 Nov 2026, 18:30"


@contextmanager
def pages_in(zone: str) -> Iterator[None]:
    before = i18n.ZONE.set(zone)
    yield
    i18n.ZONE.reset(before)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        i18n.moment(datetime(2026, 11, 24), "en")  # noqa: DTZ001 - the point of the test


def test_days_and_durations() -> None:
    assert i18n.day(date(2026, 12, 1), "zh_CN") == "2026年12月1日"
    assert i18n.day(date(2026, 12, 1), "en") == "1 Dec 2026"
    assert [i18n.seconds(value, "en") for value in (0.034, 12.52, 192.0)] == ["0.03 s", "12.5 s", "3.2 min"]
    assert i18n.seconds(192.0, "zh_CN") == "3.2 分钟"
