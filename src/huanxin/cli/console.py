"""What every command shares: output for people and for programs, progress, errors as exit codes."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import psycopg
import typer
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from huanxin.acts import Platform, open_platform
from huanxin.domain.errors import BadInput, BadSetting, HuanxinError
from huanxin.settings import Settings, read_settings
from huanxin.settings.home import settle
from huanxin.store.database import explain_connection_error
from huanxin.store.one_clock import OneClock
from huanxin.terminal import NO_ROOM, Terminal, led

out = Terminal()
err = Terminal(stderr=True)
_SHOWN = 20

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of standard output.")]
By = Annotated[str, typer.Option("--by", help="Who orders this; it is recorded.", envvar="HUANXIN_OPERATOR")]
EXIT_REFUSED, EXIT_SETTING = 1, 3
LOG = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def me() -> str:
    """The name of the operating system's user: who orders something unless --by says otherwise."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


@contextmanager
def platform() -> Iterator[tuple[Platform, Settings]]:
    """The platform on the settings of the environment; errors end the program with a message and an exit code."""
    with explained():
        settings = at_home()
        with open_platform(settings) as opened:
            yield opened, settings


def at_home() -> Settings:
    """The settings of the environment, with a home that is there: one that is made now is told."""
    settings = read_settings()
    if made := settle(settings.home, chosen="home" in settings.model_fields_set):
        err.print(made, markup=False)
    return settings


def doubt(opened: Platform) -> str:
    """Why nothing may be decided by the clock, if so."""
    return str(opened.clock.doubt or "") if isinstance(opened.clock, OneClock) else ""


@contextmanager
def explained() -> Iterator[None]:
    """Errors that a person can mend, said_of to that person: exit code 1 refused, 3 a setting is wrong."""
    try:
        yield
    except BadInput as error:
        _refuse(str(error))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        for fault in error.kinds[:_SHOWN]:
            table.add_row(f"line {fault.line}" if fault.line else "", fault.reason)
        err.print(table)
        more = (error.total if error.kinds == error.faults else len(error.kinds)) - _SHOWN
        if more > 0:
            err.print(f"  … and {more:,} more")
        raise typer.Exit(EXIT_REFUSED) from error
    except BadSetting as error:
        _refuse(str(error))
        raise typer.Exit(EXIT_SETTING) from error
    except HuanxinError as error:
        _refuse(str(error))
        raise typer.Exit(EXIT_REFUSED) from error
    except (psycopg.OperationalError, psycopg.InternalError) as error:
        _refuse(str(explain_connection_error(error)))
        raise typer.Exit(EXIT_SETTING) from error
    except UnicodeEncodeError as error:
        _refuse("a text that was given is not UTF-8, so it can't be kept; type it anew")
        raise typer.Exit(EXIT_REFUSED) from error
    except BrokenPipeError:
        raise  # whoever reads us has had enough
    except OSError as error:
        _refuse(said_of(error))
        raise typer.Exit(EXIT_REFUSED) from error


def said_of(error: OSError) -> str:
    """The file that something could not be done with, and why."""
    reason = error.strerror or str(error)
    if error.errno in NO_ROOM:
        reason += "; make room, and order it again"
    return f"{error.filename}: {reason}" if error.filename else reason


def _refuse(text: str) -> None:
    err.print(led("✗", "bold red", f" {text}"))


def done(as_json: bool, facts: dict[str, Any], say: RenderableType) -> None:
    """End a command: a sentence or table for people, and with --json one object on the last line."""
    if not as_json:
        out.print(say)
        return
    err.print(say)
    print(json.dumps(facts, ensure_ascii=False, default=str))


@contextmanager
def progress(what: str) -> Iterator[Callable[[str, int], None]]:
    """A line on standard error that tells how far a long step is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[lines]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=None, lines="")
        yield lambda step, count: bar.update(task, description=f"{what}: {step}", lines=f"{count:,} lines" if count else "")


def table(*headings: str) -> Table:
    """An empty table; headings that start with # are right-aligned."""
    made = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        made.add_column(heading.lstrip("#"), justify="right" if heading.startswith("#") else "left", overflow="fold")
    return made
