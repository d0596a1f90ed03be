"""The report of a demo run: one HTML file with everything inside, in both languages, that opens without a server."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from markupsafe import Markup

from huanxin.web.pages import charts, labels
from huanxin.web.pages.render import STATIC, environment, render
from huanxin.web.pages.report_data import DemoReport
from huanxin.words import i18n
from huanxin.words.saying import say, translated
from huanxin.words.sentences import N_

BEHAVIOURS = {
    "plain": N_("answers at once"),
    "debt": N_("refuses numbers with unpaid orders"),
    "pending": N_("says pending first, finishes later"),
    "twice": N_("sends every receipt twice"),
    "down": N_("is down for a while"),
    "parts": N_("answers in parts, out of order"),
    "late": N_("has ties newer than the cut-off"),
    "silent": N_("never answers; waived by an operator"),
    "music": N_("the music app with the singer's account"),
}


RULE_STATES = {"passes": N_("holds"), "fails": N_("does not hold"), "waits": N_("not yet")}


def write_report(path: Path, data: DemoReport, lang: str = i18n.DEFAULT) -> None:
    """Write the report to `path`. It opens in `lang`, the other language is one click away.

    Raises OSError if the file can't be written.
    """
    other = next(one for one in i18n.LANGUAGES if one != lang)
    page = render(
        "report.html", lang, first=_twin(data, lang), second=_twin(data, other),
        css=_inline("huanxin.css"), echarts=_inline("vendor/echarts/echarts.simple.min.js"),
        charts=_inline("charts.js"), twins=_inline("twins.js"),
        favicon=base64.b64encode((STATIC / "favicon.svg").read_bytes()).decode("ascii"),
    )  # fmt: skip
    path.write_text(page, encoding="utf-8")


def _twin(data: DemoReport, lang: str) -> dict[str, Any]:
    """The report in one language."""
    named = [(say(story.row.name, lang), story.row) for story in data.partners]
    body = render(
        "_report_body.html", lang, data=data, most=charts.MOST_BARS, mark=_inline("mark.svg"),
        answers=charts.outcome_bars(named, translated(labels.OUTCOMES, lang)),
        gate=charts.gate_bars(data.gate, translated(labels.GATE, lang), lang),
        days=charts.day_columns([(one.day, one.numbers) for one in data.sellable], lang),
        steps=charts.step_bars([(say(step.name, lang), step.seconds) for step in data.steps], lang),
        behaviours=BEHAVIOURS, carrier_names=translated(labels.CARRIERS, lang),
        rule_states=translated(RULE_STATES, lang),
    )  # fmt: skip
    title = environment(lang).from_string("{{ _('Report of a demo run') }} · {{ _('Huanxin') }}").render()
    return {"tag": i18n.html_lang(lang), "title": title, "body": Markup(body)}


def _inline(name: str) -> Markup:
    """One of our own static files, to stand inside the page; none of them may end the element it stands in."""
    text = (STATIC / name).read_text(encoding="utf-8")
    return Markup(text.replace("</script", "<\\/script").replace("</style", "<\\/style"))
