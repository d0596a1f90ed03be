"""The demo's servers, each in a process of its own: started, watched, started again when they die, ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from huanxin.domain.errors import BadSetting

_START = 60.0  # seconds that a server may take to answer
_TRIES = 50  # how often one server is started again before the demo gives it up


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return True
    return False


@dataclass
class Server:
    """One process. `url` None: it answers nobody, so it is ready once it runs. `peak_mb` is the most memory it was seen
    to hold."""

    name: str
    command: Sequence[str]
    url: str | None
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    restarts: int = 0
    peak_mb: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command], env=os.environ | dict(self.environment), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def ready(self, http: httpx.Client) -> bool:
        if self.url is None:
            return self.process is not None and self.process.poll() is None
        try:
            return http.get(f"{self.url}/healthz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def watch(self) -> None:
        """Start the process again if it died; note its memory."""
        if self.process is None:
            return
        if self.process.poll() is not None:
            self.restarts += 1
            if self.restarts <= _TRIES:
                self.start()
            return
        with contextlib.suppress(psutil.Error):
            self.peak_mb = max(self.peak_mb, psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.process = None


class Servers:
    """Servers that stay up for as long as the block runs: one that dies, or is killed, is started again."""

    def __init__(self) -> None:
        self.all: list[Server] = []
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="demo-watch", daemon=True)

    def __enter__(self) -> Servers:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._watcher.join()
        for server in reversed(self.all):
            server.stop()

    def add(self, server: Server) -> Server:
        server.start()
        self.all.append(server)
        return server

    def wait_ready(self) -> None:
        """Wait until every server answers. Raises BadSetting with the end of the log of one that doesn't."""
        ends = time.monotonic() + _START
        with httpx.Client(timeout=2) as http:
            for server in self.all:
                while not server.ready(http):
                    if time.monotonic() > ends:
                        tail = server.log.read_text(errors="replace")[-800:]
                        raise BadSetting(f"{server.name} did not start within {_START:.0f} seconds; its log ends:\n{tail}")
                    time.sleep(0.1)

    @property
    def restarts(self) -> int:
        return sum(server.restarts for server in self.all)

    def _watch(self) -> None:
        while not self._ending.wait(0.2):
            for server in list(self.all):
                server.watch()
