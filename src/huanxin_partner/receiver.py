"""The receiver: takes pushed events (RFC 8935), journals them, answers at once; a thread handles them one by one."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from huanxin_partner.events import check
from huanxin_partner.journal import Journal
from huanxin_partner.tokens import Event, KeysUnreachable, TokenError, Verifier

log = logging.getLogger("huanxin_partner")
_IDLE = 0.5  # seconds between looks for events that are due again
_LONGEST = 256 * 1024  # bytes of a token; real ones have about a thousand
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 300.0  # seconds before an event that failed is tried again


class Worker:
    """A thread that handles journalled events in the order in which they came, each until it succeeds.

    One that fails waits, doubling each time and shortened at random by up to half, and holds up no other.
    """

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

    def one_event(self) -> bool:
        """Handle the event that has been due longest; False if none is due."""
        found = self._journal.next()
        if found is None:
            return False
        event, attempts = found
        try:
            outcome = self._handle(event)
        except Exception as error:  # an event stays until it is handled; what stood in its way is in the log
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempts, 20)) * random.uniform(0.5, 1)
            log.warning("event %s is tried again in %.1f s: %s: %s", event.jti, pause, type(error).__name__, error)
            self._journal.put_off(event.jti, pause, f"{type(error).__name__}: {error}")
        else:
            self._journal.finish(event.jti, outcome)
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                busy = self.one_event()
            except Exception:  # the journal itself can't be read or written: a full disk, perhaps
                log.exception("the journal can't be used")
                busy = False
            if not busy:
                self._wake.wait(_IDLE)


def receiver_app(verifier: Verifier, journal: Journal, worker: Worker) -> Starlette:
    """An ASGI application to mount: POST / takes an event. Start and stop the worker with your application.

    202: taken, now or before. 400: never will be (RFC 8935, section 2.3). 503: push it again.
    """

    def taken(token: str) -> None:
        event = verifier.verify(token)
        check(event, time.time())
        journal.take(event)

    async def take(request: Request) -> Response:
        body = b""
        async for block in request.stream():
            body += block
            if len(body) > _LONGEST:
                return _error("invalid_request", "the token is too long")
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/secevent+jwt":
            return _error("invalid_request", "Content-Type must be application/secevent+jwt")
        try:
            await run_in_threadpool(taken, body.decode("ascii", "replace").strip())
        except TokenError as error:
            return _error(error.code, str(error))
        except KeysUnreachable as error:
            return JSONResponse({"description": str(error)}, status_code=503, headers={"Retry-After": "5"})
        worker.wake()
        return Response(status_code=202)

    return Starlette(routes=[Route("/", take, methods=["POST"])])


def _error(code: str, description: str) -> Response:
    said = {"err": code, "description": description}
    return JSONResponse(said, status_code=400, headers={"Content-Language": "en"})
