"""`huanxin bench pages`: every page at size, asked of the real server in a process of its own."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from huanxin.access import people
from huanxin.bench import country
from huanxin.bench.receipts import server
from huanxin.domain.answers import Purpose
from huanxin.domain.numbers import masked, written
from huanxin.domain.operators import Role
from huanxin.operations import Platform, open_platform, summaries
from huanxin.settings import Settings
from huanxin.store import batches, figures, partners

SEED, TIMES = 1, 5
PAGE_MS, SEARCH_MS = 300, 50
"""What is promised (issue 5): a page at the server, and the search for a number."""
_LOGIN, _PASSWORD = "bench", "seven swallows over a quiet harbour"
_SILENT = 40  # a partner that answers no batch (bench.country)
_ENOUGH = 20_000.0  # ms, after which a page need not be asked for again
PUBLIC = {"/": "号码换了主人", "/watch": "号码焕新公报", "/renew": "", "/batches": "批次", "/batches/1": "批次 1"}
CONSOLE = {
    "/console/batches": "批次", "/console/batches/1": "批次 1", "/console/batches/{last}": "批次 {last}",
    "/console/approvals": "审批", "/console/numbers": "查询号码", "/console/holds": "风险冻结", "/console/pool": "号码池",
    "/console/pool?prefix={prefix}": "号码池", "/console/reports": "报告", "/console/watch": "监管",
    "/console/planner": "如果规则不同", "/console/desk": "营业台", "/console/desk/records": "告知确认记录",
    "/console/breaches": "违规", "/console/people": "操作员", "/console/audit": "操作记录", "/console/me": _LOGIN,
}  # fmt: skip
"""What is asked for, and words of the heading that the page has then; none where it sends the browser on."""
Says = Callable[[int], str]
Ask = Callable[[int], httpx.Response]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One page: the status of its answer, kB, the milliseconds each time that it was asked for, the `most` promised, and
    whether it was the page that was meant (`right`)."""

    name: str
    status: int
    kb: float
    ms: tuple[float, ...]
    most: int
    right: bool = True

    @property
    def there(self) -> bool:
        return self.status not in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)

    @property
    def remark(self) -> str:
        if not self.there:
            return "not there"
        if self.status >= httpx.codes.BAD_REQUEST:
            return f"answered {self.status}"
        if not self.right:
            return "answered with another page"
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
            with server(settings) as (_, url), httpx.Client(base_url=url, timeout=120) as client:
                asked = ask_all(platform, client)
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
            "pages": [{"page": one.name, "status": one.status, "kb": round(one.kb, 1), "ms": [round(ms, 1) for ms in one.ms],
                       "remark": one.remark}
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
        add_operator(platform)
    made = time.perf_counter() - start if not there else 0.0
    err.print("summaries ...")
    start = time.perf_counter()
    with platform.database.transaction() as tx:
        summaries.refresh(tx, platform)
        size = figures.bytes_on_disk(tx)
    return made, time.perf_counter() - start, size


def add_operator(platform: Platform) -> None:
    """Let the benchmark in, with every role."""
    with platform.database.transaction() as tx:
        person = people.add_operator(tx, login=_LOGIN, name=_LOGIN, roles=list(Role), carrier=None, plan=platform.plan,
                                     now=platform.now(), by="bench")  # fmt: skip
        people.own_password(tx, person, _PASSWORD, now=platform.now())


def ask_all(platform: Platform, client: httpx.Client, times: int = TIMES) -> list[Asked]:
    """Every page and act, asked some times of a server with this platform's store."""
    with platform.database.transaction() as tx:
        numbers = batches.numbers_of(tx, 1).numbers()
        last, known = batches.all_batches(tx, Purpose.RENEWAL)[-1].id, partners.all_partners(tx)
    some = [written(int(number)) for number in numbers[:: len(numbers) // times][:times]]
    fill = {"last": last, "prefix": some[0][3:10], "silent": known[min(_SILENT, len(known)) - 1].id}
    client.headers.update({"Accept": "text/html", "Accept-Language": "zh"})
    found = [_page(client, address, says, fill, times) for address, says in PUBLIC.items()]
    entered = client.post("/console/sign-in", data={"login": _LOGIN, "password": _PASSWORD})
    if entered.status_code != httpx.codes.SEE_OTHER:
        raise AssertionError(f"the operator could not sign in: {entered.status_code}")
    found += [_page(client, address, says, fill, times) for address, says in CONSOLE.items()]
    return found + [_timed(name, most, says, ask, times) for name, most, says, ask in _acts(client, some, fill)]


def _page(client: httpx.Client, address: str, says: str, fill: Mapping[str, object], times: int) -> Asked:
    path = address.format(**fill)
    return _timed(path, PAGE_MS, lambda _: says.format(**fill), lambda _: client.get(path), times)


def _acts(client: httpx.Client, some: list[str], fill: Mapping[str, object]) -> Iterator[tuple[str, int, Says, Ask]]:
    """(name, milliseconds promised, what the page says, how it is asked for): look-ups, and what is done to a batch. What
    these record stays in a store that is kept."""
    batch = f"/console/batches/{fill['last']}"
    yield (
        "search a number", SEARCH_MS, lambda turn: masked(int(some[turn])),
        lambda turn: client.post("/console/numbers", data={"number": some[turn]}),
    )  # fmt: skip
    yield (
        "look up at the desk", PAGE_MS, lambda turn: some[turn],
        lambda turn: client.get("/console/desk", params={"numbers": some[turn]}),
    )  # fmt: skip
    yield (
        "next ten of a prefix", PAGE_MS, lambda _: f"+86{fill['prefix']}",
        lambda _: client.get("/console/desk", params={"prefix": str(fill["prefix"]), "grade": "BC"}),
    )  # fmt: skip
    yield "remind all of a batch", PAGE_MS, lambda _: "", lambda _: client.post(batch, data={"do": "remind"})
    yield (
        "propose a waiver", PAGE_MS, lambda _: "",
        lambda _: client.post(batch, data={"do": "waive", "partner": str(fill["silent"]), "reason": "bench"}),
    )  # fmt: skip


def _timed(name: str, most: int, says: Says, ask: Ask, times: int) -> Asked:
    took, right, answer = [], True, None
    for turn in range(times):
        start = time.perf_counter()
        try:
            answer = ask(turn)
        except httpx.TransportError:  # the server hangs up after an error of its own
            answer = ask(turn)
        took.append((time.perf_counter() - start) * 1000)
        right = right and says(turn) in answer.text
        if answer.status_code >= httpx.codes.BAD_REQUEST or sum(took) > _ENOUGH:
            break
    assert answer is not None
    return Asked(name=name, status=answer.status_code, kb=len(answer.content) / 1000, ms=tuple(took), most=most, right=right)


def _print(out: Console, asked: list[Asked], title: str) -> None:
    table = Table(box=None, header_style="bold", title=f"Pages, asked {TIMES} times each: {title}", title_justify="left")
    for heading in ("page", "status", "kB", "min ms", "median ms", "max ms", "first ms", ""):
        table.add_column(heading, justify="left" if heading in ("page", "") else "right", no_wrap=bool(heading))
    for one in asked:
        times = (min(one.ms), statistics.median(one.ms), max(one.ms), one.ms[0])
        told = [f"{ms:.0f}" if one.there else "" for ms in times]
        table.add_row(one.name, str(one.status), f"{one.kb:.1f}", *told, one.remark)
    out.print(table)
