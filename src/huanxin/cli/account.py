"""`huanxin partner accounts`, `admit` and `selftest`: companies that connect by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.text import Text

from huanxin.cli.console import EXIT_REFUSED, By, Json, at_home, done, err, explained, me, table
from huanxin.cli.partner import app
from huanxin.connect.todo import what_to_do
from huanxin.domain.accounts import Known, RunState, checklist, state
from huanxin.notify import files
from huanxin.notify.partners import named
from huanxin.onboarding.accounts import Onboarding, open_onboarding
from huanxin.onboarding.selftest import Played
from huanxin.terminal import led
from huanxin_partner.rehearsal.run import ScenarioResult
from huanxin_partner.rehearsal.words import SCENARIOS

_MARKS = {"passed": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}
Name = Annotated[str, typer.Argument(help="The account's name or id.")]


@contextmanager
def _onboarding() -> Iterator[Onboarding]:
    with explained(), open_onboarding(at_home()) as opened:
        yield opened


@app.command()
def accounts(as_json: Json = False) -> None:
    """Every account: how far it is, and what it has to do next."""
    with _onboarding() as opened:
        found, now = opened.everyone(), opened.live.now()
    rows = table("account", "kind", "domain", "state", "#steps", "next")
    facts = []
    for known in found:
        account, items = known.account, checklist(known, now)
        ready = sum(item.done for item in items)
        todo = next((f"{item.step}: {what_to_do(item)}" for item in items if not item.done), "")
        rows.add_row(account.name, account.kind, account.domain, state(known), f"{ready} of {len(items)}", todo)
        facts.append(_facts(known) | {"next": todo, "checklist": {item.step.value: item.done for item in items}})
    done(as_json, {"accounts": facts}, rows if found else "No company has registered yet.")


def _facts(known: Known) -> dict[str, object]:
    account = known.account
    return {"account": account.id, "name": account.name, "kind": account.kind.value, "domain": account.domain,
            "state": state(known)}  # fmt: skip


@app.command()
def admit(
    name: Name,
    required: Annotated[bool, typer.Option("--required/--optional", help="Whether numbers wait for its answers.")] = True,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Let an account go live. A required partner can hold back every release, and every partner sees each renewed number, so
    a person decides."""
    with _onboarding() as opened:
        account = opened.named(name)
        opened.admit(account, required=required, by=by or me())
    facts = {"account": account.id, "name": account.name, "required": required}
    how = "required" if required else "optional"
    done(as_json, facts, f"✓ {account.name} ({account.domain}) may go live; its answers will be {how}")


@app.command()
def selftest(name: Name, by: By = "", as_json: Json = False) -> None:
    """Drive an account's endpoint in the sandbox with made-up numbers. `huanxin serve` has to run, since its partner
    fetches the numbers and files receipts there."""
    with _onboarding() as opened:
        account = opened.named(name)
        with err.status(Text(f"演练 rehearsal with {account.name}")) as status:

            def progress(code: str, result: ScenarioResult | None) -> None:
                if result is None:
                    status.update(f"演练 rehearsal: {SCENARIOS[code].en}")
                else:
                    _say(result)

            played = opened.selftests.play(account, by=by or me(), progress=progress)
    counts = {mark: sum(one.state == mark for one in played.results) for mark in _MARKS}
    done(as_json, _played(played), f"{played.state}: " + ", ".join(f"{count} {mark}" for mark, count in counts.items()))
    if played.state is not RunState.PASSED:
        raise typer.Exit(EXIT_REFUSED)


def _say(result: ScenarioResult) -> None:
    err.print(led(*_MARKS[result.state], f" {result.title.en} ({result.seconds:.1f} s): {result.seen.en}"))
    if result.mend:
        err.print(f"    {result.how.en}")


def _played(played: Played) -> dict[str, object]:
    scenarios = [
        {"scenario": one.code, "state": one.state, "seconds": round(one.seconds, 3), "seen": one.seen.en, "mend": one.mend}
        for one in played.results
    ]
    return {"run": played.run, "state": played.state.value, "scenarios": scenarios}


Reason = Annotated[str, typer.Option(help="Why; it is recorded, and the company is told.")]


@app.command()
def withdraw(name: Name, reason: Reason, by: By = "", as_json: Json = False) -> None:
    """Take an admission back: the company is sent nothing more and not let in. What it has to answer stays open until you
    waive it; it may be admitted again, and then gets new credentials."""
    with _onboarding() as opened:
        account = opened.named(name)
        opened.withdraw(account, reason=reason, by=by or me())
    facts = {"account": account.id, "name": account.name, "reason": reason}
    say = (f"✓ {account.name} is not admitted any more, and gets no more notices\n"
           "  Numbers wait for what it left unanswered; see `huanxin gate`, and `huanxin gate waive`.")  # fmt: skip
    done(as_json, facts, say)


@app.command()
def free_name(name: Name, reason: Reason, by: By = "", as_json: Json = False) -> None:
    """Close an account that is not admitted, so that another company can register under its name."""
    with _onboarding() as opened:
        account = opened.named(name)
        opened.free_name(account, reason=reason, by=by or me())
    facts = {"account": account.id, "name": account.name, "reason": reason}
    done(as_json, facts, f"✓ {account.name} is closed; the name is free")


@app.command("files")
def use_files(
    name: Name,
    out: Annotated[str, typer.Option(help="Notices are written to this folder: a directory, sftp:// or s3://.")],
    into: Annotated[str, typer.Option("--in", help="Receipts are read from this folder.")],
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="In the sandbox, for the self-test.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Exchange files with a company from now on, in the sandbox or live, each with folders of its own."""
    with _onboarding() as opened:
        if rehearsal:
            opened.use_files(opened.named(name), out=out, into=into, by=by or me())
        else:
            with opened.live.act(by or me()) as act:
                files.use_files(act, named(act.tx, name).id, out=out, into=into)
    facts = {"name": name, "out": out, "in": into, "rehearsal": rehearsal}
    done(as_json, facts, f"✓ {name} is told in {out} and answers in {into}")
