"""The receiver: takes pushed events (RFC 8935), journals them, answers at once; a thread handles them one by one."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from httpx import codes
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from huanxin_partner.journal import Journal
from huanxin_partner.taking import LONGEST, take
from huanxin_partner.tokens import Event, Verifier

log = logging.getLogger("huanxin_partner")
_IDLE = 0.5  # seconds between looks for events that are due again
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
    """An ASGI application to mount: POST / takes an event (taking.take). Start and stop the worker with your application."""

    async def endpoint(request: Request) -> Response:
        body = b""
        async for block in request.stream():
            body += block
            if len(body) > LONGEST:
                break
        content_type = request.headers.get("content-type", "")
        reply = await run_in_threadpool(take, body, content_type, verifier, journal)
        if reply.status == codes.ACCEPTED:
            worker.wake()
        if reply.said is None:
            return Response(status_code=reply.status, headers=reply.headers)
        return JSONResponse(reply.said, status_code=reply.status, headers=reply.headers)

    return Starlette(routes=[Route("/", endpoint, methods=["POST"])])
