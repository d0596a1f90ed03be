"""The acknowledgements that a carrier's shops recorded, one by one, and taking one back when the buyer goes without."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from huanxin.disclose.acknowledging import named
from huanxin.disclose.acknowledging import withdraw as withdraw_disclosure
from huanxin.domain.disclosure import GRADE_NAMES, Grade
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.numbers import masked, masked_text, written
from huanxin.domain.operators import Right
from huanxin.store.access import operators
from huanxin.store.disclose import disclosures
from huanxin.store.disclose.disclosures import Disclosure
from huanxin.web.pages import session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import back, page
from huanxin.web.pages.console.sheets import as_csv, in_pieces
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.routes import language
from huanxin.words.sentences import N_

router = APIRouter(prefix="/console/desk/records", include_in_schema=False)
Clerk = Annotated[Working, Depends(signing.working(Right.DESK))]
Reason = Annotated[str, Form(max_length=200)]  # as the form says
_PAGE = 100
METHODS = {"signature": N_("signature"), "code": N_("code by SMS"), "reference": N_("in the shop's own system")}
_HEADINGS = ("id", "acknowledged_at", "number", "carrier", "grade", "asked", "confirmed", "method", "clerk", "withdrawn_at",
             "withdrawn_reason")  # fmt: skip


@router.get("")
def records(request: Request, who: Clerk, before: int | None = None, format: str = "") -> Response:
    """What was acknowledged at this carrier's shops, newest first, numbers masked."""
    carrier = who.operator.carrier
    with who.platform.read() as seen:
        if format == "csv":
            every = in_pieces(
                lambda last, most: disclosures.latest(seen.tx, carrier=carrier, before=last or before, most=most),
                lambda one: one.seq,
            )
            return as_csv("disclosures", _HEADINGS, (_row(one) for one in every))
        found = disclosures.latest(seen.tx, carrier=carrier, before=before, most=_PAGE)
    more = found[-1].seq if len(found) == _PAGE else None
    return page(
        request, who, "desk_records.html", tab="desk", found=found, more=more, methods=METHODS, masked=masked,
        grades=grade_names(request),
    )  # fmt: skip


def _row(one: Disclosure) -> tuple[object, ...]:
    withdrawn = one.withdrawn_at.isoformat() if one.withdrawn_at else ""
    return (one.id, one.acknowledged_at.isoformat(), masked(one.number), one.carrier, one.grade, one.asked, one.confirmed,
            one.method, one.clerk, withdrawn, masked_text(one.withdrawn_reason or ""))  # fmt: skip


def grade_names(request: Request) -> dict[str, str]:
    """What each grade of a number that is for sale is called, in the reader's language."""
    return {grade.value: text[language(request)] for grade, text in GRADE_NAMES.items() if grade is not Grade.BLOCKED}


@router.get("/{disclosure_id}")
def record(request: Request, who: Clerk, disclosure_id: str) -> Response:
    """One acknowledgement with the words that the buyer saw and their signature; that the number was seen is recorded."""
    return _record(request, who, disclosure_id)


@router.post("/{disclosure_id}/withdraw", dependencies=[Depends(session.same_origin)])
def withdraw(request: Request, who: Clerk, disclosure_id: str, reason: Reason = "") -> Response:
    """Record that the buyer did not take the number."""
    try:
        with who.act() as act:
            withdraw_disclosure(act, disclosure_id, reason=reason, operator=who.operator)
    except BadInput:
        return _record(request, who, disclosure_id, status=422, problem="reason")
    except Conflict:
        return _record(request, who, disclosure_id, status=409, problem="sold")
    return back(f"/console/desk/records/{disclosure_id}")


def _record(request: Request, who: Working, disclosure_id: str, *, status: int = 200, problem: str = "") -> Response:
    with who.act() as act:
        found = named(act.tx, disclosure_id, by=who.operator)
        seen = disclosures.text_of(act.tx, found.text_sha256)
        operators.note(
            act.tx, who.operator.id, "unmasked", by=act.by, at=act.now,
            detail={"number": written(found.number), "purpose": "disclosure", "disclosure": found.id},
        )  # fmt: skip
    return page(
        request, who, "desk_record.html", status, tab="desk", one=found, seen=seen, problem=problem,
        methods=METHODS, e164=written, grades=grade_names(request),
    )  # fmt: skip
