"""`huanxin order`: what owners ordered for single numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from huanxin.acts.requests import call_off_for
from huanxin.cli.console import By, Json, done, me, platform, table
from huanxin.domain.numbers import parse
from huanxin.store.request import requests

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(number: Annotated[str, typer.Argument(help="+8613800138000")], as_json: Json = False) -> None:
    """A number's orders and how each service answered, the newest first."""
    with platform() as (opened, _), opened.read() as seen:
        found = [(one, requests.notices_of(seen.tx, one.id)) for one in requests.of_number(seen.tx, parse(number))]
    rows = table("order", "what for", "ordered", "service", "told", "answer", "called off")
    for one, notices in found:
        for notice in notices:
            told = f"{notice.delivered_at:%Y-%m-%d %H:%M}" if notice.delivered_at else ""
            off = f"{notice.called_off_by}: {notice.called_off_why}" if notice.called_off_at else ""
            rows.add_row(one.id, one.purpose, f"{one.requested_at:%Y-%m-%d %H:%M}", notice.partner, told,
                         notice.outcome or "", off)  # fmt: skip
    facts = [
        {"order": one.id, "purpose": one.purpose, "at": one.requested_at.isoformat(), "services": [
            {"name": notice.partner, "told": bool(notice.delivered_at), "outcome": notice.outcome,
             "called_off_by": notice.called_off_by} for notice in notices]}
        for one, notices in found
    ]  # fmt: skip
    done(as_json, {"orders": facts}, rows if found else "Nobody has ordered anything for this number.")


@app.command("call-off")
def call_off_(
    order: Annotated[str, typer.Argument(help="The order's id, rq_…")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Call an order off at every service that was not told of it yet."""
    with platform() as (opened, _):
        off = call_off_for(opened, order, by=by or me(), reason=reason)
    say = f"✓ order {order} is called off at services: {len(off):,}. They were told nothing"
    done(as_json, {"order": order, "called_off": len(off)}, say)
