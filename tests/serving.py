"""A real server for the length of a block, in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from huanxin.web.connections import bounded
from huanxin_partner.connections import Patience


@contextmanager
def served(
    app: Any, *, port: int = 0, most: int | None = None, patience: Patience | None = None, http: Any = None
) -> Iterator[httpx.Client]:
    """Serve an ASGI application as the platform is served, on a free port of 127.0.0.1 or the one given; a client for it."""
    kind = http or bounded(most, patience)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", http=kind, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
