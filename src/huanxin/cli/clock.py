"""`huanxin clock`: the clock by which everything is judged."""

from __future__ import annotations

from typing import Annotated

import typer

from huanxin.cli.console import By, Json, done, doubt, me, platform
from huanxin.domain.errors import Conflict
from huanxin.store.one_clock import OneClock

app = typer.Typer(no_args_is_help=True)


@app.command("show")
def show(as_json: Json = False) -> None:
    """What time it is by the database, and whether anything speaks against that."""
    with platform() as (opened, _):
        now, why = opened.now(), doubt(opened)
    done(as_json, {"now": now.isoformat(), "doubt": why or None}, f"! {why}" if why else f"✓ {now:%Y-%m-%d %H:%M:%S} UTC")


@app.command("confirm")
def confirm(
    reason: Annotated[str, typer.Option(help="How you know that the clock is right; it is recorded.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Say that the clock is right though it jumped, as after a long pause. Look at another clock before you do: what is due
    by it is planned and released from then on."""
    with platform() as (opened, _):
        clock = opened.clock
        if not isinstance(clock, OneClock) or clock.doubt is None:
            raise Conflict("nothing speaks against the clock, so there is nothing to confirm")
        at, expected = clock.confirm(reason=reason, by=by or me())
    facts = {"now": at.isoformat(), "expected": expected.isoformat()}
    done(as_json, facts, f"✓ it is {at:%Y-%m-%d %H:%M:%S} UTC, and was expected to be {expected:%Y-%m-%d %H:%M:%S} UTC")
