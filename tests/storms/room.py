"""The file system of a storm, and how there is no room left on it for a while, whoever runs the storm.

Where a file system may be mounted, it is a small one that is filled: then writing fails as on any full disk. Elsewhere the
system is told to let no process of the platform make a file longer than so much, which PostgreSQL and Python meet as they
do a full disk.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

import waiting
from processes import tell_warden

_SIZE = "700m"
_SPARE = 64 * 1024  # bytes that are left when it is full
LONGEST = (0, 64 * 1024, 8 * 1024 * 1024)
"""Bytes of a file: nothing can be written; the log of the database and longer tables can't; only half of that log can."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """A folder for all that a storm writes. `mounted`: on a file system of its own."""

    folder: Path
    mounted: bool

    @contextmanager
    def full(self, processes: Callable[[], Sequence[psutil.Process]], longest: int) -> Iterator[bool]:
        """No room while the block runs, for these processes at least; whether that has hit anything."""
        with self._filled() if self.mounted else _limited(processes, longest) as hit:
            yield hit

    @contextmanager
    def _filled(self) -> Iterator[bool]:
        filler = self.folder / "filler"
        try:
            with filler.open("wb") as file:
                found = os.statvfs(self.folder)
                os.posix_fallocate(file.fileno(), 0, max(1, found.f_bavail * found.f_frsize - _SPARE))
            yield True
        finally:
            filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Once nothing is left that works in it."""
        if self.mounted:
            waiting.until(lambda: not _run("umount", str(self.folder)), 30)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def _limited(processes: Callable[[], Sequence[psutil.Process]], longest: int) -> Iterator[bool]:
    hit = [_limit(one, longest) for one in processes()]
    try:
        yield any(hit)
    finally:
        while limited := [one for one in processes() if _is_limited(one)]:  # those too that are forked meanwhile
            for one in limited:
                _limit(one, resource.RLIM_INFINITY)


def _limit(process: psutil.Process, longest: int) -> bool:
    """Whether a process was there to be limited. One of another account may be limited by that account alone."""
    limit = partial(resource.prlimit, process.pid, resource.RLIMIT_FSIZE, (longest, resource.RLIM_INFINITY))
    with suppress(psutil.Error, ProcessLookupError, subprocess.SubprocessError):
        try:
            limit()
        except PermissionError:
            uid, gid = process.uids().real, process.gids().real
            subprocess.run(["true"], user=uid, group=gid, extra_groups=[], preexec_fn=limit, check=True)
        return True
    return False


def _is_limited(process: psutil.Process) -> bool:
    """Asked of the system's files, which tell it of other accounts' processes too."""
    with suppress(OSError):
        text = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
        return "unlimited" not in next(line for line in text.splitlines() if line.startswith("Max file size")).split()[3]
    return False


def open_room(where: Path) -> Room:
    folder = Path(tempfile.mkdtemp(prefix="storm-", dir=where))
    options = ("-t", "tmpfs", "-o", f"size={_SIZE},mode=0755")
    tell_warden(f"folder {folder}")
    may = os.geteuid() == 0 and not os.environ.get("STORM_UNMOUNTED")
    return Room(folder=folder, mounted=may and not _run("mount", *options, "tmpfs", str(folder)))


def _run(*words: str) -> int:
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return 127
