"""`huanxin hold`: authorities' holds."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from huanxin.cli import stops
from huanxin.cli.console import By, Json, done, me, platform, table
from huanxin.cli.given import a_file
from huanxin.release.holds import add_hold, lift_hold, read_numbers
from huanxin.store.plan import holds
from huanxin.store.release.stops import known

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    file: Annotated[Path, a_file("a column number")],
    source: Annotated[str, typer.Option(help="The authority.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day on which it binds.")],
    order: Annotated[str, typer.Option(help="The number of its order.")],
    review: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="When it is looked at again.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Keep numbers frozen longer by an authority's order. Of those that are on release lists already it says on which."""
    with platform() as (opened, _):
        numbers = read_numbers(file, opened.plan)
        with opened.act(by or me()) as act:
            placed = add_hold(
                act, numbers, source=source, order=order, reason=reason, until=until.date(), review_on=review.date(),
            )  # fmt: skip
    say = f"✓ hold {placed.id} binds until {until:%Y-%m-%d}; numbers: {len(numbers):,}"
    told = {
        "hold": placed.id, "count": len(numbers), "until": f"{until:%Y-%m-%d}", "new": placed.new,
        "released": placed.released, "lists": stops.facts(placed.stopped),
    }  # fmt: skip
    say = say if placed.new else f"hold {placed.id} is the same and binds already; nothing was changed"
    done(as_json, told, say + stops.loud(placed.stopped))


@app.command()
def lift(
    hold: Annotated[int, typer.Argument(help="The hold's number.")],
    reason: Annotated[str, typer.Option(help="Why it no longer binds.")],
    numbers: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Only these: a file with a column number.")
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Let a hold go, or some of its numbers: the same order goes on for the others, as a hold of its own."""
    with platform() as (opened, _):
        only = read_numbers(numbers, opened.plan) if numbers else None
        with opened.act(by or me()) as act:
            lifted = lift_hold(act, hold, reason=reason, only=only)
    say = f"✓ hold {hold} no longer binds; numbers: {lifted.count:,}"
    if lifted.goes_on:
        say += f"; for the other {lifted.hold.count - lifted.count:,} it goes on as hold {lifted.goes_on}"
    done(as_json, {"hold": hold, "count": lifted.count, "goes_on": lifted.goes_on}, say)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every hold, lifted ones too."""
    with platform() as (opened, _), opened.read() as seen:
        found = holds.all_holds(seen.tx)
        released = Counter[int | None]()
        for stop in known(seen.tx):
            released[stop.hold_id] += stop.count
    rows = table(
        "hold", "source", "order", "reason", "#numbers", "#released before", "until", "review", "placed by", "lifted"
    )
    for one in found:
        lifted = f"{one.lifted_at:%Y-%m-%d} by {one.lifted_by}: {one.lift_reason}" if one.lifted_at else ""
        lifted += f"; goes on as hold {one.goes_on}" if one.goes_on else ""
        rows.add_row(str(one.id), one.source, one.order_number, one.reason, f"{one.count:,}", f"{released[one.id]:,}",
                     str(one.until_day), str(one.review_on or ""), one.placed_by, lifted)  # fmt: skip
    done(
        as_json,
        {"holds": [vars(one) | {"released": released[one.id]} for one in found]},
        rows if found else "No hold is on record.",
    )
