"""Calls to addresses that partners name, kept out of the platform's own network (OWASP: server-side request forgery).

A host name is looked up here, every address that it leads to is checked, and the connection goes to a checked address: a
name that leads elsewhere a moment later (DNS rebinding) gains nothing. Redirects are not followed, proxies of the
environment not used, and no answer is waited for or read beyond a limit. TLS and the Host header keep the name.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

import httpcore
import httpx

from huanxin.domain.errors import BadInput
from huanxin.sentences import Sentence

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str], Sequence[str]]
"""Gives the addresses of a host name. Raises OSError if it has none."""
_SocketOptions: TypeAlias = "Iterable[httpcore.SOCKET_OPTION] | None"

_CONNECT = 5.0  # seconds
_NAT64 = IPv6Network("64:ff9b::/96")
_ALSO_INNER = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments (RFC 6890); 192.0.0.192 is Oracle Cloud's metadata service
    IPv4Network("168.63.129.16/32"),  # Azure's metadata and health service, on a public address
    IPv6Network("::/96"),  # IPv4 inside IPv6, deprecated (RFC 4291)
    IPv6Network("fec0::/10"),  # site-local, deprecated (RFC 3879)
)
_until: ContextVar[float | None] = ContextVar("until", default=None)


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


def why_not(error: BaseException) -> str:
    """Why a call failed: the Sentence that we raised ourselves, if one is among the causes, else the library's words."""
    cause: BaseException | None = error
    while cause is not None:
        if cause.args and isinstance(cause.args[0], Sentence):
            return cause.args[0]
        cause = cause.__cause__
    return f"{type(error).__name__}: {error}"[:200]


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


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: the HTTP status, and the text up to the limit."""

    status: int
    text: str


@dataclass(kw_only=True)
class Outbound:
    """Makes such calls, from any thread. `inner_allowed`: addresses of this machine and its networks too (development).

    `longest` is seconds for a whole call; `largest` how many bytes of an answer are read.
    """

    inner_allowed: bool
    resolve: Resolve = look_up
    max_connections: int = 20
    longest: float = 15.0
    largest: int = 64 * 1024
    tls: ssl.SSLContext = field(default_factory=_usual_tls)
    _client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        transport = httpx.HTTPTransport(verify=self.tls)
        # The one part that httpx doesn't take from outside: how its pool connects.
        transport._pool = httpcore.ConnectionPool(
            ssl_context=self.tls, max_connections=self.max_connections, keepalive_expiry=5.0, network_backend=_Checked(self)
        )
        timeout = httpx.Timeout(self.longest, connect=_CONNECT)
        self._client = httpx.Client(
            transport=transport, timeout=timeout, follow_redirects=False, trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "huanxin"},
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def check(self, url: str) -> None:
        """Raise BadInput for an address that leads into the platform's own network. A name that leads nowhere now passes:
        each call looks again."""
        try:
            self.addresses(urlsplit(url).hostname or "")
        except httpcore.ConnectError as error:
            raise BadInput(Sentence("%(url)s can't be used: %(why)s", url=url, why=why_not(error))) from error
        except OSError:
            return
        except ValueError as error:
            raise BadInput(Sentence("%(url)s is not an address that can be called", url=url)) from error

    def addresses(self, host: str) -> list[str]:
        """Where a host is, every address checked. Raises httpcore.ConnectError if one is not for partners to name, OSError
        if there is none."""
        written = literal(host)
        try:
            found = [written] if written else [ip_address(one.partition("%")[0]) for one in self.resolve(host)]
        except UnicodeError as error:  # a name with an empty or overlong part
            raise OSError(f"{host} is not a host name") from error
        inner = next((one for one in found if not is_outer(one)), None)
        if inner is not None and not self.inner_allowed:
            raise httpcore.ConnectError(
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

    def get(self, url: str, headers: dict[str, str] | None = None) -> Answer:
        """What is at an address. Raises httpx.HTTPError if it can't be had."""
        return self._call("GET", url, None, headers or {})

    def post(self, url: str, content: str | bytes, headers: dict[str, str]) -> Answer:
        """Post something. Raises httpx.HTTPError if there is no answer."""
        return self._call("POST", url, content, headers)

    def _call(self, method: str, url: str, content: str | bytes | None, headers: dict[str, str]) -> Answer:
        marked = _until.set(time.monotonic() + self.longest)
        try:
            with self._client.stream(method, url, content=content, headers=headers) as answer:
                return Answer(status=answer.status_code, text=self._text(answer))
        finally:
            _until.reset(marked)

    def _text(self, answer: httpx.Response) -> str:
        read = bytearray()
        for block in answer.iter_raw():
            read += block
            if len(read) >= self.largest:
                break
        return bytes(read[: self.largest]).decode(answer.charset_encoding or "utf-8", "replace")


class _Checked(httpcore.NetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: _SocketOptions = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        try:
            addresses = self._outbound.addresses(host)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} can't be found: {error}") from error
        for address in addresses[:-1]:
            try:
                return _Bounded(self._inner.connect_tcp(address, port, _left(timeout), local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return _Bounded(self._inner.connect_tcp(addresses[-1], port, _left(timeout), local_address, socket_options))


class _Bounded(httpcore.NetworkStream):
    """A connection on which no step outlasts the whole call: one that trickles can't hold a worker."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Bounded(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, late: type[httpcore.TimeoutException] = httpcore.ConnectTimeout) -> float | None:
    """The shorter of a step's own limit and what is left for the call. Raises `late` if nothing is."""
    until = _until.get()
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise late("the call took too long as a whole")
    return left if timeout is None else min(timeout, left)
