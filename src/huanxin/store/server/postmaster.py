"""One PostgreSQL server on the data of one home folder: made, started, found and ended."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from huanxin.store.server.binaries import Trouble, owner, programs, running_as

PORT = 5432  # names the socket; no port of the machine is opened
USER = "postgres"  # of the database, its superuser
_MAJOR = "18"
_HBA = "# Written anew at each start.\nlocal all all peer map=huanxin\n"
_PR_SET_PDEATHSIG = 1
_SOON, _LATER, _LONG = 0.01, 0.1, 2.0  # seconds between looks at a server that starts, rarer after so many seconds
_FAST, _AT_ONCE, _KILLED = 60.0, 5.0, 10.0  # seconds that a server may take to end when told so, ever less kindly
_PID, _STATE = 0, 7  # lines of postmaster.pid


class Postmaster:
    """The server whose data are in `home`/postgres, and its socket with them. It writes to our own standard error, which is
    the file `log`."""

    def __init__(self, home: Path, log: Path) -> None:
        self.home, self.log, self.data = home, log, home / "postgres"
        self.owner = owner(home, self.data)
        self._programs = programs(self.owner)

    def prepare(self) -> None:
        """Make the data if there are none, and let in nobody but their owner and root. Raises Trouble."""
        if not self.data.exists() or not any(self.data.iterdir()):
            self._make()
        version = self.data / "PG_VERSION"
        if not version.exists():
            raise Trouble(f"{self.data} holds something else than PostgreSQL's data; move it away")
        if (found := version.read_text().strip()) != _MAJOR:
            raise Trouble(
                f"the data in {self.data} are PostgreSQL {found}'s, and this is {_MAJOR}; upgrade them with pg_upgrade, or "
                "set HUANXIN_HOME to another folder"
            )
        self._write("pg_hba.conf", _HBA)
        names = [name.replace('"', '""') for name in dict.fromkeys(("root", self.owner.pw_name))]
        self._write("pg_ident.conf", "".join(f'huanxin "{name}" {USER}\n' for name in names))

    def start(self) -> subprocess.Popen[bytes]:
        """The server's process, once what an earlier one left is out of its way. It ends when we do, however we end."""
        if (self.data / "postmaster.pid").exists():
            self._end_others()
        arguments = [
            *("-D", _here(self.data), "-h", "", "-k", ".", "-p", str(PORT)),
            *("-c", "unix_socket_permissions=0700", "-c", "log_checkpoints=off"),
            # Whoever sent a statement is told what it met; in a file it would tell of numbers, and grow for years.
            *("-c", "log_min_messages=log", "-c", "log_error_verbosity=terse", "-c", "log_min_error_statement=panic"),
        ]
        return subprocess.Popen([self._programs / "postgres", *arguments], **self._way(self.data, signal.SIGINT))

    def wait_ready(self, process: subprocess.Popen[bytes], since: int) -> None:
        """Return once the server takes connections, however long it recovers. Raises Trouble if it ends instead.

        since: the size of the log when it was started.
        """
        began = time.monotonic()
        while self._line(_PID) != str(process.pid) or self._line(_STATE) != "ready":
            if process.poll() is not None:
                raise Trouble(
                    f"the embedded PostgreSQL in {self.data} can't start: {self._reason(since, process.returncode)}"
                )
            time.sleep(_LATER if time.monotonic() > began + _LONG else _SOON)

    def _make(self) -> None:
        """Make the data: beside, so that half of them is never taken for all; in its place if a folder is there already,
        which may be a disk of its own."""
        for left in self.home.glob(f".{self.data.name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = self.data if self.data.exists() else Path(tempfile.mkdtemp(prefix=f".{self.data.name}-", dir=self.home))
        if os.geteuid() == 0:
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        folder.chmod(0o700)
        arguments = [
            *("-D", _here(folder), "-U", USER, "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
        ]
        since = self.log.stat().st_size
        made = subprocess.run([self._programs / "initdb", *arguments], check=False, **self._way(folder, signal.SIGKILL))
        if made.returncode:
            raise Trouble(f"the embedded PostgreSQL can't be made in {self.data}: {self._reason(since, made.returncode)}")
        if folder != self.data:
            folder.rename(self.data)

    def _way(self, folder: Path, ends_by: signal.Signals) -> dict[str, Any]:
        """How a program is run: in its folder, so that its owner need not be let into those above, nor the path be short; as
        its owner; with nothing of our environment that it would obey."""
        kept = {name: value for name, value in os.environ.items() if name.startswith(("LD_", "DYLD_"))}
        return {
            "cwd": folder, "umask": 0o077, "stdin": subprocess.DEVNULL, "preexec_fn": _ended_with_us(ends_by),
            "env": {"LC_ALL": "C", "PATH": os.defpath} | kept, **running_as(self.owner),
        }  # fmt: skip

    def _write(self, name: str, text: str) -> None:
        """Write a file of the data whole, whatever lies there: the folder is its owner's, and we may be root."""
        file = self.data / name
        if file.is_file() and not file.is_symlink() and file.read_text() == text:
            return
        descriptor, made = tempfile.mkstemp(dir=self.data, prefix=".huanxin-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
            if os.geteuid() == 0:
                os.fchown(descriptor, self.owner.pw_uid, self.owner.pw_gid)
        os.replace(made, file)

    def _end_others(self) -> None:
        """End what runs on these data although nobody keeps it, and remove what says that it runs. Raises Trouble.

        What stands in `postmaster.pid` proves nothing: a crash leaves it, and the number may be another process's by now. A
        server of these data stands in their folder.
        """
        import psutil  # noqa: PLC0415  # few starts need it

        first = [one for one in _standing_in(self.data) if str(one.pid) == self._line(_PID)]
        for how, seconds in ((signal.SIGINT, _FAST), (signal.SIGQUIT, _AT_ONCE), (signal.SIGKILL, _KILLED)):
            told = first if how is signal.SIGINT else _standing_in(self.data)
            for one in told:
                with suppress(psutil.Error):
                    one.send_signal(how)
            psutil.wait_procs(told, timeout=seconds)
        if left := _standing_in(self.data):
            raise Trouble(f"process {left[0].pid} holds the data in {self.data} and can't be ended; end it")
        for name in ("postmaster.pid", f".s.PGSQL.{PORT}.lock", f".s.PGSQL.{PORT}"):
            (self.data / name).unlink(missing_ok=True)

    def _line(self, place: int) -> str:
        """A line of what the server says of itself; empty if there is none."""
        try:
            lines = (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return lines[place].strip() if len(lines) > place else ""

    def _reason(self, since: int, code: int) -> str:
        """Why a program ended, by what it wrote to the log."""
        with self.log.open("rb") as log:
            log.seek(since)
            lines = log.read(1 << 16).decode(errors="replace").splitlines()
        for mark in ("PANIC:  ", "FATAL:  ", "error: ", "postgres: "):
            for line in lines:
                if mark in line:
                    return line.partition(mark)[2].strip()
        if not shutil.disk_usage(self.log).free:  # nor for the log
            return "no room is left on its disk"
        return f"it ended with {code}; see {self.log}"


def _here(folder: Path) -> str:
    """A name for the folder that a program stands in, by which it needs no way through the folders above."""
    here = Path("/proc/self/cwd")
    return str(here if here.exists() else folder)


def _ended_with_us(how: signal.Signals) -> Callable[[], None] | None:
    """Has the system send a child this signal when we end, however we do; None where it can't."""
    if sys.platform != "linux":
        return None
    us, libc = os.getpid(), ctypes.CDLL(None)

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != us:
            os._exit(1)

    return tie


def _standing_in(folder: Path) -> list[Any]:
    """The PostgreSQL processes whose folder this is. One whose folder we may not ask for is another's."""
    import psutil  # noqa: PLC0415  # few starts need it

    found = []
    for one in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if one.name().startswith("postgres") and os.path.samefile(one.cwd(), folder):
                found.append(one)
    return found
