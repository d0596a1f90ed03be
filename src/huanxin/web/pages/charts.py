"""Charts as the data that static/charts.js draws. Every chart has its table in the page; these only pick and order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from huanxin.web import i18n
from huanxin.web.pages.labels import GATE_TONES
from huanxin.web.pages.views import GateCounts, OutcomeCounts

Chart = dict[str, Any]

MOST_BARS = 24
"""More bars than this are read in the table, not in a chart."""


def outcome_bars(rows: Sequence[tuple[str, OutcomeCounts]], names: dict[str, str]) -> Chart:
    """One bar a partner, in shares of its numbers (0 to 100), parts in the fixed order. `names` by outcome."""
    shown = rows[:MOST_BARS]
    order = [key for key, _ in OutcomeCounts().parts]
    return {
        "kind": "stacked",
        "categories": [name for name, _ in shown],
        "series": [
            {"name": names[key], "tone": key, "values": [_share(counts.parts[at][1], counts.total) for _, counts in shown]}
            for at, key in enumerate(order)
        ],
    }


def gate_bars(gate: GateCounts, names: dict[str, str], lang: str) -> Chart:
    """One bar a state of the gate, in numbers. `names` by state."""
    return _bars(
        [(names[key], count, GATE_TONES[key], i18n.short(count, lang)) for key, count in gate.lines],
    )


def step_bars(steps: Sequence[tuple[str, float]], lang: str) -> Chart:
    """One bar a step, in seconds."""
    return _bars([(name, value, "accent", i18n.seconds(value, lang)) for name, value in steps])


def day_columns(already: int, days: Sequence[tuple[date, int]], word: Callable[[str], str], lang: str) -> Chart:
    """What may be sold by day: a first column for today and before, then one a day."""
    figures = [already, *(count for _, count in days)]
    return {
        "kind": "columns",
        "categories": [word("already"), *(i18n.day_short(day, lang) for day, _ in days)],
        "series": [{"name": word("numbers"), "tone": ["unbound", *("accent" for _ in days)], "values": figures}],
        "texts": [i18n.short(count, lang) for count in figures],
    }


def _bars(lines: Sequence[tuple[str, float, str, str]]) -> Chart:
    return {
        "kind": "bars",
        "categories": [name for name, _, _, _ in lines],
        "series": [{"name": "", "tone": [tone for _, _, tone, _ in lines], "values": [value for _, value, _, _ in lines]}],
        "texts": [text for _, _, _, text in lines],
    }


def _share(part: int, of: int) -> float | None:
    """Per cent; None for nothing, so that no sliver is drawn for it."""
    return round(100 * part / of, 4) if part and of else None
