"""What every console page is made with."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.errors import BadInput, HuanxinError
from huanxin.domain.numbers import masked_text
from huanxin.domain.operators import Right
from huanxin.settings import OperatorsOidc
from huanxin.web.pages import flash
from huanxin.web.pages.console.batches import words as batches
from huanxin.web.pages.console.number import words as number
from huanxin.web.pages.console.signing import Working, inside
from huanxin.web.pages.console.team import words as team
from huanxin.web.pages.labels import CARRIERS
from huanxin.web.pages.render import render
from huanxin.web.pages.routes import html, language
from huanxin.words.saying import say, translated
from huanxin.words.sentences import N_

_MOST_LINES = 20
_WORDS = (batches.NAMES, number.NAMES, team.NAMES)

TABS: tuple[tuple[str, str, frozenset[Right]], ...] = (
    ("batches", N_("Batches"), frozenset({Right.FIGURES})),
    ("approvals", N_("Approvals"), frozenset({Right.BATCHES})),
    ("numbers", N_("Numbers"), frozenset({Right.NUMBERS})),
    ("holds", N_("Holds"), frozenset({Right.BATCHES})),
    ("partners", N_("Partners"), frozenset({Right.BATCHES})),
    ("pool", N_("Pool"), frozenset({Right.FIGURES})),
    ("reports", N_("Reports"), frozenset({Right.REPORTS})),
    ("watch", N_("Supervision"), frozenset({Right.WATCH})),
    ("planner", N_("Planner"), frozenset({Right.FIGURES})),
    ("desk", N_("Shop desk"), frozenset({Right.DESK})),
    ("breaches", N_("Breaches"), frozenset({Right.FIGURES})),
    ("people", N_("Operators"), frozenset({Right.PEOPLE})),
    ("audit", N_("Who did what"), frozenset({Right.PEOPLE})),
)
"""Address under /console, name, and the rights of which one opens it; in the order of the tabs."""
KEYS = {key: key[0] for key in ("batches", "approvals", "numbers", "holds", "pool", "reports", "watch", "desk")}
"""Which key opens a tab, after g (static/keys.js)."""


def page(
    request: Request, who: Working | None, template: str, status: int = 200, *, tab: str = "", **values: Any
) -> Response:
    """A console page for whoever works with it; nothing of it is kept by the browser. What a problem quotes is masked."""
    tabs = [(key, name) for key, name, rights in TABS if who and who.operator.rights & rights]
    if values.get("problem"):
        values["problem"] = masked_text(values["problem"])
    frame = {"here": "/console", "who": who, "tabs": tabs, "tab": tab, "tab_keys": KEYS}
    lang = language(request)
    text = render(f"console/{template}", lang, **_names(lang) | frame | values)
    answer = html(request, text)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    flash.forget(request, answer)
    return answer


@cache
def _names(lang: str) -> dict[str, Any]:
    return {name: translated(one, lang) for room in _WORDS for name, one in room.items()}


def door(request: Request, *, to: str, status: int = 200, problem: str = "", given: str = "") -> Response:
    """The sign-in page, which leads on to `to`."""
    provider: OperatorsOidc | None = request.app.state.operators_setting
    name = provider.name if provider else ""
    return page(request, None, "sign_in.html", status, to=inside(to), problem=problem, given=given, provider=name)


def carrier_names(who: Working) -> dict[str, str]:
    """The carriers whose numbers this person works with: name by code, to be said in the language of the page."""
    known = who.platform.plan.carriers.items()
    return {code: CARRIERS.get(code, one.name) for code, one in known if who.operator.sees([code])}


def back(address: str) -> Response:
    """To another page."""
    return RedirectResponse(address, status_code=303)


def lines_of(error: HuanxinError, lang: str, most: int = _MOST_LINES) -> list[tuple[int, str]]:
    """The bad lines of an input: line (0: none in particular) and what is wrong, numbers masked; the first ones of many."""
    faults = error.faults if isinstance(error, BadInput) else ()
    return [(one.line, say(masked_text(one.reason), lang)) for one in faults[:most]]
