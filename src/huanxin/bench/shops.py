"""Partners' servers of the orders benchmark: several in one process, as sixty would measure the machine's memory.

    python -m huanxin.bench.shops --shops FILE --port PORT

Each partner is what `huanxin_partner` makes of it: its own database of accounts, journal, credentials, worker and endpoint
(/CLIENT_ID/events/), or its own poll loop.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sqlite3
import ssl
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from huanxin_partner import Handler, Journal, Platform, Verifier, Worker, receiver_app
from huanxin_partner.commands.poll import PATIENT
from huanxin_partner.polling import Inbox, PollLoop
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.stream import PolledStream
from huanxin_partner.ties import as_text, immediate

OUTCOMES = ("unbound", "absent", "kept")


def outcome_of(partner: int, number: int) -> str:
    """What the `partner`-th partner has to answer for the `number`-th number."""
    return OUTCOMES[(partner + number) % len(OUTCOMES)]


def make_accounts(path: Path, partner: int, numbers: Iterable[tuple[str, datetime]]) -> None:
    """A partner's database of accounts on numbers, given with the day on which their new owners got them: of every three
    one from long before, none, and one of the new owner."""
    rows = []
    for place, (number, opened_at) in enumerate(numbers):
        outcome = outcome_of(partner, place)
        if outcome != "absent":
            at = opened_at + (timedelta(hours=30) if outcome == "kept" else -timedelta(days=300))
            rows.append((number, as_text(at)))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, phone TEXT, bound_at TEXT NOT NULL)")
        with immediate(db):
            db.executemany("INSERT INTO accounts (phone, bound_at) VALUES (?, ?)", rows)
        db.execute("CREATE INDEX accounts_by_phone ON accounts (phone)")


@cache
def _tls() -> ssl.SSLContext:
    """Read once: that takes a third of a second, and nothing here is encrypted."""
    return httpx.create_ssl_context()


def _client(timeout: httpx.Timeout | float) -> httpx.Client:
    return httpx.Client(timeout=timeout, verify=_tls())


class Shop:
    """One partner, ready to start."""

    def __init__(self, *, issuer: str, client_id: str, secret: str, accounts: Path, polls: bool) -> None:
        store = SqliteTies(accounts, table="accounts", number_column="phone", bound_at_column="bound_at")
        self._journal = Journal(accounts.with_suffix(".journal.db"))
        access = Platform(issuer, client_id=client_id, client_secret=secret, client=_client(60))
        handler = Handler(store, access, self._journal)
        self._worker = Worker(self._journal, handler)
        verifier = Verifier(issuer=issuer, audience=client_id, client=_client(10))
        self.routes: list[BaseRoute] = []
        self._loop: PollLoop | None = None
        if polls:
            platform = Platform(issuer, client_id=client_id, client_secret=secret, client=_client(PATIENT))
            inbox = Inbox(verifier=verifier, journal=self._journal, wake=self._worker.wake)
            self._loop = PollLoop(stream=PolledStream(platform=platform), take=inbox)
        else:
            self.routes = [Mount(f"/{client_id}/events", receiver_app(verifier, self._journal, self._worker))]

    def start(self) -> None:
        self._worker.start()
        if self._loop:
            threading.Thread(target=self._loop.run, daemon=True).start()

    def stop(self) -> None:
        if self._loop:
            self._loop.stop.set()
        self._worker.stop()


def make_app(shops: list[Shop]) -> Starlette:
    """One application for all partners of this process; /healthz answers once they run."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with ExitStack() as running:
            for shop in shops:
                shop.start()
                running.callback(shop.stop)
            yield

    def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [route for shop in shops for route in shop.routes]
    return Starlette(routes=[Route("/readyz", health), *routes], lifespan=lifespan)


def main() -> None:
    """Run some partners until they are ended."""
    parser = argparse.ArgumentParser(description="Partners of the orders benchmark.")
    parser.add_argument("--shops", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    told = json.loads(given.shops.read_text(encoding="utf-8"))
    shops = [Shop(**one | {"accounts": Path(one["accounts"])}) for one in told]
    uvicorn.run(make_app(shops), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
