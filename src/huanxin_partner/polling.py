"""The poll loop (RFC 8936): an event is verified, journaled, acknowledged, then handled, so that a crash loses nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential_jitter,
)

from huanxin_partner.client import Passing, PlatformError, waiting
from huanxin_partner.events import check
from huanxin_partner.journal import Journal
from huanxin_partner.stream import PolledStream
from huanxin_partner.tokens import Event, KeysUnreachable, TokenError, Verifier

log = logging.getLogger("huanxin_partner")
_PATIENT = 1.0  # seconds; an empty answer that came sooner shows a platform that doesn't wait
_PAUSE = 2.0  # seconds before such a one is asked again
_TROUBLE = (PlatformError, Passing, KeysUnreachable, httpx.HTTPError)
_growing = wait_exponential_jitter(multiplier=0.5, max=60)


@dataclass(kw_only=True)
class Inbox:
    """Takes tokens into the journal; says to the stream which were taken and which never will be."""

    verifier: Verifier
    journal: Journal
    wake: Callable[[], None]
    clock: Callable[[], float] = time.time

    def __call__(self, stream: PolledStream, tokens: Mapping[str, str]) -> list[str]:
        """Take them, with one wait for the disk. Raises KeysUnreachable: nothing is said of the good ones yet, so that they
        come again."""
        events = []
        for jti, token in tokens.items():
            try:
                events.append(self._verified(jti, token))
            except TokenError as error:
                log.warning("event %s is refused: %s", jti, error)
                stream.refused(jti, error.code, str(error))
        for event, new in zip(events, self.journal.take_all(events), strict=True):
            if new:
                log.info("event %s: %s", event.jti, event.name)
            stream.taken(event.jti)
        self.wake()
        return []

    def _verified(self, jti: str, token: str) -> Event:
        event = self.verifier.verify(token)
        check(event, self.clock())
        if event.jti != jti:
            raise TokenError("invalid_request", f"the token's jti is {event.jti!r}, it was sent as {jti!r}")
        return event


Take = Callable[[PolledStream, Mapping[str, str]], Sequence[str]]
"""Deals with tokens, given by `jti`, and says so to the stream; those that the platform has to send again."""


@dataclass(kw_only=True)
class PollLoop:
    """Polls until it is stopped; while the platform is down, with growing pauses and jitter, or as long as it asks."""

    stream: PolledStream
    take: Take
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Poll until `stop` or an interruption, then acknowledge what was taken since."""
        try:
            while not self.stop.is_set():
                Retrying(
                    retry=retry_if_exception_type(_TROUBLE), wait=waiting(_growing), sleep=sleep_using_event(self.stop),
                    stop=stop_when_event_set(self.stop), before_sleep=_note, retry_error_callback=lambda _: None,
                )(self.once)  # fmt: skip
        finally:
            self._acknowledge()

    def _acknowledge(self) -> None:
        try:
            self.stream.say_goodbye()
        except _TROUBLE as error:
            log.warning("the last events could not be acknowledged, they will come again: %s", error)

    def once(self) -> None:
        """One poll, and what it brought."""
        asked = time.monotonic()
        tokens = self.stream.poll()
        left = self.take(self.stream, tokens) if tokens else []
        if left or (not tokens and time.monotonic() - asked < _PATIENT):
            self.stop.wait(_PAUSE)


def _note(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0
    log.warning("polling goes on in %.1f s: %s: %s", pause, type(error).__name__, error)
