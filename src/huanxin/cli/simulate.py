"""`huanxin simulate`."""

from __future__ import annotations

from typing import Annotated

import typer

from huanxin.cli.console import Json, done, err, platform, table
from huanxin.figures import summaries
from huanxin.simulate import planner
from huanxin.simulate.planner import Choices
from huanxin.store.acting import PLATFORM

app = typer.Typer(no_args_is_help=True)


@app.callback()
def simulate() -> None:
    """Simulations on a carrier's own history."""


@app.command()
def plan(
    carrier: Annotated[str, typer.Option(help="The carrier whose history it is.")],
    freeze: Annotated[list[int] | None, typer.Option(help="Days of the freeze; may be given often.")] = None,
    lead: Annotated[
        list[int] | None, typer.Option(help="Days between notice and end of freeze; may be given often.")
    ] = None,
    faster: Annotated[str, typer.Option(help="A partner, or everyone, that answers in half the time.")] = "",
    days: Annotated[int, typer.Option(help="How many days ahead.")] = 365,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 1,
    capacity: Annotated[
        int | None, typer.Option(help="Numbers that the carrier has; without it, as its reports show.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What if the freeze, the lead time or a partner's pace were another: supply, utilisation, unanswered ties."""
    choices = Choices(
        freezes=tuple(freeze or planner.FREEZES), leads=tuple(lead or ()), faster=faster, days=days, seed=seed,
        capacity=capacity,
    )  # fmt: skip
    with platform() as (opened, _), opened.act(PLATFORM) as act:
        summaries.refresh(act.tx, opened, only=planner.KINDS)
        found = planner.plan(act.tx, opened, carrier, choices)
    told = [planner.figures(one, found.history) for one in found.results]
    rows = table("#freeze (days)", "#lead (days)", "in half the time", "#go on sale",
                 "#a day", "#waiting", "#unserved", "#utilisation",
                 "#tie open if sold", "#tie open when sold")  # fmt: skip
    for one in told:
        names = one.faster if len(one.faster) < len(found.history.partners) else [planner.EVERYONE]
        rows.add_row(
            str(one.freeze_days), str(one.lead_days), ", ".join(names) if one.faster else "", f"{one.supply:,}",
            f"{one.supply_per_day:,.0f}", f"{one.waiting:,}", f"{one.unserved:,}", f"{one.utilisation:.1%}",
            f"{one.open_if_sold:.2%}", f"{one.open_sold:.2%}",
        )  # fmt: skip
    err.print(f"{carrier}, {days} days from {found.history.today} on, seed {seed}")
    if found.indifferent:
        err.print(f"{planner.INDIFFERENT}.")
    done(
        as_json,
        {
            "carrier": carrier,
            "today": str(found.history.today),
            "days": days,
            "seed": seed,
            "scenarios": [vars(one) for one in told],
        },
        rows,
    )
