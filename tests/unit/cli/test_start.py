"""What a process has loaded before it does anything: whoever starts one waits for it, people, the demo and the tests.

Names of modules are held here, not seconds: a machine may be slow, and still one of these is always a mistake.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

FILES = {"pyarrow"}
PAGES = {"fastapi", "jinja2", "babel"}
PLATFORM = {"huanxin.acts", "psycopg", "numpy", "pydantic", "httpx"}


@pytest.mark.parametrize(
    ("module", "spared"),
    [
        ("huanxin.cli.main", FILES | PAGES | PLATFORM),
        ("huanxin.cli.partner", FILES | PAGES | {"dns", "uvicorn"}),
        ("huanxin.cli.worker", FILES | {"fastapi", "dns", "uvicorn"}),
        ("huanxin.web.app", FILES | {"dns", "phonenumbers.carrierdata", "phonenumbers.geodata"}),
        ("huanxin_partner.cli", FILES | PAGES | PLATFORM - {"httpx"}),
        ("huanxin.demo.partner_server", FILES | PAGES | PLATFORM - {"httpx"}),
    ],
)
def test_a_start_does_not_load_what_is_needed_later_or_by_others(module: str, spared: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert spared & set(told.stdout.split()) == set()


def test_the_list_of_commands_says_of_each_what_the_command_says_of_itself() -> None:
    """The list is written down, so that it can be shown without loading every command."""
    from huanxin.cli.main import _COMMANDS, _load

    for name, said in _COMMANDS.items():
        assert (_load(name).help or "").partition("\n")[0] == said
