"""docs/partners/python.md says what the commands do: options, magic numbers, scenarios, settings, in both languages."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from huanxin_partner import cli, diagnosis
from huanxin_partner.commands.settings import load
from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.words import MENDS, SCENARIOS

DOCS = Path(__file__).parents[3] / "docs/partners"
PAGE = (DOCS / "python.md").read_text(encoding="utf-8")
CHINESE, ENGLISH = PAGE.split("\n## English\n")
COMMANDS = re.findall(r"^    huanxin-partner (.+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_on_the_page_is_understood(line: str) -> None:
    words = shlex.split(re.split(r" [<>] ", line)[0])
    assert cli.parser().parse_args(words).command == words[0]


@pytest.mark.parametrize("page", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_both_languages_name_every_command_scenario_and_magic_number(page: str) -> None:
    shown = re.findall(r"^    huanxin-partner (\S+)", page, re.MULTILINE)
    assert set(shown) == {"receive", "poll", "file", "listen", "verify", "survey", "selftest", "magic-ties"}
    for code in SCENARIOS:
        assert f"`{code}`" in page
    for number, allowed in magic.EXPECTED.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{number}`"))
        assert any(outcome in row for outcome in allowed) or number == magic.RETRACTED


@pytest.mark.parametrize("page", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_the_settings_on_the_page_are_all_that_is_needed(tmp_path: Path, page: str) -> None:
    main, files = re.findall(r"```toml\n(.+?)```", page.replace("# bound_at_form", "bound_at_form"), re.DOTALL)
    assert set(tomllib.loads(files)) == {"files_out", "files_in", "jwks_file"}
    config = tmp_path / "partner.toml"
    config.write_text(main + files, encoding="utf-8")
    needed = ("issuer", "client_id", "database", "table", "number_column", "bound_at_column", "files_out", "files_in")
    assert load(config, needed)["client_id"] == "pc_1"


def test_every_code_of_the_self_test_and_of_verify_stands_in_the_document_of_errors() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    selftest, _, verify = page.partition("Codes of the self-test\n")[2].partition("Checks of `huanxin-partner verify`\n")
    assert re.findall(r"^\| `([^`]+)` \|", selftest, re.MULTILINE) == list(MENDS)
    assert re.findall(r"^\| `([^`]+)` \|", verify, re.MULTILINE) == list(diagnosis._MENDS)
