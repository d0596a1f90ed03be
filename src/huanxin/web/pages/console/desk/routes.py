"""The shop desk: numbers with their grades for the clerk, the disclosure for the buyer, and the buyer's acknowledgement."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from huanxin.acts.desk import acknowledge as acknowledge_all
from huanxin.acts.desk import consult
from huanxin.disclose.acknowledging import Acknowledgement, Method, named
from huanxin.disclose.desk import Offer, next_clean, read_prefix, texts_of
from huanxin.disclose.printing import spaced
from huanxin.disclose.sheet import disclosure_pdf
from huanxin.domain.disclosure import GRADE_NAMES, REASONS, RULES, VERSION, Grade, Told, digest
from huanxin.domain.errors import BadInput, Conflict, TooMany, Unavailable
from huanxin.domain.numbers import NumberingPlan, masked, written
from huanxin.domain.operators import Right
from huanxin.domain.rules import random_id
from huanxin.numbersets.sharded import shard_of
from huanxin.request import codes
from huanxin.request.sms import Message
from huanxin.store.access import operators
from huanxin.web.pages import session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import back, page
from huanxin.web.pages.console.kept import keep, kept
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.routes import language
from huanxin.web.people import people_of
from huanxin.words.sentences import Sentence
from huanxin.work.telling import disclosure_code_text

router = APIRouter(prefix="/console/desk", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Clerk = Annotated[Working, Depends(signing.working(Right.DESK))]
Text = Annotated[str, Form()]
MOST, OFFERED = 50, 10
_LONGEST_PIECE = 24  # characters of what can't be read that are shown again
"""RFC 3966: how codes on cards and SIM packs write numbers."""
_CODES_AN_HOUR = 120  # of one clerk
CHOICES = {"A": {Grade.A}, "B": {Grade.B}, "BC": {Grade.B, Grade.C}}
CHIPS = {Grade.A: "clear", Grade.B: "clear", Grade.C: "waits", Grade.BLOCKED: "refused"}
_HEADINGS = ("number", "carrier", "grade", "why_not", "recycled", "closed_on", "frozen_days", "sellable_from", "asked",
             "confirmed", "open")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a clerk looks up: numbers, and pieces that can't be read as some; or the next clean ones of a prefix, above
    `after`. It travels sealed in the address of the table, where a number would end up in logs and histories."""

    numbers: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()
    too_many: bool = False
    prefix: str = ""
    grade: str = "B"
    after: int = 0


def _sealed(request: Request, who: Working, wish: Wish) -> str:
    return keep(request, who, "desk", asdict(wish))


def wished(request: Request, who: Clerk, table: Annotated[str, Query(alias="list")] = "") -> Wish:
    """What the address of a table asks for. Raises BadInput for one that this clerk was not given."""
    given = kept(request, who, "desk", table) if table else {}
    return Wish(**given | {name: tuple(given.get(name, ())) for name in ("numbers", "unread")})


Wished = Annotated[Wish, Depends(wished)]


@router.post("", dependencies=_FORMS)
def search(
    request: Request, who: Clerk, numbers: Text = "", prefix: Text = "", grade: Text = "B", after: Text = ""
) -> Response:
    """What the clerk typed or scanned, or a prefix: leads to its table."""
    found, unread, too_many = read_numbers(numbers, who.platform.plan)
    wish = Wish(
        numbers=tuple(found), unread=tuple(unread), too_many=too_many, prefix=prefix[:_LONGEST_PIECE],
        grade=grade if grade in CHOICES else "B", after=int(kept(request, who, "after", after)) if after else 0,
    )  # fmt: skip
    return back(f"/console/desk?list={_sealed(request, who, wish)}#found")


@router.get("")
def desk(request: Request, who: Clerk, wish: Wished, format: str = "") -> Response:
    """The forms, and what is known of the numbers that are looked up, each with its grade."""
    told, offer, problem = consult(who.platform, wish.numbers, by=who.operator), None, ""
    if wish.prefix:
        try:
            offer = _offer(who, read_prefix(wish.prefix), grade=wish.grade, after=wish.after)
            told += offer.found
        except BadInput:
            problem = "prefix"
    if format == "csv":
        return as_csv("numbers", _HEADINGS, [_row(one) for one in told])
    sale = tuple(one.number for one in told if one.for_sale)
    further = keep(request, who, "after", offer.reached) if offer and offer.reached else ""
    return page(
        request, who, "desk.html", tab="desk", told=told, wish=wish, offer=offer, problem=problem, most=MOST,
        typed="\n".join([*map(written, wish.numbers), *wish.unread]), table=_sealed(request, who, wish),
        sale=_sealed(request, who, Wish(numbers=sale)) if sale else "", name_of=partial(_name, request, who),
        further=further, **_words(request),
    )  # fmt: skip


def _name(request: Request, who: Working, number: int) -> str:
    """What stands for one number in an address."""
    return _sealed(request, who, Wish(numbers=(number,)))


