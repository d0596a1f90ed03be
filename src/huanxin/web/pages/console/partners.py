"""Partners: whose answers are waited for, and what changes of that. What frees something takes two people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.acts import undoing
from huanxin.domain.errors import BadInput, Forbidden, HuanxinError, NotFound
from huanxin.domain.operators import Right
from huanxin.domain.partners import Partner
from huanxin.domain.problems import status_of
from huanxin.notify.changing import off_board, rename, set_required
from huanxin.store.connect import partners
from huanxin.store.notify import streams
from huanxin.web.pages import flash, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.forms import Form, Posted
from huanxin.web.pages.console.frame import page
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.labels import STREAM_STATUS
from huanxin.web.pages.routes import language
from huanxin.words.saying import translated
from huanxin.words.sentences import N_, Sentence

_DONE = {
    "required": N_("Its answers are waited for from the next notice on."),
    "renamed": N_("It has its new name. Its credentials, stream and folders stay as they are."),
    "off-boarded": N_("It has left: it is told nothing more and not let in. Numbers wait for what it left unanswered."),
}
_HEADER = ("partner", "client_id", "kind", "required", "since", "stream", "left")
router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Changer = Annotated[Working, Depends(signing.working(Right.BATCHES))]


@router.get("/partners")
def everyone(request: Request, who: Changer, done: flash.JustDone, format: str = "") -> Response:
    """Every partner, those that left below."""
    if format == "csv":
        there, gone, ways = _known(who)
        rows = ((one.name, one.client_id, one.kind, one.required, one.added_at, ways.get(one.id, ""), one in gone)
                for one in (*there, *gone))  # fmt: skip
        return as_csv("partners", _HEADER, rows)
    return _page(request, who, done=done)


@router.post("/partners/{partner_id}", dependencies=_FORMS)
def change(request: Request, who: Changer, partner_id: int, form: Form) -> Response:
    """Rename a partner, have its answers waited for or propose that they be not, or let it leave."""
    try:
        return _change(request, who, _named(who, partner_id), form)
    except HuanxinError as error:
        return _page(request, who, status=status_of(error), problem=error)


def _change(request: Request, who: Working, partner: Partner, form: Posted) -> Response:
    what, reason = form["do"], form["reason"]
    if what == "optional":
        undoing.propose_optional(who.platform, partner, reason=reason, by=who.operator)
        return flash.after(request, "/console/approvals", "undo")
    with who.act() as act:
        if what == "required":
            set_required(act, partner, required=True, reason=reason)
        elif what == "renamed":
            rename(act, partner, form["name"], reason=reason)
        elif what == "off-boarded":
            off_board(act, partner, reason=reason)
        else:
            raise BadInput(Sentence("%(value)s is nothing that can be done with a partner", value=what or "nothing"))
    return flash.after(request, "/console/partners", what)


def _named(who: Working, partner_id: int) -> Partner:
    if who.operator.carrier is not None:
        raise Forbidden(Sentence("partners answer for all carriers; somebody for all carriers has to change them"))
    with who.platform.read() as seen:
        found = partners.get(seen.tx, partner_id)
    if found is None:
        raise NotFound(Sentence("there is no partner %(partner)s", partner=partner_id))
    return found


def _known(who: Working) -> tuple[list[Partner], list[Partner], dict[int, str]]:
    """Partners that are there, those that left, and the status of each stream."""
    with who.platform.read() as seen:
        there = partners.all_partners(seen.tx)
        gone = [one for key in sorted(partners.withdrawn(seen.tx)) if (one := partners.get(seen.tx, key))]
        ways = {key: str(one.status) for key, one in streams.all_streams(seen.tx).items()}
    return there, gone, ways


def _page(
    request: Request, who: Working, *, status: int = 200, done: flash.Done | None = None, problem: HuanxinError | None = None
) -> Response:
    there, gone, ways = _known(who)
    lang = language(request)
    return page(
        request, who, "partners.html", status, tab="partners", there=there, gone=gone, ways=ways, done=done or flash.Done(),
        may_act=who.operator.carrier is None, problem=problem and problem.said, partner_act_words=translated(_DONE, lang),
        stream_names=translated(STREAM_STATUS, lang),
    )  # fmt: skip
