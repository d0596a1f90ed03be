"""`huanxin batch`: plan, send and watch batches."""

from __future__ import annotations

from typing import Annotated

import typer

from huanxin.cli.console import By, Json, done, me, platform, table
from huanxin.domain.answers import Purpose, Standing
from huanxin.store import batches, notices, receipts

app = typer.Typer(no_args_is_help=True)


@app.command()
def plan(
    carrier: Annotated[str | None, typer.Option(help="Only this carrier's numbers.")] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Put every number whose freeze ends within the lead time into a batch."""
    with platform() as (opened, settings):
        batch = opened.plan_batch(by=by or me(), carrier=carrier)
    if batch is None:
        done(as_json, {"batch": None, "count": 0}, f"Nothing is due: no freeze ends within {settings.lead_days} days.")
        return
    facts = {
        "batch": batch.id,
        "count": batch.count,
        "cutoff": batch.cutoff.isoformat(),
        "answer_by": batch.answer_by.isoformat(),
    }
    say = (f"✓ batch {batch.id}: {batch.count:,} numbers; cut-off {batch.cutoff:%Y-%m-%d %H:%M:%S} UTC, "
           f"answers by {batch.answer_by:%Y-%m-%d %H:%M %Z}\n  next: huanxin batch send {batch.id}")  # fmt: skip
    done(as_json, facts, say)


@app.command()
def send(batch: Annotated[int, typer.Argument(help="The batch's number.")], as_json: Json = False) -> None:
    """Tell every partner of a batch; workers deliver the notices."""
    with platform() as (opened, _):
        told = opened.send_batch(batch)
    say = f"✓ batch {batch} has a notice for each of {len(told)} partners; `huanxin serve` or `huanxin worker` delivers them"
    done(as_json, {"batch": batch, "notices": {notice.partner: notice.id for notice in told}}, say)


@app.command()
def status(
    batch: Annotated[int | None, typer.Argument(help="One batch, partner by partner; without it, every batch.")] = None,
    as_json: Json = False,
) -> None:
    """What was asked, delivered and answered."""
    if batch is None:
        _all(as_json)
        return
    with platform() as (opened, _), opened.database.transaction() as tx:
        found = batches.get(tx, batch)
        told = notices.of_batch(tx, batch) if found else []
        everyone = batches.roster(tx, batch).everyone if found else None
        standings = receipts.standings(tx, batch, everyone) if everyone else {}
    if found is None or everyone is None:
        done(as_json, {"batch": batch, "partners": []}, f"There is no batch {batch}.")
        raise typer.Exit(1)
    rows = table("partner", "kind", "notice", "delivered", "#answered", "#outstanding", "#pending or refused")
    facts = []
    for notice in told:
        standing = standings.get(notice.partner_id, Standing())
        outstanding, unsettled = len(standing.outstanding(everyone)), len(standing.unsettled())
        when = (
            f"{notice.delivered_at:%Y-%m-%d %H:%M:%S} UTC" if notice.delivered_at else f"not yet ({notice.attempts} tries)"
        )
        rows.add_row(notice.partner, notice.kind, notice.id, when, f"{len(everyone) - outstanding:,}", f"{outstanding:,}",
                     f"{unsettled:,}")  # fmt: skip
        facts.append({"partner": notice.partner, "notice": notice.id, "delivered": notice.delivered_at is not None,
                      "outstanding": outstanding, "unsettled": unsettled})  # fmt: skip
    done(
        as_json,
        {"batch": batch, "count": found.count, "partners": facts},
        rows if told else f"Batch {batch} was not sent yet.",
    )


def _all(as_json: bool) -> None:
    with platform() as (opened, _), opened.database.transaction() as tx:
        found = batches.all_batches(tx)
    rows = table("batch", "purpose", "#numbers", "cut-off (UTC)", "answers by", "planned by")
    for one in found:
        purpose = one.purpose if one.purpose == Purpose.RENEWAL else f"{one.purpose} of {one.retracts}"
        rows.add_row(str(one.id), purpose, f"{one.count:,}", f"{one.cutoff:%Y-%m-%d %H:%M:%S}",
                     f"{one.answer_by:%Y-%m-%d %H:%M %Z}", one.planned_by)  # fmt: skip
    facts = [{"batch": one.id, "purpose": one.purpose, "count": one.count} for one in found]
    done(as_json, {"batches": facts}, rows if found else "No batch was planned yet.")
