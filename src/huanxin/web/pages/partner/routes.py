"""What a partner's people see and order: `/partner` and the pages under it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.domain.errors import BadInput, NotFound, Unauthorized
from huanxin.notify.partners import rotate_secret
from huanxin.numbersets import times
from huanxin.store.connect import partners
from huanxin.store.database import Tx
from huanxin.store.notify import again, attempts, deliveries
from huanxin.web.pages import flash, session, unsent
from huanxin.web.pages.partner import accounts, data, signing, streams
from huanxin.web.pages.partner.frame import page
from huanxin.web.pages.partner.signing import Caller
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/partner", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
_LONGEST_OVERLAP = 24 * 90


@router.get("")
def start(request: Request) -> Response:
    """The way in: what connecting means, or the pages of whoever is signed in."""
    known = signing.clients(request)
    for env in reversed(signing.ENVIRONMENTS):
        if env in known:
            return RedirectResponse(f"/partner/{env}", status_code=303)
    return page(request, "start.html")


@router.get("/sign-in")
def sign_in_form(request: Request) -> Response:
    """The form."""
    return page(request, "sign_in.html", problem=False, given="")


@router.post("/sign-in", dependencies=_FORMS)
def sign_in(
    request: Request, client_id: Annotated[str, Form()] = "", client_secret: Annotated[str, Form()] = ""
) -> Response:
    """Sign in with the credentials of either environment."""
    answer = RedirectResponse("/partner", status_code=303)
    try:
        env = signing.sign_in(answer, request, client_id, client_secret)
    except Unauthorized:
        return page(request, "sign_in.html", status=401, problem=True, given=client_id)
    answer.headers["Location"] = unsent.onward(request, signing.ROOM, client_id.strip(), f"/partner/{env}")
    return answer


@router.post("/sign-out", dependencies=_FORMS)
def sign_out(request: Request) -> Response:
    """End this sign-in, wherever its cookie was copied to."""
    answer = RedirectResponse("/partner", status_code=303)
    session.end(answer, request, request.app.state.context, name=signing.COOKIE, kind=signing.KIND)
    return answer


# Addresses with a name of their own go before those that begin with an environment.
router.include_router(accounts.router)
router.include_router(streams.router)

SignedIn = Annotated[Caller, Depends(signing.caller)]


@router.get("/{env}")
def overview(request: Request, caller: SignedIn) -> Response:
    """Notices with their clocks."""
    with caller.context.platform.read() as seen:
        view = data.overview(seen.tx, caller.who, caller.partner, seen.now)
    return page(request, "overview.html", view=view, tab="")


@router.get("/{env}/notices/{notice_id}")
def notice(request: Request, caller: SignedIn, notice_id: str, done: flash.JustDone) -> Response:
    """One notice: clocks, receipts and refusals, every delivery attempt."""
    with caller.context.platform.read() as seen:
        view = data.notice_page(seen.tx, caller.who, caller.partner, notice_id, seen.now)
    return page(request, "notice.html", view=view, tab="", done=done.what)


@router.get("/{env}/deliveries")
def deliveries_list(
    request: Request, caller: SignedIn, done: flash.JustDone, undelivered: bool = False,
    number: Annotated[int, Query(alias="page")] = 1,
) -> Response:  # fmt: skip
    """Every event with every attempt and the partner's own answer."""
    with caller.context.platform.read() as seen:
        view = data.deliveries_page(
            seen.tx, caller.who, caller.partner, undelivered=undelivered, page=max(1, number), done=done.what,
            count=done.count,
        )  # fmt: skip
    return page(request, "deliveries.html", view=view, tab="deliveries", problem="")


@router.post("/{env}/deliveries/resend", dependencies=_FORMS)
def resend(request: Request, caller: SignedIn, jti: Annotated[str, Form()]) -> Response:
    """Send one event again now."""
    platform = caller.context.platform
    with platform.act(caller.who.client_id) as act:
        event = attempts.get(act.tx, caller.partner.id, jti)
        if event is None:
            raise NotFound(Sentence("there is no event %(jti)s for this partner", jti=jti))
        again.send_again(act.tx, caller.partner.id, [jti], act.now)
        _note(act.tx, caller, "resent", {"jti": jti}, notice_id=event.notice_id)
        deliveries.wake_workers(act.tx)
    where = f"notices/{event.notice_id}" if event.notice_id else "deliveries"
    return flash.after(request, f"/partner/{caller.who.env}/{where}", "resent")


@router.post("/{env}/deliveries/recover", dependencies=_FORMS)
def recover(request: Request, caller: SignedIn, since: Annotated[str, Form()] = "") -> Response:
    """Send everything again that was made since a time (in the pages' zone) and not taken."""
    platform = caller.context.platform
    try:
        begin = times.read(since).at
    except ValueError:
        with platform.read() as seen:
            view = data.deliveries_page(seen.tx, caller.who, caller.partner, undelivered=True, page=1, done="", count=0)
        return page(request, "deliveries.html", status=422, view=view, tab="deliveries", problem=since or "-")
    begin = begin if begin.tzinfo else begin.replace(tzinfo=platform.zone)
    with platform.act(caller.who.client_id) as act:
        count = again.recover(act.tx, caller.partner.id, begin, act.now)
        _note(act.tx, caller, "recovered", {"since": begin.isoformat(), "count": count})
        deliveries.wake_workers(act.tx)
    return flash.after(request, f"/partner/{caller.who.env}/deliveries?undelivered=true", "recovered", count=count)


@router.get("/{env}/keys")
def keys(request: Request, caller: SignedIn) -> Response:
    """What lets the partner's programs in."""
    return _keys(request, caller)


@router.post("/{env}/keys/rotate", dependencies=_FORMS)
def rotate(request: Request, caller: SignedIn, hours: Annotated[int, Form()] = 168) -> Response:
    """A new secret, shown once; the old ones go on for a while."""
    if not 0 <= hours <= _LONGEST_OVERLAP:
        raise BadInput(Sentence("the old secret may go on for 0 hours to 90 days"))
    platform = caller.context.platform
    with platform.act(caller.who.client_id, sure=True) as act:
        secret = rotate_secret(act, caller.partner, overlap=timedelta(hours=hours))
    answer = _keys(request, caller, new_secret=secret)
    signing.remember_client(answer, request, caller.who.env, caller.who.client_id, secret)
    return answer


def _keys(request: Request, caller: Caller, *, new_secret: str = "") -> Response:
    platform = caller.context.platform
    with platform.read() as seen:
        view = data.keys_page(seen.tx, caller.who, caller.partner, issuer=seen.issuer, now=seen.now, new_secret=new_secret)
    return page(request, "keys.html", view=view, tab="keys")


def _note(tx: Tx, caller: Caller, kind: str, detail: dict[str, Any], *, notice_id: str | None = None) -> None:
    now = caller.context.platform.now()
    partners.note(tx, caller.partner.id, kind, by=caller.who.client_id, at=now, notice_id=notice_id, detail=detail)
