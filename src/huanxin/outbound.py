"""Calls to addresses that partners name, kept out of the platform's own network (OWASP: server-side request forgery).

A host name is looked up here, every address that it leads to is checked, and the connection goes to a checked address: a
name that leads elsewhere a moment later (DNS rebinding) gains nothing. Redirects are not followed, proxies of the
environment not used, and no answer is waited for or read beyond a limit. TLS and the Host header keep the name.

The calls are the standard library's (http.client): an order is told to dozens of partners, one call each, and a pool that
looks through all its connections at each call took more of the processor than signing and storing the events.
"""

from __future__ import annotations

import codecs
import http.client
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx

from huanxin.domain.errors import BadInput
from huanxin.words.sentences import N_, Sentence

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str], Sequence[str]]
"""Gives the addresses of a host name. Raises OSError if it has none."""
_Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port."""

_PORTS = {"http": 80, "https": 443}
_CONNECT = 5.0  # seconds
_IDLE = 5.0  # seconds for which a connection is kept that nobody uses
_NAT64 = IPv6Network("64:ff9b::/96")
_ALSO_INNER = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments (RFC 6890); 192.0.0.192 is Oracle Cloud's metadata service
    IPv4Network("168.63.129.16/32"),  # Azure's metadata and health service, on a public address
    IPv6Network("::/96"),  # IPv4 inside IPv6, deprecated (RFC 4291)
    IPv6Network("fec0::/10"),  # site-local, deprecated (RFC 3879)
)
_TEXTS = ("utf-8", "ascii", "iso8859-1", "cp1252", "gb18030", "gbk", "gb2312", "big5")
"""Encodings that an answer may name. Python knows others, of which some make no text (hex), some half characters (utf-7)."""
_USUAL = {"Accept-Encoding": "identity", "User-Agent": "huanxin"}
_until: ContextVar[float] = ContextVar("until")


@cache
def _usual_tls() -> ssl.SSLContext:
    """The well-known authorities, read once: that takes a third of a second."""
    return httpx.create_ssl_context()


def look_up(host: str) -> list[str]:
    """The addresses of a host name, from the system's resolver."""
    return list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)))


def is_outer(address: Address) -> bool:
    """Whether an address is a public one of the Internet: not loopback, private, link-local (and so most metadata
    services), shared by a carrier (RFC 6598), multicast, reserved or unspecified, nor one of these inside an IPv6 form."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_outer(IPv4Address(int(address) & 0xFFFF_FFFF))
        inside = address.ipv4_mapped or address.sixtofour
        if inside is not None:
            return is_outer(inside)
    if address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return address.is_global and not any(address in network for network in _ALSO_INNER)


_SLOW = N_("no answer within %(seconds)s seconds")
_NO_NAME = N_("the name %(host)s can't be found")
_FAR = N_("%(host)s can't be reached in time")
_REFUSED = N_("%(host)s refuses the connection")
_CERTIFICATE = N_("the certificate of %(host)s is not good: %(error)s")
_UNREACHED = N_("%(host)s can't be reached: %(error)s")
_SHAPES = [
    (one, re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(one)), re.DOTALL))
    for one in (_SLOW, _NO_NAME, _FAR, _REFUSED, _CERTIFICATE, _UNREACHED)
]


def why_not(error: BaseException) -> str:
    """Why a call failed: the Sentence that we raised ourselves, if one is among the causes, else the library's words."""
    cause: BaseException | None = error
    while cause is not None:
        if cause.args and isinstance(cause.args[0], Sentence):
            return cause.args[0]
        cause = cause.__cause__
    return f"{type(error).__name__}: {error}"[:200]


def recalled(text: str) -> str:
    """The Sentence that `why_not` gave, of its English text as it was kept; any other text as it is."""
    for template, shape in _SHAPES:
        if found := shape.fullmatch(text):
            return Sentence(template, **found.groupdict())
    return text


