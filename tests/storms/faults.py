"""Whatever can die, in turn: each class fires at least so often, or the storm has not been one."""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from storms.rounds import free_of
from storms.site import Site

_FULL = 4.0  # seconds for which there is no room
_SPARE = 64 * 1024  # bytes that are left then
A_YEAR_AHEAD = (
    "import datetime, huanxin.domain.clock as c; now = c.system_clock;"
    " c.system_clock = lambda: now() + datetime.timedelta(days=366);"
    " from huanxin.cli.main import main; main()"
)
"""A command on a machine whose clock is a year ahead."""


class Proxy(threading.Thread):
    """Between a program and the platform: passes everything on, and now and then the answer not, once the platform has
    done what was asked. The caller can't tell whether it was done."""

    def __init__(self, to: int) -> None:
        super().__init__(daemon=True, name="proxy")
        self.cut_next = threading.Event()
        self.cuts = 0
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _carry(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._to), 20) as platform:
            posted = False
            with selectors.DefaultSelector() as ready:
                ready.register(caller, selectors.EVENT_READ, platform)
                ready.register(platform, selectors.EVENT_READ, caller)
                while True:
                    for key, _ in ready.select(30):
                        data = key.fileobj.recv(65_536)  # type: ignore[union-attr]
                        if not data:
                            return
                        if key.fileobj is caller:
                            posted = b"/receipts" in data[:200] or posted
                        elif posted and self.cut_next.is_set():
                            self.cut_next.clear()
                            self.cuts += 1
                            return
                        key.data.sendall(data)


@dataclass(kw_only=True)
class Storm:
    """Fires faults at a site until it is told to stop. `fired` counts by class what really hit something."""

    site: Site
    proxy: Proxy
    chance: random.Random
    fired: Counter[str] = field(default_factory=Counter)

    @property
    def classes(self) -> dict[str, Callable[[], bool]]:
        known = {
            "server": lambda: self.site.server.kill(), "worker": lambda: self.site.worker.kill(), "partner": self._partner,
            "backend": self._backend, "postmaster": self._postmaster, "command": self._command,
            "answer cut off": self._cut, "restart under load": lambda: self.site.server.kill(signal.SIGTERM),
            "clock": self._clock,
        }  # fmt: skip
        return known | ({"disk full": self._full} if self.site.own_room else {})

    def rage(self, faults: int, pause: float) -> None:
        """So many faults, every class in turn in an order of chance, with pauses between."""
        waiting: list[str] = []
        while sum(self.fired.values()) + self.proxy.cuts < faults:
            if not waiting:
                waiting = sorted(self.classes)
                self.chance.shuffle(waiting)
            name = waiting.pop()
            with contextlib.suppress(psutil.Error, OSError):
                if self.classes[name]():
                    self.fired[name] += 1
            time.sleep(pause * self.chance.uniform(0.3, 1.7))

    @property
    def hits(self) -> Counter[str]:
        """What really hit something, by class."""
        return self.fired + Counter({"answer cut off": self.proxy.cuts})

    def _partner(self) -> bool:
        return self.chance.choice(self.site.shops).program.kill()

    def _postmaster(self) -> bool:
        found = self.site.postmasters()
        for one in found:
            one.send_signal(signal.SIGKILL)
        return bool(found)

    def _backend(self) -> bool:
        """A backend that works for a client; the postmaster then ends all of them and recovers."""
        for postmaster in self.site.postmasters():
            working = [
                one for one in postmaster.children() if "127.0.0.1" in (line := " ".join(one.cmdline())) or "[local]" in line
            ]
            if working:
                self.chance.choice(working).send_signal(signal.SIGKILL)
                return True
        return False

    def _command(self) -> bool:
        """A command of ours, at any moment of its life."""
        process = self.site.command(
            *self.chance.choice((("batch", "plan"), ("release", "--out", "lists"), ("batch", "status")))
        )
        time.sleep(self.chance.uniform(0.05, 2.5))
        alive = process.poll() is None
        process.kill()
        process.communicate()
        return alive

    def _cut(self) -> bool:
        """The answer to the next receipt is cut off, whenever it comes: then it has fired."""
        self.proxy.cut_next.set()
        return False

    def _full(self) -> bool:
        """No room is left on the file system of the platform, for some seconds."""
        filler = self.site.room / "filler"
        try:
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, free_of(self.site.room) - _SPARE))
            time.sleep(_FULL)
        finally:
            filler.unlink(missing_ok=True)
        return True

    def _clock(self) -> bool:
        """A command whose clock is a year ahead tries to release everything."""
        process = self.site.command("release", "--out", "lists", "--json", prefix=("-c", A_YEAR_AHEAD))
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return True
