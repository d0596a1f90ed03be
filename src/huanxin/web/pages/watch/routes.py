"""The bulletin at `/watch`, and the same as open data at `/watch/data`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from huanxin.acts.platform import Platform
from huanxin.domain.errors import NotFound
from huanxin.figures.watch import bulletin
from huanxin.figures.watch.opendata import Publication, tables
from huanxin.settings import Settings
from huanxin.store.acting import PLATFORM
from huanxin.web.pages import labels
from huanxin.web.pages.render import render
from huanxin.web.pages.routes import html, language
from huanxin.web.pages.watch import words
from huanxin.web.pages.watch.formats import FORMS, About
from huanxin.web.pages.watch.page import view
from huanxin.words.saying import say
from huanxin.words.sentences import Sentence

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
    app.state.watch_licence = settings.watch_licence
    app.include_router(router)


def _published(request: Request) -> tuple[Publication, datetime, Terms, Platform]:
    platform = request.app.state.context.platform
    with platform.act(PLATFORM) as act:
        shown, as_of = bulletin.published(act.tx, platform)
    terms = Terms(threshold=platform.rules.watch_threshold, licence=request.app.state.watch_licence)
    return shown, as_of, terms, platform


@router.get("/watch")
def watch(request: Request, month: str = "") -> Response:
    """The bulletin: figures of all months, carriers and regions of one month or of all."""
    shown, as_of, terms, platform = _published(request)
    if month and month not in shown.totals:
        raise NotFound(Sentence("nothing was counted in %(month)s; /watch lists the months with figures", month=month))
    lang = language(request)
    names = {code: say(labels.CARRIERS.get(code, one.name), lang) for code, one in platform.plan.carriers.items()}
    values = view(shown, month=month, names=names, lang=lang, threshold=terms.threshold)
    return html(
        request,
        render("watch/bulletin.html", lang, here="/watch", as_of=as_of, terms=terms, figure_names=labels.FIGURES,
               breach_names=labels.ALL_BREACHES, tables=words.TABLES, forms=list(FORMS), days=words.DAYS,
               answer_days=platform.rules.answer_days, **values),
    )  # fmt: skip


@router.get("/watch/data")
def catalogue(request: Request) -> Response:
    """Which tables there are, and where."""
    _, as_of, terms, platform = _published(request)
    about = About(as_of=as_of, zone=platform.zone.key, threshold=terms.threshold, licence=terms.licence)
    links = {name: {form: f"{platform.issuer}/watch/data/{name}.{form}" for form in FORMS} for name in words.TABLES}
    return JSONResponse(about.words() | {"tables": links}, headers=_OPEN)


@router.get("/watch/data/{table}.{form}")
def data(request: Request, table: str, form: str) -> Response:
    """One table as CSV, JSON or Parquet."""
    if table not in words.TABLES or form not in FORMS:
        raise NotFound(Sentence("there is no table %(table)s.%(form)s; /watch/data lists them", table=table, form=form))
    shown, as_of, terms, platform = _published(request)
    names = {code: (one.name, labels.CARRIERS.get(code, one.name)) for code, one in platform.plan.carriers.items()}
    media, write = FORMS[form]
    about = About(as_of=as_of, zone=platform.zone.key, threshold=terms.threshold, licence=terms.licence)
    body = write(tables(shown, terms.threshold, names)[table], about)
    headers = _OPEN | {"Content-Disposition": f'attachment; filename="huanxin-{table}.{form}"'}
    return Response(body, media_type=media, headers=headers)
