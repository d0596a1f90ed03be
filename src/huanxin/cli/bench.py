"""`huanxin bench`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from huanxin.cli.console import Json, explained

app = typer.Typer(invoke_without_command=True)


class Way(StrEnum):
    """How partners are told of orders that are timed."""

    PUSH = "push"
    POLL = "poll"
    BOTH = "both"


@app.callback()
def bench(
    context: typer.Context,
    numbers: Annotated[int, typer.Option(help="Numbers in the batch.", min=1)] = 1_000_000,
    partners: Annotated[int, typer.Option(help="Partners that answer.", min=1)] = 239,
    receipt_lines: Annotated[int, typer.Option(help="Lines of the one large receipt.", min=1)] = 10_000_000,
    as_json: Json = False,
) -> None:
    """Time the main job at size, beside two obvious builds on the same data."""
    if context.invoked_subcommand is not None:
        return
    from huanxin.bench.run import run_bench  # noqa: PLC0415  # each of the three loads what the others don't need

    with explained():
        run_bench(numbers=numbers, partners=partners, receipt_lines=receipt_lines, as_json=as_json)


@app.command("orders")
def bench_orders(
    orders: Annotated[int, typer.Option(help="Orders that come at once.", min=1)] = 200,
    paced: Annotated[int, typer.Option(help="Orders that come at 2.5 a second after that.", min=0)] = 75,
    partners: Annotated[int, typer.Option(help="Partners that each order goes to.", min=1)] = 60,
    way: Annotated[Way, typer.Option(help="How partners are told: push, poll or both.")] = Way.BOTH,
    as_json: Json = False,
) -> None:
    """Time owners' orders from the click to the last partner's recorded answer, with real servers over HTTP."""
    from huanxin.bench.orders import run_orders  # noqa: PLC0415  # as above

    with explained():
        ways = ("push", "poll") if way is Way.BOTH else (way.value,)
        run_orders(orders=orders, paced=paced, partners=partners, ways=ways, as_json=as_json)


@app.command("pages")
def bench_pages(
    batches: Annotated[int, typer.Option(help="Batches in the store, one a week.", min=1, max=32)] = 25,
    numbers: Annotated[int, typer.Option(help="Numbers in each batch.", min=200)] = 1_000_000,
    partners: Annotated[int, typer.Option(help="Partners that answer.", min=1)] = 239,
    home: Annotated[Path | None, typer.Option(help="Keep the store here, and use it again if it is there.")] = None,
    as_json: Json = False,
) -> None:
    """Time every page over a large store, asked of a server in a process of its own."""
    from huanxin.bench.pages import run_pages  # noqa: PLC0415  # as above

    with explained():
        run_pages(weeks=batches, numbers=numbers, partners=partners, home=home, as_json=as_json)


@app.command("days")
def bench_days(
    marks: Annotated[str, typer.Option(help="After how many batches a day is looked at, with commas.")] = "10,50,200",
    numbers: Annotated[int, typer.Option(help="Numbers that are cancelled each day.", min=200)] = 20_000,
    partners: Annotated[int, typer.Option(help="Partners that answer.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Time a day after few batches and after many: report, plan, gate, release, sales."""
    from huanxin.bench.days import run_days  # noqa: PLC0415  # as above

    if not all(mark.strip().isdecimal() and int(mark) for mark in marks.split(",")):
        raise typer.BadParameter(f"{marks!r} is not a list of counts such as 10,50,200", param_hint="--marks")
    with explained():
        run_days(marks=sorted(int(mark) for mark in marks.split(",")), numbers=numbers, partners=partners, as_json=as_json)
