"""The application: API, pages and, if wanted, workers in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huanxin.acts import Platform
from huanxin.answer.receiving import Rosters
from huanxin.domain.errors import Unavailable
from huanxin.notify.polling import Poller
from huanxin.onboarding.accounts import make_onboarding
from huanxin.onboarding.opening import folder_rules, open_signer
from huanxin.outbound import Outbound
from huanxin.settings import Settings
from huanxin.store.server import sizes
from huanxin.web import metrics
from huanxin.web.api import account_files, accounts, disclosures, inventory, oauth, partner, poll, ssf, wellknown
from huanxin.web.api.schemas import Readiness, Status, problems, with_problems
from huanxin.web.api.uploads import Limits
from huanxin.web.bodies import ShortBodies
from huanxin.web.context import Context
from huanxin.web.freed_memory import give_back
from huanxin.web.limits import Limit
from huanxin.web.pages import owners, routes, unsent_pages
from huanxin.web.pages.certificate import routes as certificate_routes
from huanxin.web.pages.console import routes as console
from huanxin.web.pages.console import signing as operator_signing
from huanxin.web.pages.elders import EldersMode
from huanxin.web.pages.owners import OwnerSignsIn
from huanxin.web.pages.partner import routes as partner_routes
from huanxin.web.pages.partner import signing as partner_signing
from huanxin.web.pages.people.carriers import router as carriers_router
from huanxin.web.pages.people.enter import router as enter_router
from huanxin.web.pages.people.leave import router as leave_router
from huanxin.web.pages.people.routes import router as renew_router
from huanxin.web.pages.watch import routes as watch
from huanxin.web.pages.zone import InZone
from huanxin.web.people import make_people
from huanxin.web.problems import answer_errors
from huanxin.web.waking import Waker
from huanxin.web.warming import warm
from huanxin.words.sentences import Sentence
from huanxin.work.room import UPLOADS, Room, Turns, sweep
from huanxin.work.workers import make_workers

_ABOUT = """How a partner, who holds ties to phone numbers, hears of numbers that changed hands, and answers.

1. `POST /oauth/token` with your `client_id` and `client_secret`.
2. `GET /partner/v1/notices`, or wait for the push: a Security Event Token (RFC 8417) that names the notice.
3. `GET /partner/v1/notices/{notice_id}/numbers`.
4. Cut the ties bound before the cut-off, and `POST /partner/v1/notices/{notice_id}/receipts`.

