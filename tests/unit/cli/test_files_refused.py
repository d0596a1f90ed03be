"""Files that can't be read or written: said with the path and the reason, before anything is recorded that needs them."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from huanxin.demo.run import Wishes, run_demo
from huanxin.domain.errors import BadInput
from huanxin.release import listing

Run = Callable[..., Any]
NUMBER, LONG_AGO = "+8613800138000", "2026-06-01"
BAD = "nonsense,opened,2026-01-01"


@pytest.mark.parametrize("place", ["none/x.csv", "folder", "file/x.csv"])
def test_bad_lines_that_cannot_be_kept_are_not_lost_nothing_is_taken_until_they_can(
    run: Run, report: Callable[..., Path], tmp_path: Path, place: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = report(f"{NUMBER},cancelled,{LONG_AGO}", BAD)
    wish = ("report", "import", str(path), "--carrier", "cmcc", "--skip-bad", "--rejects")
    said = run(*wish, str(tmp_path / place), code=1)
    assert f"✗ {tmp_path / place}: " in said
    assert run("report", "list", "--json")["reports"] == [], "else a second run would say `imported before`"
    assert not list(tmp_path.rglob(".*.part"))
    taken = run(*wish, str(tmp_path / "kept.csv"), "--json")
    assert (taken["accepted"], taken["rejects_file"]) == (1, str(tmp_path / "kept.csv"))
    assert "nonsense" in (tmp_path / "kept.csv").read_text()


@pytest.fixture
def clear(run: Run, report: Callable[..., Path]) -> None:
    """A batch of one clear number."""
    run("report", "import", str(report(f"{NUMBER},cancelled,{LONG_AGO}")), "--carrier", "cmcc")
    run("partner", "add", "music", "--kind", "app")
    run("batch", "plan")
    run("batch", "send", "1")
    run("gate", "waive", "--batch", "1", "--partner", "music", "--reason", 'closed, "down"', "--by", "=li()")


@pytest.mark.usefixtures("clear")
def test_nothing_is_released_into_a_folder_that_is_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/lists"):
        assert f"✗ {tmp_path / place}: " in run("release", "--out", str(tmp_path / place), code=1)
    assert run("gate", "--json")["released"] == 0
    assert run("release", "--out", str(tmp_path / "lists"), "--json")["released"] == 1


@pytest.mark.usefixtures("clear")
def test_lists_that_could_not_be_written_are_said_to_be_on_record_and_come_with_the_next_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(listing, "write_csv", full)
        said = run("release", "--out", str(tmp_path / "full"), code=1)
    assert "on record: 1" in said
    assert "No space left on device" in said
    assert "another --out" in said
    done = run("release", "--out", str(tmp_path / "lists"), "--json")
    assert (done["released"], done["total"]) == (0, 1)
    assert NUMBER in Path(done["lists"][0]).read_text()


@pytest.mark.usefixtures("clear")
def test_the_gates_table_says_where_it_cannot_go_and_leaves_no_half_of_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in ("folder", "none/x.csv"):
        assert f"✗ {tmp_path / place}: " in run("gate", "--csv", str(tmp_path / place), code=1)
    assert not list(tmp_path.rglob(".*.part"))
    run("gate", "--csv", str(tmp_path / "gate.csv"))
    with (tmp_path / "gate.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    said = [(row["reason"], row["by"]) for row in rows]
    assert ('closed, "down"', "'=li() (one person)") in said, "a reason may hold commas and quotes, and nothing is a formula"


@pytest.mark.usefixtures("clear")
def test_a_table_that_is_written_to_a_pipe_or_through_a_link_leaves_them_what_they_are(run: Run, tmp_path: Path) -> None:
    """`--csv /dev/null`, by root, made a file of /dev/null, and nothing on that machine worked any more."""
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit((tmp_path / "pipe").read_text)
        run("gate", "--csv", str(tmp_path / "pipe"))
        assert read.result(timeout=30).startswith("number,state")
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "kept").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "kept" / "gate.csv")
    run("gate", "--csv", str(tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "kept" / "gate.csv").read_text().startswith("number,state")


def test_a_folder_given_for_the_numbers_of_a_waiver_is_refused(run: Run, tmp_path: Path) -> None:
    given = ("--batch", "1", "--partner", "x", "--reason", "x", "--by", "li")
    assert "is a directory" in run("gate", "waive", *given, "--numbers", str(tmp_path), code=2)


@pytest.mark.parametrize("home", ["file", "file/home"])
def test_a_home_that_is_no_folder_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("HUANXIN_DATABASE_URL")
    monkeypatch.setenv("HUANXIN_HOME", str(tmp_path / home))
    assert f"✗ {tmp_path / 'file'}" in run("report", "list", code=1)


def test_a_demo_on_reports_that_are_none_keeps_the_finished_world(tmp_path: Path) -> None:
    out, wrong = tmp_path / "out", tmp_path / "wrong"
    out.mkdir()
    wrong.mkdir()
    (out / ".huanxin-demo").touch()
    (out / "world-kept.json").write_text("kept")
    for content in (None, "{", "{}"):
        if content:
            (wrong / "world.json").write_text(content)
        with pytest.raises(BadInput, match="holds no world"):
            run_demo(Wishes(numbers=4000, partners=9, seed=1, reports=wrong, out=out, serve=False, port=0, fresh=False,
                            as_json=True))  # fmt: skip
        assert (out / "world-kept.json").read_text() == "kept"


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("--numbers", "9" * 20), "the world has room for 20,000,000 numbers", 1),
        (("--seed", "-1"), "greater than or equal to 0", 2),
    ],
    ids=["numbers", "seed"],
)
def test_a_world_that_cannot_be_made_is_refused_in_words(
    run: Run, tmp_path: Path, words: tuple[str, str], says: str, code: int
) -> None:
    assert says in run("demo", *words, "--no-serve", "--out", str(tmp_path / "world"), code=code)


def test_a_file_whose_name_is_no_text_is_taken_and_named_as_far_as_it_is(run: Run, tmp_path: Path) -> None:
    """As an old archive or a phone leaves them: the database can't keep such a name, nor Arrow open such a file."""
    path = str(tmp_path / "{}") + os.fsdecode(b"\xff.csv")
    Path(path.format("r")).write_text(f"number,event,at\n{NUMBER},opened,2026-01-05\n")
    Path(path.format("h")).write_text(f"number\n{NUMBER}\n")
    Path(path.format("a")).write_text("from,to\n+8613800000000,+8613800009999\n")
    assert run("report", "import", path.format("r"), "--carrier", "cmcc", "--json")["accepted"] == 1
    assert run("report", "list", "--json")["reports"][0]["file_name"] == "r\N{REPLACEMENT CHARACTER}.csv"
    assert run("allocation", "import", path.format("a"), "--carrier", "cmcc", "--json")["numbers"] == 10_000
    refused = run("report", "import", path.format("h"), "--carrier", "cmcc", code=1)
    assert "h\N{REPLACEMENT CHARACTER}.csv, line 1: the first line must name the columns" in refused
    days = ("--until", "2099-01-01", "--review", "2098-12-31")
    held = ("hold", "add", path.format("h"), "--source", "police", "--order", "A1", "--reason", "fraud", *days)
    assert run(*held, "--json")["hold"] == 1
    assert "is not UTF-8" in run("partner", "add", os.fsdecode(b"\xff"), "--kind", "app", code=1)
