"""`huanxin serve`."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Annotated

import typer
import uvicorn

from huanxin.cli.console import LOG, err, platform
from huanxin.operations import open_platform
from huanxin.web.app import create_app


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8600,
    workers: Annotated[bool, typer.Option(help="Deliver events from this process too.")] = True,
) -> None:
    """Run the API, the pages and workers in one go."""
    logging.basicConfig(level=logging.WARNING, format=LOG)
    # uvicorn shuts down and then raises the signal again: that must let go of the embedded database, not end us on the spot.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with platform() as (opened, settings), open_platform(settings, sandbox=True) as sandbox:
        app = create_app(opened, settings, sandbox=sandbox, run_workers=workers)
        err.print(f"Huanxin serves {opened.issuer} on http://{host}:{port} (Ctrl-C ends it)")
        uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
