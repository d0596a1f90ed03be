"""`/console/watch`: which partners are late or refuse, by name, with breaches and holds, for the regulator and supervisors.
Figures only: no number of anybody is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.domain.operators import Right
from huanxin.figures.watch.bulletin import SUPERVISION, PartnerLine, Supervised
from huanxin.store.acting import PLATFORM
from huanxin.web.pages import charts, labels
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import page
from huanxin.web.pages.console.sheets import one_of
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.routes import language
from huanxin.words.saying import say
from huanxin.words.sentences import N_

router = APIRouter(prefix="/console", include_in_schema=False)


def _share(line: PartnerLine) -> float:
    """Notices that were answered in time, of those whose day has come or that were answered; 2 if there is none."""
    due = line.notices - line.waiting
    return line.in_time / due if due else 2.0


_VIEWS = {"all": N_("all partners"), "late": N_("late"), "refusing": N_("refusing")}
_SORTS = {
    "name": N_("Partner"),
    "share": N_("in time"),
    "median": N_("half answered within"),
    "p90": N_("nine of ten within"),
    "overdue": N_("overdue"),
    "refused": N_("numbers refused"),
}
VIEWS: Mapping[str, Callable[[PartnerLine], bool]] = {
    "all": lambda _: True,
    "late": lambda line: bool(line.overdue or line.late),
    "refusing": lambda line: bool(line.refused or line.orders.refused),
}
SORTS: Mapping[str, Callable[[PartnerLine], tuple[str | float, ...]]] = {
    "name": lambda line: (line.name,),
    "share": lambda line: (_share(line),),
    "median": lambda line: (-(line.median_hours or 0),),
    "p90": lambda line: (-(line.p90_hours or 0),),
    "overdue": lambda line: (-line.overdue, -line.late),
    "refused": lambda line: (-line.refused,),
}
"""What comes first is what needs looking at."""
_CSV = (
    "name",
    "kind",
    "required",
    "notices",
    "in_time",
    "late",
    "overdue",
    "waiting",
    "median_hours",
    "p90_hours",
    "refused",
)
_HOLDS = ("source", "orders", "numbers", "binding", "held")
_CSV_ORDERS = ("asked", "answered", "in_time", "refused")


@router.get("/watch")
def watch(
    request: Request, who: Annotated[Working, Depends(signing.working(Right.WATCH))], view: str = "all",
    sort: str = "overdue", format: str = "", table: str = "",
) -> Response:  # fmt: skip
    """Partners by name with their answer times; breaches, holds and figures of months and carriers, exactly."""
    platform, carrier = who.platform, who.operator.carrier
    with platform.act(PLATFORM) as act:
        found = SUPERVISION.shown(act.tx, platform, carrier or "")
    view, sort = view if view in VIEWS else "all", sort if sort in SORTS else "overdue"
    everyone = found.body.partners
    lines = sorted((line for line in everyone if VIEWS[view](line)), key=SORTS[sort])
    if format == "csv":
        return _csv(found.body, lines, table)
    lang = language(request)
    names = {code: say(labels.CARRIERS.get(code, one.name), lang) for code, one in platform.plan.carriers.items()}
    return page(
        request, who, "watch.html", tab="watch", as_of=found.made_at, body=found.body, lines=lines, everyone=everyone,
        view=view, sort=sort, views=_VIEWS, sorts=_SORTS, chart=_chart(lines, lang), carrier=carrier,
        counts={key: sum(map(chosen, everyone)) for key, chosen in VIEWS.items()}, names=names, tones=labels.TONES,
        figure_names=labels.FIGURES, breach_names=labels.ALL_BREACHES, timeliness=labels.TIMELINESS, most=charts.MOST_BARS,
        answer_days=platform.rules.answer_days,
    )  # fmt: skip


def _csv(body: Supervised, lines: Sequence[PartnerLine], table: str) -> Response:
    """One of the page's tables, with codes for what the page writes in words."""
    return one_of("partners" if table in ("", "partners") else "watch", {
        "partners": ([*_CSV, *(f"orders_{key}" for key in _CSV_ORDERS)], (
            [*(getattr(line, key) for key in _CSV), *(getattr(line.orders, key) for key in _CSV_ORDERS)] for line in lines
        )),
        "breaches": (("month", "kind", "numbers"), body.breaches[::-1]),
        "holds": (_HOLDS, ([getattr(one, key) for key in _HOLDS] for one in body.holds)),
        "months": (("month", "carrier", *labels.FIGURES), ((*codes, *counts) for codes, counts in body.carriers[::-1])),
    }, table)  # fmt: skip


def _chart(lines: Sequence[PartnerLine], lang: str) -> charts.Chart:
    """One bar a partner: its notices by what became of them, in shares."""
    shown = [line for line in lines if line.notices][: charts.MOST_BARS]
    return {
        "kind": "stacked", "categories": [line.name for line in shown],
        "series": [
            {"name": say(name, lang), "tone": labels.TONES[key],
             "values": [round(100 * getattr(line, key) / line.notices, 4) or None for line in shown]}
            for key, name in labels.TIMELINESS.items()
        ],
    }  # fmt: skip
