"""The embedded PostgreSQL: the real engine, in a folder of its own, up for as long as a process uses it.

A process that uses it holds a share of a lock, and has a keeper started where none lives (`huanxin.store.server.keeper`).
Whoever is missing the server, or its keeper, has them back: at its start, and whenever a connection can't be made.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

import huanxin
from huanxin.domain.errors import BadSetting
from huanxin.store.server.keeper import FAILED, KEEPER, LOG, READY, STARTING, USERS
from huanxin.store.server.postmaster import PORT, USER

log = logging.getLogger("huanxin.database")
_LONGEST = 90  # bytes of the path of a folder of sockets: 107 with the socket's name, which has room to grow
_TOLD = 5.0  # seconds of waiting after which it is said that one waits
_LOOK = 0.01  # seconds
_LEAVE = 90.0  # seconds that a server may take to end
_MOST_LOG = 1 << 20  # bytes; a longer one is put aside when the server is started
_STARTS = ("starting up", "shutting down", "recovery", "not yet accepting", "not accepting")
"""What PostgreSQL refuses a connection with that may be tried again."""


class Embedded:
    """The server of a home folder, as one process uses it."""

    def __init__(self, home: Path) -> None:
        self.home, self._pid = home, os.getpid()
        home.mkdir(parents=True, exist_ok=True)
        self._users = self._open(USERS)
        fcntl.flock(self._users, fcntl.LOCK_SH)  # waits for one that is just ending
        try:
            self.wait_ready()
        except BaseException:
            self.leave()
            raise

    @property
    def folder(self) -> str:
        """The folder of the socket: that of the data, or a private link to it where its path can't be in an address."""
        data = os.fsencode(self.home / "postgres")
        return os.fsdecode(data if len(data) <= _LONGEST and b"," not in data else _link(data))

    @property
    def dsn(self) -> str:
        return f"postgresql://{USER}@/postgres?host={quote(os.fsencode(self.folder), safe='/')}&port={PORT}"

    def wait_ready(self, patience: float = float("inf")) -> bool:
        """Whether the server answers before so many seconds have passed; it and its keeper are started again if need be.
        Raises BadSetting if it can't be."""
        began, told = time.monotonic(), False
        while True:
            with suppress(_NotYet):
                self._kept()
                return self._answers()
            waited = time.monotonic() - began
            if waited > patience:
                return False
            if waited > _TOLD and not told:
                told = True
                log.warning("the embedded PostgreSQL is not up yet, perhaps after a crash; waiting for it")
            time.sleep(_LOOK)

    def leave(self) -> None:
        """Use it no longer. The last one to leave returns when it has ended: its folder may be removed then."""
        _used.pop(self.home, None)
        if os.getpid() != self._pid:  # a fork, which shares the lock with its parent
            return
        others = not _locked(self._users, fcntl.LOCK_EX) and _locked(self._users, fcntl.LOCK_SH)
        os.close(self._users)
        if others or not self.home.exists():
            return
        keeper, until = self._open(KEEPER), time.monotonic() + _LEAVE
        while not _locked(keeper, fcntl.LOCK_SH) and time.monotonic() < until:
            time.sleep(_LOOK)
        os.close(keeper)
        if (ours := _keepers.pop(self.home, None)) is not None:
            ours.wait(_LEAVE)

    def _kept(self) -> None:
        """Make sure of a keeper. Raises _NotYet while it has no server yet, BadSetting if it can't have one."""
        ours = _keepers.get(self.home)
        ended = ours.poll() if ours is not None else None
        lock = self._open(KEEPER)
        try:
            free = _locked(lock, fcntl.LOCK_EX)
            line, whole, _ = os.pread(lock, 1 << 12, 0).decode(errors="replace").partition("\n")
            how, _, why = line.partition(" ") if whole else ("", "", "")
            if free and ended is not None:
                del _keepers[self.home]
            if how == FAILED and (ended is not None or not free):  # a living keeper tries on, and we don't wait for it
                raise BadSetting(why)
            if free and ended is not None and ended > 0:
                raise BadSetting(f"the embedded PostgreSQL's keeper can't run; {self.home / LOG} says why")
            if free:
                _keepers[self.home] = self._start_keeper(lock)
            if free or how != READY:
                raise _NotYet
        finally:
            os.close(lock)

    def _start_keeper(self, lock: int) -> subprocess.Popen[bytes]:
        os.pwrite(lock, f"{STARTING}\n".encode(), 0)  # before it is cut off: a full disk has no room for a first byte
        os.ftruncate(lock, len(STARTING) + 1)
        with suppress(FileNotFoundError):
            if (self.home / LOG).stat().st_size > _MOST_LOG:
                os.replace(self.home / LOG, self.home / f"{LOG}.1")
        sources = str(Path(huanxin.__file__).parents[1])
        written = self._open(LOG, os.O_APPEND)
        try:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "huanxin.store.server.keeper", self.home, str(lock)], pass_fds=[lock], cwd="/",
                stdin=subprocess.DEVNULL, stdout=written, stderr=written, start_new_session=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [sources, os.environ.get("PYTHONPATH")]))},
            )  # fmt: skip
        finally:
            os.close(written)

    def _answers(self) -> bool:
        """True. Raises _NotYet if the server may answer soon, BadSetting if it refuses us for good."""
        try:
            psycopg.connect(self.dsn).close()
        except psycopg.OperationalError as error:
            if "FATAL:" not in str(error) or any(words in str(error) for words in _STARTS):
                raise _NotYet from error
            if "too many clients" not in str(error) and "connection slots" not in str(error):
                raise BadSetting(f"the embedded PostgreSQL in {self.home} refuses us: {error}") from error
        return True

    def _open(self, name: str, how: int = 0) -> int:
        """A file beside the data, for us alone: who can open it can hold its lock."""
        file = os.open(self.home / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | how, 0o600)
        if os.geteuid() == 0:
            about = self.home.stat()
            os.fchown(file, about.st_uid, about.st_gid)
        return file


