"""The receiver: takes pushed events (RFC 8935), journals them, answers at once; a thread handles them one by one."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from httpx import codes
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from huanxin_partner.journal import Journal
from huanxin_partner.taking import LONGEST, Pushed, Reply, take_all
from huanxin_partner.tokens import Event, Verifier

log = logging.getLogger("huanxin_partner")
_IDLE = 0.5  # seconds between looks for events that are due again
_TOGETHER = 200  # events that are handled together at most
_GATHER, _LONG_GATHER = 0.8, 1.5  # seconds between the beginnings of two rounds: what comes meanwhile is handled together
_BUSY = 5  # events in a round, from which on more is won by doing many together than by answering soon
_SECONDS = 20.0  # that a body may take
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 300.0  # seconds before an event that failed is tried again


class Handles(Protocol):
    """What a worker needs to handle events (handler.Handler)."""

    def handle(self, event: Event) -> str:
        """Do what an event asks; what came of it, in words."""

    def handle_many(self, events: Sequence[Event]) -> Mapping[str, str]:
        """Do the first of these events in one go; what came of each, by `jti`. What is not named is left to `handle`."""


class Worker:
    """A thread that handles journalled events in the order in which they came, each until it succeeds: those together that
    can be, the others one by one.

    One that fails waits, doubling each time and shortened at random by up to half, and holds up no other. Of several workers
    on one journal, in whatever processes, one works at a time: none handles what another has in hand.
    """

    def __init__(self, journal: Journal, handler: Handles) -> None:
        self._journal, self._handler = journal, handler
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
        """Handle what has been due longest: many events in one go if that can be done, or one. False if none is due, or
        another worker is at work."""
        return self._together() > 0 or self.one_event()

    def _together(self) -> int:
        """Handle events in one go; how many, 0 if that can't be done with what is due."""
        with self._journal.alone(wait=False) as mine:
            return self._do_together() if mine else 0

    def _do_together(self) -> int:
        due = [event for event, _ in self._journal.due(_TOGETHER)]
        try:
            outcomes = self._handler.handle_many(due) if due else {}
        except Exception as error:  # whichever event is to blame, handled alone it holds up no other
            log.warning("%s events are handled one by one: %s: %s", len(due), type(error).__name__, error)
            outcomes = {}
        if outcomes:
            self._journal.finish_all(outcomes)
        return len(outcomes)

    def one_event(self) -> bool:
        """Handle the event that has been due longest; False if none is due, or another worker is at work."""
        with self._journal.alone(wait=False) as mine:
            return mine and self._do_one()

    def _do_one(self) -> bool:
        found = self._journal.next()
        if found is None:
            return False
        event, attempts = found
        try:
            outcome = self._handler.handle(event)
        except Exception as error:  # an event stays until it is handled; what stood in its way is in the log
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempts, 20)) * random.uniform(0.5, 1)
            log.warning("event %s is tried again in %.1f s: %s: %s", event.jti, pause, type(error).__name__, error)
            self._journal.put_off(event.jti, pause, f"{type(error).__name__}: {error}")
        else:
            self._journal.finish(event.jti, outcome)
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            started, busy = time.monotonic(), False
            self._wake.clear()
            try:
                if done := self._together():
                    gather = _GATHER if done < _BUSY else _LONG_GATHER
                    self._stop.wait(max(0.0, started + gather - time.monotonic()))
                    continue
                busy = self.one_event()
            except Exception:  # the journal itself can't be read or written: a full disk, perhaps
                log.exception("the journal can't be used")
            if not busy:
                self._wake.wait(_IDLE)


class _Desk:
    """Takes tokens in a thread: those together that came while it was at work on the ones before, with one wait for the
    disk."""

    def __init__(self, verifier: Verifier, journal: Journal) -> None:
        self._verifier, self._journal = verifier, journal
        self._coming: list[tuple[Pushed, asyncio.Future[Reply]]] = []
        self._work: asyncio.Task[None] | None = None

    async def take(self, pushed: Pushed) -> Reply:
        reply = asyncio.get_running_loop().create_future()
        self._coming.append((pushed, reply))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._take())
        found: Reply = await reply
        return found

    async def _take(self) -> None:
        while self._coming:
            coming, self._coming = self._coming, []
            try:
                replies = await run_in_threadpool(take_all, [one for one, _ in coming], self._verifier, self._journal)
            except Exception as error:  # the journal can't be written: nothing was taken, and each is told so
                log.exception("events could not be taken")
                replies = [Reply(status=503, said={"description": type(error).__name__})] * len(coming)
            for (_, reply), found in zip(coming, replies, strict=True):
                if not reply.done():
                    reply.set_result(found)


async def _body(request: Request) -> bytes:
    """A body, as far as one is looked at."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > LONGEST:
            break
    return body


def receiver_app(verifier: Verifier, journal: Journal, worker: Worker) -> Starlette:
    """An ASGI application to mount: POST / takes an event (taking.take). Start and stop the worker with your application."""

    desk = _Desk(verifier, journal)

    async def endpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(_SECONDS):
                body = await _body(request)
        except TimeoutError:
            return Response(status_code=codes.REQUEST_TIMEOUT, headers={"Connection": "close"})
        reply = await desk.take(Pushed(body=body, content_type=request.headers.get("content-type", "")))
        if reply.status == codes.ACCEPTED:
            worker.wake()
        if reply.said is None:
            return Response(status_code=reply.status, headers=reply.headers)
        return JSONResponse(reply.said, status_code=reply.status, headers=reply.headers)

    return Starlette(routes=[Route("/", endpoint, methods=["POST"])])
