"""What people and machines write in words: numbers, names, domains, days, languages, settings."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st

from fuzz.fuzzing import tried
from fuzz.mangling import BYTES, ODD, mangled, texts
from huanxin.connect.registering import checked_domain, checked_name, key_of
from huanxin.disclose.desk import read_prefix
from huanxin.domain import numbers
from huanxin.domain.errors import HuanxinError
from huanxin.domain.operators import read_roles
from huanxin.notify import pushing
from huanxin.outbound import HttpAnswer, NoAnswer, Outbound
from huanxin.request.sms import Message, Webhook
from huanxin.settings import read_settings
from huanxin.web.limits import network_of
from huanxin.web.pages.console.desk.routes import read_numbers
from huanxin.web.pages.render import again
from huanxin.words.i18n import LANGUAGES, choose_language

PLAN = numbers.chinese_plan()
SAMPLES = [
    "+8613800138000",
    "138 0013-8000",
    "0086 138 0013 8000",
    "１３８００１３８０００",
    "tel:+8613800138000",
    "+447700900123",
    "晨星商城",
    "example.com",
    "bücher.example",
    "127.0.0.1:8701",
    "zh-CN,en;q=0.8",
    "2026-11-24",
    "operator,supervisor",
    "139",
    "13900",
    "1380013",
    "+86 138",
    "admin",
    "admin,operator",
]
words = st.one_of(
    st.sampled_from(SAMPLES),
    texts,
    mangled([one.encode() for one in SAMPLES]).map(lambda one: one.decode("utf-8", "replace")),
    mangled([one.encode() for one in SAMPLES]).map(lambda one: one.decode("utf-8", "surrogateescape")),
)


def number(text: str) -> None:
    found = numbers.parse(text)
    assert numbers.parse(numbers.written(found)) == found


def typed(text: str) -> None:
    found = PLAN.typed(text)
    assert PLAN.typed(numbers.written(found)) == found


def masked(text: str) -> None:
    shown = numbers.masked_text(text)
    assert numbers.masked_text(shown) == shown, "what is masked stays as it is"
    assert numbers.masked(text)


def searched(text: str) -> None:
    found, unread, _ = read_numbers(text, PLAN)
    again_found, again_unread, _ = read_numbers("\n".join(map(numbers.written, found)), PLAN)
    assert (again_found, again_unread) == (found, [])
    assert all(unread)


def name(text: str) -> None:
    clean = checked_name(text)
    assert checked_name(clean) == clean
    assert key_of(clean).encode() is not None


def domain(text: str) -> None:
    for development in (True, False):
        clean = checked_domain(text, development=development)
        assert checked_domain(clean, development=development) == clean
        assert clean.isascii()


def language(text: str) -> None:
    assert choose_language(text, text, text) in LANGUAGES


def answered(text: str) -> None:
    for status in (200, 400):
        assert len(pushing.words(HttpAnswer(status=status, text=text))) <= len(text) + 100


READERS: dict[str, Callable[[str], object]] = {
    "number": number,
    "typed": typed,
    "masked": masked,
    "desk": searched,
    "name": name,
    "domain": domain,
    "language": language,
    "prefix": read_prefix,
    "network": network_of,
    "roles": lambda text: read_roles(text.split(",")),
    "page": lambda text: again(page=text.encode("utf-8", "replace").decode()),
    "answer": answered,
}


@pytest.mark.parametrize("reader", sorted(READERS))
def test_texts(request: pytest.FixtureRequest, reader: str) -> None:
    tried(request, READERS[reader], words, known=[*SAMPLES, *ODD], most=100, refuses=(ValueError, HuanxinError))


TOML = """
database_url = "postgresql://a@127.0.0.1/b"
issuer = "https://huanxin.example"
mode = "production"
zone = "Asia/Shanghai"
key_passphrase = "a passphrase of some length"
freeze_days = 90
upload_minutes = 30
[carriers.cmcc]
name = "中国移动"
zone = "Asia/Shanghai"
prefixes = ["86139"]
"""
TOMLS = [TOML.encode(), *(f"{line}\n".encode() for line in TOML.splitlines() if "=" in line)]


def test_settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "huanxin.toml"
    for one in [one for one in os.environ if one.startswith("HUANXIN_")]:
        monkeypatch.delenv(one)
    monkeypatch.setenv("HUANXIN_CONFIG", str(file))
    monkeypatch.setenv("HUANXIN_HOME", str(tmp_path / "home"))

    def read(content: bytes) -> None:
        file.write_bytes(content)
        assert read_settings().plan().carriers

    tried(request, read, mangled(TOMLS), known=[*TOMLS, *BYTES], most=120, refuses=(HuanxinError,))


def test_what_an_sms_gateway_answers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken, or not taken; nothing that it says is looked at."""
    said: dict[str, Any] = {}

    def post(url: str, **asked: Any) -> httpx.Response:
        given = said["given"]
        headers = {"Location": given[1], "Content-Type": given[1]} if given[1].isascii() and given[1].isprintable() else {}
        with httpx.Client(
            transport=httpx.MockTransport(lambda _: httpx.Response(given[0], headers=headers, content=given[2]))
        ) as http:
            return http.post(url, json=asked["json"])

    monkeypatch.setattr("huanxin.request.sms.httpx.post", post)
    gateway = Webhook(url="https://sms.example/", token=None, seconds=1)

    def send(given: tuple[int, str, bytes]) -> None:
        said["given"] = given
        gateway.send(Message(id="m", number=8613800138000, text="1", kind="code"))

    answers = st.tuples(st.sampled_from((200, 202, 204, 302, 400, 500, 599)), texts, st.binary(max_size=40))
    tried(request, send, answers, most=100, refuses=(HuanxinError,))


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers whatever stands in the list, as bytes, and its address."""
    says: list[bytes] = [b""]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(2)
                        connection.recv(65_536)
                        connection.sendall(says[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x", says
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_what_another_server_answers(request: pytest.FixtureRequest, server: tuple[str, list[bytes]]) -> None:
    """The bytes of an answer to any call of ours, from a server that may send what it likes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=%s\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    chunked = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    packed = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"
    charsets = (b"utf-8", b"utf-16", b"hex", b"idna", b"punycode", b"rot13", b"unicode_escape", b"\xff", b"a\0b", b"zlib")
    samples = [*(head % one for one in charsets), chunked, packed]
    outbound, (address, says) = Outbound(inner_allowed=True, longest=2), server

    def ask(content: bytes) -> None:
        says[0] = content
        answer = outbound.post(address, b"{}", {})
        assert answer.status
        assert "\0" not in answer.text
        assert answer.text.encode() is not None

    odd = [
        head % b"utf-8" + b"\0",
        b"HTTP/1.1 999 \xff\r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n\0\xed\xa0\x80",
        b"",
        b"\0" * 99,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
    ]
    tried(request, ask, mangled(samples), known=[*samples, *odd], most=150, refuses=(NoAnswer,))
