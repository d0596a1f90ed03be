"""Processes of tests end with the test run, however that ends: a storm's went on for hours after a run was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from processes import SOURCES, bound
from waiting import until

RUN = """
import signal, subprocess, sys
from processes import bound, started, tell_warden
tell_warden(f"folder {sys.argv[1]}")
asleep = [bound(subprocess.Popen(["sleep", "600"], start_new_session=True)) for _ in range(2)]
with started(["-c", "import signal; signal.pause()"]) as other:
    print(*(one.pid for one in (*asleep, other)), flush=True)
    signal.pause()
"""
"""A test run that has started others."""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_run_started_ends_when_the_run_is_ended(tmp_path: Path, how: signal.Signals) -> None:
    folder = tmp_path / "storm"
    folder.mkdir()
    paths = os.pathsep.join((str(SOURCES), str(SOURCES.parent / "tests")))
    with bound(
        subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": paths},
        )
    ) as run:
        assert run.stdout is not None
        started = [psutil.Process(int(pid)) for pid in run.stdout.readline().split()]
        assert [one.is_running() for one in started] == [True] * 3
        run.send_signal(how)
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in started))
    until(lambda: not folder.exists())
