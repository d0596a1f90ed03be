"""Seconds and memory of steps."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_KB_PER_MB = 1024


@dataclass(frozen=True, kw_only=True)
class TimedStep:
    """One step: seconds by the wall, and the process's highest memory so far in MB."""

    name: str
    seconds: float
    peak_mb: float


@dataclass
class Steps:
    """The steps of a run, in order."""

    done: list[TimedStep] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        self.done.append(TimedStep(name=name, seconds=seconds, peak_mb=peak_mb()))

    def seconds(self, *names: str) -> float:
        """The sum of some steps, or of all."""
        return sum(step.seconds for step in self.done if not names or step.name in names)


def peak_mb() -> float:
    """The highest resident memory of this process so far, in MB."""
    unit = 1 if sys.platform != "darwin" else _KB_PER_MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KB_PER_MB / unit


def peak_of(pid: int) -> float:
    """The highest resident memory of another process so far, in MB; where the system keeps no record of it, the present."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / _KB_PER_MB
    return float(psutil.Process(pid).memory_info().rss) / _KB_PER_MB**2
