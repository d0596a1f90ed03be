"""`/renew`: new owners see where their number stands, choose partners, order once and watch the answers come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from huanxin.acts.desk import certify
from huanxin.acts.requests import call_off as call_off_at
from huanxin.acts.requests import order_request
from huanxin.domain.errors import BadInput, Conflict, TooMany
from huanxin.domain.partners import plain
from huanxin.request.ordering import Ordered, Purpose, Wish
from huanxin.store.acting import VISITOR
from huanxin.store.connect import partners
from huanxin.store.request import wishes
from huanxin.web.context import Context
from huanxin.web.pages import flash, owners
from huanxin.web.pages.owners import Owner, owner
from huanxin.web.pages.people import data, finding, words
from huanxin.web.pages.people.enter import FORMS, page
from huanxin.web.pages.people.views import OrderView
from huanxin.web.pages.render import environment
from huanxin.web.pages.routes import language
from huanxin.web.people import people_of
from huanxin.words.i18n import LANGUAGES
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/renew", include_in_schema=False)
SignedIn = Annotated[Owner, Depends(owner)]
_LONGEST_WATCH, _SILENCE, _TOGETHER = 600.0, 15.0, 0.1  # seconds
_MOST_WISHES = 50
_DIGITS = 9  # of a partner's id


@router.get("")
def home(request: Request, who: SignedIn) -> Response:
    """Where the number stands, what was done before it was sold, the orders so far."""
    with who.platform.read() as seen:
        view = data.home(seen.tx, who)
    return page(request, "home.html", view=view)


@dataclass(frozen=True, kw_only=True)
class Search:
    """What stands in the form in which partners are chosen: the search, and those ticked (None: all)."""

    query: str = ""
    ticked: tuple[int, ...] | None = None


def searched(
    p: Annotated[list[str] | None, Query()] = None, q: Annotated[str, Query(max_length=60)] = "", seen: bool = False,
    mark: str = "",
) -> Search:  # fmt: skip
    """The search travels in the form's address, and takes the ticks along; `mark` ticks all or none."""
    marks: dict[str, tuple[int, ...] | None] = {"all": None, "none": ()}
    return Search(query=q, ticked=marks[mark] if mark in marks else ids(p) if seen else None)


Searched = Annotated[Search, Depends(searched)]


@router.get("/choose")
def choose(request: Request, who: SignedIn, search: Searched) -> Response:
    """Partners to choose, all ticked at first."""
    return choosing(request, who, Purpose.RENEW, search)


def ids(given: list[str] | None) -> tuple[int, ...]:
    """The numbers among what a form sent."""
    return tuple(int(one) for one in given or () if one.isascii() and one.isdecimal() and len(one) <= _DIGITS)


def choosing(
    request: Request, who: Owner, purpose: Purpose, search: Search, *, problem: str = "", agreed: bool = False
) -> Response:
    """The page on which partners are chosen; the start page for a number that can't be ordered for."""
    if who.standing.current is None or (purpose is Purpose.RENEW and not who.standing.renewable):
        return RedirectResponse("/renew", status_code=303)
    consent = words.consent(purpose, language(request), who.standing.current.opened_on)
    with who.platform.read() as seen:
        view = data.choose(seen.tx, who, purpose=purpose, ticked=search.ticked, query=search.query, consent=consent,
                           problem=problem, agreed=agreed)  # fmt: skip
    return page(request, "choose.html", 422 if problem else 200, view=view, groups=words.GROUPS, words=words,
                base=f"/{purpose.value}")  # fmt: skip


@router.post("/certificate", dependencies=FORMS)
def certificate(request: Request, who: SignedIn) -> Response:
    """Issue the certificate of the owner's number, or find it, and lead them to it."""
    context: Context = request.app.state.context
    certify(context.platform, who.number, context.signer.signed, by="renew")
    return RedirectResponse("/certificate", status_code=303)


