"""What people wrote is printed as they wrote it: a bracket in a reason must not end a command, now and for good."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from huanxin.cli.console import table
from huanxin.cli.main import _COMMANDS, _GROUPS, _load
from huanxin.demo.by_hand import Missed
from huanxin.demo.staff import steps
from huanxin.terminal import Terminal

Run = Callable[..., Any]
NUMBER, LONG_AGO = "+8613800138000", "2026-06-01"
MARKED = "[bold]x[/bold] [/x] :smile:"


def test_a_holds_reason_that_looks_like_markup_is_listed_as_it_was_written(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "held.csv"
    path.write_text(f"number\n{NUMBER}\n")
    given = ("--source", MARKED, "--order", "[/b]", "--until", "2099-06-30", "--review", "2099-01-15")
    run("hold", "add", str(path), *given, "--reason", MARKED)
    listed = run("hold", "list")
    assert listed.count(MARKED) == 2
    assert "[/b]" in listed


def test_a_waivers_reason_and_a_partners_name_that_look_like_markup_end_no_command(
    run: Run, report: Callable[..., Path]
) -> None:
    path = report(f"{NUMBER},cancelled,{LONG_AGO}", name="[red]report[b].csv")
    run("report", "import", str(path), "--carrier", "cmcc")
    assert "[red]report[b].csv" in run("report", "list")
    assert "X[/b]" in run("partner", "add", "X[/b]", "--kind", "app")
    assert "X[/b]" in run("partner", "list")
    run("batch", "plan")
    run("batch", "send", "1")
    said = run("gate", "waive", "--batch", "1", "--partner", "X[/b]", "--reason", MARKED, "--by", "[/li]")
    assert MARKED in said
    assert "[/li]" in said
    assert MARKED in run("gate", "--batch", "1")
    assert MARKED in run("gate", "explain", NUMBER)
    assert "X[/b]" in run("batch", "status", "1")
    assert "no partner is named [/y]" in run("gate", "waive", "--batch", "1", "--partner", "[/y]", "--reason", "x", "--by",
                                             "li", code=1)  # fmt: skip


def test_no_option_describes_itself_in_brackets_which_the_help_would_swallow() -> None:
    said = {}
    for name in (*_COMMANDS, *_GROUPS):
        waiting = [(name, _load(name))]
        while waiting:
            path, command = waiting.pop()
            waiting += [(f"{path} {key}", one) for key, one in getattr(command, "commands", {}).items()]
            texts = [command.help or "", *(getattr(one, "help", None) or "" for one in command.params)]
            said[path] = " ".join(inspect.cleandoc(text) for text in texts)
    assert len(said) > 20
    assert [path for path, text in said.items() if "[" in text] == []


def test_a_table_keeps_its_ids_whole_in_a_pipe_and_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    client, address = f"pc_{'a' * 40}", f"https://partner.example/{'b' * 90}"
    rows = table("partner", "client_id", "told by")
    rows.add_row("music", client, address)
    Terminal().print(rows)
    assert f"music    {client}  {address}" in capsys.readouterr().out
    Terminal(width=60).print(rows)
    told = "".join(capsys.readouterr().out.split())
    assert "…" not in told
    assert sum(told.count(letter) for letter in "b") == 90 + 1, "each letter of the address (and `told by`) is there"


def test_the_demo_says_where_to_go_with_a_heading_that_is_no_markup() -> None:
    for words in (steps("http://127.0.0.1:8600"), Missed(number=NUMBER, app="http://x").steps("http://127.0.0.1:8600")):
        assert isinstance(words, Text)
        assert "[" not in words.plain
        assert words.spans[0].style == "bold"
