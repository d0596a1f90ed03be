"""`huanxin batch`: plan, send and watch batches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huanxin.acts.batches import send_batch
from huanxin.cli import stops
from huanxin.cli.batch_status import show_all, show_one
from huanxin.cli.console import By, Json, done, err, me, platform, table
from huanxin.cli.given import a_file
from huanxin.domain.clock import by_law
from huanxin.notify.partners import told_of
from huanxin.notify.reminders import remind_now
from huanxin.notify.retractions import retract_ordered
from huanxin.plan.batches import call_off as call_off_batch
from huanxin.plan.batches import plan_batch
from huanxin.release.holds import read_numbers
from huanxin.settings import served_at
from huanxin.store.release.stops import known
from huanxin.terminal import led

app = typer.Typer(no_args_is_help=True)


@app.command()
def plan(
    carrier: Annotated[str | None, typer.Option(help="Only this carrier's numbers.")] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Put every number whose freeze ends within the lead time into a batch."""
    with platform() as (opened, settings), opened.act(by or me(), sure=True) as act:
        batch = plan_batch(act, carrier=carrier)
    if batch is None:
        done(as_json, {"batch": None, "count": 0}, f"Nothing is due: no freeze ends within {settings.lead_days} days.")
        return
    facts = {
        "batch": batch.id,
        "count": batch.count,
        "cutoff": batch.cutoff.isoformat(),
        "answer_by": batch.answer_by.isoformat(),
    }
    say = (f"✓ batch {batch.id}; numbers: {batch.count:,}; cut-off {batch.cutoff:%Y-%m-%d %H:%M:%S} UTC, "
           f"answers by {batch.answer_by:%Y-%m-%d %H:%M %Z}\n  next: huanxin batch send {batch.id}")  # fmt: skip
    if by_law(batch.answer_by):
        say += (f"\n  counted with the holidays of the law: the notice of {batch.answer_by.year} is not in the calendar yet;"
                " what isn't sent is counted anew once it is")  # fmt: skip
    done(as_json, facts, say)


@app.command()
def send(
    batch: Annotated[int, typer.Argument(help="The batch's number.")], by: By = "", as_json: Json = False
) -> None:  # fmt: skip
    """Tell every partner of a batch; workers deliver the notices."""
    with platform() as (opened, settings):
        with opened.act(by or me()) as act:
            told = send_batch(act, batch)
        served = served_at(settings) if settings.development else ""
    if served and served != opened.issuer:
        err.print(led(
            "!", "yellow", f" the notices name {opened.issuer}, as HUANXIN_ISSUER says, and `huanxin serve` was last at "
            f"{served}: partners fetch numbers and answer where the notices say",
        ))  # fmt: skip
    say = (f"✓ batch {batch} is sent; partners that have a notice: {len(told)}; `huanxin serve` or `huanxin worker` "
           "delivers them")  # fmt: skip
    done(as_json, {"batch": batch, "notices": {notice.partner: notice.id for notice in told}}, say)


@app.command("call-off")
def call_off(
    batch: Annotated[int, typer.Argument(help="The batch's number.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Call off a batch that was planned and not sent: its numbers are due again, and the next plan takes them."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        off = call_off_batch(act, batch, reason=reason)
    done(as_json, {"batch": batch, "count": off.count}, f"✓ batch {batch} is called off; numbers due again: {off.count:,}")


@app.command()
def status(
    batch: Annotated[int | None, typer.Argument(help="One batch, partner by partner; without it, every batch.")] = None,
    as_json: Json = False,
) -> None:
    """What was asked, delivered, answered and taken back, and who is late."""
    if batch is None:
        show_all(as_json)
    else:
        show_one(batch, as_json)


@app.command()
def remind(
    batch: Annotated[int, typer.Argument(help="The batch's number.")],
    partner: Annotated[str | None, typer.Option(help="Only this partner.")] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Remind the partners that still have to answer, now. Reminders before the deadline go out by themselves."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        chosen = told_of(act.tx, batch, partner).id if partner else None
        told = remind_now(act, batch, partner_id=chosen)
    rows = table("reminded", "notice", "#outstanding", "#pending")
    for one in told:
        rows.add_row(one.notice.partner, one.notice.id, f"{one.outstanding:,}", f"{one.pending:,}")
    facts = [
        {"partner": one.notice.partner, "notice": one.notice.id, "outstanding": one.outstanding, "pending": one.pending}
        for one in told
    ]
    done(as_json, {"batch": batch, "reminded": facts}, rows)


@app.command()
def retract(
    batch: Annotated[int, typer.Argument(help="The batch's number.")],
    file: Annotated[Path, a_file("a column number")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take numbers back from every notice of a batch, for good: partners restore what they cut, and the gate never
    releases the numbers from this batch. For a while only, use a hold; a reclaim that the carrier reports needs no order."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        made = retract_ordered(act, batch, read_numbers(file, opened.plan, allotted=False), reason=reason)
        stopped = known(act.tx, retraction_id=made.id)
    say = f"✓ numbers taken back from batch {batch}: {made.count:,} (retraction {made.id}); partners are told"
    facts = {
        "batch": batch, "retraction": made.id, "count": made.count, "released": sum(one.count for one in stopped),
        "lists": stops.facts(stopped),
    }  # fmt: skip
    done(as_json, facts, say + stops.loud(stopped))
