"""`huanxin partner`: register partners, their keys and streams."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from huanxin.cli.console import By, Json, done, me, platform, table
from huanxin.domain.errors import BadInput, NotFound
from huanxin.domain.partners import DEFAULT_SCOPES, Kind, NewPartner, Scope
from huanxin.domain.shown import read_json
from huanxin.domain.streams import Status
from huanxin.notify.assertions import register_keys
from huanxin.notify.changing import off_board, rename, set_required
from huanxin.notify.files import use_files
from huanxin.notify.partners import add_partner, named, rotate_secret
from huanxin.notify.streams import configuration, set_status
from huanxin.store.connect import partners
from huanxin.store.notify import streams
from huanxin.store.request import wishes

app = typer.Typer(no_args_is_help=True)
_SCOPES = f"What its tokens allow, divided by commas or given often: {', '.join(Scope)}."


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The partner's name.")],
    kind: Annotated[Kind, typer.Option(help="What it keeps on a number.")],
    endpoint: Annotated[
        str | None, typer.Option(help="Where events are pushed to (RFC 8935); without it they are polled.")
    ] = None,
    files_out: Annotated[
        str | None, typer.Option(help="Notices are written to this folder instead: a directory, sftp:// or s3://.")
    ] = None,
    files_in: Annotated[str | None, typer.Option(help="Receipts are read from this folder.")] = None,
    optional: Annotated[bool, typer.Option("--optional", help="Numbers are released without its answer.")] = False,
    scopes: Annotated[list[str] | None, typer.Option(help=_SCOPES)] = None,
    recycled: Annotated[bool, typer.Option("--recycled", help="Its stream asks for RISC identifier-recycled.")] = False,
    inquiry: Annotated[
        bool, typer.Option("--inquiry", help="Its stream asks for owners' questions whether there is a tie.")
    ] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Register a partner; its client_secret is shown this once."""
    if bool(files_out) != bool(files_in) or (files_out and (endpoint or recycled)):
        raise typer.BadParameter(
            "--files-out and --files-in go together, without --endpoint, and without --recycled, which has no form as a file"
        )
    with platform() as (opened, _), opened.act(by or me()) as act:
        made = add_partner(
            act,
            NewPartner(
                name=name, kind=kind, required=not optional, endpoint=endpoint, scopes=_each(scopes) or list(DEFAULT_SCOPES),
                wants_recycled=recycled, wants_inquiry=inquiry,
            ),
            https_only=not opened.development,
        )  # fmt: skip
        if files_out and files_in:
            use_files(act, made.partner.id, out=files_out, into=files_in)
    facts = {"name": name, "client_id": made.partner.client_id, "client_secret": made.client_secret,
             "issuer": opened.issuer, "scopes": list(made.partner.scopes)}  # fmt: skip
    say = (f"✓ {name} is registered\n  client_id      {made.partner.client_id}\n  client_secret  {made.client_secret}\n"
           "  Keep the secret: it is not shown again.")  # fmt: skip
    done(as_json, facts, say)


def _each(scopes: list[str] | None) -> list[str]:
    """Each scope once, whether divided by commas, spaces, or given one by one."""
    return list(dict.fromkeys(one for given in scopes or () for one in given.replace(",", " ").split()))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every registered partner."""
    with platform() as (opened, _), opened.read() as seen:
        found = partners.all_partners(seen.tx)
        told = {partner: one.endpoint or one.method for partner, one in streams.all_streams(seen.tx).items()}
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
    with platform() as (opened, _), opened.read() as seen:
        found = wishes.ranked(seen.tx, most)
    rows = table("#rank", "app", "#people", "last")
    for rank, (name, people, last) in enumerate(found, start=1):
        rows.add_row(str(rank), name, f"{people:,}", f"{last:%Y-%m-%d}")
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
    with platform() as (opened, _), opened.act(by or me(), sure=True) as act:
        partner = named(act.tx, name)
        overlap = timedelta(hours=overlap_hours)
        secret = rotate_secret(act, partner, overlap=overlap)
        until = act.now + overlap
    facts = {"name": partner.name, "client_id": partner.client_id, "client_secret": secret, "old_until": until.isoformat()}
    say = (f"✓ {partner.name} has a new client_secret: {secret}\n"
           f"  It is not shown again. The old one works until {until:%Y-%m-%d %H:%M} UTC.")  # fmt: skip
    done(as_json, facts, say)


Name = Annotated[str, typer.Argument(help="The partner's name or client_id.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]


@app.command("optional")
def make_optional(name: Name, reason: Reason, by: By = "", as_json: Json = False) -> None:
    """Have what is sent from now on not wait for a partner. What was sent waits still: `huanxin gate waive`."""
    _required(name, False, reason, by, as_json)


@app.command("required")
def make_required(name: Name, reason: Reason, by: By = "", as_json: Json = False) -> None:
    """Have what is sent from now on wait for a partner's answer."""
    _required(name, True, reason, by, as_json)


