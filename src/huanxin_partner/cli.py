"""`huanxin-partner`: a small site takes notices with one command."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import tomllib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from huanxin_partner.client import Platform
from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.receiver import Worker, receiver_app
from huanxin_partner.stores import needed, store_from
from huanxin_partner.tokens import Verifier

_NEEDED = ("issuer", "client_id", "client_secret", "database", "table", "number_column", "bound_at_column")
_MORE = ("audience", "zone", "admin_token")  # the client id, UTC and, for [synapse], what stands in the file, unless set


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="huanxin-partner", description="Take renewal notices and answer them.")
    commands = parser.add_subparsers(dest="command", required=True)
    receive = commands.add_parser("receive", help="receive pushed events and cut ties")
    receive.add_argument("--config", type=Path, help=f"TOML with {', '.join(_NEEDED)}; HUANXIN_PARTNER_* wins")
    receive.add_argument("--host", default="127.0.0.1")
    receive.add_argument("--port", type=int, default=8700)
    given = parser.parse_args(arguments)
    settings = _settings(given.config)
    missing = [name for name in needed(_NEEDED, settings) if not settings.get(name)]
    if missing:
        parser.error(f"{', '.join(missing)} is missing: write it in --config or set HUANXIN_PARTNER_{missing[0].upper()}")
    try:
        app = _app(settings)
    except (ValueError, ZoneInfoNotFoundError) as error:
        parser.error(str(error))
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("huanxin_partner").setLevel(logging.INFO)  # how far a notice has come
    uvicorn.run(app, host=given.host, port=given.port, log_level="info")
    return 0


def _settings(file: Path | None) -> dict[str, Any]:
    found = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
    environment = {name: os.environ.get(f"HUANXIN_PARTNER_{name.upper()}") for name in (*_NEEDED, *_MORE)}
    return found | {name: value for name, value in environment.items() if value}


def _app(settings: dict[str, Any]) -> Starlette:
    issuer, client_id = str(settings["issuer"]).rstrip("/"), str(settings["client_id"])
    database = Path(settings["database"])
    store = store_from(settings)
    platform = Platform(issuer, client_id=client_id, client_secret=str(settings["client_secret"]))
    journal = Journal(database.with_suffix(".huanxin.db"))
    worker = Worker(journal, Handler(store, platform, journal).handle)
    audience = str(settings.get("audience") or client_id)
    verifier = Verifier(issuer=issuer, audience=audience, client=httpx.Client(timeout=10))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.stop()

    return Starlette(routes=[Mount("/events", receiver_app(verifier, journal, worker))], lifespan=lifespan)
