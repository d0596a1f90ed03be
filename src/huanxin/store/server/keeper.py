"""The keeper: a small process that starts the embedded server of a home folder, starts it again when it dies, and ends it
once nobody uses it, however the last user ended.

    python -m huanxin.store.server.keeper HOME LOCK

Who lives is told by locks on files, which the system lets go of with the process that holds them: every user shares
`postgres.users`, and the keeper has `postgres.keeper` for itself, whose text says how the server is. Who finds that lock
free takes it and hands it to a new keeper (LOCK is the open file), so that there is never more than one. Without its keeper
the server ends too.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from huanxin.store.server.binaries import Trouble
from huanxin.store.server.postmaster import Postmaster

USERS, KEEPER, LOG = "postgres.users", "postgres.keeper", "postgres.log"
STARTING, READY, FAILED = "starting", "ready", "failed"
_REST, _LONGEST_REST = 0.1, 10.0  # seconds before another try after one that failed; doubled each time
_AGAIN, _PATIENCE = 1.0, 60.0  # seconds between saying that it shall end, and until that is an order


class Keeper:
    def __init__(self, home: Path, lock: int) -> None:
        self._home, self._lock = home, lock
        self._server: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._starting = threading.Lock()

    def run(self) -> None:
        """Keep the server up until nobody uses it. Returns at once if it can't be started at all."""
        threading.Thread(target=self._end_when_unused, daemon=True).start()
        was_up, rest = False, _REST
        while not self._ending.is_set():
            self._say(STARTING)
            try:
                self._start()
                self._say(READY)
            except (Trouble, OSError) as error:
                _note(str(error))
                if self._ending.is_set() or not was_up:
                    self._say(f"{FAILED} {error}")
                    return
                self._say(f"{FAILED} {error}")
                self._ending.wait(rest)
                rest = min(2 * rest, _LONGEST_REST)
                continue
            was_up, rest = True, _REST
            if self._server is not None and (code := self._server.wait()) and not self._ending.is_set():
                _note(f"the embedded PostgreSQL ended with {code}; it is started again")

    def _start(self) -> None:
        postmaster = Postmaster(self._home, self._home / LOG)
        postmaster.prepare()
        since = postmaster.log.stat().st_size
        with self._starting:
            if self._ending.is_set():
                return
            self._server = postmaster.start()
        postmaster.wait_ready(self._server, since)

    def _end_when_unused(self) -> None:
        """Wait for the lock that each user has a share of, and then end the server."""
        users = os.open(self._home / USERS, os.O_RDWR)
        fcntl.flock(users, fcntl.LOCK_EX)
        with self._starting:
            self._ending.set()
        told = time.monotonic()
        while self._server is not None and self._server.poll() is None:
            late = time.monotonic() > told + _PATIENCE
            self._server.send_signal(signal.SIGQUIT if late else signal.SIGINT)  # it may be too young to hear the first
            time.sleep(_AGAIN)

    def _say(self, how: str) -> None:
        """Write how the server is, for whoever waits for it: one line, so that half of it is seen to be half. In the place
        of what stood there, which needs no room on a full disk."""
        line = f"{' '.join(how.split())}\n".encode()
        os.pwrite(self._lock, line, 0)
        os.ftruncate(self._lock, len(line))


def _note(text: str) -> None:
    with suppress(OSError):  # the log may be on a full disk, which is what is to be noted then
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S %z')} keeper: {text}", file=sys.stderr, flush=True)


def main(home: str, lock: str) -> None:
    # It ends by itself with the last user, who may take a while to end after the same signal.
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: None)  # not ignored: that would be the server's to inherit
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    Keeper(Path(home), int(lock)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
