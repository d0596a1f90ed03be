"""Files that commands are given: `-` and what comes through a pipe too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from huanxin.cli.console import explained
from huanxin.numbersets.files import is_of_a_pipe, read_twice

FORMS = "CSV, xlsx, xls, ods, Parquet or Arrow, packed or not, or - for standard input"


def a_file(what: str) -> Any:
    """An argument that is a file; `what` stands in it."""
    return typer.Argument(dir_okay=False, callback=_kept, help=f"{FORMS}: {what}")


def an_optional_file(what: str) -> Any:
    """The same as an option."""
    return typer.Option(dir_okay=False, callback=_kept, help=f"{what}: {FORMS}")


def _kept(context: typer.Context, path: Path | None) -> Path | None:
    """The file, kept while the command runs. (Of typer's own check `-` would have to exist.)"""
    if path and str(path) != "-" and not path.exists():
        raise typer.BadParameter(f"file {str(path)!r} does not exist.")
    with explained():
        kept: Path | None = context.with_resource(read_twice(path)) if path else None
    return kept


def rejects_beside(file: Path) -> Path:
    """Where a file's bad lines go if nobody says: beside it; of a pipe's, here."""
    name = f"{file.name}.rejects.csv"
    return Path(name) if is_of_a_pipe(file) else file.with_name(name)
