"""`huanxin report check`: what an import would do, before it does it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group

from huanxin.cli.console import EXIT_REFUSED, Json, done, platform, progress, table
from huanxin.cli.given import a_file
from huanxin.cli.report import Region, app
from huanxin.domain.errors import MOST_FAULTS
from huanxin.numbersets.files import name_of
from huanxin.report.checking import Checked, check_report
from huanxin.report.importing import Most

_SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


@app.command()
def check(
    file: Annotated[Path, a_file("number,event,at; of a baseline number,state,since")],
    carrier: Annotated[str, typer.Option(help="Who reports: cmcc, cucc, ctcc, cbn or a configured carrier.")],
    baseline: Annotated[bool, typer.Option("--baseline", help="It is the present state of all numbers.")] = False,
    region: Region = "",
    as_json: Json = False,
) -> None:
    """Read a report without taking it: how its columns are understood, what would be refused, and what would be counted.

    Nothing is recorded. The exit code is 0 if the report would be taken as it is, and 1 if not."""
    with platform() as (opened, _), progress(name_of(file)) as tell, opened.read() as seen:
        most = Most(bad=MOST_FAULTS)
        found = check_report(seen, file, carrier=carrier, progress=tell, most=most, region=region, first_day=baseline)
    done(as_json, {"would_be_taken": not found.refusal} | asdict(found), _checked(found, name_of(file)))
    if found.refusal:
        raise typer.Exit(EXIT_REFUSED)


def _checked(found: Checked, name: str) -> Group:
    """What a check found, for people."""
    separator = _SEPARATORS.get(found.separator, found.separator)
    made = (found.packing, found.form, found.encoding, separator and f"separated by {separator}",
            found.heading_line and f"heading in line {found.heading_line}")  # fmt: skip
    columns = table("heading", "means", "#rows", "written as", "for example", "read as")
    for column in found.columns:
        for at, form in enumerate(column.forms):
            head = (column.heading or column.meaning, column.meaning) if at == 0 else ("", "")
            columns.add_row(*head, f"{form.count:,}", form.form, form.written, form.read or "–")
    events = table("state" if found.first_day else "event", "#numbers")
    for event, count in found.counts.items():
        if count:
            events.add_row(event, f"{count:,}")
    bad = table("#lines", "would be refused because", "for example")
    for kind in found.kinds:
        for at, (line, text) in enumerate(kind.samples):
            bad.add_row(f"{kind.count:,}" if at == 0 else "", kind.reason if at == 0 else "", f"line {line}: {text}")
    if found.already:
        say = f"✓ {name} was imported before, as report {found.already}: it would change nothing"
    elif found.refusal:
        say = f"✗ would be refused: {found.refusal}"
    else:
        say = f"✓ would be taken: {found.accepted:,} of {found.lines:,} lines; {found.known:,} known already"
    shown = [columns, events if any(found.counts.values()) else "", bad if found.kinds else ""]
    about = f"{name}: {', '.join(str(one) for one in made if one)}; days are those of {found.zone}"
    return Group(about, f"columns, by the first {found.looked_at:,} rows", *shown, say)
