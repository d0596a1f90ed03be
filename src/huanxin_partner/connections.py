"""Connections that wait for nobody without end: uvicorn's own protocols, with limits.

uvicorn waits for ever for a head, for a body and for a client that doesn't read; and reads heads of any length. A thousand
such connections were all that this process may have, and everybody else was locked out. So whoever keeps us waiting has a
time for it, and when there are too many connections, the one that has kept us waiting longest goes, so that strangers who
stall end each other.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Base
else:
    _Base = object  # what stands before whichever of uvicorn's there is

_MOST = 8192
_FILES, _SHARE = 512, 3
"""Files that are not for connections: the database, partners, uploads; a third where there are few."""
_WANTED = 65_536
_LOOK = 1.0  # seconds
_HEAD_BYTES, _HEADERS = 32 * 1024, 200
_REFUSED = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds for which a client may keep us waiting: for a head, for a short body (whoever reads it may say so in words
    before), for taking what we write, for going once it is told to."""

    head: float = 10.0
    body: float = 30.0
    taking: float = 60.0
    going: float = 10.0


@dataclass(kw_only=True)
class Keeper:
    """Who keeps this server waiting, and since when. `most`: connections at a time."""

    most: int
    patience: Patience = field(default_factory=Patience)
    waiting: OrderedDict[Bounded, float] = field(default_factory=OrderedDict)
    """since when (of the loop's clock), whoever waits longest first"""
    _looking: bool = False

    def waits(self, one: Bounded) -> None:
        """Say that the next move is the client's."""
        self.waiting[one] = one.loop.time()
        self.waiting.move_to_end(one)
        if not self._looking:
            self._looking = True
            one.loop.call_later(_LOOK, self._look, one.loop)

    def makes_room(self) -> bool:
        """Let the one go that has kept us waiting longest; False if nobody does."""
        while self.waiting:
            one, _ = self.waiting.popitem(last=False)
            if not one.uploads:
                one.drop()
                return True
        return False

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for one, since in list(self.waiting.items()):
            if now - since >= one.allowed:
                one.overdue()
        self._looking = bool(self.waiting)
        if self._looking:
            loop.call_later(_LOOK, self._look, loop)


class Bounded(_Base):
    """A connection. Whose move it is follows from what came and what was sent. What stands in the middle of the class is
    called by httptools only; h11 keeps heads short, and answers one request after the other, itself."""

    keeper: Keeper
    _head = 0
    """bytes of the head that is coming in"""
    _over = False
    """whether it was refused: nothing that it sends is looked at any more"""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.keeper.most and not self.keeper.makes_room():
            self._refuse(503)
            return
        self.keeper.waits(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.keeper.waiting.pop(self, None)
        super().connection_lost(exc)

    @property
    def _between(self) -> bool:
        """Whether no request is being worked on: a head comes in, or the rest of a body that nobody wants any more."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def uploads(self) -> bool:
        """Whether a long body comes in, whose reader has limits of its own."""
        return False

    @property
    def receiving(self) -> bool:
        """Whether a body comes in."""
        return not self._between and self.cycle.more_body

    @property
    def allowed(self) -> float:
        """Seconds for which the client may keep us waiting as it does now."""
        patience = self.keeper.patience
        if self.flow.write_paused or self.transport.get_write_buffer_size():
            return patience.taking
        if self.transport.is_closing():
            return patience.going
        return patience.head if self._between else float("inf") if self.uploads else patience.body

    def overdue(self) -> None:
        """Let go of a client that has kept us waiting too long."""
        if self._between and self._head and not self.transport.is_closing():
            self._refuse(408)
        else:
            self.drop()

    def drop(self) -> None:
        """End the connection at once."""
        if not self._between:  # else it would write into what is closed
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.abort()

    def _moved(self) -> None:
        """Find out whose move it is, after something happened."""
        ours = not self._between and not self.receiving and not self.flow.write_paused
        if ours and not self.transport.is_closing():
            self.keeper.waiting.pop(self, None)
        elif self not in self.keeper.waiting:
            self.keeper.waits(self)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        self._head += len(data)
        super().data_received(data)
        if not self._between:
            self._head = 0
        elif self._head > _HEAD_BYTES:
            self._refuse(431)
        self._moved()

    def on_message_begin(self) -> None:
        if not self._between:  # pipelined: no browser does so, and thousands fit into one packet; it may ask again
            self._over, self.cycle.keep_alive = True, False
        if not self._over:
            super().on_message_begin()
            self.keeper.waits(self)  # anew: until now it may have been idle

    def on_url(self, url: bytes) -> None:
        if not self._over:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._over:
            return
        if len(self.headers) >= _HEADERS:  # of a head, or after a body that comes in chunks
            self._refuse(431)
        else:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if [name for name, _ in self.headers].count(b"host") > 1:  # RFC 9112, section 3.2
            self._refuse(400)
        if self._over:
            return
        self._head = 0
        super().on_headers_complete()
        self.keeper.waits(self)

    def on_body(self, body: bytes) -> None:
        if self._over:
            return
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._over:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._head = 0
        self.keeper.waiting.pop(self, None)
        self._moved()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.keeper.waits(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.keeper.waiting.pop(self, None)
        self._moved()

    def _refuse(self, status: int) -> None:
        """Answer what can't be let in, and close; nothing else is said on this connection."""
        if self._over:
            return
        self._over = True
        if self._between and not self.transport.is_closing():
            said = _REFUSED[status]
            head = b"HTTP/1.1 %d %s\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(head % (status, said, len(said)) + said)
        self.transport.close()
        self.keeper.waits(self)


class _Quiet(logging.Filter):
    """Strangers don't fill the log: what they send that is no HTTP is answered, and that is all."""

    _SAID = ("Invalid HTTP request", "Unsupported upgrade", "No supported WebSocket")

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(self._SAID)


def bounded(
    most: int | None = None, patience: Patience | None = None, *, kind: type[Bounded] = Bounded, base: Any = AutoHTTPProtocol
) -> Any:
    """The class of a server's connections (`uvicorn.Config(http=...)`). `most`: connections at a time, as many as this
    process may have if it isn't said. `base`: one of uvicorn's."""
    logging.getLogger("uvicorn.error").addFilter(_QUIET)
    kept = Keeper(most=_most() if most is None else most, patience=patience or Patience())
    return type("Connection", (kind, base), {"keeper": kept})


_QUIET = _Quiet()


def _most() -> int:
    """How many connections there may be, so that files can still be opened. Asks the system for more files first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return min(_MOST, soft - min(_FILES, soft // _SHARE))
