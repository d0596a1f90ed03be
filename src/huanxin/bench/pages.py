"""`huanxin bench pages`: every page at size, asked of the real server in a process of its own."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from rich.table import Table

from huanxin.acts import Platform, open_platform
from huanxin.bench import country
from huanxin.bench.asking import TIMES, PageAsked, add_operators, ask_all
from huanxin.bench.receipts import server
from huanxin.figures import summaries
from huanxin.settings import Settings
from huanxin.store.plan import batches
from huanxin.store.server import sizes
from huanxin.terminal import Terminal

SEED = 1


def run_pages(*, weeks: int, numbers: int, partners: int, home: Path | None, as_json: bool) -> None:
    """Make the store (or open the one that `home` holds), count the summaries, ask for every page, print what each took."""
    err = Terminal(stderr=True)
    folder = home or Path(tempfile.mkdtemp(prefix="huanxin-bench-"))
    try:
        settings = Settings(home=folder, database_url=None)
        with open_platform(settings) as platform:
            made, counted, size = _prepared(platform, weeks, numbers, partners, err)
            with server(settings) as (_, url), httpx.Client(base_url=url, timeout=120) as client:
                asked = ask_all(platform, client)
    finally:
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)
    out = Terminal(stderr=as_json)
    _print(out, asked, f"{weeks} batches of {numbers:,} numbers, {partners} partners; {size / 1e6:,.0f} MB")
    out.print(f"The store was made in {made:.1f} s, the summaries in {counted:.1f} s.")
    if as_json:
        print(json.dumps({
            "batches": weeks, "numbers": numbers, "partners": partners, "store_mb": round(size / 1e6),
            "store_seconds": round(made, 1), "summaries_seconds": round(counted, 1),
            "pages": [{"page": one.name, "status": one.status, "kb": round(one.kb, 1), "ms": [round(ms, 1) for ms in one.ms],
                       "remark": one.remark}
                      for one in asked],
        }))  # fmt: skip


def _prepared(platform: Platform, weeks: int, numbers: int, partners: int, err: Terminal) -> tuple[float, float, int]:
    """(seconds to make the store, 0 if it was there; seconds to make the summaries; bytes)."""
    start = time.perf_counter()
    with platform.read() as seen:
        there = bool(batches.all_batches(seen.tx))
    if not there:
        country.make(platform, weeks=weeks, numbers=numbers, partners=partners, seed=SEED,
                     say=lambda what: err.print(what))  # fmt: skip
        add_operators(platform)
    made = time.perf_counter() - start if not there else 0.0
    err.print("summaries ...")
    start = time.perf_counter()
    with platform.act("bench") as act:
        summaries.refresh(act.tx, platform)
        size = sizes.bytes_on_disk(act.tx)
    return made, time.perf_counter() - start, size


def _print(out: Terminal, asked: list[PageAsked], title: str) -> None:
    table = Table(box=None, header_style="bold", title=f"Pages, asked {TIMES} times each: {title}", title_justify="left")
    for heading in ("page", "status", "kB", "min ms", "median ms", "max ms", "first ms", ""):
        table.add_column(heading, justify="left" if heading in ("page", "") else "right", no_wrap=bool(heading))
    for one in asked:
        times = (min(one.ms), statistics.median(one.ms), max(one.ms), one.ms[0])
        told = [f"{ms:.0f}" if one.there else "" for ms in times]
        table.add_row(one.name, str(one.status), f"{one.kb:.1f}", *told, one.remark)
    out.print(table)