Every error is a problem (RFC 9457), whose `type` ends in a code that stays the same."""
_HEALTH = {"name": "Health", "description": "For whoever watches the platform."}
_ROOMS = (oauth, partner, ssf, accounts, disclosures, inventory, wellknown)
"""of the API, each with what its documentation says of it, in that order"""
_MINUTE = timedelta(minutes=1)
_LARGE_AT_ONCE, _IN_SANDBOX = 2, 1  # large receipts read at a time
_REHEARSED = 300  # seconds; a rehearsal's receipts are short
_PROGRAMS_AT_ONCE = 3  # polls and small receipts worked on at a time
_READY, _PINGS = 1.8, 4  # seconds until who asks whether we are ready is told; asking the database at a time
_SIGN_INS_AT_ONCE = 2  # passwords of operators compared at a time


def create_app(
    platform: Platform, settings: Settings, *, sandbox: Platform | None = None, run_workers: bool = True
) -> FastAPI:
    """The platform's HTTP side on an opened platform, with the sandbox, if given, at /sandbox."""
    waker = Waker(database=platform.database)  # one for both: PostgreSQL notifies a database, not a schema

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweep(settings.home / UPLOADS, older_than=settings.upload_minutes * 60 * 2)
        give_back()
        workers = [make_workers(one.platform, settings, one.signer) for one in contexts] if run_workers else []
        waker.start()
        app.state.people.live.start()
        warm(platform)
        for one in workers:
            one.start()
        yield
        app.state.people.live.stop()
        for one in workers:
            one.stop()
        if sandbox is not None:
            app.state.onboarding.selftests.stop()
        waker.stop()
        for context in contexts:
            context.outbound.close()

    app = FastAPI(
        title="Huanxin 号码焕新", version=version("huanxin"), description=_ABOUT, lifespan=lifespan, docs_url=None,
        redoc_url=None, openapi_tags=[*(one.TAG for one in _ROOMS), _HEALTH],
    )  # fmt: skip
    contexts = [_equip(app, platform, settings, waker)]
    app.include_router(routes.router)
    app.state.rooms = {one.base: one for one in (owners.ROOM, partner_signing.ROOM, operator_signing.ROOM)}
    app.include_router(unsent_pages.router)  # before addresses that begin with whatever there is
    app.include_router(partner_routes.router)
    app.include_router(certificate_routes.router)
    app.add_exception_handler(partner_signing.SignInFirst, partner_signing.to_sign_in)
    app.add_exception_handler(certificate_routes.NotHolder, certificate_routes.not_holder)
    app.state.people = make_people(platform, settings, contexts[0].outbound)
    for router in (enter_router, carriers_router, renew_router, leave_router):
        app.include_router(router)
    app.add_exception_handler(OwnerSignsIn, owners.to_sign_in)
    app.include_router(disclosures.router)
    inventory.include(app, platform)
    console.include(app, settings)
    watch.include(app, settings)
    app.add_middleware(ShortBodies)
    app.add_middleware(EldersMode)
    app.add_middleware(InZone, zone=platform.zone.key)
    _health(app, platform, contexts[0].room)
    metrics.include(app, platform, contexts[0].room, settings.metrics_token)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Heads)
    if sandbox is not None:
        rehearsals = FastAPI(title="Huanxin 演练 sandbox", version=version("huanxin"), docs_url=None, redoc_url=None)
        contexts.append(_equip(rehearsals, sandbox, settings, waker))
        app.mount("/sandbox", rehearsals, name="sandbox")
        app.state.sandbox = rehearsals.state.context
        app.state.onboarding = make_onboarding(platform, sandbox, app.state.sandbox.signer, settings)
        app.state.account_limits = accounts.AccountLimits(clock=platform.clock)
        app.include_router(accounts.router)
        app.include_router(account_files.router)
        app.include_router(wellknown.of_sandbox)
    static = Path(__file__).parent / "static"
    app.mount("/static", StaticFiles(directory=static), name="static")
    return app


def _turns(what: Sentence, few: bool, each: int) -> Turns:
    return Turns(what=what, each=4, every=64) if few else Turns(what=what, each=each, every=each * 16)


def _equip(app: FastAPI, platform: Platform, settings: Settings, waker: Waker) -> Context:
    """Give an application what partners' programs call, on a platform."""
    signer = open_signer(platform, settings)
    outbound = Outbound(inner_allowed=platform.development)
    limits = Limits(
        most_bytes=settings.max_receipt_mb * 1024 * 1024, most_seconds=settings.upload_minutes * 60,
        least_rate=settings.upload_kb_per_second * 1000,
    )  # fmt: skip
    uploads, few = settings.home / UPLOADS, platform.sandbox  # anybody may open an account of the sandbox
    context = app.state.context = Context(
        platform=platform, signer=signer, rosters=Rosters(platform.read), files=settings.home / "files",
        uploads=uploads, large=CapacityLimiter(_IN_SANDBOX if few else _LARGE_AT_ONCE),
        room=Room(folder=uploads, spare=settings.spare_disk_mb << 20, uploads=_turns(Sentence("uploads"), few, 16)),
        polls=_turns(Sentence("polls"), few, 64),
        programs=CapacityLimiter(_PROGRAMS_AT_ONCE), sign_ins=CapacityLimiter(_SIGN_INS_AT_ONCE),
        limits=replace(limits, most_seconds=min(limits.most_seconds, _REHEARSED)) if few else limits,
        passphrase=settings.passphrase(), outbound=outbound, folders=folder_rules(settings, outbound),
        poller=Poller(database=platform.database, signer=signer, clock=platform.clock, plan=platform.plan), waker=waker,
        failed_tokens=Limit(what=Sentence("wrong attempts to get a token"), most=10, per=_MINUTE, clock=platform.clock),
        wrong_sign_ins=Limit(
            what=Sentence("wrong tries to sign in from this address"), most=30, per=_MINUTE, clock=platform.clock
        ),
        subjects=Limit(what=Sentence("adding or removing subjects"), most=600, per=_MINUTE, clock=platform.clock),
    )  # fmt: skip
    answer_errors(app)
    described_by_fastapi = app.openapi
    app.openapi = lambda: with_problems(described_by_fastapi())  # type: ignore[method-assign]
    for one in (wellknown, oauth, ssf, poll, partner):
        app.include_router(one.router)
    return context


