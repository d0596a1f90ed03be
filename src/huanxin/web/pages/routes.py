"""The pages' routes: `/`, help, batches, the report of a demo run. Counts only; numbers need a role (rule 5)."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from huanxin.domain.answers import Purpose
from huanxin.domain.errors import NotFound
from huanxin.operations import batch_figures
from huanxin.store import batches, figures
from huanxin.web import i18n
from huanxin.web.context import Context
from huanxin.web.pages.gate_view import batch_summaries, batch_view
from huanxin.web.pages.render import batch_page, batches_page, docs_page, help_page, home_page
from huanxin.web.pages.views import BatchesView, HomeView

router = APIRouter(include_in_schema=False)
_LATEST = 10


def language(request: Request) -> str:
    """The language that the request asks for: `?lang=`, else the cookie, else the browser's, else Chinese."""
    query = request.query_params.get("lang")
    return i18n.choose_language(query, request.cookies.get(i18n.COOKIE), request.headers.get("accept-language"))


def html(request: Request, page: str) -> Response:
    """A page; a language chosen by `?lang=` is remembered."""
    answer = HTMLResponse(page)
    if request.query_params.get("lang"):
        answer.set_cookie(i18n.COOKIE, language(request), max_age=365 * 86_400, samesite="lax", httponly=True)
    return answer


@router.get("/")
def home(request: Request) -> Response:
    """Where to go from here, and live figures."""
    context: Context = request.app.state.context
    with context.platform.database.transaction() as tx:
        totals = figures.totals(tx, now=context.platform.now())
        known = batches.all_batches(tx, Purpose.RENEWAL)
    view = HomeView(
        numbers_planned=totals.planned, ties_cut=totals.ties_cut, partners=totals.partners, batches=len(known),
        released=totals.released,
    )  # fmt: skip
    return html(request, home_page(language(request), view))


@router.get("/help")
def guide(request: Request) -> Response:
    """What people ask."""
    return html(request, help_page(language(request)))


@router.get("/batches")
def latest(request: Request) -> Response:
    """The latest batches, each with how its partners answered."""
    context: Context = request.app.state.context
    with context.platform.database.transaction() as tx:
        known = batches.all_batches(tx, Purpose.RENEWAL)[::-1]
        shown = known[:_LATEST]
        summaries = tuple(batch_summaries(tx, context.platform, shown))
    view = BatchesView(latest=summaries, older=max(0, len(known) - _LATEST))
    return html(request, batches_page(language(request), view))


@router.get("/batches/{batch_id}")
def batch(request: Request, batch_id: int) -> Response:
    """One batch: its partners and its gate, as counts."""
    context: Context = request.app.state.context
    platform = context.platform
    with platform.database.transaction() as tx:
        summary, _ = batch_figures.current(tx, platform, batch_id)
        view = batch_view(tx, platform, batch_id, summary.body, as_of=summary.made_at)
    return html(request, batch_page(language(request), view))


@router.get("/docs")
def docs(request: Request) -> Response:
    """The API, for developers at partners."""
    return html(request, docs_page(language(request)))


@router.get("/report")
def report(request: Request) -> Response:
    """The report of the demo run that this platform was filled by."""
    context: Context = request.app.state.context
    path: Path = context.files.parent.parent / "report.html"
    if not (context.platform.development and path.is_file()):
        raise NotFound("there is no demo report here; `huanxin demo` makes one")
    return FileResponse(path, media_type="text/html")
