"""Sending SMS: through a gateway over HTTP, or, in development, to a page that shows them. By `Post` alone, which asks first
whether the number is still theirs for whom the message is meant (rule 5)."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import httpx

from huanxin.domain.errors import HuanxinError, Unavailable
from huanxin.domain.numbers import masked, written
from huanxin.domain.tenures import NumberTenures
from huanxin.store.acting import PLATFORM, Order, Read
from huanxin.store.report import reports
from huanxin.store.request import messages


@dataclass(frozen=True, kw_only=True)
class Message:
    """An SMS. `id`: the same message sent twice has the same one. kind: `code`, `done` or `taken-back`."""

    id: str
    number: int
    text: str = field(repr=False)
    kind: str


class Gateway(Protocol):
    """Whatever sends an SMS."""

    def send(self, message: Message) -> None:
        """Hand a message over. Raises Unavailable if it was not taken."""


class Moved(HuanxinError):
    """The number is not theirs for whom a message was meant: nothing was sent. `for_good`: somebody else holds it."""

    code = "moved"

    def __init__(self, message: str, *, for_good: bool) -> None:
        super().__init__(message)
        self.for_good = for_good


@dataclass(frozen=True, kw_only=True)
class Post:
    """The one way by which anything is told to a number."""

    read: Read
    gateway: Gateway

    def send(self, message: Message, *, meant_for: Callable[[NumberTenures], bool]) -> None:
        """Send a message if the number still stands as `meant_for` says. Raises Moved, or Unavailable if the gateway did
        not take it."""
        with self.read() as seen:
            where = reports.standing_of(seen.tx, message.number)
        if not meant_for(where):
            held = where.current is not None
            raise Moved(f"{masked(message.number)} has changed hands, so nothing was sent to it", for_good=held)
        self.gateway.send(message)


@dataclass(frozen=True, kw_only=True)
class Console:
    """Sends nothing: keeps the last messages for /dev/sms and prints them."""

    order: Order

    def send(self, message: Message) -> None:
        with self.order(PLATFORM) as act:
            messages.add(act.tx, number=message.number, text=message.text, at=act.now)
        print(f"SMS {masked(message.number)}: {message.text}", file=sys.stderr, flush=True)


class Nowhere:
    """No gateway is set: nothing can be sent."""

    def send(self, message: Message) -> None:
        raise Unavailable(f"the SMS to {masked(message.number)} can't be sent: HUANXIN_SMS_GATEWAY is not set")


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """POSTs {"id", "number", "text", "kind"} to a gateway, with a bearer token if there is one; 2xx: it was taken."""

    url: str
    token: str | None = field(repr=False)
    seconds: float

    def send(self, message: Message) -> None:
        body = {"id": message.id, "number": written(message.number), "text": message.text, "kind": message.kind}
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            httpx.post(self.url, json=body, headers=headers, timeout=self.seconds, verify=_trusted()).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"the SMS to {masked(message.number)} could not be sent ({type(error).__name__}); try again later"
            ) from error


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once."""
    return ssl.create_default_context()
