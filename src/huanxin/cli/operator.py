"""`huanxin operator`: the people who may sign in to the console."""

from __future__ import annotations

from typing import Annotated

import typer

from huanxin.access import people, tokens
from huanxin.cli.console import By, Json, done, me, platform, table
from huanxin.domain.operators import Operator
from huanxin.store.access import operators

app = typer.Typer(no_args_is_help=True)
Login = Annotated[str, typer.Argument(help="What the person signs in with.")]
Roles = Annotated[
    list[str], typer.Option("--role", help="operator, supervisor, desk, regulator or admin; again for another one.")
]


@app.command()
def add(
    login: Login,
    role: Roles,
    name: Annotated[str, typer.Option(help="The person's name, as pages show it.")] = "",
    carrier: Annotated[str | None, typer.Option(help="Whose numbers the person works with; else all carriers'.")] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Add a person, and print a first password once."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        made = people.add_operator(act, login=login, name=name, roles=role, carrier=carrier)
        password = people.first_password(act, login)
    _say_password(made, password, as_json)


@app.command()
def confirm(login: Login, by: By = "", as_json: Json = False) -> None:
    """Confirm who a person is, so that their right over waivers and releases begins; for the first two people only.

    Later ones are confirmed by one of those, at /console/approvals.
    """
    with platform() as (opened, _), opened.act(by or me()) as act:
        person = people.confirm_at_machine(act, login)
    done(as_json, _facts(person), f"✓ {login} is confirmed: {', '.join(sorted(person.roles))}")


@app.command()
def password(login: Login, by: By = "", as_json: Json = False) -> None:
    """Give a person a new first password; an authenticator that was lost is forgotten."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        made = people.first_password(act, login)
        person = people.named(act.tx, login)
    _say_password(person, made, as_json)


@app.command()
def token(
    login: Login,
    revoke: Annotated[bool, typer.Option("--revoke", help="End every token of this person instead.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Print a bearer token once, with which a shop's own software acts for this person."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        if revoke:
            ended = tokens.end_tokens(act, login)
            done(as_json, {"login": login, "ended": ended}, f"✓ tokens of {login} that are good no more: {ended}")
            return
        made = tokens.make_token(act, login)
    text = f"✓ {login} is who this token acts for; it is shown this once: {made}"
    done(as_json, {"login": login, "token": made}, text)


@app.command()
def roles(login: Login, role: Roles, by: By = "", as_json: Json = False) -> None:
    """Give a person these roles and no others."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        person = people.set_roles(act, login, role)
    done(as_json, _facts(person), f"✓ {login}: {', '.join(sorted(person.roles))}")


@app.command()
def disable(login: Login, by: By = "", as_json: Json = False) -> None:
    """Lock a person out at once, in every browser."""
    _enable(login, False, by, as_json)


@app.command()
def enable(login: Login, by: By = "", as_json: Json = False) -> None:
    """Let a person in again."""
    _enable(login, True, by, as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Everybody, with roles."""
    with platform() as (opened, _), opened.read() as seen:
        found = operators.everyone(seen.tx)
    rows = table("login", "name", "carrier", "roles", "")
    for one in found:
        state = "to be confirmed" if one.waits else "" if one.enabled else "locked out"
        rows.add_row(one.login, one.name, one.carrier or "all", ", ".join(sorted(one.roles)), state)
    nobody = "Nobody yet. `huanxin operator add admin --role admin` makes the first."
    done(as_json, {"operators": [_facts(one) for one in found]}, rows if found else nobody)


def _enable(login: str, enabled: bool, by: str, as_json: bool) -> None:
    with platform() as (opened, _), opened.act(by or me()) as act:
        person = people.set_enabled(act, login, enabled)
    done(as_json, _facts(person), f"✓ {login} {'may sign in again' if enabled else 'is locked out'}")


def _say_password(person: Operator, password: str, as_json: bool) -> None:
    text = f"✓ {person.login} signs in at /console with the first password {password}, and chooses another"
    if person.waits:
        text += f". Waivers and releases begin once `huanxin operator confirm {person.login}`, or another person, says so"
    done(as_json, _facts(person) | {"password": password}, text)


def _facts(person: Operator) -> dict[str, object]:
    return {"login": person.login, "name": person.name, "carrier": person.carrier, "roles": sorted(person.roles),
            "enabled": person.enabled, "waits": person.waits}  # fmt: skip
