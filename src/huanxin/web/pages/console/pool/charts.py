"""The pool's charts, as the data that static/charts.js draws. Each has its table in the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from huanxin.domain.pool import STATES
from huanxin.web.pages.charts import MOST_BARS, Chart
from huanxin.web.pages.console.pool.data import SCARCE, DayRow, Filters, Pool, Row
from huanxin.web.pages.console.pool.words import REGION_NAMES, STATE_NAMES, TONES
from huanxin.words import i18n
from huanxin.words.saying import say

_SHOWN_DAYS = 60
_TONES = {False: "unbound", True: "refused"}
"""By whether it is scarce."""


def of_pool(
    found: Pool, blocks: Sequence[Row], filters: Filters, carriers: Mapping[str, str], lang: str
) -> dict[str, Chart]:
    """Every chart of the page, by its table."""
    regions = {key: say(name, lang) for key, name in REGION_NAMES.items()}
    return {
        "states": _states(found.total, lang),
        "carriers": _shares([(say(carriers.get(row.key, row.key), lang), row) for row in found.carriers], filters, lang),
        "regions": _shares([(regions[row.key], row) for row in found.regions], filters, lang),
        "prefixes": _shares([(row.key, row) for row in blocks], filters, lang),
        "days": _columns(found.days[:_SHOWN_DAYS][::-1], lang),
        "ahead": _columns(found.ahead, lang),
    }  # fmt: skip


def _states(total: Row, lang: str) -> Chart:
    return _bars([(say(STATE_NAMES[state], lang), count, TONES[state], i18n.short(count, lang))
                  for state, count in zip(STATES, total.counts, strict=True)])  # fmt: skip


def _shares(rows: Sequence[tuple[str, Row]], filters: Filters, lang: str) -> Chart:
    """A bar a row: numbers of the state that is looked at, or the share in use, red where it is scarce."""
    state, shown = filters.state, rows[:MOST_BARS]
    if state:
        return _bars([(name, row.of(state), TONES[state], i18n.short(row.of(state), lang)) for name, row in shown])
    return {"line": 100 * SCARCE} | _bars([
        (name, round(100 * row.used / row.capacity, 2) if row.capacity else 0, _TONES[row.scarce],
         i18n.percent(row.used, row.capacity, lang)) for name, row in shown
    ])  # fmt: skip


def _bars(lines: Sequence[tuple[str, float, str, str]]) -> Chart:
    return {
        "kind": "bars", "categories": [name for name, _, _, _ in lines],
        "series": [{"name": "", "tone": [tone for _, _, tone, _ in lines], "values": [value for _, value, _, _ in lines]}],
        "texts": [text for _, _, _, text in lines],
    }  # fmt: skip


def _columns(rows: Sequence[DayRow], lang: str) -> Chart:
    """A column a day. Days are many, so none is labelled: the table says how many."""
    return {
        "kind": "columns", "categories": [i18n.day_short(row.day, lang) for row in rows],
        "series": [{"name": "", "tone": "accent", "values": [row.total for row in rows]}], "texts": [],
    }  # fmt: skip
