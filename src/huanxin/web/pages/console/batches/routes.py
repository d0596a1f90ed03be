"""Batches: all of them, one on a page, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.acts.batches import send_batch
from huanxin.domain.clock import passed
from huanxin.domain.errors import BadInput, Forbidden, HuanxinError, NotFound
from huanxin.domain.operators import Right
from huanxin.domain.problems import status_of
from huanxin.figures import batch_figures
from huanxin.notify.reminders import escalate_now, remind_now
from huanxin.notify.retractions import retract_ordered
from huanxin.numbersets.numberfile import write_csv
from huanxin.plan.batches import call_off, plan_batch
from huanxin.release.gate import load_gate, renewal_batch
from huanxin.release.listing import list_name, release_lists
from huanxin.release.proposals import propose_release, propose_waiver
from huanxin.release.waiving import withdraw_waiver
from huanxin.store.access import operators
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.plan import batches, plannings
from huanxin.store.release import releases
from huanxin.web.pages import flash, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.batches.sheets import batch_csv
from huanxin.web.pages.console.batches.views import batch_page, list_csv, list_page, shown
from huanxin.web.pages.console.forms import Form, Posted, numbers_given
from huanxin.web.pages.console.frame import back
from huanxin.web.pages.console.number import unmasking
from huanxin.web.pages.console.signing import Working
from huanxin.words.sentences import Sentence
from huanxin.work.planning import order, takes_long

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Reader = Annotated[Working, Depends(signing.working(Right.FIGURES))]
Worker = Annotated[Working, Depends(signing.working(Right.BATCHES))]
Seer = Annotated[Working, Depends(signing.working(Right.NUMBERS))]


@router.get("/batches")
def everything(
    request: Request, who: Reader, done: flash.JustDone, state: str = "all", before: int | None = None, format: str = "",
    planning: int | None = None,
) -> Response:  # fmt: skip
    """The batches that this operator sees, newest first; once a batch that they wanted is planned, that one."""
    with who.platform.read() as seen:
        wish = plannings.get(seen.tx, planning) if planning is not None else None
    if wish and wish.ended_at:
        return _planned(request, wish.batch_id)
    if format == "csv":
        return list_csv(shown(who, state=state, before=before, everything=True)[0])
    rows, more = shown(who, state=state, before=before)
    return list_page(request, who, rows, more=more, state=state, done=done.what)


@router.post("/batches", dependencies=_FORMS)
def plan(request: Request, who: Worker, form: Form) -> Response:
    """Put everything that is due into a batch: of all carriers, of one, or of the operator's own."""
    carrier = who.operator.carrier or form["carrier"] or None
    try:
        if carrier is not None and carrier not in who.platform.plan.carriers:
            raise BadInput(Sentence("there is no carrier %(carrier)s", carrier=carrier))
        with who.act() as act:
            wish = order(act.tx, who.platform, carrier=carrier, by=act.by) if takes_long(act.tx) else None
        if wish is not None:
            return back(f"/console/batches?planning={wish}")
        with who.act(sure=True) as act:
            planned = plan_batch(act, carrier=carrier)
    except HuanxinError as error:
        rows, more = shown(who, state="all", before=None)
        return list_page(request, who, rows, more=more, state="all", done="", problem=error)
    return _planned(request, planned.id if planned else None)


def _planned(request: Request, batch_id: int | None) -> Response:
    if batch_id is None:
        return flash.after(request, "/console/batches", "nothing-due")
    return flash.after(request, f"/console/batches/{batch_id}", "planned")


@router.get("/batches/{batch_id}")
def one(
    request: Request,
    who: Reader,
    batch_id: int,
    done: flash.JustDone,
    format: str = "",
    table: str = "",
    partners: str = "all",
) -> Response:
    """One batch, or one of its tables as CSV."""
    _seen(who, batch_id)
    if format == "csv":
        return batch_csv(who, batch_id, table=table, partners=partners)
    return batch_page(request, who, batch_id, done=done.what, partners=partners)


@router.post("/batches/{batch_id}", dependencies=_FORMS)
def act(request: Request, who: Worker, batch_id: int, form: Form) -> Response:
    """Send, remind, escalate, take numbers back; propose a waiver or a release. Whoever does it is on record."""
    _seen(who, batch_id)
    do = form["do"]
    try:
        if do not in ACTS:
            raise BadInput(Sentence("%(value)s is nothing that can be done to a batch", value=do or "nothing"))
        count = ACTS[do](request, who, batch_id, form)
    except HuanxinError as error:
        return batch_page(request, who, batch_id, status=status_of(error), problem=error, given=form)
    return flash.after(request, f"/console/batches/{batch_id}", do, count=count)


def _seen(who: Working, batch_id: int) -> None:
    """Raise unless the batch is this operator's to see."""
    with who.platform.read() as seen:
        renewal_batch(seen.tx, batch_id)
        carriers = batches.carriers(seen.tx).get(batch_id, frozenset())
    if not who.operator.sees(carriers):
        raise Forbidden(
            Sentence(
                "batch %(batch)s holds numbers of other carriers; somebody for all carriers has to act on it", batch=batch_id
            )
        )


