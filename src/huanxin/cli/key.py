"""`huanxin key`: the platform's own signing keys."""

from __future__ import annotations

from typing import Annotated

import typer

from huanxin.acts import open_platform
from huanxin.cli.console import Json, done, me, platform, table
from huanxin.onboarding.opening import open_signer
from huanxin.signing.keys import PUBLISHED_BEFORE, rotate, withdraw

app = typer.Typer(no_args_is_help=True)


@app.command("rotate")
def rotate_(as_json: Json = False) -> None:
    """Make new signing keys: published now, signing a while later; the old ones stay published for a year."""
    with platform() as (opened, settings), open_platform(settings, sandbox=True) as sandbox:
        made: dict[str, list[str]] = {}
        for name, one in (("live", opened), ("sandbox", sandbox)):
            open_signer(one, settings)
            with one.act(me(), sure=True) as act:
                made[name] = rotate(act.tx, passphrase=settings.passphrase(), now=act.now)
    minutes = int(PUBLISHED_BEFORE.total_seconds() // 60)
    done(as_json, made, f"✓ new keys {', '.join(made['live'])} are published; they sign in {minutes} minutes")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The platform's published keys, the newest first."""
    with platform() as (opened, settings):
        keys = open_signer(opened, settings).keys()
    rows = table("kid", "algorithm", "signs from")
    for one in keys:
        rows.add_row(one.kid, one.alg, f"{one.signs_from:%Y-%m-%d %H:%M} UTC")
    done(as_json, {"keys": [{"kid": one.kid, "alg": one.alg, "signs_from": one.signs_from} for one in keys]}, rows)


@app.command("withdraw")
def withdraw_(kid: Annotated[str, typer.Argument(help="As `huanxin key list` shows it.")], as_json: Json = False) -> None:
    """Publish a key no more, since others may have seen it. Another signs at once; what this one signed is not verified
    any more, so owners have to be given new certificates for use offline."""
    with platform() as (opened, settings), opened.act(me(), sure=True) as act:
        new = withdraw(act.tx, kid, passphrase=settings.passphrase(), now=act.now)
    done(as_json, {"withdrawn": kid, "new": new}, f"✓ key {kid} is withdrawn" + (f"; {new} signs now" if new else ""))