class SafeHeaders:
    """Headers that keep browsers from guessing, framing and running what is not ours. The demo report is one file with
    its script inside, so it goes without the policy. A redirect within this site names no host: the one that the request
    named is a stranger's word, and a cache before us would send others there."""

    _HEADERS = (
        (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"), (b"x-frame-options", b"DENY"),
        (b"content-security-policy", b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"),
    )  # fmt: skip

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = self._HEADERS[:-1] if scope.get("path") == "/report" else self._HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*(_within(one, scope) for one in message["headers"]), *wanted]
            await send(message)

        await self._app(scope, receive, with_headers)


def _within(header: tuple[bytes, bytes], scope: Scope) -> tuple[bytes, bytes]:
    """A header of an answer; of a redirect to where the request says that it is, its path alone."""
    name, value = header
    host = dict(scope["headers"]).get(b"host", b"")
    here = (b"http://" + host + b"/", b"https://" + host + b"/")
    if name.lower() != b"location" or not host or not value.startswith(here):
        return header
    return name, b"/" + value.split(b"/", 3)[3].lstrip(b"/")


class Heads:
    """HEAD is answered as GET is, and the server leaves the body out (RFC 9110 section 9.3.2): those who watch whether a
    site is there ask so. What is served from files answers it by itself, without reading them."""

    _BY_THEMSELVES = ("/static/", "/partner/v1/", "/sandbox/")

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "HEAD" and not scope["path"].startswith(self._BY_THEMSELVES):
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def _health(app: FastAPI, platform: Platform, room: Room) -> None:
    pings = CapacityLimiter(_PINGS)

    @app.get("/healthz", tags=[_HEALTH["name"]], summary="The process answers", response_model=Status)
    def healthz() -> Response:
        """For whoever starts and watches processes. Asks nothing of the database."""
        return JSONResponse({"status": "ok"})

    @app.get(
        "/readyz", tags=[_HEALTH["name"]], summary="The database answers too, and has room", response_model=Readiness,
        responses=problems(),
    )  # fmt: skip
    async def readyz(_: Request) -> Response:
        """For load balancers: 503 for as long as the database is out of reach, or the disk so full that soon nothing can be
        recorded. `disk` is `low` when files are refused that would take what is left. Answers within two seconds."""

        def ping() -> None:
            with platform.read() as seen:
                sizes.ping(seen.tx)

        if room.full:
            raise Unavailable("the platform's disk is full; whoever runs it has to make room")
        try:
            with fail_after(_READY):  # a server that hangs is waited for by few threads, and not by who asks
                await to_thread.run_sync(ping, limiter=pings, abandon_on_cancel=True)
        except TimeoutError as error:
            raise Unavailable("the database doesn't answer in time") from error
        return JSONResponse({"status": "ready", "disk": "low" if room.left < 0 else "ok"})
