"""The bulletin at `/watch`, and the same as open data at `/watch/data`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import NotFound
from huanxin.operations.platform import Platform
from huanxin.operations.watch import bulletin
from huanxin.operations.watch.opendata import Publication, publish, tables
from huanxin.sentences import Sentence
from huanxin.settings import Settings
from huanxin.store import summaries
from huanxin.store.summaries import Summary
from huanxin.web.pages import labels
from huanxin.web.pages.render import render, say
from huanxin.web.pages.routes import html, language
from huanxin.web.pages.watch import words
from huanxin.web.pages.watch.formats import FORMS, About
from huanxin.web.pages.watch.page import view

router = APIRouter(include_in_schema=False)
_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=60"}
"""Open data may be read by scripts of any site; a minute is how old the figures may be anyway."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How the operator publishes: counts below the threshold are hidden; what readers may do with the data, in words."""

    threshold: int
    licence: str


def include(app: FastAPI, settings: Settings) -> None:
    """Everything under /watch."""
    app.state.watch_terms = Terms(threshold=settings.watch_threshold, licence=settings.watch_licence)
    app.include_router(router)


def _published(request: Request) -> tuple[Publication, Summary, Terms, Platform]:
    platform, terms = request.app.state.context.platform, request.app.state.watch_terms
    with platform.database.transaction() as tx:
        found = summaries.shown(
            tx, bulletin.KIND, bulletin.PUBLIC, now=platform.now(),
            make=lambda tx: bulletin.make_now(tx, platform)[bulletin.PUBLIC],
        )  # fmt: skip
    return publish(found.body, platform.plan.carriers, terms.threshold), found, terms, platform


@router.get("/watch")
def watch(request: Request, month: str = "") -> Response:
    """The bulletin: figures of all months, carriers and regions of one month or of all."""
    shown, found, terms, platform = _published(request)
    if month and month not in shown.totals:
        raise NotFound(Sentence("nothing was counted in %(month)s; /watch lists the months with figures", month=month))
    lang = language(request)
    names = {code: say(labels.CARRIERS.get(code, one.name), lang) for code, one in platform.plan.carriers.items()}
    values: dict[str, Any] = view(shown, month=month, names=names, lang=lang, threshold=terms.threshold)
    return html(
        request,
        render("watch/bulletin.html", lang, here="/watch", as_of=found.made_at, terms=terms, figure_names=words.FIGURES,
               breach_names=words.BREACHES, tables=words.TABLES, forms=list(FORMS), days=words.DAYS,
               answer_days=platform.rules.answer_days, **values),
    )  # fmt: skip


@router.get("/watch/data")
def catalogue(request: Request) -> Response:
    """Which tables there are, and where."""
    _, found, terms, platform = _published(request)
    about = About(as_of=found.made_at, threshold=terms.threshold, licence=terms.licence)
    links = {name: {form: f"{platform.issuer}/watch/data/{name}.{form}" for form in FORMS} for name in words.TABLES}
    return JSONResponse(about.words() | {"tables": links}, headers=_OPEN)


@router.get("/watch/data/{table}.{form}")
def data(request: Request, table: str, form: str) -> Response:
    """One table as CSV, JSON or Parquet."""
    if table not in words.TABLES or form not in FORMS:
        raise NotFound(Sentence("there is no table %(table)s.%(form)s; /watch/data lists them", table=table, form=form))
    shown, found, terms, platform = _published(request)
    names = {code: (one.name, labels.CARRIERS.get(code, one.name)) for code, one in platform.plan.carriers.items()}
    media, write = FORMS[form]
    about = About(as_of=found.made_at, threshold=terms.threshold, licence=terms.licence)
    body = write(tables(shown, terms.threshold, names)[table], about)
    headers = _OPEN | {"Content-Disposition": f'attachment; filename="huanxin-{table}.{form}"'}
    return Response(body, media_type=media, headers=headers)
