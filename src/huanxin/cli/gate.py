"""`huanxin gate` and `huanxin release`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huanxin.acts import Platform
from huanxin.acts.batches import release as release_clear
from huanxin.cli import stops
from huanxin.cli.console import By, Json, done, err, me, out, platform, said_of, table
from huanxin.cli.given import an_optional_file
from huanxin.domain.answers import Purpose
from huanxin.domain.clock import passed
from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.notify.partners import told_of
from huanxin.release.explain import explain as explain_number
from huanxin.release.gate import LoadedGate, load_gate
from huanxin.release.holds import read_numbers
from huanxin.release.listing import obstacles, prepare_folder, write_gate, write_release_lists
from huanxin.release.waiving import SILENT
from huanxin.release.waiving import waive as waive_answers
from huanxin.release.waiving import withdraw_waiver as take_waiver_back
from huanxin.store.answer import receipts
from huanxin.store.plan import batches
from huanxin.store.release import releases

app = typer.Typer(invoke_without_command=True)
_RECLAIMED_NOTE = "counts overlap: a number can be held back by several partners"


@app.callback()
def gate(
    context: typer.Context,
    batch: Annotated[int | None, typer.Option(help="One batch; without it, the newest.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every number and what keeps it back.")] = None,
    as_json: Json = False,
) -> None:
    """Say for each number of a batch whether it is clear, and if not, what keeps it back."""
    if context.invoked_subcommand:
        return
    with platform() as (opened, _):
        loaded = _load(opened, batch)
        rows_written = write_gate(loaded, csv) if csv else 0
    total = loaded.gate
    counts = {
        "total": len(total.everyone), "clear": len(total.clear()), "releasable": len(total.releasable()),
        "released": len(total.released), "freezing": len(total.frozen_still()), "open": len(total.open()),
        "held": len(total.held_places()), "retracted": len(total.retracted_places()),
    }  # fmt: skip
    rows = table("state", "partner", "reason", "until", "by", "#numbers")
    listed = [one for one in obstacles(loaded) if one.places]
    for one in listed:
        rows.add_row(one.state, one.partner, one.reason, one.until, one.by, f"{len(one.places):,}")
    err.print(f"Batch {loaded.batch.id}: numbers clear: {counts['clear']:,} of {counts['total']:,}; to be released now: "
              f"{counts['releasable']:,} ({_RECLAIMED_NOTE}).")  # fmt: skip
    if csv:
        err.print(f"rows in {csv}: {rows_written:,}")
    found = [
        {"state": o.state, "partner": o.partner, "reason": o.reason, "until": o.until, "by": o.by, "count": len(o.places)}
        for o in listed
    ]
    done(as_json, {"batch": loaded.batch.id, **counts, "obstacles": found}, rows)


def _load(opened: Platform, batch: int | None) -> LoadedGate:
    with opened.read() as reading:
        if batch is None:
            known = batches.all_batches(reading.tx, Purpose.RENEWAL)
            if not known:
                raise NotFound("no batch was planned yet; `huanxin batch plan` makes one")
            batch = known[-1].id
        return load_gate(reading, batch)


@app.command()
def explain(number: Annotated[str, typer.Argument(help="+8613800138000")], as_json: Json = False) -> None:
    """Say rule by rule why a number is or isn't clear, with the facts behind it."""
    with platform() as (opened, _):
        try:
            wanted = opened.plan.typed(number)
        except ValueError as error:
            raise BadInput(str(error)) from error
        with opened.read() as reading:
            why = explain_number(reading, wanted)
    verdict = "released" if why.released else "clear" if why.clear else "not clear"
    out_to = err if as_json else out
    out_to.print(f"{why.number} · {verdict}" + (f" · batch {why.batch_id}" if why.batch_id else ""))
    since = why.evaluable_since
    if since:
        out_to.print(f"  what was before {since} can't be told: on that day its carrier gave the state of its numbers")
    for line in why.history:
        out_to.print(f"  {line}")
    rows = table("", "rule", "finding", "evidence")
    for finding in why.findings:
        rows.add_row("✓" if finding.ok else "✗", finding.rule, finding.text, finding.evidence)
    facts = {"number": why.number, "verdict": verdict, "batch": why.batch_id, "history": why.history,
             "evaluable_since": since and since.isoformat(),
             "findings": [vars(finding) for finding in why.findings]}  # fmt: skip
    done(as_json, facts, rows)


