"""The shop desk: numbers with their grades for the clerk, the disclosure for the buyer, and the buyer's acknowledgement."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from huanxin.disclose.acknowledging import Acknowledgement, Method
from huanxin.disclose.desk import Offer, read_prefix, texts_of
from huanxin.disclose.printing import spaced
from huanxin.disclose.sheet import disclosure_pdf
from huanxin.domain.disclosure import GRADE_NAMES, REASONS, RULES, VERSION, Grade, Told, digest
from huanxin.domain.errors import BadInput, Conflict, TooMany, Unavailable
from huanxin.domain.numbers import typed, written
from huanxin.domain.operators import Right
from huanxin.domain.rules import random_id
from huanxin.numbersets.sharded import shard_of
from huanxin.request.sms import Message
from huanxin.sentences import Sentence
from huanxin.store import operators
from huanxin.web.pages import once, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import page
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.people.setup import people_of
from huanxin.web.pages.routes import language
from huanxin.web.telling import disclosure_code_text

router = APIRouter(prefix="/console/desk", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Clerk = Annotated[Working, Depends(signing.working(Right.DESK))]
Text = Annotated[str, Form()]
MOST, OFFERED = 50, 10
_DIGITS = 15  # of the longest number (E.164)
_TEL = re.compile(r"^tel:", re.IGNORECASE)
"""RFC 3966: how codes on cards and SIM packs write numbers."""
_CODES_AN_HOUR = 120  # of one clerk
CHOICES = {"A": {Grade.A}, "B": {Grade.B}, "BC": {Grade.B, Grade.C}}
CHIPS = {Grade.A: "clear", Grade.B: "clear", Grade.C: "waits", Grade.BLOCKED: "refused"}
_HEADINGS = ("number", "carrier", "grade", "why_not", "recycled", "closed_on", "frozen_days", "sellable_from", "asked",
             "confirmed", "open")  # fmt: skip


@router.get("")
def desk(
    request: Request, who: Clerk, numbers: str = "", prefix: str = "", grade: str = "B", after: str = "",
    format: str = "",
) -> Response:  # fmt: skip
    """What the clerk typed or scanned, or the next clean numbers of a prefix, each with its grade."""
    wanted, unread = read_numbers(numbers)
    told, offer, problem = who.platform.consult(wanted, by=who.operator), None, ""
    if prefix:
        try:
            offer = _offer(who, read_prefix(prefix), grade=grade, after=_reached(after))
            told += offer.found
        except BadInput:
            problem = "prefix"
    if format == "csv":
        return as_csv("numbers", _HEADINGS, [_row(one) for one in told])
    query = str(request.url.query)
    return page(
        request, who, "desk.html", tab="desk", told=told, unread=unread, offer=offer, problem=problem, numbers=numbers,
        prefix=prefix, grade=grade, query=query, most=MOST, too_many=len(_pieces(numbers)) > MOST,
        sale=[written(one.number) for one in told if one.for_sale], **_words(request),
    )  # fmt: skip


def read_numbers(text: str) -> tuple[list[int], list[str]]:
    """The numbers that somebody typed or a scanner wrote, each once, and what can't be read; no more than `MOST`."""
    found: dict[int, None] = {}
    unread = []
    for piece in _pieces(text)[:MOST]:
        try:
            found[typed(_TEL.sub("", piece))] = None
        except ValueError:
            unread.append(piece[:40])
    return list(found), unread


def _reached(after: str) -> int:
    """The number that a list goes on from; 0 for what is none."""
    return int(after) if after.isascii() and after.isdecimal() and len(after) <= _DIGITS else 0


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in re.split(r"[\n\r,;，；、\t]+", text) if piece.strip()]


def _offer(who: Working, prefix: str, *, grade: str, after: int) -> Offer:
    platform, person = who.platform, who.operator
    offer = platform.next_clean(
        prefix, grades=CHOICES.get(grade, CHOICES["B"]), after=after, most=OFFERED, seller=person.carrier
    )
    with platform.database.transaction() as tx:
        detail = {"prefix": prefix, "numbers": len(offer.found)}
        operators.note(tx, person.id, "offered", by=person.login, at=platform.now(), detail=detail)
    return offer


def _row(one: Told) -> tuple[object, ...]:
    return (written(one.number), one.carrier, one.grade.value, one.why, one.recycled, one.closed_on, one.frozen_days,
            one.sellable_from, one.asked, one.confirmed, one.open)  # fmt: skip


def _words(request: Request) -> dict[str, Any]:
    lang = language(request)
    return {
        "grades": {grade: text[lang] for grade, text in GRADE_NAMES.items()}, "chips": CHIPS, "e164": written,
        "spaced": spaced, "rules": {grade: text[lang] for grade, text in RULES.items()},
        "reasons": {why: text[lang] for why, text in REASONS.items()},
    }  # fmt: skip


