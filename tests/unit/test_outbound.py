"""Where partners' addresses may lead. A miss here lets a partner read the platform's own network."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from huanxin.domain.errors import BadInput
from huanxin.outbound import NoAnswer, Outbound, is_outer, literal, recalled, why_not
from huanxin.words.saying import say

INNER = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.0.192", "168.63.129.16",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:db8::1", "fec0::1",
]  # fmt: skip
OUTER = ["8.8.8.8", "114.114.114.114", "2400:3200::1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INNER)
def test_an_address_of_our_own_networks_is_not_for_partners_to_name(address: str) -> None:
    assert not is_outer(ip_address(address))


@pytest.mark.parametrize("address", OUTER)
def test_public_addresses_can_be_named(address: str) -> None:
    assert is_outer(ip_address(address))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.1", "127.0.1", "017700000001"])
def test_forms_that_hide_an_address_are_read_as_the_system_reads_them(host: str) -> None:
    assert literal(host) == ip_address("127.0.0.1")


HOSTS = [*INNER, "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[fe80::1%25eth0]", "3232235777"]


@pytest.mark.parametrize("host", HOSTS)
def test_an_endpoint_that_is_an_inner_address_is_refused_in_every_form_before_anything_is_sent(host: str) -> None:
    url = f"https://[{host}]/e" if ":" in host and "[" not in host else f"https://{host}/e"
    outbound = Outbound(inner_allowed=False, resolve=_nobody)
    with pytest.raises(BadInput, match="not a public address"):
        outbound.check(url)
    with pytest.raises(NoAnswer, match=r"not a public address|Invalid"):
        outbound.post(url, "x", {})


def _nobody(host: str) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def test_a_name_is_refused_if_one_of_its_addresses_is_inner() -> None:
    outbound = Outbound(inner_allowed=False, resolve=lambda _: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(BadInput, match=r"leads to 10\.0\.0\.1"):
        outbound.check("https://partner.example/events")


def test_a_name_that_is_not_found_yet_can_be_registered() -> None:
    def nothing(_: str) -> list[str]:
        raise socket.gaierror("not found")

    outbound = Outbound(inner_allowed=False, resolve=nothing)
    outbound.check("https://partner.example/events")
    with pytest.raises(NoAnswer, match="can't be found") as refused:
        outbound.get("https://partner.example/events")
    assert say(why_not(refused.value), "zh_CN") == "找不到域名 partner.example", "the system's English on a Chinese page"
    kept = str(why_not(refused.value))
    assert say(recalled(kept), "zh_CN") == "找不到域名 partner.example", "what was kept is said in English for good"
    assert recalled("something else") == "something else"


def test_a_name_that_no_resolver_takes_is_not_found() -> None:
    with pytest.raises(NoAnswer):
        Outbound(inner_allowed=False).get(f"https://{'a' * 64}.localhost/")
    with pytest.raises(BadInput, match="can be called"):
        Outbound(inner_allowed=False).check("https://[::1/")


Say = Callable[[socket.socket], None]


@contextmanager
def listening(say: Say) -> Iterator[tuple[int, list[bytes]]]:
    """A raw server on 127.0.0.1 that reads a request and lets `say` answer; its port and the requests it got."""
    got: list[bytes] = []

    def serve(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                got.append(connection.recv(65536))
                try:
                    say(connection)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        try:
            yield server.getsockname()[1], got
        finally:  # else a test that fails never ends
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _ok(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def test_a_name_that_turns_to_an_inner_address_after_it_was_registered_is_not_called() -> None:
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    with listening(_ok) as (port, got):
        outbound = Outbound(inner_allowed=False, resolve=lambda _: answers.pop(0))
        outbound.check(f"http://partner.example:{port}/events")
        with pytest.raises(NoAnswer, match=r"leads to 127\.0\.0\.1"):
            outbound.post(f"http://partner.example:{port}/events", "x", {})
    assert got == []
    assert answers == []


def test_the_address_that_was_checked_is_the_one_that_is_called_with_the_name_kept() -> None:
    """Between check and connection there is no second look-up that could lead elsewhere."""
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with listening(_ok) as (port, got):
        answer = Outbound(inner_allowed=True, resolve=resolve).post(f"http://partner.example:{port}/events", "x", {})
    assert (answer.status, asked) == (202, ["partner.example"])
    assert f"host: partner.example:{port}".encode() in got[0].lower()


def test_a_redirect_is_not_followed() -> None:
    def redirect(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
        )

    with listening(redirect) as (port, got):
        answer = Outbound(inner_allowed=True).post(f"http://127.0.0.1:{port}/events", "x", {})
    assert answer.status == 307
    assert len(got) == 1


def test_an_endless_answer_is_cut_off() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with listening(endless) as (port, _):
        answer = Outbound(inner_allowed=True, largest=1000).get(f"http://127.0.0.1:{port}/")
    assert answer.text == "x" * 1000


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_an_answer_that_trickles_does_not_hold_a_worker(begin: bytes) -> None:
    def trickle(connection: socket.socket) -> None:
        connection.sendall(begin)
        for n in range(100):
            connection.sendall(b"X-N: 1\r\n" if begin.endswith(b"OK\r\n") else b"x")
            time.sleep(0.05)
            if n > 90:
                pytest.fail("the whole answer was read")

    with listening(trickle) as (port, _):
        outbound = Outbound(inner_allowed=True, longest=0.5)
        with pytest.raises(NoAnswer):
            outbound.get(f"http://127.0.0.1:{port}/")


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up again, where nothing is checked."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with listening(_ok) as (port, got):
        assert Outbound(inner_allowed=True).get(f"http://127.0.0.1:{port}/").status == 202
    assert len(got) == 1


def _stays_open(connection: socket.socket) -> None:
    for turn in range(2):
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        if turn == 0 and not connection.recv(65536):
            return


def test_a_second_call_goes_over_the_same_connection() -> None:
    with listening(_stays_open) as (port, got):
        outbound = Outbound(inner_allowed=True)
        calls = [outbound.post(f"http://127.0.0.1:{port}/events", "", {}).status for _ in range(2)]
        outbound.close()
    assert calls == [202, 202]
    assert len(got) == 1


def test_a_connection_that_was_closed_meanwhile_is_not_used_again() -> None:
    def closes(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    with listening(closes) as (port, got):
        outbound = Outbound(inner_allowed=True)
        for _ in range(2):
            assert outbound.post(f"http://127.0.0.1:{port}/events", "x", {}).status == 202
            time.sleep(0.1)  # its end is on its way
        outbound.close()
    assert len(got) == 2


def test_of_many_addresses_only_the_connections_used_last_are_kept() -> None:
    with listening(_stays_open) as (first, got), listening(_stays_open) as (second, _):
        outbound = Outbound(inner_allowed=True, max_connections=1)
        for port in (first, second):
            outbound.post(f"http://127.0.0.1:{port}/events", "x", {})
        outbound.post(f"http://127.0.0.1:{second}/events", "x", {})
        outbound.close()
    assert len(got) == 1


@pytest.mark.parametrize(
    "charset",
    ["hex", "undefined", "utf-7", "idna", "punycode", "unicode_escape", "base64", "rot13", "zlib", "x" * 500, "\0", "ü",
     '"', "utf-16", "utf-32", "mbcs", "utf-8-sig"],
)  # fmt: skip
def test_an_answer_in_a_charset_that_makes_no_text_is_read_as_utf_8(charset: str) -> None:
    """A partner's answer is kept with the attempt, and shown: it may be any words, and nothing that can't be kept."""
    body = b"+2AAtZg\0\xff"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n"
    with listening(lambda connection: connection.sendall(head.encode() + body)) as (port, _):
        text = Outbound(inner_allowed=True).get(f"http://127.0.0.1:{port}/").text
    assert text == "+2AAtZg\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
