"""`huanxin report`: carriers' reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from huanxin.acts import mending
from huanxin.acts.reports import take_report
from huanxin.cli.console import By, Json, done, err, me, platform, progress, table
from huanxin.cli.given import a_file, rejects_beside
from huanxin.domain.mended import Consequence, Mended, What
from huanxin.numbersets.files import name_of
from huanxin.report.baseline import NAMES, import_baseline
from huanxin.report.mending import write_consequences
from huanxin.report.rejects import write_rejects
from huanxin.store.report import reports, settled

app = typer.Typer(no_args_is_help=True)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
Region = Annotated[
    str, typer.Option(help="Of numbers that have no country code: two letters, like CN. If not said, the carrier's.")
]
Consequences = Annotated[Path | None, typer.Option(help="Write what becomes of each number.")]


@app.command("import")
def import_(
    file: Annotated[Path, a_file("number,event,at")],
    carrier: Annotated[str, typer.Option(help="Who reports: cmcc, cucc, ctcc, cbn or a configured carrier.")],
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good lines; write the bad ones to a rejects file.")
    ] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where the bad lines go; FILE.rejects.csv if not said.")] = None,
    region: Region = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take a carrier's report whole, or refuse it whole with the lines and reasons."""
    bad_file = rejects or rejects_beside(file)
    with platform() as (opened, _), progress(name_of(file)) as tell, opened.act(by or me()) as act:
        result = take_report(
            act, file, carrier=carrier, skip_bad=skip_bad, progress=tell, region=region,
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
    done(as_json, facts, say + _consequences(result.consequences))


@app.command()
def withdraw(
    report: Annotated[int, typer.Argument(help="The report that was wrong.")],
    reason: Annotated[str, typer.Option(help="Why it is withdrawn.")],
    dry_run: DryRun = False,
    csv: Consequences = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take back all that a report said: it stays on record as taken back, and what it led to is set right."""
    with platform() as (opened, _), (opened.rehearse if dry_run else opened.act)(by or me()) as act:
        mended = mending.withdraw(act, report, reason=reason)
        if csv:
            write_consequences(csv, mended)
    _mended(mended, f"report {report} withdrawn", dry_run=dry_run, as_json=as_json)


@app.command()
def correct(
    file: Annotated[Path, a_file("number,event,at,instead_of")],
    carrier: Annotated[str, typer.Option(help="Whose report was wrong.")],
    reason: Annotated[str, typer.Option(help="Why it is corrected.")],
    dry_run: DryRun = False,
    csv: Consequences = None,
    region: Region = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Correct single events: instead_of names what was wrong ("cancelled 2026-05-01"; empty: an event was missing)."""
    with platform() as (opened, _), (opened.rehearse if dry_run else opened.act)(by or me()) as act:
        mended = mending.correct(act, file, carrier=carrier, reason=reason, region=region)
        if csv:
            write_consequences(csv, mended)
    _mended(mended, f"{name_of(file)} taken", dry_run=dry_run, as_json=as_json)


def _mended(mended: Mended, what: str, *, dry_run: bool, as_json: bool) -> None:
    facts = {
        "report": None if dry_run else mended.report_id, "dry_run": dry_run, "taken_back": mended.taken_back,
        "added": mended.added,
        **{one.name.lower(): mended.count(one) for one in What},
    }  # fmt: skip
    parts = ", ".join(f"{count:,} {event}" for event, count in mended.taken_back.items() if count)
    say = f"would be recorded (nothing was): {what}" if dry_run else f"✓ {what}, by report {mended.report_id}"
    say += f"; taken back: {parts or 'nothing'}"
    if mended.added:
        say += "; put in place: " + ", ".join(f"{count:,} {event}" for event, count in mended.added.items())
    done(as_json, facts, say + _consequences(mended.consequences))


def _consequences(consequences: Sequence[Consequence]) -> str:
    """What was set right, a line each."""
    said = ""
    for one in consequences:
        sign = "!" if one.what in (What.STOPPED, What.IN_ERROR) else " "
        where = f"batch {one.batch_id}: " if one.batch_id else ""
        said += f"\n{sign} {where}{one.what.value}: {len(one.numbers):,}"
    return said


@app.command()
def baseline(
    file: Annotated[Path, a_file("number,state,since")],
    carrier: Annotated[str, typer.Option(help="Whose numbers: cmcc, cucc, ctcc, cbn or a configured carrier.")],
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good lines; write the bad ones to a rejects file.")
    ] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where the bad lines go; FILE.rejects.csv if not said.")] = None,
    region: Region = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """A carrier's first day: take the present state of its numbers (in_service, frozen, ported_out, never_sold)."""
    bad_file = rejects or rejects_beside(file)
    with platform() as (opened, _), progress(name_of(file)) as tell, opened.act(by or me()) as act:
        taken = import_baseline(
            act, file, carrier=carrier, skip_bad=skip_bad, progress=tell, region=region,
            keep_rejects=lambda faults: write_rejects(bad_file, faults, NAMES),
        )  # fmt: skip
    if taken.faults:
        err.print(f"  bad lines in {bad_file}, each with its reason: {len(taken.faults):,}")
    parts = ", ".join(f"{count:,} {state}" for state, count in taken.counts.items() if count)
    say = f"✓ baseline {taken.report_id}: {taken.accepted:,} of {taken.lines:,} numbers taken ({parts or 'none'})"
    if taken.already:
        say = f"✓ {name_of(file)} was imported before, as report {taken.report_id}: nothing changed"
    facts = {
        "report": taken.report_id, "lines": taken.lines, "accepted": taken.accepted, "known": taken.known,
        "rejected": len(taken.faults), "counts": taken.counts, "already": taken.already,
        "rejects_file": str(bad_file) if taken.faults else None,
    }  # fmt: skip
    done(as_json, facts, say)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The reports taken so far."""
    with platform() as (opened, _), opened.read() as seen:
        found = reports.all_reports(seen.tx)
    rows = table("report", "carrier", "file", "#lines", "#accepted", "#known", "#rejected", "by", "when", "mended")
    for one in found:
        mends = f"withdraws {one.withdraws}: {one.reason}" if one.withdraws else one.reason
        rows.add_row(str(one.id), one.carrier, one.file_name, f"{one.lines:,}", f"{one.accepted:,}", f"{one.known:,}",
                     f"{one.rejected:,}", one.recorded_by, f"{one.recorded_at:%Y-%m-%d %H:%M} UTC",
                     f"withdrawn by {one.withdrawn_by}" if one.withdrawn_by else mends)  # fmt: skip
    done(as_json, {"reports": [vars(one) for one in found]}, rows if found else "No report was taken yet.")


@app.command("settle")
def settle(as_json: Json = False) -> None:
    """Make what is kept of where numbers stand again from the reports' facts: it may be done at any time."""
    with platform() as (opened, _), opened.act(me()) as act:
        count = settled.make_again(act.alone().tx)
    done(as_json, {"facts": count}, f"Where numbers stand was made again from {count:,} facts.")