Chosen = Annotated[list[str] | None, Form()]


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """What was sent with the one click: the partners, whether the words were agreed to, and at how many the button said
    that it orders (None: it said nothing)."""

    chosen: tuple[int, ...]
    agreed: bool
    said: int | None


def pressed(p: Chosen = None, consent: Annotated[str, Form()] = "", count: Annotated[str, Form()] = "") -> Pressed:
    """The form in which partners are chosen, as it was sent."""
    return Pressed(chosen=ids(p), agreed=consent == "yes", said=ids([count])[0] if ids([count]) else None)


Order = Annotated[Pressed, Depends(pressed)]


@router.post("/order", dependencies=FORMS)
def order(request: Request, who: SignedIn, sent: Order) -> Response:
    """The one click."""
    return ordering(request, who, Purpose.RENEW, sent)


def ordering(request: Request, who: Owner, purpose: Purpose, sent: Pressed) -> Response:
    """Order at the chosen partners; number, day and cut-off are never the form's to say (rule 2). Without scripts a button
    goes on to say how many were ticked at first: if it was wrong, what is chosen is shown before anything is sent."""
    chosen = sent.chosen
    problem = "none" if not chosen else "consent" if not sent.agreed else ""
    if not problem and sent.said not in (None, len(chosen)):
        problem = "count"
    if problem:
        return choosing(request, who, purpose, Search(ticked=chosen), problem=problem, agreed=sent.agreed)
    ordered = placed(request, who, purpose, chosen)
    return _watching(ordered) if ordered else RedirectResponse(f"/{purpose.value}", status_code=303)


def placed(request: Request, who: Owner, purpose: Purpose, chosen: tuple[int, ...]) -> Ordered | None:
    """Place an order that was agreed to. None where a partner left meanwhile, or the number moved: the page to go to then
    says what is so now."""
    lang, current = language(request), who.standing.current
    text = words.consent(purpose, lang, current.opened_on if current else None)
    wish = Wish(purpose=purpose, number=who.number, partner_ids=chosen, consent_text=text, channel=who.channel,
                language=lang, shown_at=who.shown_at)  # fmt: skip
    try:
        return order_request(who.platform, wish)
    except (BadInput, Conflict):
        return None


def _watching(ordered: Ordered) -> Response:
    return RedirectResponse(f"/renew/orders/{ordered.request.id}{'' if ordered.new else '?same=1'}", status_code=303)


@router.get("/order")
def no_order() -> Response:
    """Whoever reloads the page after an order without its form."""
    return RedirectResponse("/renew/choose", status_code=303)


@router.get("/orders/{request_id}")
def watch(request: Request, who: SignedIn, request_id: str, done: flash.JustDone, same: bool = False) -> Response:
    """An order, one line a partner; it is live with scripts, and as of now without."""
    with who.platform.read() as seen:
        view = data.order(seen.tx, who, request_id)
    return page(
        request, "order.html", view=view, same=same, done=done, states=words.STATES, chips=words.CHIPS, advice=words.ADVICE
    )


@router.post("/orders/{request_id}/again", dependencies=FORMS)
def again(request: Request, who: SignedIn, request_id: str, p: Annotated[str, Form()] = "") -> Response:
    """Ask a partner of an order once more that refused or did not answer; what was agreed to stands."""
    with who.platform.read() as seen:
        before = data.one_of(seen.tx, who, request_id)
        ended = [row.partner_id for row in data.order(seen.tx, who, request_id).rows if row.state in ("needs", "late")]
    chosen = [one for one in ids([p]) if one in ended]
    wish = Wish(purpose=Purpose(before.purpose), number=who.number, partner_ids=chosen, channel=who.channel,
                consent_text=before.consent_text, language=language(request), shown_at=who.shown_at)  # fmt: skip
    return _watching(order_request(who.platform, wish))