def literal(host: str) -> Address | None:
    """The address that a host is written as, in any of the forms that operating systems take (2130706433, 0177.0.0.1,
    0x7f.1, ::1%lo); None for a name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


class NoAnswer(Exception):
    """A call that brought none, and why; `why_not` says it in words for people."""


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """What came back: the HTTP status, and the text up to the limit."""

    status: int
    text: str


def is_success(status: int | None) -> bool:
    """Whether a call was answered with success (RFC 9110, section 15.3); None if it was not answered."""
    return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(kw_only=True)
class Outbound:
    """Makes such calls, from any thread. `inner_allowed`: addresses of this machine and its networks too (development).

    `longest` is seconds for a whole call; `largest` how many bytes of an answer are read; `max_connections` how many are
    kept open between calls.
    """

    inner_allowed: bool
    resolve: Resolve = look_up
    max_connections: int = 20
    longest: float = 15.0
    largest: int = 64 * 1024
    tls: ssl.SSLContext = field(default_factory=_usual_tls)
    _kept: _Kept = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.tls.sslsocket_class = _BoundedTls
        self._kept = _Kept(self.max_connections)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._kept.close()

    def check(self, url: str) -> None:
        """Raise BadInput for an address that leads into the platform's own network. A name that leads nowhere now passes:
        each call looks again."""
        try:
            self.addresses(urlsplit(url).hostname or "")
        except NoAnswer as error:
            raise BadInput(Sentence("%(url)s can't be used: %(why)s", url=url, why=why_not(error))) from error
        except OSError:
            return
        except ValueError as error:
            raise BadInput(Sentence("%(url)s is not an address that can be called", url=url)) from error

    def addresses(self, host: str) -> list[str]:
        """Where a host is, every address checked. Raises NoAnswer if one is not for partners to name, OSError if there is
        none."""
        written = literal(host)
        try:
            found = [written] if written else [ip_address(one.partition("%")[0]) for one in self.resolve(host)]
        except UnicodeError as error:  # a name with an empty or overlong part
            raise OSError(f"{host} is not a host name") from error
        inner = next((one for one in found if not is_outer(one)), None)
        if inner is not None and not self.inner_allowed:
            raise NoAnswer(
                Sentence(
                    "%(host)s leads to %(address)s, which is not a public address of the Internet; events go to public ones"
                    " only",
                    host=host,
                    address=str(inner),
                )
            )
        if not found:
            raise OSError(f"{host} has no address")
        return [str(one) for one in found]

    def get(self, url: str, headers: dict[str, str] | None = None) -> HttpAnswer:
        """What is at an address. Raises NoAnswer if it can't be had."""
        return self._call("GET", url, None, headers or {})

    def post(self, url: str, content: str | bytes, headers: dict[str, str], longest: float | None = None) -> HttpAnswer:
        """Post something, in `longest` seconds if it may take less than others. Raises NoAnswer."""
        return self._call("POST", url, content.encode() if isinstance(content, str) else content, headers, longest)

    def _call(
        self, method: str, url: str, content: bytes | None, headers: dict[str, str], longest: float | None = None
    ) -> HttpAnswer:
        origin, target = _parsed(url)
        seconds = min(longest or self.longest, self.longest)
        marked = _until.set(time.monotonic() + seconds)
        try:
            connection = self._kept.take(origin) or self._connected(origin)
            try:
                connection.request(method, target, content, _USUAL | headers)
                answer, whole = self._read(connection.getresponse())
            except BaseException:
                connection.close()
                raise
            self._kept.give(origin, connection, good=whole)
            return answer
        except TimeoutError as error:
            raise NoAnswer(Sentence(_SLOW, seconds=f"{seconds:g}")) from error
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        finally:
            _until.reset(marked)

    def _read(self, response: http.client.HTTPResponse) -> tuple[HttpAnswer, bool]:
        """An answer, and whether another call may follow on the same connection."""
        with response:
            text = response.read(self.largest).decode(_charset(response), "replace")
            text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # which nothing here can keep
            return HttpAnswer(status=response.status, text=text), response.isclosed() and not response.will_close

    def _connected(self, origin: _Origin) -> http.client.HTTPConnection:
        scheme, host, port = origin
        try:
            addresses = self.addresses(host)
        except OSError as error:
            raise NoAnswer(Sentence(_NO_NAME, host=host)) from error
        made = http.client.HTTPConnection(host, port)
        made.auto_open = 0  # it would look the name up again, where nothing is checked
        try:
            made.sock = _reached(addresses, port)
            if scheme == "https":
                made.default_port = _PORTS[scheme]
                made.sock = self.tls.wrap_socket(made.sock, server_hostname=host)
        except TimeoutError as error:
            raise NoAnswer(Sentence(_FAR, host=host)) from error
        except OSError as error:
            raise NoAnswer(_unreached(host, error)) from error
        return made


