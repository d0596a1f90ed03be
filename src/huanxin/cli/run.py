"""`huanxin serve`, `worker`, `demo` and `bench`."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from huanxin.cli.console import Json, err, explained, platform
from huanxin.operations import open_platform

_LOG = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8600,
    workers: Annotated[bool, typer.Option(help="Deliver events from this process too.")] = True,
) -> None:
    """Run the API, the pages and workers in one go."""
    import uvicorn  # noqa: PLC0415  # heavy, and only this command needs it

    from huanxin.web.app import create_app  # noqa: PLC0415  # as above

    logging.basicConfig(level=logging.WARNING, format=_LOG)
    with platform() as (opened, settings), open_platform(settings, sandbox=True) as sandbox:
        app = create_app(opened, settings, sandbox=sandbox, run_workers=workers)
        err.print(f"Huanxin serves {opened.issuer} on http://{host}:{port} (Ctrl-C ends it)", highlight=False)
        uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)


def worker() -> None:
    """Run more workers on the same database, on any machine."""
    from huanxin.web.workers import make_workers  # noqa: PLC0415  # loads the web side, and only this command needs it

    logging.basicConfig(level=logging.INFO, format=_LOG)
    with platform() as (opened, settings), open_platform(settings, sandbox=True) as sandbox:
        running = [make_workers(one, settings) for one in (opened, sandbox)]
        for one in running:
            one.start()

        def stop(*_: object) -> None:
            for one in running:
                one.stop()

        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, stop)
        err.print(f"{settings.workers} workers deliver events (Ctrl-C ends them)")
        for one in running:
            one.wait()


def demo(
    numbers: Annotated[int, typer.Option(help="How many numbers the world has.", min=1000)] = 200_000,
    partners: Annotated[int, typer.Option(help="How many partner servers.", min=9, max=239)] = 12,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 1,
    reports: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Run on the reports in this folder.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Keep reports, release lists and partner databases here.")
    ] = None,
    serve_after: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the pages when done.")] = True,
    port: Annotated[int, typer.Option(help="The port of the platform.")] = 8600,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make the world anew, even if --out holds it finished.")] = False,
    as_json: Json = False,
) -> None:
    """Make a world of carriers and partners and run the main job on it, with real servers over HTTP.

    A finished world that --out holds, made from the same, is opened again as it is.
    """
    from huanxin.demo.run import Wishes, run_demo  # noqa: PLC0415  # as above

    with explained():
        run_demo(
            Wishes(
                numbers=numbers, partners=partners, seed=seed, reports=reports, out=folder, serve=serve_after, port=port,
                fresh=fresh, as_json=as_json,
            )
        )  # fmt: skip


bench_app = typer.Typer(help="Time the main job at size, the orders of owners, or the pages.", invoke_without_command=True)


@bench_app.callback()
def bench(
    context: typer.Context,
    numbers: Annotated[int, typer.Option(help="Numbers in the batch.")] = 1_000_000,
    partners: Annotated[int, typer.Option(help="Partners that answer.")] = 239,
    receipt_lines: Annotated[int, typer.Option(help="Lines of the one large receipt.", min=1)] = 10_000_000,
    as_json: Json = False,
) -> None:
    """Time the main job at size, beside two obvious builds on the same data."""
    if context.invoked_subcommand is not None:
        return
    from huanxin.bench.run import run_bench  # noqa: PLC0415  # as above

    with explained():
        run_bench(numbers=numbers, partners=partners, receipt_lines=receipt_lines, as_json=as_json)


@bench_app.command("orders")
def bench_orders(
    orders: Annotated[int, typer.Option(help="Orders that come at once.", min=1)] = 200,
    paced: Annotated[int, typer.Option(help="Orders that come at 2.5 a second after that.", min=0)] = 75,
    partners: Annotated[int, typer.Option(help="Partners that each order goes to.", min=1)] = 60,
    way: Annotated[str, typer.Option(help="How partners are told: push, poll or both.")] = "both",
    as_json: Json = False,
) -> None:
    """Time owners' orders from the click to the last partner's recorded answer, with real servers over HTTP."""
    from huanxin.bench.orders import run_orders  # noqa: PLC0415  # as above

    with explained():
        ways = ("push", "poll") if way == "both" else (way,)
        run_orders(orders=orders, paced=paced, partners=partners, ways=ways, as_json=as_json)


@bench_app.command("pages")
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
