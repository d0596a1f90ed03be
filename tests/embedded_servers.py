"""Embedded servers of tests: processes that use them, and those that they are made of."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from processes import SOURCES
from waiting import until

USE = (
    "import sys; from pathlib import Path; from huanxin.store.server.embedded import embedded_dsn;"
    "print(embedded_dsn(Path(sys.argv[1])), flush=True); sys.stdin.read()"
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@contextmanager
def user(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the server of a home folder until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", USE, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://")
        yield process


def postmaster(home: Path) -> int:
    return int((home / "postgres/postmaster.pid").read_text().split()[0])


def servers(home: Path) -> list[psutil.Process]:
    """Every PostgreSQL process of this home folder."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if one.name().startswith("postgres") and os.path.samefile(one.cwd(), home / "postgres"):
                found.append(one)
    return found


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; whether somebody has asked how they ended is another matter."""
    found = []
    for one in processes:
        with contextlib.suppress(psutil.Error):
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


def keepers(home: Path) -> list[psutil.Process]:
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if {"huanxin.store.server.keeper", str(home)} <= set(one.cmdline()) and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


def kill(pids: Sequence[int], servers_of_before: list[psutil.Process]) -> None:
    """Kill processes, and wait until what they leave has noticed: until then each answers whoever is connected to it."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not running(servers_of_before))