@router.post("/orders/{request_id}/call-off", dependencies=FORMS)
def call_off(request: Request, who: SignedIn, request_id: str, p: Annotated[str, Form()] = "") -> Response:
    """Call an order off at one partner, or at all, as far as they were not told of it yet."""
    with who.platform.read() as seen:
        rows = data.order(seen.tx, who, request_id).rows
    chosen = [row.partner_id for row in rows if row.state == "sent" and (not p or row.partner_id in ids([p]))]
    done = call_off_at(who.platform, request_id, chosen)
    return flash.after(request, f"/renew/orders/{request_id}", "off" if done else "too-late", count=len(done))


@router.get("/orders/{request_id}/events")
def events(request: Request, who: SignedIn, request_id: str) -> Response:
    """Server-sent events (WHATWG HTML, section 9.2): `rows` with the HTML of what changed, by id; `alive` when nothing did
    for a while, so that a connection that broke without a word is noticed; `end` when nobody is waited for."""
    lang = language(request)
    with who.platform.read() as seen:
        data.order(seen.tx, who, request_id)
    if people_of(request).live.crowded(request_id):
        raise TooMany(Sentence("this order is open in too many places; close some of them"))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(request, request_id, lang), media_type="text/event-stream", headers=headers)


async def _stream(request: Request, request_id: str, lang: str) -> AsyncIterator[str]:
    live, shown = people_of(request).live, dict[str, str]()
    ends = time.monotonic() + _LONGEST_WATCH
    with live.watching(request_id) as woken:
        while time.monotonic() < ends and not live.stopping:
            woken.clear()
            try:
                view = await to_thread.run_sync(_load, request, request_id)
            except owners.OwnerSignsIn:  # signed out meanwhile, or the number changed hands
                return
            parts = _parts(view, lang)
            changed = {key: part for key, part in parts.items() if shown.get(key) != part}
            if changed:
                shown = parts
                yield f"event: rows\ndata: {json.dumps(changed)}\n\n"
            if view.finished:
                yield "event: end\ndata: done\n\n"
                return
            try:
                await asyncio.wait_for(woken.wait(), _SILENCE)
                await asyncio.sleep(_TOGETHER)  # answers that come together are shown together
            except TimeoutError:
                yield "event: alive\ndata: -\n\n"


def _load(request: Request, request_id: str) -> OrderView:
    who = owners.owner(request)
    with who.platform.read() as seen:
        return data.order(seen.tx, who, request_id)


def _parts(view: OrderView, lang: str) -> dict[str, str]:
    """The HTML of each part of the page that may change, by its id."""
    assert lang in LANGUAGES
    known = {"view": view, "states": words.STATES, "chips": words.CHIPS, "advice": words.ADVICE}
    module = environment(lang).get_template("people/_rows.html").make_module(known)
    parts = {row.key: str(module.row(row, view)) for row in view.rows}  # type: ignore[attr-defined]
    return parts | {name: str(getattr(module, name)(view)) for name in ("heading", "summary", "onward")}


@router.get("/missing")
def missing_form(request: Request, who: SignedIn, done: flash.JustDone) -> Response:
    """Asks for the name of an app that is not connected."""
    with who.platform.read() as seen:
        named = wishes.of_number(seen.tx, who.people.hash_of(who.number))
    return page(request, "missing.html", named=named, suggestions=finding.suggestions(), done=done.what)


@router.post("/missing", dependencies=FORMS)
def missing(request: Request, who: SignedIn, name: Annotated[str, Form()] = "") -> Response:
    """Counts a wish, once a number and name."""
    wished, hashed = finding.wished_name(name), who.people.hash_of(who.number)
    if not wished:
        return flash.after(request, "/renew/missing", "empty")
    with who.platform.act(VISITOR) as act:
        if any(plain(one.name) == plain(wished) for one in partners.all_partners(act.tx)):
            return flash.after(request, "/renew/missing", "there")
        if len(wishes.of_number(act.tx, hashed)) < _MOST_WISHES:
            wishes.add(act.tx, wished, hashed, act.now)
    return flash.after(request, "/renew/missing", "counted")
