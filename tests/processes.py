"""Servers in processes of their own, which end with us however we end, and waiting for what they do."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import AnyStr

import httpx

import waiting

SOURCES = Path(__file__).parents[1] / "src"
_telling = threading.Lock()
_wardens: list[subprocess.Popen[str]] = []


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now, for whoever has to know an address beforehand."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def tell_warden(line: str) -> None:
    """Have something done once this process is gone (tests/warden.py): a test run that is killed tidies nothing up."""
    with _telling:
        if not _wardens:
            command = [sys.executable, str(Path(__file__).with_name("warden.py"))]
            _wardens.append(subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True))
            atexit.register(_wardens[0].communicate)
        pipe = _wardens[0].stdin
        assert pipe is not None
        print(line, file=pipe, flush=True)


def bound(process: subprocess.Popen[AnyStr]) -> subprocess.Popen[AnyStr]:
    """The process, which is killed at the latest when this one is gone."""
    tell_warden(f"process {process.pid}")
    return process


@contextmanager
def started(
    arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process on the sources as they are; killed at the end."""
    paths = os.pathsep.join(map(str, [SOURCES, *([folder] if folder else [])]))
    variables = os.environ | {"PYTHONPATH": paths} | dict(environment or {})
    process = bound(subprocess.Popen([sys.executable, *arguments], env=variables, cwd=folder))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def running(
    arguments: Sequence[str], port: int, *, folder: Path | None = None, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers on a port, which it is told as `--port`; killed at the end."""
    with started([*arguments, "--port", str(port)], environment=environment, folder=folder) as process:
        until(lambda: answers(port))
        yield process


def answers(port: int) -> bool:
    with socket.socket() as caller:  # the far cheaper question, asked while nobody listens
        if caller.connect_ex(("127.0.0.1", port)):
            return False
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code in (200, 404)
    except httpx.TransportError:
        return False


def until(done: Callable[[], bool], seconds: float = 180) -> None:
    """As everywhere, with the patience that processes need which start beside others."""
    waiting.until(done, seconds)
