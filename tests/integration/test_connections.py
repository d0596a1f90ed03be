"""Connections that are opened and kept: eleven hundred of them, with half a request on each, were all that the server could
have, and for as long as they stayed nobody else was let in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from huanxin.web import bodies
from huanxin.web.bodies import ShortBodies, has_its_own_limit
from huanxin.web.problems import answer_errors
from huanxin_partner.connections import Patience
from serving import served
from waiting import until

MOST = 12
FORM = b"POST /form HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nlogin="
UPLOAD = b"POST /upload HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n12345"
HALF = (b"", b"GET / HTTP/1.1\r\nHos", FORM)
SHORT = Patience(head=0.5, body=0.5, taking=0.5, going=0.5)
MEGABYTE = 1 << 20


class Watched:
    """Says when an answer came to its end, one way or the other."""

    gone = Event()

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope.get("path") == "/long":
                self.gone.set()


def app() -> FastAPI:
    made = FastAPI()
    answer_errors(made)
    made.add_middleware(ShortBodies)
    made.add_middleware(Watched)

    @made.get("/")
    def hello() -> Response:
        return PlainTextResponse("hello")

    @made.post("/form")
    async def form(request: Request) -> Response:
        made.state.came = 0
        async for block in request.stream():
            made.state.came += len(block)
        return JSONResponse(made.state.came)

    @made.post("/upload")
    async def upload(request: Request) -> Response:
        has_its_own_limit(request)
        made.state.uploads = getattr(made.state, "uploads", 0) + 1
        return JSONResponse(len(await request.body()))

    @made.get("/long")
    async def long() -> Response:
        return StreamingResponse(bytes(MEGABYTE) for _ in range(64))

    return made


@contextmanager
def opened(http: httpx.Client, said: bytes = b"") -> Iterator[socket.socket]:
    """A connection on which something was said, and nothing is read."""
    with socket.create_connection((http.base_url.host, http.base_url.port or 80), timeout=10) as raw:
        raw.sendall(said)
        yield raw


def rest(raw: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = bytearray()
    try:
        while block := raw.recv(1 << 20):
            found += block
    except ConnectionError:
        pass
    return bytes(found)


def test_whoever_stalls_is_let_go_and_whoever_sent_half_a_head_is_told() -> None:
    with served(app(), patience=SHORT) as http, ExitStack() as held:
        silent, half, form = (held.enter_context(opened(http, said)) for said in HALF)
        start = time.monotonic()
        assert rest(silent) == b""
        assert rest(half).startswith(b"HTTP/1.1 408 ")
        rest(form)
        assert time.monotonic() - start < 8
        assert http.get("/").text == "hello"


def test_a_form_that_trickles_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_SECONDS", 0.5)
    with served(app()) as http, opened(http, FORM) as raw:
        answer = rest(raw)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"urn:huanxin:problem:too-slow" in answer
        assert http.post("/form", content=b"x" * 500).json() == 500


def test_more_stalled_connections_than_there_may_be_lock_nobody_out() -> None:
    """Those that stall end each other, the oldest first; whoever asks and goes on is answered."""
    with served(app(), most=MOST) as http, ExitStack() as held:
        stalled = [held.enter_context(opened(http, HALF[at % 3])) for at in range(MOST * 4)]
        for _ in range(5):
            with httpx.Client(base_url=http.base_url, timeout=10) as other:
                assert other.get("/").text == "hello"
                assert other.post("/form", content=b"x" * 500).json() == 500
            stalled += [held.enter_context(opened(http, HALF[at % 3])) for at in range(MOST)]
        assert rest(stalled[0]) == b""


def test_an_upload_that_has_limits_of_its_own_is_not_let_go_for_strangers() -> None:
    with served(app(), most=MOST, patience=SHORT) as http, ExitStack() as held:
        raw = held.enter_context(opened(http, UPLOAD))
        for at in range(MOST * 4):
            held.enter_context(opened(http, HALF[at % 3]))
        time.sleep(SHORT.body * 3)  # longer than any short body may take
        raw.sendall(b"67890")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_where_everybody_is_being_worked_for_the_next_is_told_to_come_later() -> None:
    serving = app()
    with served(serving, most=2) as http, ExitStack() as held:
        for _ in range(2):
            held.enter_context(opened(http, UPLOAD))
        until(lambda: getattr(serving.state, "uploads", 0) == 2)
        with opened(http) as raw:
            assert rest(raw).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize(
    "said",
    [
        b"GET /" + b"a" * 100_000, b"GET / HTTP/1.1\r\nHost: " + b"a" * 100_000, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 300,
        b"\r\n" * 100_000,
    ],
    ids=["address", "header", "headers", "line ends"],
)  # fmt: skip
def test_a_head_without_end_is_read_no_further_than_heads_are_long(said: bytes) -> None:
    with served(app()) as http, opened(http) as raw:
        try:
            for _ in range(200):
                raw.sendall(said)
        except ConnectionError:
            pass
        else:
            assert rest(raw).startswith(b"HTTP/1.1 431 "), "20 megabytes were taken, and more"
        assert http.get("/").text == "hello"


def test_headers_after_a_body_are_counted_too() -> None:
    said = b"POST /form HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with served(app()) as http, opened(http, said) as raw:
        try:
            for _ in range(200):
                raw.sendall(b"a: b\r\n" * 10_000)
        except ConnectionError:
            return
        assert rest(raw) == b""


def test_thousands_of_requests_in_one_packet_are_one_and_no_more() -> None:
    with served(app()) as http, opened(http, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n" * 5000) as raw:
        assert rest(raw).count(b"HTTP/1.1 200 OK") == 1
        assert http.get("/").text == "hello"


def test_whoever_asks_and_never_reads_the_answer_is_let_go() -> None:
    with served(app(), patience=SHORT) as http, opened(http, b"GET /long HTTP/1.1\r\nHost: here\r\n\r\n"):
        assert Watched.gone.wait(20), "the answer waits for ever"
        assert http.get("/").text == "hello"


def test_whoever_goes_on_sending_after_the_answer_is_let_go() -> None:
    """The server waits five seconds for another request; each byte of a body that nobody reads made it wait for ever."""
    asked = b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: 9999\r\n\r\n"
    with served(app(), patience=SHORT) as http, opened(http, asked) as raw:
        assert raw.recv(4096).startswith(b"HTTP/1.1 200 ")
        raw.setblocking(False)
        until(lambda: _ended(raw))


def _ended(raw: socket.socket) -> bool:
    try:
        raw.sendall(b"x")
        return raw.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_connection_serves_request_after_request() -> None:
    with served(app(), patience=SHORT) as http:
        for size in (0, 10, 300_000):
            assert http.post("/form", content=b"x" * size).json() == size
        time.sleep(0.3)
        assert http.get("/").text == "hello"


def test_long_bodies_share_what_memory_there_is_for_them_and_short_ones_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_SHARED", 3 * MEGABYTE)
    long = b"POST /form HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % (3 * MEGABYTE) + bytes(3 * MEGABYTE - 1)
    serving = app()
    with served(serving) as http, opened(http, long) as raw:
        until(lambda: getattr(serving.state, "came", 0) == 3 * MEGABYTE - 1)
        assert http.post("/form", content=bytes(MEGABYTE)).status_code == 503
        assert http.post("/form", content=bytes(10_000)).json() == 10_000
        raw.sendall(b"\0")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert http.post("/form", content=bytes(MEGABYTE)).json() == MEGABYTE
