"""A partner's receiver stands open to the Internet: whoever stalls there locks nobody out, whichever parser is installed."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from huanxin_partner.connections import Patience, bounded
from serving import served

HALF = (b"", b"POST / HTTP/1.1\r\nHos", b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n12")
SHORT = Patience(head=0.5, body=0.5, taking=0.5, going=0.5)


async def taken(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.mark.parametrize("base", [H11Protocol, HttpToolsProtocol])
def test_stalled_connections_are_let_go_and_lock_nobody_out(base: Any) -> None:
    app = Starlette(routes=[Route("/", taken, methods=["POST"])])
    with served(app, http=bounded(8, SHORT, base=base)) as http, ExitStack() as held:

        def stalled(said: bytes) -> socket.socket:
            raw = held.enter_context(socket.create_connection((http.base_url.host, http.base_url.port or 80), timeout=10))
            raw.sendall(said)
            return raw

        first = stalled(HALF[1])
        for _ in range(3):
            for at in range(12):
                stalled(HALF[at % 3])
            with httpx.Client(base_url=http.base_url, timeout=10) as other:
                for size in (0, 9, 200_000):
                    assert other.post("/", content=bytes(size)).text == str(size)
        last, start = stalled(HALF[1]), time.monotonic()
        assert last.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - start < 8
        assert first.recv(4096)[:13] in (b"", b"HTTP/1.1 408 ")
