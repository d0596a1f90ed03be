"""`huanxin settings`: everything that can be set, its value, where that came from, and what it means."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from huanxin.cli.console import Json, done, explained, out, table
from huanxin.settings import read_settings
from huanxin.settings.telling import markdown, told


def settings(
    markdown_page: Annotated[bool, typer.Option("--markdown", help="Print docs/settings.md instead.")] = False,
    as_json: Json = False,
) -> None:
    """Print everything that can be set, its value, where that came from, and what it means."""
    if markdown_page:
        out.print(markdown(), end="", markup=False, soft_wrap=True)
        return
    with explained():
        found = list(told(read_settings(), os.environ))
    rows = table("setting", "value", "from", "what it means")
    for one in found:
        rows.add_row(one.name, one.value, one.source, one.meaning)
    done(as_json, {"settings": [vars(one) for one in found]}, rows)
