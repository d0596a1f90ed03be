"""`huanxin inventory`: what each carrier may sell, as a folder of files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huanxin.acts.inventory import write_files
from huanxin.cli.console import By, Json, done, me, platform
from huanxin.domain.errors import BadInput


def inventory(
    folder: Annotated[Path, typer.Option("--out", help="Where the files go; always the same folder.")] = Path("inventory"),
    carrier: Annotated[str | None, typer.Option(help="One carrier; without it, all.")] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Write what each carrier may sell, and what changed since it was written last.

    What changed goes into a file of its own (number,change,why,sellable_from,at), all that may be sold into one that is
    written anew (number,sellable_from).
    """
    with platform() as (opened, _):
        if carrier is not None and carrier not in opened.plan.carriers:
            raise BadInput(f"there is no carrier {carrier}")
        made = write_files(opened, folder, carrier, by=by or me())
    say = f"✓ files written into {folder}: {len(made)}" if made else "Nothing was released yet, so there is no inventory."
    done(as_json, {"files": [str(one) for one in made]}, say)
