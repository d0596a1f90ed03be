"""The application: API, pages and, if wanted, workers in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from huanxin.answer.receiving import Rosters
from huanxin.operations import Platform, open_signer
from huanxin.settings import Settings
from huanxin.web.api import oauth, partner
from huanxin.web.context import Context
from huanxin.web.problems import answer_errors
from huanxin.web.workers import make_workers


def create_app(platform: Platform, settings: Settings, *, run_workers: bool = True) -> FastAPI:
    """The platform's HTTP side on an opened platform."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        workers = make_workers(platform, settings) if run_workers else None
        if workers:
            workers.start()
        yield
        if workers:
            workers.stop()

    app = FastAPI(title="Huanxin 号码焕新", version=version("huanxin"), lifespan=lifespan, redoc_url=None)
    app.state.context = Context(
        platform=platform, signer=open_signer(platform, settings), rosters=Rosters(platform.database),
        files=settings.home / "files", max_receipt=settings.max_receipt_mb * 1024 * 1024,
    )  # fmt: skip
    answer_errors(app)
    app.include_router(oauth.router)
    app.include_router(partner.router)
    _health(app, platform)
    static = Path(__file__).parent / "static"
    app.mount("/static", StaticFiles(directory=static), name="static")
    return app


def _health(app: FastAPI, platform: Platform) -> None:
    @app.get("/healthz", tags=["Health"], summary="The process answers")
    def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", tags=["Health"], summary="The database answers too")
    def readyz(_: Request) -> Response:
        with platform.database.transaction() as tx:
            tx.execute("SELECT 1")
        return JSONResponse({"status": "ready"})
