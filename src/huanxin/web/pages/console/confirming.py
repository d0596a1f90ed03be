"""Reports that were uploaded and wait: what would come of each, and the word to take it, or not."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.report.checking import Checked
from huanxin.store.report import waiting
from huanxin.store.report.waiting import Waiting
from huanxin.web.pages import session
from huanxin.web.pages.console import waiting_reports
from huanxin.web.pages.console.forms import Form
from huanxin.web.pages.console.frame import back, page
from huanxin.web.pages.console.pool.words import BASELINE_NAMES, EVENT_NAMES
from huanxin.web.pages.console.reports import Reporter
from huanxin.web.pages.routes import language
from huanxin.words.saying import say

router = APIRouter(prefix="/console/reports/waiting", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]


@router.get("/{waiting_id}")
def shown(request: Request, who: Reporter, waiting_id: int) -> Response:
    """What would come of a report, and the question whether to take it."""
    one = _waiting(who, waiting_id)
    checked = Checked.shown_again(one.checked)
    names = BASELINE_NAMES if checked.first_day else EVENT_NAMES
    events = [(name, checked.counts.get(word, 0)) for word, name in names.items()]
    return page(request, who, "waiting.html", tab="reports", one=one, checked=checked, events=events, said=names)


@router.post("/{waiting_id}/take", dependencies=_FORMS)
async def take(request: Request, who: Reporter, waiting_id: int, form: Form) -> Response:
    """Take it: what became of it stands on a page of its own."""
    lang, context = language(request), who.context
    context.room.check(0)

    def taken() -> int:
        return waiting_reports.take(
            who.platform, _waiting(who, waiting_id), shown=form["sha256"], who=who.operator, uploads=context.uploads,
            most_bytes=context.limits.most_bytes, say=lambda text: say(text, lang),
        )  # fmt: skip

    done = await to_thread.run_sync(taken, limiter=context.large)
    return back(f"/console/reports/uploads/{done}")


@router.post("/{waiting_id}/discard", dependencies=_FORMS)
def discard(who: Reporter, waiting_id: int) -> Response:
    """Take it not."""
    one = _waiting(who, waiting_id)
    with who.act() as act:
        waiting.remove(act.tx, one.id)
    return back("/console/reports")


def _waiting(who: Reporter, waiting_id: int) -> Waiting:
    """One that this person uploaded; another's is as none."""
    with who.platform.read() as seen:
        one = waiting.get(seen.tx, waiting_id, operator_id=who.operator.id, now=seen.now)
    if one is None or not who.operator.sees([one.carrier]):
        raise waiting_reports.gone()
    return one
