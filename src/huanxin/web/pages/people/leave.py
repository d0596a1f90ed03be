"""`/leave`: the owner who gives a number up sees how many partners hold ties, and cuts them before he goes."""

from __future__ import annotations

from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.errors import BadInput, Conflict
from huanxin.request.ordering import Purpose, Wish
from huanxin.web.pages.people import data, words
from huanxin.web.pages.people.enter import FORMS, page
from huanxin.web.pages.people.routes import Chosen, Searched, SignedIn, choosing, ids, ordering
from huanxin.web.pages.people.setup import people_of
from huanxin.web.pages.routes import language

router = APIRouter(prefix="/leave", include_in_schema=False)


@router.get("")
def home(request: Request, who: SignedIn) -> Response:
    """Asks whether to ask, or to cut at once."""
    with who.platform.database.transaction() as tx:
        view = data.home(tx, who)
        able = len(data.may_be_asked(tx))
    consent = words.consent(Purpose.INQUIRE, language(request), None)
    return page(request, "leave.html", view=view, able=able, consent=consent, here_now=who.standing.current is not None)


@router.post("/ask", dependencies=FORMS)
def ask(request: Request, who: SignedIn, consent: Annotated[str, Form()] = "") -> Response:
    """Asks the partners that answer such questions, once he agreed."""
    if consent != "yes":
        return RedirectResponse("/leave", status_code=303)
    lang = language(request)
    with who.platform.database.transaction() as tx:
        able = [one.id for one in data.may_be_asked(tx)]
    wish = Wish(
        purpose=Purpose.INQUIRE, number=who.number, partner_ids=able, channel=who.channel, language=lang,
        consent_text=words.consent(Purpose.INQUIRE, lang, None),
    )  # fmt: skip
    try:
        ordered = who.platform.order_request(wish)
    except (BadInput, Conflict):
        return RedirectResponse("/leave", status_code=303)
    return RedirectResponse(f"/leave/asked/{ordered.request.id}", status_code=303)


@router.get("/ask")
@router.get("/order")
def no_form() -> Response:
    """Whoever reloads the page without its form."""
    return RedirectResponse("/leave", status_code=303)


@router.get("/asked/{request_id}")
def asked(request: Request, who: SignedIn, request_id: str, names: bool = False) -> Response:
    """How many hold ties; which, if he asks for the names."""
    with who.platform.database.transaction() as tx:
        view = data.asked(tx, who, request_id, names=names)
    return page(request, "asked.html", view=view)


@router.get("/choose")
def choose(request: Request, who: SignedIn, search: Searched) -> Response:
    """Partners to choose, all ticked at first."""
    return choosing(request, who, Purpose.LEAVE, search)


@router.post("/order", dependencies=FORMS)
def order(request: Request, who: SignedIn, p: Chosen = None, consent: Annotated[str, Form()] = "") -> Response:
    """Cuts his ties at the chosen partners, as of now."""
    return ordering(request, who, Purpose.LEAVE, chosen=ids(p), agreed=consent == "yes")


@router.get("/poster")
def poster(request: Request) -> Response:
    """What a carrier's desk prints for people who cancel or transfer a number: a reminder with a QR code that leads here."""
    address = f"{people_of(request).platform.issuer}/leave"
    code = segno.make(address, error="m").svg_data_uri(scale=8, border=2, dark="#1b1b19", light="#ffffff")
    return page(request, "poster.html", address=address, code=code)