@lru_cache(maxsize=4096)
def _parsed(url: str) -> tuple[_Origin, str]:
    """Where to connect, and what to ask for there. Raises NoAnswer."""
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise NoAnswer(f"{url!a} is not an address of the web: {error}") from error
    if found.scheme not in _PORTS or not found.host:
        raise NoAnswer(f"{url} is not an address of the web")
    return (found.scheme, found.raw_host.decode(), found.port or _PORTS[found.scheme]), found.raw_path.decode()


def _unreached(host: str, error: OSError) -> Sentence:
    """Why nothing could be sent to a host; what the system says of it only where we have no words of our own."""
    if isinstance(error, ConnectionRefusedError):
        return Sentence(_REFUSED, host=host)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Sentence(_CERTIFICATE, host=host, error=error)
    return Sentence(_UNREACHED, host=host, error=error)


def _charset(response: http.client.HTTPResponse) -> str:
    try:
        found = codecs.lookup(response.headers.get_content_charset() or "utf-8").name
    except (LookupError, ValueError, TypeError):
        return "utf-8"
    return found if found in _TEXTS else "utf-8"


class _Kept:
    """Connections between two calls, those used last at the end; none that nobody has used for long."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: list[tuple[float, _Origin, http.client.HTTPConnection]] = []
        self._lock = threading.Lock()

    def take(self, origin: _Origin) -> http.client.HTTPConnection | None:
        """One that leads there and is open, as far as can be seen from here."""
        while (found := self._popped(origin)) is not None:
            if not _readable(found.sock):
                return found
            found.close()
        return None

    def _popped(self, origin: _Origin) -> http.client.HTTPConnection | None:
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][1] == origin:
                    return self._idle.pop(place)[2]
        return None

    def give(self, origin: _Origin, connection: http.client.HTTPConnection, *, good: bool) -> None:
        """Keep a connection if it is good for another call, and close those that were kept long enough."""
        now = time.monotonic()
        with self._lock:
            if good:
                self._idle.append((now, origin, connection))
            stale = next((place for place, one in enumerate(self._idle) if now - one[0] < _IDLE), len(self._idle))
            stale = max(stale, len(self._idle) - self._most)
            old, self._idle = self._idle[:stale], self._idle[stale:]
        for one in [found for _, _, found in old] + ([] if good else [connection]):
            one.close()

    def close(self) -> None:
        with self._lock:
            old, self._idle = self._idle, []
        for _, _, one in old:
            one.close()

    __del__ = close  # for whoever made a few calls and forgot about it


def _readable(raw: socket.socket) -> bool:
    """Whether something came on an idle connection: its end, since nothing else comes unasked."""
    waiting = select.poll()
    waiting.register(raw, select.POLLIN)
    return bool(waiting.poll(0))


def _reached(addresses: Sequence[str], port: int) -> socket.socket:
    """A connection to the first of some addresses that can be reached. Raises OSError."""
    for address in addresses[:-1]:
        try:
            return _connection(address, port)
        except OSError:
            continue
    return _connection(addresses[-1], port)


def _connection(address: str, port: int) -> socket.socket:
    made = _Bounded(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.settimeout(min(_CONNECT, _left()))
        made.connect((address, port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.settimeout(_left())
    except BaseException:
        made.close()
        raise
    return made


class _Bounded(socket.socket):
    """A connection on which no step outlasts the whole call: one that trickles can't hold a worker."""

    def recv_into(self, *given: Any, **named: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*given, **named)

    def sendall(self, *given: Any, **named: Any) -> None:
        self.settimeout(_left())
        super().sendall(*given, **named)


class _BoundedTls(ssl.SSLSocket):
    """The same under TLS."""

    def recv_into(self, *given: Any, **named: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*given, **named)

    def send(self, *given: Any, **named: Any) -> int:
        self.settimeout(_left())
        return super().send(*given, **named)


def _left() -> float:
    """Seconds that are left for the call. Raises TimeoutError if none are."""
    left = _until.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call took too long as a whole")
    return left