def read_numbers(text: str, plan: NumberingPlan) -> tuple[list[int], list[str], bool]:
    """The numbers that somebody typed or a scanner wrote, each once, and what can't be read: `MOST` at the most, and whether
    there was more."""
    found: dict[int, None] = {}
    unread, pieces = [], _pieces(text)
    for piece in pieces[:MOST]:
        try:
            found[plan.typed(piece)] = None
        except ValueError:
            unread.append(piece[:_LONGEST_PIECE])
    return list(found), unread, len(pieces) > MOST


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in re.split(r"[\n\r,;，；、\t]+", text) if piece.strip()]


def _offer(who: Working, prefix: str, *, grade: str, after: int) -> Offer:
    with who.act() as act:
        offer = next_clean(
            act, prefix, grades=CHOICES.get(grade, CHOICES["B"]), after=after, most=OFFERED, seller=who.operator.carrier
        )
        detail = {"prefix": prefix, "numbers": len(offer.found)}
        operators.note(act.tx, who.operator.id, "offered", by=act.by, at=act.now, detail=detail)
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
def show(request: Request, who: Clerk, wish: Wished) -> Response:
    """The numbers that are for sale, for the buyer to choose from: the clerk turns the screen round."""
    told = [one for one in consult(who.platform, wish.numbers, by=who.operator) if one.for_sale]
    return page(request, who, "desk_show.html", tab="desk", told=told, table=_sealed(request, who, wish),
                name_of=partial(_name, request, who), **_words(request))  # fmt: skip


def the_one(who: Clerk, wish: Wished) -> Told:
    """What is known of the number that an address stands for. Raises BadInput if it stands for none."""
    if len(wish.numbers) != 1:
        raise BadInput(Sentence("no number was named; begin at the desk"))
    return consult(who.platform, wish.numbers, by=who.operator)[0]


One = Annotated[Told, Depends(the_one)]


@router.get("/choose")
def choose(request: Request, who: Clerk, told: One) -> Response:
    """The whole disclosure of one number, to be acknowledged."""
    return _choose(request, who, told)


@router.get("/sheet.pdf")
def sheet(who: Clerk, told: One) -> Response:
    """The disclosure on paper."""
    if not told.for_sale or told.carrier is None:
        raise Conflict(Sentence("this number is not for sale, so there is nothing to disclose on paper"))
    pdf = disclosure_pdf(told, carrier=who.platform.plan.carriers[told.carrier], made_at=who.platform.now())
    name = f'inline; filename="disclosure-{str(told.number)[-4:]}.pdf"'
    return Response(pdf, media_type="application/pdf", headers={"Content-Disposition": name, "Cache-Control": "no-store"})


@router.post("/choose", dependencies=_FORMS)
def acknowledge(
    request: Request, who: Clerk, told: One, shown: Text = "", do: Text = "", signature: Text = "", phone: Text = "",
    code: Text = "",
) -> Response:  # fmt: skip
    """Take the buyer's signature, or send a code to the buyer's phone and compare what they type."""
    if do == "send":
        return _send_code(request, who, told, phone)
    evidence, method = signature, Method.SIGNATURE
    if do == "code":
        try:
            contact = who.platform.plan.typed(phone)
        except ValueError:
            return _choose(request, who, told, 422, problem="phone", given=phone)
        people = people_of(request)
        with who.act() as act:
            tried = codes.check(act, contact, code, secret=_secret(request), rules=people.codes)
        if not tried.right:
            return _choose(request, who, told, 422, problem="gone" if tried.gone else "wrong", phone=phone, left=tried.left)
        evidence, method = "", Method.CODE
    given = Acknowledgement(number=told.number, shown=shown, method=method, evidence=evidence)
    try:
        done = acknowledge_all(who.platform, [given], by=who.operator)
    except BadInput as error:
        problem = "signature" if "signature" in error.faults[0].reason else "changed"
        told = consult(who.platform, [told.number], by=who.operator)[0]
        return _choose(request, who, told, 422, problem=problem)
    return back(f"/console/desk/thanks/{done.ids[0]}")


@router.get("/thanks/{disclosure_id}")
def thanks(request: Request, who: Clerk, disclosure_id: str) -> Response:
    """What the buyer sees last: that it is recorded, and nothing that is the clerk's to do."""
    with who.platform.read() as seen:
        found = named(seen.tx, disclosure_id, by=who.operator)
    return page(request, who, "desk_thanks.html", tab="desk", one=found, masked=masked, **_words(request))


def _send_code(request: Request, who: Working, told: Told, phone: str) -> Response:
    """Send a code to the buyer's phone. That number goes to the gateway, and is kept only as every code's is: for the
    limits, two days at most."""
    people, problem, wait = people_of(request), "", 0
    try:
        contact = who.platform.plan.typed(phone)
        if who.platform.plan.owner(shard_of(contact)) is None:
            raise ValueError("not a number of the plan")
        rules = replace(people.codes, per_address_hour=_CODES_AN_HOUR)
        with who.act() as act:
            code = codes.ask(act, contact, address=f"desk/{act.by}", secret=_secret(request), rules=rules)
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
        sealed=_name(request, who, told.number),
        problem=problem, phone=phone, given=given, left=left, wait=wait, console=people_of(request).console,
        **_words(request),
    )  # fmt: skip