def _required(name: str, required: bool, reason: str, by: str, as_json: bool) -> None:
    with platform() as (opened, _), opened.act(by or me()) as act:
        partner = named(act.tx, name)
        set_required(act, partner, required=required, reason=reason)
    say = f"✓ notices wait for {partner.name}" if required else f"✓ notices no longer wait for {partner.name}"
    done(as_json, {"name": partner.name, "required": required}, f"{say}, from the next one on")


@app.command("rename")
def rename_(
    name: Name, new: Annotated[str, typer.Argument(help="Its name from now on.")], reason: Reason, by: By = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Give a partner another name; its credentials, stream and folders stay as they are."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        partner = named(act.tx, name)
        rename(act, partner, new, reason=reason)
    done(as_json, {"name": new.strip(), "before": partner.name}, f"✓ {partner.name} is called {new.strip()} from now on")


@app.command("off-board")
def off_board_(name: Name, reason: Reason, by: By = "", as_json: Json = False) -> None:
    """Let a partner leave: it is told nothing more and not let in. This frees nothing: numbers wait for what it left
    unanswered until you waive it."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        partner = named(act.tx, name)
        off_board(act, partner, reason=reason)
    say = (f"✓ {partner.name} has left, and gets no more notices\n"
           "  Numbers wait for what it left unanswered; see `huanxin gate`, and `huanxin gate waive`.")  # fmt: skip
    done(as_json, {"name": partner.name, "client_id": partner.client_id}, say)


@app.command("stream")
def stream_(
    name: Annotated[str, typer.Argument(help="The partner's name or client_id.")],
    status: Annotated[Status | None, typer.Option(help="Give its stream this status, and tell it so.")] = None,
    reason: Annotated[str, typer.Option(help="Why; the partner is told.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Show a partner's stream; with --status enable, pause or disable it."""
    with platform() as (opened, _):
        if status is not None:
            with opened.act(by or me()) as act:
                set_status(act, named(act.tx, name), status=status, reason=reason)
        with opened.read() as seen:
            partner = named(seen.tx, name)
            found = streams.of_partner(seen.tx, partner.id)
        if found is None:
            raise NotFound(f"{partner.name} has no stream; it creates one at {opened.issuer}/ssf/streams")
        facts = configuration(found, issuer=opened.issuer, audience=partner.client_id)
    rows = table("", "")
    for what, value in (("stream", found.id), ("status", found.status), ("reason", found.status_reason),
                        ("told by", found.endpoint or found.method), ("signed with", found.alg),
                        ("events", "\n".join(found.events_delivered))):  # fmt: skip
        rows.add_row(what, value)
    done(as_json, {"name": partner.name, "status": found.status, "reason": found.status_reason} | facts, rows)


@app.command()
def keys(
    name: Annotated[str, typer.Argument(help="The partner's name or client_id.")],
    jwks: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Its public keys, a JWKS (RFC 7517).")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Register the public keys with which a partner signs its assertions (private_key_jwt), in place of those before."""
    with platform() as (opened, _), opened.act(by or me(), sure=True) as act:
        partner = named(act.tx, name)
        try:
            content = read_json(jwks.read_bytes())
        except ValueError as error:
            raise BadInput(f"{jwks} can't be read as JSON") from error
        if not isinstance(content, dict):
            raise BadInput(f'{jwks} is not a JWKS; it has the form {{"keys": [...]}}')
        kids = register_keys(act, partner, content)
    done(as_json, {"name": partner.name, "kids": kids}, f"✓ {partner.name} may sign with {', '.join(kids)}")
