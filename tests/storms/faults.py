"""Whatever can die, in turn: each class fires at least so often, or the storm has not been one."""

from __future__ import annotations

import contextlib
import random
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil
import psycopg
from psycopg import sql

from storms.room import LONGEST
from storms.site import Site

_FULL = 2.0  # seconds for which there is no room
_TRIES = 8  # for each fault that shall hit: then the storm gives up
_WRONG_CLOCK = (
    "import datetime, huanxin.domain.clock as c; now = c.system_clock;"
    " c.system_clock = lambda: now() + datetime.timedelta(days={days});"
    " from huanxin.cli.main import main; main()"
)
"""A command on a machine whose clock is so many days ahead."""
_DAYS = (-366, -1, 1, 11, 366)
_CLOCK_SAYS = "CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql AS {}"
_TRUE = "SELECT clock_timestamp()"


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

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

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
    """Fires faults at a site. `fired` counts by class what really hit something; `decided`: what commands did that may do
    nothing while their clock is in doubt."""

    site: Site
    proxy: Proxy
    chance: random.Random
    fired: Counter[str] = field(default_factory=Counter)
    decided: list[str] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)

    @property
    def classes(self) -> dict[str, Callable[[], bool]]:
        return {
            "server": lambda: self.site.server.kill(), "worker": lambda: self.site.worker.kill(), "partner": self._partner,
            "backend": self._backend, "postmaster": self._postmaster, "command": self._command,
            "answer cut off": self._cut, "restart under load": lambda: self.site.server.kill(signal.SIGTERM),
            "disk full": self._full, "clock": self._clock,
        }  # fmt: skip

    @property
    def hits(self) -> Counter[str]:
        """What really hit something, by class."""
        return self.fired + Counter({"answer cut off": self.proxy.cuts})

    @contextlib.contextmanager
    def raging(self, faults: int, pause: float) -> Iterator[Callable[[], bool]]:
        """The storm while the block runs; what is given says whether it still rages."""
        thread = threading.Thread(target=self._rage, args=(faults, pause), name="storm", daemon=True)
        thread.start()
        try:
            yield thread.is_alive
        finally:
            self._enough.set()
            thread.join(120)

    def _rage(self, faults: int, pause: float) -> None:
        """So many faults, with pauses between: of the classes that have hit least, any. Gives up if they don't hit."""
        for _ in range(_TRIES * faults):
            if self._enough.is_set() or (self.hits.total() >= faults and len(self.hits) == len(self.classes)):
                return
            name = self.chance.choice(self._rarest())
            with contextlib.suppress(psutil.Error, OSError, psycopg.Error):
                if self.classes[name]():
                    self.fired[name] += 1
            self._enough.wait(pause * self.chance.uniform(0.3, 1.7))

    def _rarest(self) -> list[str]:
        """The classes that have hit least. An answer is cut off once there is one; meanwhile the others go on."""
        waiting = [name for name in self.classes if name != "answer cut off" or not self.proxy.cut_next.is_set()]
        least = min(self.hits[name] for name in waiting)
        return [name for name in waiting if self.hits[name] == least]

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
        with self.site.place.full(self.site.processes, self.chance.choice(LONGEST)) as hit:
            time.sleep(_FULL)
            return hit

    def _clock(self) -> bool:
        """The clock of a command's machine is days ahead or back, or the database's, or both: it may release and plan
        nothing."""
        own, database = self.chance.choice([(True, False), (False, True), (True, True)])
        days = self.chance.choice(_DAYS)
        words = self.chance.choice((("release", "--out", "lists"), ("batch", "plan")))
        with self._database_ahead(days if database else 0):
            process = self.site.command(*words, "--json", prefix=("-c", _WRONG_CLOCK.format(days=days if own else 0)))
            try:
                out, said = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                return False
        if process.returncode == 0:
            self.decided.append(f"{' '.join(words)}, {days} days, own {own}, database {database}: {out.decode()[-500:]}")
        return process.returncode == 0 or b"clock" in said

    @contextlib.contextmanager
    def _database_ahead(self, days: int) -> Iterator[None]:
        """The clock of the database's machine is days ahead for a while."""
        if days:
            self._set_database(f"{_TRUE} + interval '{days} days'")
        try:
            yield
        finally:
            while days:  # whatever dies meanwhile
                with contextlib.suppress(psycopg.Error):
                    self._set_database(_TRUE)
                    break
                time.sleep(0.1)

    def _set_database(self, says: str) -> None:
        with self.site.database() as connection:
            connection.execute(sql.SQL(_CLOCK_SAYS).format(sql.Literal(says)))
