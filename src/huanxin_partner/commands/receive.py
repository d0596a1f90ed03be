"""`huanxin-partner receive`: take pushed events."""

from __future__ import annotations

import argparse
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from huanxin_partner.commands.settings import (
    ACCESS,
    STORE,
    Settings,
    a_port,
    add_config,
    journal_of,
    load,
    platform_of,
    store_of,
    verifier_of,
)
from huanxin_partner.connections import bounded
from huanxin_partner.handler import Handler
from huanxin_partner.receiver import Worker, receiver_app

_NEEDED = (*ACCESS, *STORE)


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("receive", help="take pushed events at /events/, cut ties and file receipts")
    add_config(command, _NEEDED)
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=a_port, default=8700)
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Serve until it is ended."""
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("huanxin_partner").setLevel(logging.INFO)  # how far a notice has come
    app = _app(load(given.config, _NEEDED))
    uvicorn.run(app, host=given.host, port=given.port, log_level="info", http=bounded(), ws="none")
    return 0


def _app(settings: Settings) -> Starlette:
    store, journal = store_of(settings), journal_of(settings)
    handler = Handler(store, platform_of(settings), journal)
    worker = Worker(journal, handler)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.stop()

    return Starlette(routes=[Mount("/events", receiver_app(verifier_of(settings), journal, worker))], lifespan=lifespan)
