"""The documents say what is so: links lead somewhere, the commands in them exist, both languages say the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from huanxin.cli.certificate import NumberFirst
from huanxin.cli.main import app

HOUSE = Path(__file__).parents[2]
DOCUMENTS = sorted([*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md"), *(HOUSE / "examples").glob("*.md")])
TEMPLATES = HOUSE / "src/huanxin/web/templates"
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
COMMAND = re.compile(r"^    (?:\.venv/bin/)?huanxin (.+)$", re.MULTILINE)


def commands_in(document: Path) -> list[str]:
    return COMMAND.findall(document.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_links_lead_to_something_that_is_there(document: Path) -> None:
    links = (a or b for a, b in LINK.findall(document.read_text(encoding="utf-8")))
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_commands_exist_with_the_options_shown(document: Path) -> None:
    for line in commands_in(document):
        command, words = typer.main.get_command(app), shlex.split(line, comments=True)
        while isinstance(command, TyperGroup) and words:
            words = command.spelled_out(words) if isinstance(command, NumberFirst) else words
            if words[0] not in command.commands:
                break
            _, found, words = command.resolve_command(typer.Context(command), words)
            assert found is not None
            command = found
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known | {"--help"}, line
        if isinstance(command, TyperGroup):
            assert command.invoke_without_command, f"huanxin {line}: there is no such command"
            assert not words or words[0].startswith("--"), f"huanxin {line}: there is no such command"


def test_each_page_has_its_picture_in_both_languages_and_all_of_them_are_small() -> None:
    """Pictures are named after templates; docs/screenshots.md says how they are taken. What is drawn in the browser, and the
    report that is a file of its own, are not among them."""
    pages = {
        "-".join(page.relative_to(TEMPLATES).with_suffix("").parts)
        for page in TEMPLATES.rglob("*.html")
        if not page.name.startswith("_") and page.stem not in ("base", "docs", "report")
    }
    pictures = HOUSE / "docs/screenshots"
    assert {one.name for one in pictures.iterdir()} == {f"{page}-{lang}.webp" for page in pages for lang in ("zh", "en")}
    shown = (HOUSE / "docs/screenshots.md").read_text(encoding="utf-8")
    assert [one.name for one in pictures.iterdir() if f"(screenshots/{one.name})" not in shown] == []
    assert sum(one.stat().st_size for one in pictures.iterdir()) < 2_000_000


def test_both_readmes_show_the_same_commands() -> None:
    def shown(name: str) -> list[str]:
        return [re.sub(r'"[^"]*"|\S*[^\x00-\x7f]\S*', "TEXT", line) for line in commands_in(HOUSE / name)]

    english = [re.sub(r"--reason \S+", "--reason TEXT", line) for line in shown("README.md")]
    chinese = [re.sub(r"--reason \S+", "--reason TEXT", line) for line in shown("README.zh.md")]
    assert english, "the README shows no command"
    assert english == chinese


def test_each_decision_says_what_a_decision_says() -> None:
    decisions = sorted((HOUSE / "docs/decisions").glob("*.md"))
    wanted = ["Context", "Decision", "Consequences", "Alternatives"]
    assert {file.name: re.findall(r"^## (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) for file in decisions} == {
        file.name: wanted for file in decisions
    }
    numbers = [int(file.name[:4]) for file in decisions]
    assert numbers == list(range(1, len(decisions) + 1))
