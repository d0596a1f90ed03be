"""Where the platform is served, and what notices say of it: they are sent from another terminal than it is served in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from huanxin.cli.serve import _listening
from huanxin.domain.errors import Conflict
from huanxin.settings import note_served, read_settings, served_at
from processes import free_port, running

Run = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUANXIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUANXIN_MODE", "development")
    monkeypatch.delenv("HUANXIN_ISSUER", raising=False)
    return tmp_path / "home"


@pytest.mark.usefixtures("home")
def test_in_development_notices_name_the_address_that_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().issuer == "http://127.0.0.1:8600"
    for host, port, issuer in (
        ("127.0.0.1", 9000, "http://127.0.0.1:9000"), ("0.0.0.0", 80, "http://127.0.0.1:80"),
        ("::1", 9000, "http://[::1]:9000"), ("127.0.0.1", 8600, "http://127.0.0.1:8600"),
    ):  # fmt: skip
        assert note_served(host, port) == ""
        assert read_settings().issuer == issuer, "`batch send`, in another terminal"
    monkeypatch.setenv("HUANXIN_MODE", "production")
    monkeypatch.setenv("HUANXIN_ISSUER", "https://huanxin.example")
    note_served("127.0.0.1", 9000)
    assert served_at(read_settings()) == "http://127.0.0.1:8600", "in production the issuer is what is set"


def test_an_issuer_that_is_set_counts_and_a_server_or_a_sending_that_differs_says_so(
    run: Run, home: Path, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUANXIN_ISSUER", "http://127.0.0.1:7000")
    assert "HUANXIN_ISSUER is http://127.0.0.1:7000" in note_served("127.0.0.1", 9000)
    assert note_served("127.0.0.1", 7000) == ""
    run("report", "import", str(report("+8613800138000,cancelled,2026-06-01")), "--carrier", "cmcc")
    run("partner", "add", "music", "--kind", "app")
    run("batch", "plan")
    (home / "served-at").write_text("http://127.0.0.1:9000")
    said = run("batch", "send", "1")
    assert "HUANXIN_ISSUER" in said
    assert "http://127.0.0.1:9000" in said


def test_a_port_that_is_none_or_in_use_is_refused_at_once_instead_of_hanging(dsn: str, home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        used = str(other.getsockname()[1])
        settings = {"HUANXIN_DATABASE_URL": dsn, "HUANXIN_HOME": str(home)}
        for port, code, says in (("99999", 2, "65535"), ("0", 2, "equal to 1"), (used, 1, f"port {used} is in use")):
            ended = subprocess.run(
                [sys.executable, "-m", "huanxin.cli.main", "serve", "--port", port], env=os.environ | settings,
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert ended.returncode == code, ended.stderr
            assert says in ended.stderr
            assert "Traceback" not in ended.stderr


def test_of_two_that_start_at_once_the_second_is_refused_before_it_has_workers() -> None:
    port = free_port()
    first = _listening("127.0.0.1", port)
    with pytest.raises(Conflict, match="in use"):
        _listening("127.0.0.1", port)
    for one in first:
        one.close()


def test_an_address_that_this_machine_does_not_have_is_refused_in_words() -> None:
    with pytest.raises(Conflict, match=r"192\.0\.2\.1 port 8600 can't be listened on"):
        _listening("192.0.2.1", 8600)


def test_what_is_served_answers_and_is_remembered(dsn: str, home: Path) -> None:
    port = free_port()
    with running(["-m", "huanxin.cli.main", "serve"], port, HUANXIN_DATABASE_URL=dsn, HUANXIN_HOME=str(home)) as process:
        issuer = httpx.get(f"http://127.0.0.1:{port}/.well-known/ssf-configuration").json()["issuer"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, "Ctrl-C is how it ends"
    assert issuer == f"http://127.0.0.1:{port}" == served_at(read_settings())


@pytest.mark.parametrize(("trusted", "told_apart"), [("127.0.0.1", True), ("192.0.2.0/24", False)])
def test_callers_are_told_apart_by_what_a_trusted_proxy_says_and_by_nobody_elses_word(
    dsn: str, home: Path, trusted: str, told_apart: bool
) -> None:
    """Else whoever writes another address each time guesses secrets without end, or all behind the proxy are one caller."""
    port = free_port()
    words = ["-m", "huanxin.cli.main", "serve"]
    serving = running(
        words, port, HUANXIN_DATABASE_URL=dsn, HUANXIN_HOME=str(home), HUANXIN_TRUSTED_PROXIES=trusted
    )  # fmt: skip
    with serving, httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        codes = [
            http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("pc_x", "wrong"),
                      headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
            for n in range(12)
        ]  # fmt: skip
    assert (429 in codes) is not told_apart


@pytest.mark.parametrize("host", ["x" * 300, "a..b"])
def test_a_host_that_can_be_no_name_is_refused_in_words(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *_, **__: name.encode("idna"))  # as the real one begins
    with pytest.raises(Conflict, match="say one with --host") as refused:
        _listening(host, free_port())
    assert len(str(refused.value)) < 200
