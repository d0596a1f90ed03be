"""The whole main job with real processes: what it leaves must be right, and stay right when servers are killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

SMALL = ["--numbers", "4000", "--partners", "9", "--port", "0", "--no-serve", "--json"]
LIMIT = 90.0  # seconds; one run takes about fifteen


def start(out: Path, seed: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "huanxin.cli.main", "demo", *SMALL, "--seed", str(seed), "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(demo: subprocess.Popen[str]) -> dict[str, Any]:
    told, errors = demo.communicate(timeout=LIMIT)
    assert demo.returncode == 0, errors
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def lists(out: Path) -> dict[str, str]:
    """The release lists' lines by file, whatever the run did on the way."""
    return {path.name: path.read_text() for path in sorted((out / "releases").glob("*.csv"))}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("demo") / "out"
    return result(start(out)), out


def test_nothing_is_cut_wrongly_left_stale_or_released_unclear(undisturbed: tuple[dict[str, Any], Path]) -> None:
    told, out = undisturbed
    assert (told["wrongly_cut"], told["stale_left"], told["released_unclear"]) == (0, 0, 0), told["wrong"]
    for count in ("ties_cut", "ties_kept", "refused", "waived", "held", "reclaimed", "released"):
        assert told[count] > 0, f"the demo shows no case of {count}"
    assert told["pairs"] == told["noticed"] * told["partners"]
    assert (out / "report.html").stat().st_size > 100_000


def test_another_world_is_as_right(tmp_path: Path) -> None:
    told = result(start(tmp_path / "out", seed=2))
    assert (told["wrongly_cut"], told["stale_left"], told["released_unclear"]) == (0, 0, 0), told["wrong"]


def test_servers_killed_again_and_again_end_in_the_same_release_lists(
    undisturbed: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    """SIGKILL gives no time to tidy up: what was under way must be known from the facts and done once."""
    out = tmp_path / "out"
    demo = start(out)
    killed = 0
    ends = time.monotonic() + LIMIT
    while demo.poll() is None and time.monotonic() < ends:
        time.sleep(1.5)
        killed += kill_one(demo.pid, "huanxin.cli.main" if killed % 3 else "huanxin.demo.partner_server", killed)
    told = result(demo)
    assert killed >= 3
    assert told["restarts"] >= 3
    assert (told["wrongly_cut"], told["stale_left"], told["released_unclear"]) == (0, 0, 0), told["wrong"]
    assert lists(out) == lists(undisturbed[1])


def kill_one(demo: int, module: str, turn: int) -> int:
    """Kill one of the demo's own servers; how many it was."""
    with contextlib.suppress(psutil.Error):
        servers = [child for child in psutil.Process(demo).children() if module in child.cmdline()]
        if servers:
            os.kill(servers[turn % len(servers)].pid, signal.SIGKILL)
            return 1
    return 0
