"""`huanxin partner`: register partners."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape

from huanxin.cli.console import By, Json, done, me, platform, table
from huanxin.domain.partners import DEFAULT_SCOPES, Kind
from huanxin.notify.partners import add_partner, named, rotate_secret
from huanxin.store import partners, streams, wishes

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The partner's name.")],
    kind: Annotated[Kind, typer.Option(help="What it keeps on a number.")],
    endpoint: Annotated[
        str | None, typer.Option(help="Where events are pushed to (RFC 8935); without it they are polled.")
    ] = None,
    optional: Annotated[bool, typer.Option("--optional", help="Numbers are released without its answer.")] = False,
    scopes: Annotated[list[str] | None, typer.Option(help="What its tokens allow; may be given often.")] = None,
    recycled: Annotated[bool, typer.Option("--recycled", help="Its stream asks for RISC identifier-recycled.")] = False,
    inquiry: Annotated[
        bool, typer.Option("--inquiry", help="Its stream asks for owners' questions whether there is a tie.")
    ] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Register a partner; its client_secret is shown this once."""
    with platform() as (opened, _), opened.database.transaction() as tx:
        made = add_partner(
            tx, name=name, kind=kind, required=not optional, endpoint=endpoint, scopes=scopes or list(DEFAULT_SCOPES),
            wants_recycled=recycled, wants_inquiry=inquiry, https_only=not opened.development, now=opened.now(),
            by=by or me(),
        )  # fmt: skip
    facts = {"name": name, "client_id": made.partner.client_id, "client_secret": made.client_secret,
             "issuer": opened.issuer, "scopes": list(made.partner.scopes)}  # fmt: skip
    say = (f"✓ {name} is registered\n  client_id      {made.partner.client_id}\n  client_secret  {made.client_secret}\n"
           "  Keep the secret: it is not shown again.")  # fmt: skip
    done(as_json, facts, say)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every registered partner."""
    with platform() as (opened, _), opened.database.transaction() as tx:
        found = partners.all_partners(tx)
        told = {partner: one.endpoint or one.method for partner, one in streams.all_streams(tx).items()}
    rows = table("partner", "kind", "answer", "client_id", "told by", "scopes")
    for one in found:
        rows.add_row(one.name, one.kind, "required" if one.required else "optional", one.client_id,
                     told.get(one.id, "no stream"), " ".join(one.scopes))  # fmt: skip
    facts = [
        {"name": p.name, "kind": p.kind, "required": p.required, "client_id": p.client_id, "told_by": told.get(p.id)}
        for p in found
    ]
    done(as_json, {"partners": facts}, rows if found else "No partner is registered yet.")


@app.command()
def wished(
    most: Annotated[int, typer.Option(help="How many to list.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """Apps that people named and that are not connected, the most wanted first: each number counts once."""
    with platform() as (opened, _), opened.database.transaction() as tx:
        found = wishes.ranked(tx, most)
    rows = table("#rank", "app", "#people", "last")
    for rank, (name, people, last) in enumerate(found, start=1):
        rows.add_row(str(rank), escape(name), f"{people:,}", f"{last:%Y-%m-%d}")
    facts = [{"name": name, "people": people, "last": last.isoformat()} for name, people, last in found]
    done(as_json, {"wished": facts}, rows if found else "Nobody has named an app yet.")


@app.command("rotate-key")
def rotate_key(
    name: Annotated[str, typer.Argument(help="The partner's name or client_id.")],
    overlap_hours: Annotated[int, typer.Option(help="For how long the old secret goes on.", min=0, max=24 * 90)] = 168,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Give a partner a new client_secret; the old one goes on for a while, so that nothing has to stop."""
    with platform() as (opened, _), opened.database.transaction() as tx:
        partner = named(tx, name)
        now = opened.now()
        until = now + timedelta(hours=overlap_hours)
        secret = rotate_secret(tx, partner, overlap=until - now, now=now, by=by or me())
    facts = {"name": partner.name, "client_id": partner.client_id, "client_secret": secret, "old_until": until.isoformat()}
    say = (f"✓ {partner.name} has a new client_secret: {secret}\n"
           f"  It is not shown again. The old one works until {until:%Y-%m-%d %H:%M} UTC.")  # fmt: skip
    done(as_json, facts, say)
