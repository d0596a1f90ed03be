"""`huanxin demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huanxin.cli.console import Json, explained
from huanxin.demo.run import Wishes, run_demo


def demo(
    numbers: Annotated[int, typer.Option(help="How many numbers the world has.", min=1000)] = 200_000,
    partners: Annotated[int, typer.Option(help="How many partner servers.", min=9, max=239)] = 12,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same world.")] = 1,
    reports: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Run on the reports in this folder.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Keep reports, release lists and partner databases here.")
    ] = None,
    serve_after: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the pages when done.")] = True,
    port: Annotated[
        int | None,
        typer.Option(
            help="The port of the platform; 0 takes a free one.",
            min=0,
            max=65535,
            show_default="8600 to serve the pages, else a free one",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make the world anew, even if --out holds it finished.")] = False,
    as_json: Json = False,
) -> None:
    """Make a world of carriers and partners and run the main job on it, with real servers over HTTP.

    A finished world that --out holds, made from the same, is opened again as it is.
    """
    with explained():
        run_demo(
            Wishes(
                numbers=numbers, partners=partners, seed=seed, reports=reports, out=folder, serve=serve_after,
                port=port if port is not None else 8600 if serve_after else 0,
                fresh=fresh, as_json=as_json,
            )
        )  # fmt: skip