def _send(_: Request, who: Working, batch_id: int, form: Posted) -> int:
    del form
    with who.act() as act:
        told = send_batch(act, batch_id)
        operators.note(act.tx, who.operator.id, "batch-sent", by=act.by, at=act.now, detail={"batch": batch_id})
    return len(told)


def _call_off(_: Request, who: Working, batch_id: int, form: Posted) -> int:
    with who.act() as act:
        return call_off(act, batch_id, reason=form["reason"]).count


def _remind(_: Request, who: Working, batch_id: int, form: Posted) -> int:
    with who.act() as act:
        return len(remind_now(act, _of(act.tx, batch_id, form), partner_id=form.number("partner")))


def _escalate(request: Request, who: Working, batch_id: int, form: Posted) -> int:
    with who.act() as act:
        wanted, partner = _of(act.tx, batch_id, form), form.number("partner")
        return len(escalate_now(act, wanted, partner_id=partner, escalates=request.app.state.escalates))


def _of(tx: Tx, batch_id: int, form: Posted) -> int:
    """The batch that is meant: this one, or a retraction of it."""
    wanted = form.number("of") or batch_id
    known = {batch_id, *(back.id for back in batches.retractions_of(tx, batch_id))}
    if wanted not in known:
        raise NotFound(Sentence("batch %(batch)s has no retraction %(wanted)s", batch=batch_id, wanted=wanted))
    return wanted


def _retract(_: Request, who: Working, batch_id: int, form: Posted) -> int:
    numbers = numbers_given(form, who.context)
    if numbers is None:
        raise BadInput(Sentence("name the numbers that are taken back, in the field or as a file"))
    with who.act() as act:
        return retract_ordered(act, batch_id, numbers, reason=form["reason"]).count


def _waive(_: Request, who: Working, batch_id: int, form: Posted) -> int:
    partner = form.number("partner")
    if partner is None:
        raise BadInput(Sentence("choose the partner whose answer is gone without"))
    only = numbers_given(form, who.context)
    with who.act() as act:
        return propose_waiver(act, batch_id, partner_id=partner, only=only, reason=form["reason"], operator=who.operator)


def _unwaive(_: Request, who: Working, batch_id: int, form: Posted) -> int:
    waiver = form.number("waiver")
    with who.act() as act:
        if waiver is None or not receipts.granted(act.tx, batch_id=batch_id, waiver_id=waiver):
            raise NotFound(Sentence("batch %(batch)s has no waiver %(waiver)s", batch=batch_id, waiver=waiver or "–"))
        return sum(one.count for one in withdraw_waiver(act, waiver, reason=form["reason"]))


def _release(_: Request, who: Working, batch_id: int, form: Posted) -> int:
    with who.act() as act:
        summary, fresh = batch_figures.current(act.tx, who.platform, batch_id)
        clear = summary.body.gate.releasable_now if fresh else None
        return propose_release(act, batch_id, reason=form["reason"], operator=who.operator, clear=clear)


ACTS: dict[str, Callable[[Request, Working, int, Posted], int]] = {
    "send": _send, "call-off": _call_off, "remind": _remind, "escalate": _escalate, "retract": _retract, "waive": _waive,
    "unwaive": _unwaive, "release": _release,
}  # fmt: skip
"""What can be done to a batch; each gives how many it concerned, or the number of the proposal that it made."""


@router.post("/batches/{batch_id}/releases/{release_id}", dependencies=_FORMS)
def release_list(request: Request, who: Seer, batch_id: int, release_id: int, form: Form) -> Response:
    """What may be sold of a release by one carrier, or may not any more, now or as of a day before, for a stated purpose;
    that it was taken is recorded first."""
    _seen(who, batch_id)
    try:
        if not unmasking.purpose_of(form, unmasking.LIST_PURPOSES):
            raise BadInput(Sentence("choose a purpose of the list"))
        name, data = _list(who, batch_id, release_id, form)
    except BadInput as error:
        return batch_page(request, who, batch_id, status=422, problem=error, given=form)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type="text/csv; charset=utf-8", headers=headers)


def _list(who: Working, batch_id: int, release_id: int, form: Posted) -> tuple[str, bytes]:
    """The list as it is to be now, or as it was, with its name; that it is taken is recorded."""
    stopped, carrier = form["which"] == "stopped", form["carrier"]
    as_of = passed(form["as_of"], zone=who.platform.zone, now=who.platform.now()) if form["as_of"] else None
    with who.platform.read(as_of=as_of) as seen:
        release = next((one for one in releases.all_releases(seen.tx, batch_id) if one.id == release_id), None)
        lists = release_lists(seen.tx, release, load_gate(seen, batch_id)) if release else {}
    if release is None or carrier not in lists:
        raise NotFound(
            Sentence("batch %(batch)s has no release %(release_id)s of this carrier", batch=batch_id, release_id=release_id)
        )
    table = lists[carrier].stopped if stopped else lists[carrier].for_sale
    taken = {"release": release_id, "carrier": carrier, "numbers": table.num_rows, "stopped": stopped}
    with who.act() as act:
        unmasking.note(act.tx, who, form, **taken, **({"as_of": as_of.isoformat()} if as_of else {}))
    out = BytesIO()
    write_csv(table, out)
    return list_name(release, carrier, stopped=stopped), out.getvalue()
