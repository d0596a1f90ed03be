"""Ends what a test run has started, and does away with its folders, once that run is gone, however it ended.

python tests/warden.py    reads `process PID` and `folder PATH`, a line each, until whoever started it is gone
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

_ENDS = 30.0  # seconds


def main(lines: Iterable[str]) -> None:
    processes: list[psutil.Process] = []  # each remembers when it began: its number may be another's by then
    folders: list[str] = []
    for line in lines:
        what, _, which = line.rstrip("\n").partition(" ")
        if what == "folder":
            folders.append(which)
        else:
            with suppress(psutil.Error):
                processes = [*(one for one in processes if one.is_running()), psutil.Process(int(which))]
    for one in processes:
        with suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(processes, 10)
    for folder in folders:
        if os.path.ismount(folder):
            subprocess.run(["umount", "--lazy", folder], capture_output=True, check=False)
        _remove(folder)


def _remove(folder: str) -> None:
    """A database in it ends by itself in a moment, and writes until then."""
    until = time.monotonic() + _ENDS
    while os.path.exists(folder) and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.2)


if __name__ == "__main__":
    main(sys.stdin)
