"""The demo's servers, each in a process of its own: started, watched, started again when they die, ended."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import psutil

from huanxin.domain.errors import BadSetting

_START = 60.0  # seconds that a server may take to answer
_END = 15.0  # seconds that one may take to end by itself, on a busy machine too
_LOOK, _WEIGH = 0.2, 5  # seconds between looks at the processes; after so many looks their memory is noted
_TRIES = 50  # how often one server is started again before the demo gives it up

_FORKS = multiprocessing.get_context("forkserver")
# The module of the command too: a forked process looks at what its parent was started as.
_FORKS.set_forkserver_preload(["huanxin.cli.main", "huanxin.demo.partner_server"])


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


@dataclass(kw_only=True)
class Server(ABC):
    """One process, and how it is started. `url` None: it answers nobody, so it is ready once it runs. `peak_mb` is the most
    memory it was seen to hold."""

    name: str
    url: str | None
    log: Path
    restarts: int = 0
    peak_mb: float = 0.0

    @abstractmethod
    def start(self) -> None:
        """Start the process, for the first time or again."""

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The running process; None if it has ended or was never started."""

    @abstractmethod
    def join(self) -> None:
        """Wait until the process has ended, but not for long."""

    def end(self, how: signal.Signals) -> None:
        """Ask the process to end with SIGTERM, or end it with SIGKILL."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)

    def ready(self, http: httpx.Client) -> bool:
        if self.url is None:
            return self.pid is not None
        try:
            return http.get(f"{self.url}/healthz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def watch(self) -> None:
        """Start the process again if it died."""
        if self.pid is None:
            self.restarts += 1
            if self.restarts <= _TRIES:
                self.start()

    def weigh(self, pid: int) -> None:
        """Note the process's memory."""
        with contextlib.suppress(psutil.Error):
            self.peak_mb = max(self.peak_mb, psutil.Process(pid).memory_info().rss / 1e6)


@dataclass(kw_only=True)
class CommandServer(Server):
    """A Python command, `python -m …`, with more in its environment."""

    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command], env=os.environ | dict(self.environment), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def join(self) -> None:
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_END)


@dataclass(kw_only=True)
class ForkedServer(Server):
    """A function in a process of its own, forked from one that has imported what all such servers need: a dozen of them
    would each import it again for half a second of processor time, and hold it in memory of their own.

    work: a function of a module, so that it can be named to the other process; its arguments can be pickled.
    """

    work: Callable[..., None]
    arguments: Mapping[str, Any]
    process: BaseProcess | None = None

    def start(self) -> None:
        self.process = _FORKS.Process(target=_in_its_own, args=(self.log, self.work, dict(self.arguments)), daemon=True)
        self.process.start()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.is_alive() else None

    def join(self) -> None:
        if self.process is not None:
            self.process.join(_END)


def _in_its_own(log: Path, work: Callable[..., None], arguments: Mapping[str, Any]) -> None:
    """What a forked process does: its words go to its log, Ctrl-C at the demo's terminal isn't meant for it, and it ends
    when the demo is gone, however that ended."""
    os.setsid()
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), name="demo-gone", daemon=True).start()
    work(**arguments)


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    for how in (signal.SIGTERM, signal.SIGKILL):
        os.kill(os.getpid(), how)
        time.sleep(_END)


class Servers:
    """Servers that stay up for as long as the block runs: one that dies, or is killed, is started again."""

    def __init__(self) -> None:
        self.all: list[Server] = []
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="demo-watch", daemon=True)

    def __enter__(self) -> Servers:
        forkserver.ensure_running()  # it imports while the world is made
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._watcher.join()
        for how in (signal.SIGTERM, signal.SIGKILL):
            for server in self.all:
                server.end(how)
            for server in self.all:
                server.join()

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
        for turn in itertools.count():
            if self._ending.wait(_LOOK):
                return
            for server in list(self.all):
                server.watch()
                if turn % _WEIGH == 0 and server.pid is not None:
                    server.weigh(server.pid)
