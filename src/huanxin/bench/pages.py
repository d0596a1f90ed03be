"""`huanxin bench pages`: every page at size, asked of the real server in a process of its own."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from huanxin.access import people
from huanxin.bench import country
from huanxin.bench.receipts import server
from huanxin.domain.numbers import written
from huanxin.domain.operators import Role
from huanxin.operations import Platform, open_platform, summaries
from huanxin.settings import Settings
from huanxin.store import batches, figures

SEED, TIMES = 1, 5
PAGE_MS, SEARCH_MS = 300, 50
"""What is promised (issue 5): a page at the server, and the search for a number."""
_ENOUGH = 20_000.0  # ms, after which a page need not be asked for again
PUBLIC = ("/", "/watch", "/renew", "/batches/1")
CONSOLE = ("/console/pool", "/console/reports", "/console/batches", "/console/batches/1", "/console/approvals",
           "/console/holds", "/console/planner", "/console/watch", "/console/desk", "/console/breaches", "/console/people",
           "/console/audit")  # fmt: skip
_LOGIN, _PASSWORD = "bench", "seven swallows over a quiet harbour"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One page: the status of its answer, kB, the milliseconds each time that it was asked for, and the `most` promised."""

    name: str
    status: int
    kb: float
    ms: tuple[float, ...]
    most: int

    @property
    def there(self) -> bool:
        return self.status not in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)

    @property
    def remark(self) -> str:
        if not self.there:
            return "not there"
        if self.status >= httpx.codes.BAD_REQUEST:
            return f"answered {self.status}"
        over = sum(ms > self.most for ms in self.ms)
        return f"over {self.most} ms, {over} of {len(self.ms)} times" if over else ""


def run_pages(*, weeks: int, numbers: int, partners: int, home: Path | None, as_json: bool) -> None:
    """Make the store (or open the one that `home` holds), count the summaries, ask for every page, print what each took."""
    err = Console(stderr=True)
    folder = home or Path(tempfile.mkdtemp(prefix="huanxin-bench-"))
    try:
        settings = Settings(home=folder, database_url=None)
        with open_platform(settings) as platform:
            made, counted, size = _prepared(platform, weeks, numbers, partners, err)
            asked = _ask(platform, settings)
    finally:
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)
    out = Console(stderr=as_json)
    _print(out, asked, f"{weeks} batches of {numbers:,} numbers, {partners} partners; {size / 1e6:,.0f} MB")
    out.print(f"The store was made in {made:.1f} s, the summaries in {counted:.1f} s.", highlight=False)
    if as_json:
        print(json.dumps({
            "batches": weeks, "numbers": numbers, "partners": partners, "store_mb": round(size / 1e6),
            "store_seconds": round(made, 1), "summaries_seconds": round(counted, 1),
            "pages": [{"page": one.name, "status": one.status, "kb": round(one.kb, 1), "ms": [round(ms, 1) for ms in one.ms]}
                      for one in asked],
        }))  # fmt: skip


def _prepared(platform: Platform, weeks: int, numbers: int, partners: int, err: Console) -> tuple[float, float, int]:
    """(seconds to make the store, 0 if it was there; seconds to make the summaries; bytes)."""
    start = time.perf_counter()
    with platform.database.transaction() as tx:
        there = bool(batches.all_batches(tx))
    if not there:
        country.make(platform, weeks=weeks, numbers=numbers, partners=partners, seed=SEED,
                     say=lambda what: err.print(what, highlight=False))  # fmt: skip
        _add_operator(platform)
    made = time.perf_counter() - start if not there else 0.0
    err.print("summaries ...")
    start = time.perf_counter()
    with platform.database.transaction() as tx:
        summaries.refresh(tx, platform)
        size = figures.bytes_on_disk(tx)
    return made, time.perf_counter() - start, size


def _add_operator(platform: Platform) -> None:
    with platform.database.transaction() as tx:
        person = people.add_operator(tx, login=_LOGIN, name=_LOGIN, roles=list(Role), carrier=None, plan=platform.plan,
                                     now=platform.now(), by="bench")  # fmt: skip
        people.own_password(tx, person, _PASSWORD, now=platform.now())


def _ask(platform: Platform, settings: Settings) -> list[Asked]:
    with platform.database.transaction() as tx:
        numbers = batches.numbers_of(tx, 1).numbers()
    some = [written(int(number)) for number in numbers[:: len(numbers) // TIMES][:TIMES]]
    with (
        server(settings) as (_, url),
        httpx.Client(base_url=url, timeout=120, headers={"Accept": "text/html", "Accept-Language": "zh"}) as client,
    ):
        found = [_timed(page, PAGE_MS, partial(_page, client, page)) for page in PUBLIC]
        entered = client.post("/console/sign-in", data={"login": _LOGIN, "password": _PASSWORD})
        if entered.status_code != httpx.codes.SEE_OTHER:
            raise AssertionError(f"the operator could not sign in: {entered.status_code}")
        found += [_timed(page, PAGE_MS, partial(_page, client, page)) for page in CONSOLE]
        for name, most, page, field in (
            ("search /console/numbers", SEARCH_MS, "/console/numbers", "number"),
            ("look up /console/desk", PAGE_MS, "/console/desk", "numbers"),
        ):
            found.append(_timed(name, most, partial(_look_up, client, page, field, some)))
    return found


def _page(client: httpx.Client, page: str, _: int) -> httpx.Response:
    return client.get(page)


def _look_up(client: httpx.Client, page: str, field: str, numbers: list[str], turn: int) -> httpx.Response:
    return client.post(page, data={field: numbers[turn], "purpose": "bench"})


def _timed(name: str, most: int, ask: Callable[[int], httpx.Response]) -> Asked:
    took, answer = [], None
    for turn in range(TIMES):
        start = time.perf_counter()
        try:
            answer = ask(turn)
        except httpx.TransportError:  # the server hangs up after an error of its own
            answer = ask(turn)
        took.append((time.perf_counter() - start) * 1000)
        if answer.status_code >= httpx.codes.BAD_REQUEST or sum(took) > _ENOUGH:
            break
    assert answer is not None
    return Asked(name=name, status=answer.status_code, kb=len(answer.content) / 1000, ms=tuple(took), most=most)


def _print(out: Console, asked: list[Asked], title: str) -> None:
    table = Table(box=None, header_style="bold", title=f"Pages, asked {TIMES} times each: {title}", title_justify="left")
    for heading in ("page", "status", "kB", "min ms", "median ms", "max ms", "first ms", ""):
        table.add_column(heading, justify="left" if heading in ("page", "") else "right")
    for one in asked:
        times = (min(one.ms), statistics.median(one.ms), max(one.ms), one.ms[0])
        told = [f"{ms:.0f}" if one.there else "" for ms in times]
        table.add_row(one.name, str(one.status), f"{one.kb:.1f}", *told, one.remark)
    out.print(table)
