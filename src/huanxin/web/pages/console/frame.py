"""What every console page is made with."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.operators import Right
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.labels import CARRIERS, N_
from huanxin.web.pages.render import render
from huanxin.web.pages.routes import html, language

TABS: tuple[tuple[str, str, frozenset[Right]], ...] = (
    ("pool", N_("Pool"), frozenset({Right.FIGURES})),
    ("reports", N_("Reports"), frozenset({Right.REPORTS})),
    ("people", N_("Operators"), frozenset({Right.PEOPLE})),
    ("audit", N_("Who did what"), frozenset({Right.PEOPLE})),
)
"""Address under /console, name, and the rights of which one opens it; in the order of the tabs."""


def page(
    request: Request, who: Working | None, template: str, status: int = 200, *, tab: str = "", **values: Any
) -> Response:
    """A console page for whoever works with it; nothing of it is kept by the browser."""
    tabs = [(key, name) for key, name, rights in TABS if who and who.operator.rights & rights]
    text = render(f"console/{template}", language(request), here="/console", who=who, tabs=tabs, tab=tab, **values)
    answer = html(request, text)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def carrier_names(who: Working) -> dict[str, str]:
    """The carriers whose numbers this person works with: name by code, to be said in the language of the page."""
    known = who.platform.plan.carriers.items()
    return {code: CARRIERS.get(code, one.name) for code, one in known if who.operator.sees([code])}


def back(address: str) -> Response:
    """To a page after something was done."""
    return RedirectResponse(address, status_code=303)
