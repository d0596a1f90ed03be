"""docs/partners/connect.md as a new user follows it: every block as it is written, in one shell, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from processes import bound, free_port

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs/partners/connect.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_steps_alone_lead_from_nothing_to_live_to_a_receipt(dsn: str, tmp_path: Path) -> None:
    script = "\n".join(["set -euo pipefail", *BLOCKS])
    for port in ("8600", "8700", "8701", "8702"):  # others may listen there on the machine of the test
        script = script.replace(port, str(free_port()))
    commands = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{commands}:{os.environ['PATH']}", "HUANXIN_DATABASE_URL": dsn, "HUANXIN_MODE": "development",
        "HUANXIN_HOME": str(tmp_path / "home"), "PYTHONUTF8": "1",
    }  # fmt: skip
    process = bound(subprocess.Popen(
        ["bash", "-c", script], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    ))  # fmt: skip
    try:
        said, trouble = (part.decode() for part in process.communicate(timeout=900))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # the shell and what it started: nothing else is in this session
            process.communicate()
    assert process.returncode == 0, f"{said}\n{trouble}"
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["state"], [one["state"] for one in result["scenarios"]]) == ("passed", ["passed"] * 11)
    assert "[(1, None), (2, '+8613800139002')]" in said
    assert all(item["done"] for item in json.loads((tmp_path / "checklist.json").read_text())["checklist"])


def test_both_languages_tell_the_same_steps() -> None:
    chinese, english = PAGE.split("\n## English\n")
    assert re.findall(r"^\| (\d) \|", chinese, re.MULTILINE) == re.findall(r"^### (\d)\.", english, re.MULTILINE)
    for word in ("endpoint", "client_secret", "interrupted", "/sandbox", "/partner/v1/account/notice", '"rehearsal": true'):
        assert word in chinese
        assert word in english
