"""The receiver: takes pushed events (RFC 8935), journals them, answers at once; a thread handles them one by one."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence

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
_TOGETHER = 200  # events that are handled together at most
_GATHER = 0.2  # seconds between two rounds of handling many: when events come faster, they are handled together
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 300.0  # seconds before an event that failed is tried again


class Worker:
    """A thread that handles journalled events in the order in which they came, each until it succeeds.

    One that fails waits, doubling each time and shortened at random by up to half, and holds up no other. `many`, if given,
    is offered what is due before `handle` is: it does the first of these events in one go, says what came of each, and
    leaves the rest.
    """

    def __init__(
        self, journal: Journal, handle: Callable[[Event], str],
        many: Callable[[Sequence[Event]], Mapping[str, str]] | None = None,
    ) -> None:  # fmt: skip
        self._journal, self._handle, self._many = journal, handle, many
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

    def some_events(self) -> bool:
        """Handle what has been due longest: many events in one go if that can be done, or one. False if none is due."""
        if self._many is None:
            return self.one_event()
        due = [event for event, _ in self._journal.due(_TOGETHER)]
        try:
            outcomes = self._many(due) if due else {}
        except Exception as error:  # whichever event is to blame, handled alone it holds up no other
            log.warning("%s events are handled one by one: %s: %s", len(due), type(error).__name__, error)
            outcomes = {}
        if outcomes:
            self._journal.finish_all(outcomes)
            return True
        return self.one_event()

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
            started = time.monotonic()
            self._wake.clear()
            try:
                busy = self.some_events()
            except Exception:  # the journal itself can't be read or written: a full disk, perhaps
                log.exception("the journal can't be used")
                busy = False
            if not busy:
                self._wake.wait(_IDLE)
            elif self._many is not None:
                self._stop.wait(max(0.0, started + _GATHER - time.monotonic()))


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
