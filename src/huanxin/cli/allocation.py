"""`huanxin allocation`: what carriers were allotted, the capacity of their pools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huanxin.cli.console import By, Json, done, me, platform, table
from huanxin.cli.given import a_file
from huanxin.numbersets.files import name_of
from huanxin.report.allocations import import_allocation
from huanxin.store.report import allocations

app = typer.Typer(no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, a_file("from,to, one range a line")],
    carrier: Annotated[str, typer.Option(help="Whose numbers: cmcc, cucc, ctcc, cbn or a configured carrier.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take all that a carrier was allotted, in place of any earlier file, or refuse it whole with the lines and reasons."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        count = import_allocation(act, file, carrier=carrier)
    say = f"✓ numbers that {carrier} has by {name_of(file)}: {count:,}; an allocation before it holds no more"
    done(as_json, {"carrier": carrier, "numbers": count}, say)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The allocation that holds, by carrier. A carrier without one counts with every block in which a number is known."""
    with platform() as (opened, _), opened.read() as seen:
        found = list(allocations.latest(seen.tx).values())
    rows = table("carrier", "#numbers", "file", "by", "when")
    for one in found:
        when = f"{one.recorded_at:%Y-%m-%d %H:%M} UTC"
        rows.add_row(one.carrier, f"{one.count:,}", one.file_name, one.recorded_by, when)
    done(as_json, {"allocations": [vars(one) for one in found]}, rows if found else "No allocation is on record.")
