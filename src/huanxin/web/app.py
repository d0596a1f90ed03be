"""The application: API, pages and, if wanted, workers in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huanxin.answer.receiving import Rosters
from huanxin.notify.polling import Poller
from huanxin.operations import Platform, open_signer
from huanxin.operations.onboarding import make_onboarding
from huanxin.outbound import Outbound
from huanxin.settings import Settings
from huanxin.store import figures
from huanxin.web.api import accounts, oauth, partner, poll, ssf, wellknown
from huanxin.web.bell import Bell
from huanxin.web.context import Context
from huanxin.web.pages import routes
from huanxin.web.problems import answer_errors
from huanxin.web.workers import make_workers


def create_app(
    platform: Platform, settings: Settings, *, sandbox: Platform | None = None, run_workers: bool = True
) -> FastAPI:
    """The platform's HTTP side on an opened platform, with the sandbox, if given, at /sandbox."""
    opened = [one for one in (platform, sandbox) if one is not None]
    bell = Bell(database=platform.database)  # one for both: PostgreSQL notifies a database, not a schema

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        workers = [make_workers(one, settings) for one in opened] if run_workers else []
        bell.start()
        for one in workers:
            one.start()
        yield
        for one in workers:
            one.stop()
        if sandbox is not None:
            app.state.onboarding.selftests.stop()
        bell.stop()
        for context in contexts:
            context.outbound.close()

    app = FastAPI(title="Huanxin 号码焕新", version=version("huanxin"), lifespan=lifespan, redoc_url=None)
    contexts = [_equip(app, platform, settings, bell)]
    app.include_router(routes.router)
    _health(app, platform)
    app.add_middleware(SafeHeaders)
    if sandbox is not None:
        rehearsals = FastAPI(title="Huanxin 演练 sandbox", version=version("huanxin"), docs_url=None, redoc_url=None)
        contexts.append(_equip(rehearsals, sandbox, settings, bell))
        app.mount("/sandbox", rehearsals, name="sandbox")
        app.state.sandbox = rehearsals.state.context
        app.state.onboarding = make_onboarding(platform, sandbox, app.state.sandbox.signer, settings)
        app.state.account_limits = accounts.AccountLimits()
        app.include_router(accounts.router)
        app.include_router(wellknown.of_sandbox)
    static = Path(__file__).parent / "static"
    app.mount("/static", StaticFiles(directory=static), name="static")
    return app


def _equip(app: FastAPI, platform: Platform, settings: Settings, bell: Bell) -> Context:
    """Give an application what partners' programs call, on a platform."""
    signer = open_signer(platform, settings)
    zone = next(iter(platform.plan.carriers.values())).zone
    context = app.state.context = Context(
        platform=platform, signer=signer, rosters=Rosters(platform.database), files=settings.home / "files",
        max_receipt=settings.max_receipt_mb * 1024 * 1024, passphrase=settings.passphrase(),
        outbound=Outbound(inner_allowed=platform.development),
        poller=Poller(database=platform.database, signer=signer, clock=platform.clock, zone=zone), bell=bell,
    )  # fmt: skip
    answer_errors(app)
    for one in (wellknown, oauth, ssf, poll, partner):
        app.include_router(one.router)
    return context


class SafeHeaders:
    """Headers that keep browsers from guessing, framing and running what is not ours. The demo report is one file with
    its script inside, and the API's own page loads its viewer, so those two go without the policy."""

    _HEADERS = (
        (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"), (b"x-frame-options", b"DENY"),
        (b"content-security-policy", b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"),
    )  # fmt: skip

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = self._HEADERS[:-1] if scope.get("path") in ("/report", "/docs") else self._HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *wanted]
            await send(message)

        await self._app(scope, receive, with_headers)


def _health(app: FastAPI, platform: Platform) -> None:
    @app.get("/healthz", tags=["Health"], summary="The process answers")
    def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", tags=["Health"], summary="The database answers too")
    def readyz(_: Request) -> Response:
        with platform.database.transaction() as tx:
            figures.ping(tx)
        return JSONResponse({"status": "ready"})
