"""Files that come through a pipe: they are kept while the command runs, since a file is read more than once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from huanxin.numbersets import files

Run = Callable[..., Any]
LINES = "number,event,at\n+8613800138000,cancelled,2026-06-01\nnonsense,opened,2026-06-01\n"


def test_a_report_from_standard_input_is_taken_and_its_bad_lines_lie_here(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run("report", "list")  # the database is there
    asked = [sys.executable, "-m", "huanxin.cli.main", "report", "import", "-", "--carrier", "cmcc", "--skip-bad"]
    done = subprocess.run(asked, input=LINES, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, "1 of 2 lines taken" in done.stdout) == (0, True), done.stderr
    assert "nonsense" in (tmp_path / "stdin.rejects.csv").read_text()
    assert [one["file_name"] for one in run("report", "list", "--json")["reports"]] == ["stdin"]


def test_a_pipe_is_read_as_often_as_a_file_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    reads, writes = os.pipe()
    os.write(writes, LINES.replace("nonsense", "+8613800138001").encode())
    os.close(writes)
    assert run("report", "import", f"/dev/fd/{reads}", "--carrier", "cmcc", "--json")["accepted"] == 2
    os.close(reads)
    assert list(tmp_path.glob("huanxin-*")) == []


def test_a_pipe_that_never_ends_is_let_go(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "_LONGEST", 1 << 20)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = run("report", "import", "/dev/zero", "--carrier", "cmcc", code=1)
    assert "write it into a file" in said
    assert list(tmp_path.glob("huanxin-*")) == []
