"""A demo partner: a server in a process of its own, with its own database, built on `huanxin_partner`.

    python -m huanxin.demo.partner_server --db FILE --behaviour plain --issuer URL --client-id ID --port PORT

The client secret stands in HUANXIN_PARTNER_SECRET. Imports stay few: a dozen of these start on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from huanxin.demo.behaviours import HANDLERS
from huanxin.demo.partner_store import AccountTies
from huanxin_partner import Journal, Platform, Verifier, Worker, receiver_app

DELAY = 1.0  # seconds that `pending` and `down` take
_TLS = httpx.create_ssl_context()
"""Made once, before servers are forked: reading the machine's certificates takes as long as the rest of a server's start."""
_HEAD = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Demo app 演示应用</title>
<style>body{{font:18px/1.6 system-ui,sans-serif;max-width:28rem;margin:3rem auto;padding:0 1rem}}
input,button{{font:inherit;padding:.5rem;min-height:44px}}</style>"""
_PAGE = f"""{_HEAD}<h1>Demo app 演示应用</h1><form method="post" action="/login">
<p><label>Number 手机号<br><input name="number" value="{{number}}" required></label></p>
<p><button>Log in as with the right SMS code 以短信验证码登录</button></p></form>"""
_LANDED = f"""{_HEAD}<h1>{{owner}}</h1><p>The login landed in {{words}}.</p>
<p><a href="/?number={{number}}">Again 再来一次</a></p>"""


class DownForAWhile:
    """Answers 503 for some seconds, from the first event on."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds, self._since = app, seconds, 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._since = self._since or time.monotonic()
            if time.monotonic() - self._since < self._seconds:
                await Response("down for maintenance", status_code=503)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def partner_app(db: Path, *, behaviour: str, issuer: str, client_id: str, secret: str, delay: float) -> Starlette:
    """The partner's server: /events takes notices, / is a page to log in by hand with a number, /login does it as with the
    right SMS code, /healthz answers."""
    ties = AccountTies(db, refuse_unpaid=behaviour == "debt")
    platform = Platform(issuer, client_id=client_id, client_secret=secret, client=httpx.Client(timeout=60, verify=_TLS))
    journal = Journal(db.with_suffix(".journal.db"))
    worker = Worker(journal, HANDLERS[behaviour](ties, platform, journal, delay=delay))
    verifier = Verifier(issuer=issuer, audience=client_id, client=httpx.Client(timeout=10, verify=_TLS))
    events: ASGIApp = receiver_app(verifier, journal, worker)
    if behaviour == "down":
        events = DownForAWhile(events, delay)

    def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "waiting": journal.waiting()})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.stop()

    routes = [Mount("/events", events), Route("/healthz", health), *_logins(ties)]
    return Starlette(routes=routes, lifespan=lifespan)


def _logins(ties: AccountTies) -> list[Route]:
    def by_hand(request: Request) -> Response:
        return HTMLResponse(_PAGE.format(number=escape(request.query_params.get("number", ""))))

    async def login(request: Request) -> Response:
        asked = request.query_params.get("number") or parse_qs((await request.body()).decode())["number"][0]
        found = await run_in_threadpool(ties.log_in, asked)
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(found._asdict())
        words = "a fresh account 新账户" if found.fresh else "an account that was there 已有账户"
        return HTMLResponse(_LANDED.format(owner=escape(found.owner), words=words, number=quote(asked)))

    return [Route("/", by_hand), Route("/login", login, methods=["POST"])]


def main() -> None:
    """Run one partner as the command line says."""
    parser = argparse.ArgumentParser(description="A demo partner.")
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--behaviour", choices=sorted(HANDLERS), default="plain")
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=DELAY, help="seconds that pending and down take")
    given = parser.parse_args()
    serve_partner(
        db=given.db, behaviour=given.behaviour, issuer=given.issuer, client_id=given.client_id, port=given.port,
        secret=os.environ["HUANXIN_PARTNER_SECRET"], delay=given.delay,
    )  # fmt: skip


def serve_partner(
    *, db: Path, behaviour: str, issuer: str, client_id: str, secret: str, port: int, delay: float = DELAY
) -> None:
    """Run one partner until it is ended."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    app = partner_app(db, behaviour=behaviour, issuer=issuer, client_id=client_id, secret=secret, delay=delay)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
