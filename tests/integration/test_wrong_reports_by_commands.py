"""What tests/acceptance/test_wrong_reports.py plays in the console, by commands alone: what each says and leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from huanxin.cli.main import app

SERVED, RESTING, AGO = (f"+861380013840{n}" for n in range(3))
FOREIGN = [f"+861380013850{n}" for n in range(2)]
OWN = "+8613800138600"


def ago(days: int) -> str:
    return str(datetime.now(UTC).date() - timedelta(days=days))


class Shell:
    """Commands in a row, as somebody types them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> Result:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done

    def json(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*words, "--json").stdout)
        return found

    def file(self, name: str, *lines: str, heading: str = "number,event,at") -> str:
        path = self.folder / name
        path.write_text("\n".join([heading, *lines, ""]))
        return str(path)


@pytest.fixture
def shell(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    settings = {"DATABASE_URL": dsn, "HOME": str(tmp_path / "home"), "MODE": "development"}
    for name, value in settings.items():
        monkeypatch.setenv(f"HUANXIN_{name}", value)
    return Shell(tmp_path)


def test_a_carrier_mends_what_it_said_by_commands(shell: Shell) -> None:
    states = (f"{SERVED},in_service,{ago(2000)}", f"{RESTING},frozen,{ago(195)}", f"{AGO},frozen,{ago(183)}")
    first = shell.file("first-day.csv", *states, heading="number,state,since")
    told = shell.json("report", "baseline", first, "--carrier", "cmcc")
    assert (told["accepted"], told["counts"]["frozen"]) == (3, 2)
    back = shell.file("second-day.csv", f"{AGO},reclaimed,{ago(164)}")
    assert shell.json("report", "import", back, "--carrier", "cmcc")["accepted"] == 1, "it follows on the first day"

    shell.run("partner", "add", "shop", "--kind", "app", "--optional")
    foreign = shell.file("august.csv", *(f"{one},cancelled,{ago(163)}" for one in FOREIGN))
    wrong = shell.json("report", "import", foreign, "--carrier", "cmcc")["report"]
    batch = str(shell.json("batch", "plan")["batch"])
    shell.run("batch", "send", batch)
    listed = shell.folder / "what.csv"
    order = ("report", "withdraw", str(wrong), "--reason", "the month of another carrier")
    would = shell.json(*order, "--dry-run", "--csv", str(listed))
    assert (would["report"], would["retracted"]) == (None, 2)
    assert set(numbers_in(listed)) == set(FOREIGN)
    did = shell.json(*order)
    assert (did["retracted"], did["taken_back"]) == (2, {"cancelled": 2})
    assert "taken back" in shell.run("gate", "explain", FOREIGN[0]).stdout

    date = shell.file(
        "date.csv", f"{RESTING},cancelled,{ago(164)},cancelled {ago(195)}", heading="number,event,at,instead_of"
    )
    right = shell.json("report", "correct", date, "--carrier", "cmcc", "--reason", "a typo")
    assert (right["taken_back"], right["added"], right["stands"]) == ({"cancelled": 1}, {"cancelled": 1}, 1)

    newer = shell.file("newer.csv", f"{OWN},opened,{ago(1061)}", f"{OWN},cancelled,{ago(164)}")
    late = shell.file("late.csv", f"{OWN},cancelled,{ago(640)}", f"{OWN},opened,{ago(518)}")
    for file in (newer, late):
        assert shell.json("report", "import", file, "--carrier", "cmcc")["accepted"] == 2

    out = shell.folder / "lists"
    assert "1" in shell.run("release", "--batch", batch, "--out", str(out)).stdout
    reclaimed = shell.file("back.csv", f"{RESTING},reclaimed,{ago(159)}")
    said = shell.run("report", "import", reclaimed, "--carrier", "cmcc").stdout
    assert "released in error: 1" in said
    shell.run("release", "--batch", batch, "--out", str(out))
    assert (numbers_in(out / "release-1-cmcc.csv"), numbers_in(out / "release-1-cmcc-stopped.csv")) == ([], [RESTING])


def numbers_in(path: Path) -> list[str]:
    return [line.split(",")[0] for line in path.read_text(encoding="utf-8-sig").splitlines()[1:]]
