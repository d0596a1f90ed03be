"""The receiver: takes pushed events (RFC 8935), journals them, answers at once; a thread handles them one by one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from huanxin_partner.journal import Journal
from huanxin_partner.tokens import Event, TokenError, Verifier

log = logging.getLogger("huanxin_partner")
_LONGEST = 256 * 1024  # bytes of a token; real ones have about a thousand
_PAUSE = (0.5, 30.0)  # seconds before an event that failed is tried again, at first and at the longest


class Worker:
    """A thread that handles journalled events in the order in which they came, each until it succeeds."""

    def __init__(self, journal: Journal, handle: Callable[[Event], str]) -> None:
        self._journal, self._handle = journal, handle
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="huanxin-partner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(5)

    def wake(self) -> None:
        """Say that there is a new event."""
        self._wake.set()

    def _run(self) -> None:
        pause = _PAUSE[0]
        while not self._stop.is_set():
            self._wake.clear()
            event = self._journal.next()
            if event is None:
                self._wake.wait(1.0)
                continue
            try:
                self._journal.finish(event.jti, self._handle(event))
                pause = _PAUSE[0]
            except Exception as error:  # an event stays until it is handled; what stood in its way is in the log
                log.warning("event %s is tried again in %.1f s: %s", event.jti, pause, error)
                self._stop.wait(pause)
                pause = min(_PAUSE[1], pause * 2)


def receiver_app(verifier: Verifier, journal: Journal, worker: Worker) -> Starlette:
    """An ASGI application to mount: POST / takes an event. Start and stop the worker with your application."""

    async def take(request: Request) -> Response:
        body = b""
        async for block in request.stream():
            body += block
            if len(body) > _LONGEST:
                return _error("invalid_request", "the token is too long")
        if request.headers.get("content-type", "").split(";")[0] != "application/secevent+jwt":
            return _error("invalid_request", "Content-Type must be application/secevent+jwt")
        try:
            event = await run_in_threadpool(verifier.verify, body.decode("ascii", "replace").strip())
        except TokenError as error:
            return _error(error.code, str(error))
        await run_in_threadpool(journal.take, event)
        worker.wake()
        return Response(status_code=202)

    return Starlette(routes=[Route("/", take, methods=["POST"])])


def _error(code: str, description: str) -> Response:
    return JSONResponse({"err": code, "description": description}, status_code=400)
