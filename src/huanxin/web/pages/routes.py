"""The pages' routes: `/`, help, batches, the report of a demo run. Published counts only; all else needs a role (rule 5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from huanxin.domain.answers import Purpose
from huanxin.domain.errors import NotFound
from huanxin.domain.suppression import Shown, at_least
from huanxin.figures import batch_figures
from huanxin.figures.batch_body import BatchHead
from huanxin.figures.watch import bulletin
from huanxin.figures.watch.opendata import Publication
from huanxin.release.gate import renewal_batch
from huanxin.store.acting import PLATFORM
from huanxin.store.database import Tx
from huanxin.store.figures.summaries import Summary
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.web.context import Context
from huanxin.web.pages.render import batch_page, batches_page, docs_page, help_page, home_page
from huanxin.web.pages.views import BatchesView, HomeView, PublicBatch, Sum
from huanxin.words import i18n

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
    platform = request.app.state.context.platform
    with platform.act(PLATFORM) as act:
        shown, _ = bulletin.published(act.tx, platform)
        known = len(batches.all_batches(act.tx, Purpose.RENEWAL))
    months = shown.totals.values()
    view = HomeView(
        noticed=_added(month["noticed"] for month in months), released=_added(month["released"] for month in months),
        ties_cut=_added(month[figure] for month in months for figure in ("ties_cut", "order_ties_cut")),
        partners=sum(count for _, _, count in shown.partners), batches=known,
    )  # fmt: skip
    return html(request, home_page(language(request), view, platform.rules.watch_threshold))


def _added(shown: Iterable[Shown]) -> Sum:
    count, missing = at_least(list(shown))
    return (count, True) if missing else count


@router.get("/help")
def guide(request: Request) -> Response:
    """What people ask."""
    return html(request, help_page(language(request)))


@router.get("/batches")
def latest(request: Request) -> Response:
    """The latest batches, as anybody may see them."""
    platform = request.app.state.context.platform
    with platform.act(PLATFORM) as act:
        known = batches.all_batches(act.tx, Purpose.RENEWAL)[::-1]
        shown, _ = bulletin.published(act.tx, platform)
        heads = batch_figures.heads(act.tx, platform, known[:_LATEST])
        found = tuple(_public(act.tx, one, heads.get(one.id), shown, act.now) for one in known[:_LATEST])
    view = BatchesView(latest=found, older=max(0, len(known) - _LATEST))
    return html(request, batches_page(language(request), view, platform.rules.watch_threshold))


@router.get("/batches/{batch_id}")
def batch(request: Request, batch_id: int) -> Response:
    """One batch, as anybody may see it: how far it is, and the counts that are published. The console names partners."""
    platform = request.app.state.context.platform
    with platform.act(PLATFORM) as act:
        one = renewal_batch(act.tx, batch_id)
        shown, as_of = bulletin.published(act.tx, platform)
        head = batch_figures.heads(act.tx, platform, [one]).get(batch_id)
        view = _public(act.tx, one, head, shown, act.now)
    return html(request, batch_page(language(request), view, platform.rules.watch_threshold, as_of))


def _public(tx: Tx, one: Batch, head: Summary[BatchHead] | None, shown: Publication, now: datetime) -> PublicBatch:
    """How far a batch is now, and its figures as they were counted for the public last."""
    told = head.body.told if head else len(notices.of_batch(tx, one.id))
    late = bool(head.body.late(now)) if head else now >= one.answer_by
    return PublicBatch(
        id=one.id, cutoff=one.cutoff, answer_by=one.answer_by, told=told,
        waiting=head.body.waiting if head else told, late=late,
        figures=shown.batches.get(one.id, {}),
    )  # fmt: skip


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
