"""Processes to measure: started, waited for, ended; and the processor seconds that they took."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

_START = 240.0  # seconds that a server may take to answer


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(
    module: str, *given: str, environment: Mapping[str, str] | None = None, url: str | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module in a process of its own, once it answers at `url`/readyz, if it serves; ended with the block."""
    with open(log or os.devnull, "ab") as out:
        process = subprocess.Popen([sys.executable, "-m", module, *given], env=os.environ | dict(environment or {}),
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out)  # fmt: skip
    try:
        if url is not None:
            _wait_for(url, process, log)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path | None) -> None:
    ends = time.monotonic() + _START
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace")[-800:] if log else ""
    raise RuntimeError(f"a server to measure did not start; its log ends: {said}")


def cpu_seconds(pids: Sequence[int]) -> float:
    """The processor seconds that some processes and their children have taken so far, those that have ended included."""
    taken = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        taken += sum(process.cpu_times()[:4])
        taken += sum(sum(child.cpu_times()[:4]) for child in process.children(recursive=True))
    return taken
