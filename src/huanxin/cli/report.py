"""`huanxin report`: carriers' reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huanxin.acts.reports import take_report
from huanxin.cli.console import By, Json, done, err, me, platform, progress, table
from huanxin.numbersets.files import name_of
from huanxin.report.rejects import write_rejects
from huanxin.store.report import reports

app = typer.Typer(no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV (plain or gzip) or Parquet: number,event,at")
    ],
    carrier: Annotated[str, typer.Option(help="Who reports: cmcc, cucc, ctcc, cbn or a configured carrier.")],
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good lines; write the bad ones to a rejects file.")
    ] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where the bad lines go; FILE.rejects.csv if not said.")] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take a carrier's report whole, or refuse it whole with the lines and reasons."""
    bad_file = rejects or file.with_name(file.name + ".rejects.csv")
    with platform() as (opened, _), progress(name_of(file)) as tell, opened.act(by or me()) as act:
        result = take_report(
            act, file, carrier=carrier, skip_bad=skip_bad, progress=tell,
            keep_rejects=lambda faults: write_rejects(bad_file, faults),
        )  # fmt: skip
    imported = result.imported
    if imported.faults:
        err.print(f"  bad lines in {bad_file}, each with its reason: {len(imported.faults):,}")
    facts = {
        "report": imported.report_id, "lines": imported.lines, "accepted": imported.accepted, "known": imported.known,
        "rejected": len(imported.faults), "counts": imported.counts, "already": imported.already,
        "retractions": [batch.id for batch in result.retractions], "recycled_events": result.recycled_events,
        "breaches": result.breaches, "undisclosed": result.undisclosed, "stopped": result.stopped,
        "rejects_file": str(bad_file) if imported.faults else None,
    }  # fmt: skip
    if imported.already:
        say = f"✓ {name_of(file)} was imported before, as report {imported.report_id}: nothing changed"
    else:
        parts = ", ".join(f"{count:,} {event}" for event, count in imported.counts.items() if count)
        say = f"✓ report {imported.report_id}: {imported.accepted:,} of {imported.lines:,} lines taken ({parts or 'none'})"
        say += f"; {imported.known:,} known already" if imported.known else ""
    for retraction in result.retractions:
        say += f"\n  numbers reclaimed: {retraction.count:,}; batch {retraction.id} takes them back from every partner"
    if result.breaches:
        say += f"\n  ! numbers opened without a release, or during their freeze: {result.breaches:,}; recorded as a breach"
    if result.undisclosed:
        say += f"\n  ! numbers opened without a disclosure: {result.undisclosed:,}; recorded as a breach"
    if result.stopped:
        say += (
            f"\n  ! numbers opened while held, or after their release was stopped: {result.stopped:,}; recorded as a breach"
        )
    done(as_json, facts, say)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The reports taken so far."""
    with platform() as (opened, _), opened.read() as seen:
        found = reports.all_reports(seen.tx)
    rows = table("report", "carrier", "file", "#lines", "#accepted", "#known", "#rejected", "by", "when")
    for one in found:
        rows.add_row(str(one.id), one.carrier, one.file_name, f"{one.lines:,}", f"{one.accepted:,}", f"{one.known:,}",
                     f"{one.rejected:,}", one.recorded_by, f"{one.recorded_at:%Y-%m-%d %H:%M} UTC")  # fmt: skip
    done(as_json, {"reports": [vars(one) for one in found]}, rows if found else "No report was taken yet.")
