"""Four eyes: what and who waits for a second person, and what became of what was proposed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.access import people
from huanxin.acts import mending
from huanxin.acts.batches import decide as decide_on
from huanxin.acts.undoing import LIFT, OPTIONAL
from huanxin.domain.errors import BadInput, HuanxinError
from huanxin.domain.numbers import masked, masked_text, written
from huanxin.domain.operators import Operator, Right, governed
from huanxin.domain.problems import status_of
from huanxin.release.proposals import Outcome, concerned, covered
from huanxin.store.access import operators
from huanxin.store.plan import batches
from huanxin.store.release import proposals
from huanxin.store.release.proposals import Proposal
from huanxin.web.pages import flash, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.forms import Form
from huanxin.web.pages.console.frame import page
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Proposer = Annotated[Working, Depends(signing.working(Right.BATCHES))]
_MOST = 200
"""More that were decided are read in the CSV; what waits stands here whole."""
HEADINGS = (
    "proposal", "kind", "batch", "partner", "numbers", "reason", "proposed_by", "proposed_at", "outcome", "note", "freed",
    "decided_by", "decided_at",
)  # fmt: skip


@router.get("/approvals")
def approvals(request: Request, who: Proposer, done: flash.JustDone, format: str = "") -> Response:
    """What waits, and what was decided: all of it for those who decide, one's own for the others."""
    if format == "csv":
        return as_csv("approvals", HEADINGS, (line_of(one) for one in _listed(who)))
    return _page(request, who, done=done)


@router.post("/approvals/{proposal_id}", dependencies=_FORMS)
def decide(request: Request, who: Proposer, proposal_id: int, form: Form) -> Response:
    """Approve, decline or withdraw."""
    try:
        if form["do"] not in set(Outcome):
            raise BadInput(Sentence("%(value)s is nothing that can be done with a proposal", value=form["do"] or "nothing"))
        freed = decide_on(who.platform, proposal_id, Outcome(form["do"]), note=form["note"], by=who.operator)
    except HuanxinError as error:
        return _page(request, who, status=status_of(error), problem=error, about=proposal_id)
    return flash.after(request, "/console/approvals", form["do"], count=freed)


@router.get("/approvals/{proposal_id}/preview")
def preview(who: Proposer, proposal_id: int) -> Response:
    """What a mend that waits would do now, number by number, masked: nothing of it is recorded."""
    found = mending.preview(who.platform, proposal_id, by=who.operator)
    lines = ((masked(written(number)), one.what.value, one.batch_id) for one in found.consequences for number in one.numbers)
    return as_csv(f"proposal-{proposal_id}", ("number", "what", "batch"), lines)


@router.post("/approvals/people/{login}", dependencies=_FORMS)
def confirm(request: Request, who: Proposer, login: str) -> Response:
    """Say that somebody is who they should be; from then on they may propose, or decide."""
    try:
        with who.act() as act:
            people.confirm(act, login, operator=who.operator)
    except HuanxinError as error:
        return _page(request, who, status=status_of(error), problem=error)
    return flash.after(request, "/console/approvals", "confirmed")


def _strangers(who: Working) -> list[Operator]:
    """Who waits to be confirmed by somebody like this operator."""
    with who.platform.read() as seen:
        known = operators.everyone(seen.tx)
    mine = who.operator
    return [one for one in known if one.waits and mine.carrier in (None, one.carrier) and governed(one.roles) <= mine.rights]


def _listed(who: Working) -> list[Proposal]:
    """The proposals that this operator sees, newest first."""
    with who.platform.read() as seen:
        of = batches.carriers(seen.tx)
        found = proposals.listed(seen.tx)
        of_undo = {one.id: concerned(seen, one.hold_id) for one in found if one.kind in (LIFT, OPTIONAL)}
    everyones = who.operator.may(Right.DECIDE)
    carriers = {
        one.id: [one.carrier] if one.carrier else of_undo.get(one.id, of.get(one.batch_id or 0, ())) for one in found
    }
    theirs = [one for one in found if who.operator.sees(carriers[one.id])]
    return [one for one in theirs if everyones or one.proposed_by == who.operator.id]


def _page(
    request: Request, who: Working, *, status: int = 200, done: flash.Done | None = None,
    problem: HuanxinError | None = None, about: int | None = None,
) -> Response:  # fmt: skip
    found = _listed(who)
    waiting = [one for one in found if one.outcome is None]
    with who.platform.read() as seen:
        covers = {one.id: covered(seen.tx, one) for one in waiting if one.kind == "waiver"}
    return page(
        request, who, "approvals.html", status, tab="approvals", waiting=waiting, covers=covers,
        ended=[one for one in found if one.outcome], most=_MOST, may_decide=who.operator.may(Right.DECIDE),
        done=done or flash.Done(), problem=problem and problem.said, about=about, strangers=_strangers(who),
    )  # fmt: skip


def line_of(one: Proposal) -> tuple[object, ...]:
    """A proposal as a line of a table, under HEADINGS."""
    return (one.id, one.kind, one.batch_id, one.partner, one.count, masked_text(one.reason), one.proposer, one.proposed_at,
            one.outcome, masked_text(one.note or ""), one.freed, one.decider, one.decided_at)  # fmt: skip