@router.get("/show")
def show(request: Request, who: Clerk, numbers: str = "") -> Response:
    """The numbers that are for sale, for the buyer to choose from: the clerk turns the screen round."""
    wanted, _ = read_numbers(numbers)
    told = [one for one in who.platform.consult(wanted, by=who.operator) if one.for_sale]
    return page(request, who, "desk_show.html", tab="desk", told=told, numbers=numbers, **_words(request))


@router.get("/choose")
def choose(request: Request, who: Clerk, number: str = "") -> Response:
    """The whole disclosure of one number, to be acknowledged."""
    return _choose(request, who, _one(who, number))


@router.get("/sheet.pdf")
def sheet(who: Clerk, number: str = "") -> Response:
    """The disclosure on paper."""
    told = _one(who, number)
    if not told.for_sale or told.carrier is None:
        raise Conflict(Sentence("this number is not for sale, so there is nothing to disclose on paper"))
    pdf = disclosure_pdf(told, carrier=who.platform.plan.carriers[told.carrier], made_at=who.platform.now())
    name = f'inline; filename="disclosure-{told.number}.pdf"'
    return Response(pdf, media_type="application/pdf", headers={"Content-Disposition": name, "Cache-Control": "no-store"})


@router.post("/choose", dependencies=_FORMS)
def acknowledge(
    request: Request, who: Clerk, number: Text = "", shown: Text = "", do: Text = "", signature: Text = "", phone: Text = "",
    code: Text = "",
) -> Response:  # fmt: skip
    """Take the buyer's signature, or send a code to his phone and compare what he types."""
    told = _one(who, number)
    if do == "send":
        return _send_code(request, who, told, phone)
    evidence, method = signature, Method.SIGNATURE
    if do == "code":
        try:
            contact = typed(phone)
        except ValueError:
            return _choose(request, who, told, 422, problem="phone", given=phone)
        people = people_of(request)
        tried = who.platform.check_code(contact, code, secret=_secret(request), rules=people.codes)
        if not tried.right:
            return _choose(request, who, told, 422, problem="gone" if tried.gone else "wrong", phone=phone, left=tried.left)
        evidence, method = "", Method.CODE
    given = Acknowledgement(number=told.number, shown=shown, method=method, evidence=evidence)
    try:
        done = who.platform.acknowledge([given], by=who.operator)
    except BadInput as error:
        problem = "signature" if "signature" in error.faults[0].reason else "changed"
        return _choose(request, who, _one(who, number), 422, problem=problem)
    return once.after(request, f"/console/desk/records/{done.ids[0]}", "acknowledged")


def _one(who: Working, number: str) -> Told:
    try:
        wanted = typed(number)
    except ValueError as error:
        raise BadInput(Sentence("the number can't be read: %(error)s", error=error.args[0])) from error
    return who.platform.consult([wanted], by=who.operator)[0]


def _send_code(request: Request, who: Working, told: Told, phone: str) -> Response:
    """Send a code to the buyer's phone. That number goes to the gateway, and is kept only as every code's is: for the
    limits, two days at most."""
    people, problem, wait = people_of(request), "", 0
    try:
        contact = typed(phone)
        if who.platform.plan.owner(shard_of(contact)) is None:
            raise ValueError("not a number of the plan")
        rules = replace(people.codes, per_address_hour=_CODES_AN_HOUR)
        code = who.platform.ask_code(contact, address=f"desk/{who.operator.login}", secret=_secret(request), rules=rules)
        text = disclosure_code_text(code, told.number, GRADE_NAMES[told.grade], language(request))
        message = Message(id=random_id("sm"), number=contact, text=text, kind="code")
        people.post.send(message, meant_for=lambda _: True)  # to whoever holds that phone, of this minute
    except ValueError:
        problem = "phone"
    except TooMany as error:
        problem, wait = "many", error.retry_after
    except Unavailable:
        problem = "gateway"
    status = {"": 200, "many": 429, "gateway": 503}.get(problem, 422)
    return _choose(request, who, told, status, problem=problem, phone="" if problem else phone, given=phone, wait=wait)


def _secret(request: Request) -> str:
    """Codes for a disclosure open nothing else: they are keyed apart from those that sign somebody in."""
    return people_of(request).secret + "/disclosure"


def _choose(
    request: Request, who: Working, told: Told, status: int = 200, *, problem: str = "", phone: str = "", given: str = "",
    left: int = 0, wait: int = 0,
) -> Response:  # fmt: skip
    text = texts_of(told).get(language(request), "")
    return page(
        request, who, "desk_choose.html", status, tab="desk", told=told, text=text, shown=digest(text), version=VERSION,
        problem=problem, phone=phone, given=given, left=left, wait=wait, console=people_of(request).console,
        **_words(request),
    )  # fmt: skip