class _NotYet(Exception):
    """The server may answer soon."""


_used: dict[Path, Embedded] = {}
_keepers: dict[Path, subprocess.Popen[bytes]] = {}  # that this process started; they outlive its use of their server


@atexit.register
def _let_go() -> None:
    """A keeper that others need still goes on without us; Python would warn of it as of one that was forgotten."""
    for keeper in _keepers.values():
        if keeper.poll() is None:
            keeper.returncode = 0


def embedded_dsn(home: Path) -> str:
    """The address of the server whose data are in `home`/postgres, started if it isn't up; the first start makes the data,
    in about a second. It ends with the last process that uses it. Raises BadSetting if it can't be."""
    home = home.resolve()
    if home not in _used:
        _used[home] = Embedded(home)
        atexit.register(_used[home].leave)
    return _used[home].dsn


def leave(home: Path) -> None:
    """Use this server no longer, before the process ends."""
    if (used := _used.get(home.resolve())) is not None:
        atexit.unregister(used.leave)
        used.leave()


def revive(dsn: str, patience: float) -> bool:
    """Whether a server that can't be reached is an embedded one of this process, and answers again before so many seconds
    have passed. Raises OperationalError with the reason if it can't."""
    host = conninfo_to_dict(dsn).get("host")
    try:
        for used in list(_used.values()):
            if used.folder == host:
                return used.wait_ready(patience)
    except (BadSetting, OSError) as error:
        raise psycopg.OperationalError(str(error)) from error
    return False


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _link(data: bytes) -> bytes:
    """A short way to a folder, in a folder that only we may enter: a server that somebody else put there would be asked
    instead of ours. Raises BadSetting if there is no such folder."""
    wanted = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # made private below
    base = next(one for one in wanted if one and len(os.fsencode(one)) <= _LONGEST - 30 and os.path.isdir(one))
    private = Path(base) / f"huanxin-{os.geteuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    about = private.lstat()
    if about.st_uid != os.geteuid() or about.st_mode & 0o077 or private.is_symlink():
        raise BadSetting(f"{private} is not ours alone; remove it, or set XDG_RUNTIME_DIR to a folder of your own")
    link = os.fsencode(private / hashlib.sha256(data).hexdigest()[:16])
    if not os.path.islink(link) or os.readlink(link) != data:
        made = link + f".{os.getpid()}".encode()
        with suppress(FileNotFoundError):
            os.unlink(made)
        os.symlink(data, made)
        os.replace(made, link)
    return link