@app.command()
def waive(
    batch: Annotated[int, typer.Option(help="The batch's number.")],
    partner: Annotated[str, typer.Option(help="Whose answer is gone without: its name or client_id.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    by: Annotated[str, typer.Option(help="Who has the right to decide this; it is recorded.")],
    numbers: Annotated[Path | None, an_optional_file("Only these numbers, a column number")] = None,
    as_json: Json = False,
) -> None:
    """Go on without a partner's answer: for what it has not answered, has pending, or refused."""
    with platform() as (opened, _), opened.act(by) as act:
        who = told_of(act.tx, batch, partner)
        only = read_numbers(numbers, opened.plan, allotted=False) if numbers else None
        waived = waive_answers(act, batch, partner_id=who.id, only=only, reason=reason)
    said = {"no answer" if key == SILENT else " ".join(key).strip(): count for key, count in sorted(waived.said.items())}
    of = ", ".join(f"{words} {count:,}" for words, count in said.items())
    say = f"✓ {by} waived the answer of {partner} in batch {batch}; numbers: {waived.count:,} ({of}); {reason}"
    done(as_json, {"batch": batch, "partner": partner, "waived": waived.count, "said": said, "by": by}, say)


@app.command()
def waivers(
    batch: Annotated[int | None, typer.Option(help="One batch; without it, all.")] = None, as_json: Json = False
) -> None:
    """Every waiver, withdrawn ones too."""
    with platform() as (opened, _), opened.read() as seen:
        found = receipts.granted(seen.tx, batch_id=batch)
    rows = table("waiver", "batch", "partner", "#numbers", "reason", "by", "withdrawn")
    for one in found:
        gone = f"{one.withdrawn_at:%Y-%m-%d} by {one.withdrawn_by}: {one.withdrawn_why}" if one.withdrawn_at else ""
        rows.add_row(str(one.id), str(one.batch_id), one.partner, f"{one.count:,}", one.reason, one.waived_by, gone)
    done(as_json, {"waivers": [vars(one) for one in found]}, rows if found else "No answer was waived.")


@app.command("withdraw-waiver")
def withdraw_waiver(
    waiver: Annotated[int, typer.Argument(help="The waiver's number; `huanxin gate waivers` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Wait for a partner's answer again that was gone without. What was released by it stays released, and is said."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        stopped = take_waiver_back(act, waiver, reason=reason)
    facts = {"waiver": waiver, "released": sum(one.count for one in stopped), "lists": stops.facts(stopped)}
    done(as_json, facts, f"✓ waiver {waiver} is withdrawn: its answers are waited for again" + stops.loud(stopped))


def release(
    folder: Annotated[Path, typer.Option("--out", help="Where the lists go.")] = Path("releases"),
    batch: Annotated[int | None, typer.Option(help="Only this batch.")] = None,
    as_of: Annotated[
        str, typer.Option(help="Release nothing; write the lists as they were on that day, at its end, or at that instant.")
    ] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Record the release of every clear number, and write lists of what may be sold today: number,sellable_from.

    There is one per release and carrier, and beside it what of that release may not be sold any more: number,why.
    """
    with platform() as (opened, _):
        at = passed(as_of, zone=opened.zone, now=opened.now()) if as_of else None
        prepare_folder(folder)
        made = [] if at else release_clear(opened, by=by or me(), batch_id=batch)
        count = sum(one.count for one in made)
        with opened.read(as_of=at) as seen:
            total = sum(one.count for one in releases.all_releases(seen.tx, batch))
        try:
            with opened.read(as_of=at) as seen:
                lists = write_release_lists(seen, folder, batch)
        except OSError as error:
            raise Conflict(
                f"numbers released now and on record: {count:,}, but their lists can't be written ({said_of(error)}); run "
                "`huanxin release` again with another --out: it writes the lists of everything on record"
            ) from error
    say = f"✓ numbers released now: {count:,}, in all: {total:,}; lists in {folder}: {len(lists)}"
    if at:
        say = f"✓ numbers released by {at:%Y-%m-%d %H:%M:%S %z}: {total:,}; lists as of then in {folder}: {len(lists)}"
    facts = {"released": count, "total": total, "releases": [one.id for one in made], "lists": [str(p) for p in lists]}
    done(as_json, facts | ({"as_of": at.isoformat()} if at else {}), say)
