"""Two languages, Chinese first: choosing one, its words, and how figures and dates are written in it.

The code has the English words; the Chinese for each stands in a gettext catalogue (CHINESE), compiled in memory at start, so
that no build step stands between a corrected word and the page.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_timedelta, get_timezone
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from markupsafe import Markup

LANGUAGES = ("zh_CN", "en")
DEFAULT = "zh_CN"
BEIJING = "Asia/Shanghai"
ZONE: ContextVar[str] = ContextVar("zone", default=BEIJING)
"""In which zone pages give instants. Set by web/pages/zone.py."""
COOKIE = "lang"
CHINESE = Path(__file__).with_name("zh_CN.po")

BILLION = 1_000_000_000
MINUTES_FROM = 120
"""Seconds from which a duration is given in minutes."""

SHORTEN_FROM = 10_000
"""Figures from here on are shortened; below, the whole one is short enough."""


_KEPT = 20_000  # figures and days as written: each takes babel a third of a millisecond, and a page has hundreds


def choose_language(query: str | None, cookie: str | None, accept: str | None) -> str:
    """The language of a page, one of LANGUAGES: asked for in the address (`?lang=`), else remembered in the cookie,
    else the first of the Accept-Language header (RFC 9110 section 12.5.4) that we speak, else Chinese."""
    for asked in (query, cookie, *_accepted(accept or "")):
        known = _known(asked or "")
        if known:
            return known
    return DEFAULT


def _known(tag: str) -> str | None:
    """Our language for a tag such as `zh`, `zh-CN`, `zh_CN`, `en-GB`; None if we don't speak it."""
    primary = tag.strip().lower().replace("_", "-").split("-")[0]
    return {"zh": "zh_CN", "en": "en"}.get(primary)


def _accepted(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first; what can't be read is left out."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, quality = part.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality.strip() else 1.0
        except ValueError:
            continue
        if weight > 0:
            wanted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(wanted, key=lambda pair: -pair[0])]


@cache
def translations(lang: str) -> NullTranslations:
    """The words of one of LANGUAGES; English ones stay as they are."""
    if lang == "en":
        return NullTranslations()
    with CHINESE.open("rb") as source:
        catalogue = read_po(source, locale=lang)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def locale(lang: str) -> Locale:
    """The locale of one of LANGUAGES. Babel takes long to read its name, and a page may have a thousand figures."""
    return Locale.parse(lang)


def html_lang(lang: str) -> str:
    """The language as HTML's `lang` attribute wants it (BCP 47)."""
    return lang.replace("_", "-")


def whole(number: int, lang: str) -> str:
    """A figure in full, with separators: 1,234,567. Both languages write it so, and a page of the console has thousands."""
    del lang
    return f"{number:,}"


@lru_cache(maxsize=_KEPT)
def short(number: int, lang: str) -> str:
    """A figure for reading at a glance: 9,876, then 1.2万, 3.4亿 in Chinese and 12.3k, 3.4M in English."""
    if abs(number) < SHORTEN_FROM:
        return whole(number, lang)
    digits = 1 if abs(number) < BILLION else 2
    return str(format_compact_decimal(number, locale=locale(lang), fraction_digits=digits)).replace("K", "k")


@lru_cache(maxsize=_KEPT)
def figure(number: int, lang: str) -> Markup:
    """A figure as HTML, shortened if large, with the whole one on hover. Remembered: tables are full of the same ones."""
    text, full = short(number, lang), whole(number, lang)
    if text == full:
        return Markup('<span class="num">{}</span>').format(text)
    return Markup('<data class="num" value="{}" title="{}">{}</data>').format(number, full, text)


@lru_cache(maxsize=_KEPT)
def percent(part: int, of: int, lang: str) -> str:
    """A share in per cent. A share that isn't nothing never reads as 0 %, one that isn't all never as 100 %."""
    if of == 0:
        return "–"
    share = part / of
    for edge, sign in ((0.001, "<"), (0.999, ">")):
        if (sign == "<" and 0 < share < edge) or (sign == ">" and edge < share < 1):
            return f"{sign} {format_percent(edge, '0.#%', locale=locale(lang))}"
    return str(format_percent(share, "0.#%", locale=locale(lang)))


def seconds(value: float, lang: str) -> str:
    """A duration given in seconds, in seconds or, if long, in minutes: 0.34 s, 12.5 s, 3.2 min."""
    short_one, long_one = ("秒", "分钟") if lang == "zh_CN" else ("s", "min")
    number, unit = (value, short_one) if value < MINUTES_FROM else (value / 60, long_one)
    return f"{format_decimal(number, '0.00' if number < 1 else '0.0', locale=locale(lang))} {unit}"


def span(value: float, lang: str) -> str:
    """How long something lasts or is left, given in seconds, in its largest unit: 3 days, 5 hours, 12 minutes."""
    return str(
        format_timedelta(timedelta(seconds=max(60.0, value)), granularity="minute", threshold=1.5, locale=locale(lang))
    )


@lru_cache(maxsize=_KEPT)
def day(value: date, lang: str) -> str:
    """A day. The table or sentence around it names the zone."""
    return str(format_date(value, "y年M月d日" if lang == "zh_CN" else "d MMM y", locale=locale(lang)))


@lru_cache(maxsize=_KEPT)
def day_short(value: date, lang: str) -> str:
    """A day for the axis of a chart, without its year."""
    return str(format_date(value, "M/d" if lang == "zh_CN" else "d MMM", locale=locale(lang)))


def stamp(value: datetime, lang: str) -> str:
    """An instant in the pages' zone for a table whose caption names the zone."""
    pattern = "y年M月d日 HH:mm" if lang == "zh_CN" else "d MMM y, HH:mm"
    return str(format_datetime(value, pattern, tzinfo=get_timezone(ZONE.get()), locale=locale(lang)))


def clock(value: datetime, lang: str) -> str:
    """An instant in the pages' zone to the second, for what happens within minutes."""
    pattern = "M月d日 HH:mm:ss" if lang == "zh_CN" else "d MMM, HH:mm:ss"
    return str(format_datetime(value, pattern, tzinfo=get_timezone(ZONE.get()), locale=locale(lang)))


def zone_name(lang: str) -> str:
    """What the pages' zone is called: Beijing time, Pacific/Auckland time."""
    zone, chinese = ZONE.get(), lang == "zh_CN"
    if zone == BEIJING:
        return "北京时间" if chinese else "Beijing time, UTC+8"
    return f"{zone} 时间" if chinese else f"{zone} time"


def moment(value: datetime, lang: str) -> str:
    """An instant in the pages' zone, which is named. Raises ValueError for a time without a zone: it would be a guess."""
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone. Pass an aware datetime.")
    pattern = "y年M月d日 HH:mm" if lang == "zh_CN" else "d MMM y, HH:mm"
    local = format_datetime(value, pattern, tzinfo=get_timezone(ZONE.get()), locale=locale(lang))
    return f"{local}（{zone_name(lang)}）" if lang == "zh_CN" else f"{local} ({zone_name(lang)})"
