"""What the bulletin shows, from what may be published: sums of what is shown, charts, sentences' figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from huanxin.domain.regions import REGIONS
from huanxin.domain.suppression import Hidden, Shown, at_least
from huanxin.figures.watch.bulletin import FIGURES
from huanxin.figures.watch.opendata import Months, Publication
from huanxin.web.pages import charts, labels
from huanxin.web.pages.views import Sum
from huanxin.web.pages.watch import words
from huanxin.words import i18n
from huanxin.words.saying import say

_MOST_MONTHS = 24


def view(shown: Publication, *, month: str, names: Mapping[str, str], lang: str, threshold: int) -> dict[str, object]:
    """The values of watch/bulletin.html. month: the one whose carriers and regions are shown, or empty for all."""
    months = sorted(shown.totals)[-_MOST_MONTHS:]
    chosen = [month] if month else months
    regions = {code: both[0 if lang == "zh_CN" else 1] for code, both in REGIONS.items()}
    carriers, by_region = (_added(of, chosen, given) for of, given in ((shown.carriers, names), (shown.regions, regions)))
    by_region.sort(key=lambda row: -_known(row[2]["renewed"]))
    timed = [(one, found) for one, found in shown.answers.items() if one in months and found["partners"] is not None]
    renewed = [(name, row["renewed"]) for _, name, row in by_region if row["renewed"] != 0]
    kinds = [(say(labels.KINDS[kind], lang), required, count) for kind, required, count in shown.partners]
    return {
        "months": months[::-1], "month": month, "totals": [(one, shown.totals[one]) for one in months[::-1]],
        "whole": _sums([shown.totals[one] for one in months]),
        "carriers": carriers, "regions": by_region, "partners": kinds, "connected": sum(row[2] for row in kinds),
        "answers": timed[::-1], "latest": timed[-1] if timed else None,
        "breaches": list(shown.breaches.items())[::-1], "holds": list(shown.holds.items())[::-1],
        "month_chart": _columns([(one, shown.totals[one]["renewed"]) for one in months], lang, threshold),
        "carrier_chart": _bars([(name, row["renewed"]) for _, name, row in carriers], lang, threshold),
        "region_chart": _bars(renewed, lang, threshold),
        "partner_chart": _bars([(name, count) for name, _, count in _by_kind(kinds)], lang, threshold),
        "days_chart": _days_chart(timed[-1][1], lang) if timed else None,
    }  # fmt: skip


def _by_kind(kinds: Sequence[tuple[str, bool, int]]) -> list[tuple[str, bool, int]]:
    names = dict.fromkeys(name for name, _, _ in kinds)
    return [(name, True, sum(count for other, _, count in kinds if other == name)) for name in names]


def _sums(lines: Sequence[Mapping[str, Shown]]) -> dict[str, Sum]:
    if len(lines) == 1:
        return dict(lines[0])
    sums = {figure: at_least([line[figure] for line in lines]) for figure in FIGURES}
    return {figure: (count, True) if missing else count for figure, (count, missing) in sums.items()}


def _known(count: Sum) -> int:
    """As much of a count as is shown."""
    return 0 if isinstance(count, Hidden) else count[0] if isinstance(count, tuple) else count


def _said(count: Sum, lang: str, threshold: int) -> str:
    """A count in words for a chart."""
    if isinstance(count, Hidden):
        return f"<{threshold}" if count is Hidden.SMALL else "*"
    if isinstance(count, tuple):
        return f"≥ {i18n.short(count[0], lang)}" if count[0] else "*"
    return i18n.short(count, lang)


def _added(of: Months, months: Sequence[str], names: Mapping[str, str]) -> list[tuple[str, str, dict[str, Sum]]]:
    """Code, name and figures of each carrier or region over some months; those of which nothing is to be said left out."""
    found = [(code, name, _sums([of[month][code] for month in months if month in of])) for code, name in names.items()]
    return [row for row in found if any(count != 0 for count in row[2].values())]


def _columns(lines: Sequence[tuple[str, Shown]], lang: str, threshold: int) -> charts.Chart:
    return {
        "kind": "columns", "categories": [month for month, _ in lines],
        "series": [{"name": "", "tone": "unbound", "values": [_known(count) for _, count in lines]}],
        "texts": [_said(count, lang, threshold) for _, count in lines],
    }  # fmt: skip


def _bars(lines: Sequence[tuple[str, Sum]], lang: str, threshold: int) -> charts.Chart:
    shown = lines[: charts.MOST_BARS]
    return {
        "kind": "bars", "categories": [name for name, _ in shown],
        "series": [{"name": "", "tone": "unbound", "values": [_known(count) for _, count in shown]}],
        "texts": [_said(count, lang, threshold) for _, count in shown],
    }  # fmt: skip


def _days_chart(found: Mapping[str, float | None], lang: str) -> charts.Chart:
    """Notices by the working day of the last answer; late days in the colour of what waits."""
    counts = [int(found[key] or 0) for key in (*(f"day_{day}" for day in range(len(words.DAYS) - 1)), "later")]
    tones = ["unbound"] * (len(counts) - 1) + ["pending"]
    counts.append(int(found["overdue"] or 0) + int(found["waiting"] or 0))
    return {
        "kind": "columns", "categories": [*(say(one, lang) for one in words.DAYS), say(words.NO_ANSWER, lang)],
        "series": [{"name": "", "tone": [*tones, "unanswered"], "values": counts}],
        "texts": [i18n.short(count, lang) for count in counts],
    }  # fmt: skip
