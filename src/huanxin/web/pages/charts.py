"""Charts as the data that static/charts.js draws. Every chart has its table in the page; these only pick and order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from huanxin.figures.batch_body import GateCounts, OutcomeCounts
from huanxin.web.pages.labels import GATE_TONES
from huanxin.words import i18n

Chart = dict[str, object]

MOST_BARS = 24
"""More bars than this are read in the table, not in a chart."""

THINNEST = 0.8
"""The least width of a part of a bar, in per cent, so that a handful among millions still shows."""


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


def slivers(counts: OutcomeCounts) -> list[tuple[str, float, float]]:
    """The parts of one bar 100 wide: outcome, where it begins, its width. What is not nothing can be seen."""
    widths = [(key, max(100 * count / counts.total, THINNEST)) for key, count in counts.parts if count]
    scale = 100 / sum((width for _, width in widths), 0.0) if widths else 0.0
    placed, left = [], 0.0
    for key, width in widths:
        placed.append((key, round(left, 3), round(width * scale, 3)))
        left += width * scale
    return placed


def gate_bars(gate: GateCounts, names: dict[str, str], lang: str) -> Chart:
    """One bar a state of the gate, in numbers. `names` by state."""
    return bars(
        [(names[key], count, GATE_TONES[key], i18n.short(count, lang)) for key, count in gate.lines],
    )


def step_bars(steps: Sequence[tuple[str, float]], lang: str) -> Chart:
    """One bar a step, in seconds."""
    return bars([(name, value, "accent", i18n.seconds(value, lang)) for name, value in steps])


def day_columns(days: Sequence[tuple[date, int]], lang: str) -> Chart:
    """One column a day, in numbers that may be sold from that day."""
    return {
        "kind": "columns",
        "categories": [i18n.day_short(day, lang) for day, _ in days],
        "series": [{"name": "", "tone": "accent", "values": [count for _, count in days]}],
        "texts": [i18n.short(count, lang) for _, count in days],
    }


def bars(lines: Sequence[tuple[str, float, str, str]]) -> Chart:
    """One bar a line: its name, how long, its tone, what is written at it."""
    return {
        "kind": "bars",
        "categories": [name for name, _, _, _ in lines],
        "series": [{"name": "", "tone": [tone for _, _, tone, _ in lines], "values": [value for _, value, _, _ in lines]}],
        "texts": [text for _, _, _, text in lines],
    }


def _share(part: int, of: int) -> float | None:
    """Per cent; None for nothing, so that no sliver is drawn for it."""
    return round(100 * part / of, 4) if part and of else None
