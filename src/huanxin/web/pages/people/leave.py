"""`/leave`: owners who give a number up see how many partners hold ties, and cut them before they go."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.paper import qr
from huanxin.request.ordering import Purpose
from huanxin.web.pages.people import data, poster, words
from huanxin.web.pages.people.enter import FORMS, page
from huanxin.web.pages.people.routes import Order, Searched, SignedIn, choosing, ordering, placed
from huanxin.web.pages.routes import language
from huanxin.web.people import people_of
from huanxin.words.i18n import translations
from huanxin.words.sentences import N_

router = APIRouter(prefix="/leave", include_in_schema=False)


@router.get("")
def home(request: Request, who: SignedIn) -> Response:
    """Asks whether to ask, or to cut at once."""
    with who.platform.read() as seen:
        view = data.home(seen.tx, who)
        able = len(data.may_be_asked(seen.tx))
    consent = words.consent(Purpose.INQUIRE, language(request), None)
    return page(request, "leave.html", view=view, able=able, consent=consent, here_now=who.standing.current is not None)


@router.post("/ask", dependencies=FORMS)
def ask(request: Request, who: SignedIn, consent: Annotated[str, Form()] = "") -> Response:
    """Asks the partners that answer such questions, once the owner agreed."""
    if consent != "yes":
        return RedirectResponse("/leave", status_code=303)
    with who.platform.read() as seen:
        able = tuple(one.id for one in data.may_be_asked(seen.tx))
    ordered = placed(request, who, Purpose.INQUIRE, able)
    return RedirectResponse(f"/leave/asked/{ordered.request.id}" if ordered else "/leave", status_code=303)


@router.get("/ask")
@router.get("/order")
def no_form() -> Response:
    """Whoever reloads the page without its form."""
    return RedirectResponse("/leave", status_code=303)


@router.get("/asked/{request_id}")
def asked(request: Request, who: SignedIn, request_id: str, names: bool = False) -> Response:
    """How many hold ties; which, if the owner asks for the names."""
    with who.platform.read() as seen:
        view = data.asked(seen.tx, who, request_id, names=names)
    return page(request, "asked.html", view=view)


@router.get("/choose")
def choose(request: Request, who: SignedIn, search: Searched) -> Response:
    """Partners to choose, all ticked at first."""
    return choosing(request, who, Purpose.LEAVE, search)


@router.post("/order", dependencies=FORMS)
def order(request: Request, who: SignedIn, sent: Order) -> Response:
    """Cuts their ties at the chosen partners, as of when they showed that the number is theirs."""
    return ordering(request, who, Purpose.LEAVE, sent)


@router.get("/poster")
def poster_page(request: Request) -> Response:
    """What a carrier's desk prints for people who cancel or transfer a number: a reminder with a QR code that leads here."""
    address = _address(request)
    code = qr.svg(address, translations(language(request)).gettext(N_("QR code of the address below")))
    return page(request, "poster.html", address=address, code=code, words=poster)


@router.get("/poster.pdf")
def poster_on_paper(request: Request) -> Response:
    """The same as a PDF."""
    headers = {"Content-Disposition": 'attachment; filename="huanxin-leave.pdf"'}
    return Response(
        poster.poster_pdf(_address(request), language(request)), media_type="application/pdf", headers=headers
    )  # fmt: skip


def _address(request: Request) -> str:
    return f"{people_of(request).platform.issuer}/leave"
