"""The command `huanxin`."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from huanxin.terminal import NO_ROOM, speak_on

_GROUPS = {
    "report": "Carriers' reports.",
    "allocation": "What carriers were allotted: the capacity of their pools.",
    "hold": "Authorities' holds on numbers.",
    "batch": "Batches of numbers that are renewed together.",
    "gate": "The gate: what keeps numbers from being released.",
    "partner": "Partners: whoever holds ties to numbers.",
    "order": "Owners' orders of single numbers.",
    "certificate": "Certificates (易主证明): that a number changed hands on a day.",
    "key": "The platform's signing keys.",
    "clock": "The clock by which everything is judged.",
    "operator": "The people who may sign in to the console.",
    "simulate": "What if the rules were others: simulations on a carrier's own history.",
    "bench": "Time the main job at size, the orders of owners, or the pages.",
}
_COMMANDS = {
    "release": "Record the release of every clear number, and write lists of what may be sold today: number,sellable_from.",
    "inventory": "Write what each carrier may sell, and what changed since it was written last.",
    "settings": "Print everything that can be set, its value, where that came from, and what it means.",
    "serve": "Run the API, the pages and workers in one go.",
    "worker": "Run more workers on the same database, on any machine.",
    "demo": "Make a world of carriers and partners and run the main job on it, with real servers over HTTP.",
}
_MODULES = {"partner": ("partner", "account"), "release": ("gate",), "report": ("report", "report_check")}
"""Of `huanxin.cli`, where it isn't the one of the command's own name."""


class _AsAsked(TyperGroup):
    """Loads a command's module once that command is asked for: all of them are most of the platform, and take as long."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name else None, rest


def _load(name: str) -> Any:
    modules = [import_module(f"huanxin.cli.{one}") for one in _MODULES.get(name, (name,))]
    made = typer.Typer(rich_markup_mode="rich")
    if name in _GROUPS:
        made.add_typer(modules[0].app, name=name, help=_GROUPS[name])
    else:
        made.command(name)(getattr(modules[0], name))
    return typer.main.get_group(made).commands[name]


def _to_be_loaded() -> None:
    """What stands in the list of commands until one is asked for."""


app = typer.Typer(
    cls=_AsAsked, name="huanxin", no_args_is_help=True, rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="号码焕新: renew phone numbers before they are sold again. "
    "report → plan → notify → answer → release → disclose.",
)  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        print(version("huanxin"))
        raise typer.Exit


@app.callback()
def _of_all(
    version_: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """号码焕新: renew phone numbers before they are sold again. report → plan → notify → answer → release → disclose."""


for _name, _help in (_COMMANDS | _GROUPS).items():
    app.command(_name, help=_help)(_to_be_loaded)


def main() -> None:
    """Run the command line. What a command has to say at its end it says, or the command fails: its caller would take
    silence for nothing done."""
    speak_on()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries once more, and complains itself
        print(f"huanxin: {error.strerror or error}: what came of it could not be written. It may be on record; look before "
              "you order it again", file=sys.stderr)  # fmt: skip
        sys.exit(1)


if __name__ == "__main__":
    main()
