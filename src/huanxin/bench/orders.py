"""`huanxin bench orders`: owners click, partners' servers answer, all of it over HTTP and on disk.

First as many orders as there are, at once: orders and outcomes a second. Then clicks at an even pace of a tenth of the
aim: the time from a click to the last partner's recorded answer. The processor seconds of each part are told too, since they
stay the same when the machine does other work.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from rich.table import Table

from huanxin.acts import Platform, open_platform
from huanxin.acts.reports import take_report
from huanxin.bench import data
from huanxin.bench.processes import cpu_seconds, free_port, running
from huanxin.bench.shops import make_accounts, outcome_of
from huanxin.domain.numbers import written
from huanxin.domain.partners import Kind, NewPartner
from huanxin.domain.rules import random_id
from huanxin.notify.partners import add_partner
from huanxin.settings import Settings
from huanxin.store.request import requests
from huanxin.terminal import Terminal

SEED = 2
PACE = 2.5  # orders a second in the second part: 150 outcomes a second with 60 partners
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_DAYS = 30  # over which the openings lie
_PROCESSES = 2  # of partners' servers
_PHONES = 4  # that click at the same time
_LOOK = 0.05  # seconds between two looks for orders that are done
_PATIENCE = 300.0  # seconds


@dataclass(frozen=True, kw_only=True)
class WayTimed:
    """What came of one way of telling partners. Rates are per second, times in seconds; `cpu` and `paced_cpu` are processor
    milliseconds per outcome of the two parts, by what took them; `load` is the machine's load average before it began."""

    way: str
    partners: int
    orders: int
    orders_per_second: float
    outcomes_per_second: float
    cpu: dict[str, float]
    paced: int
    click_to_last: dict[str, float]
    paced_cpu: dict[str, float]
    load: float


@dataclass(kw_only=True)
class World:
    """A served platform with partners' servers, and numbers with new owners who are signed in, ready to click."""

    platform: Platform
    url: str
    numbers: list[int]
    partner_ids: list[int]
    pids: dict[str, list[int]]
    phones: list[httpx.Client] = field(default_factory=list)


def run_orders(*, orders: int, paced: int, partners: int, ways: Sequence[str], as_json: bool) -> list[WayTimed]:
    """Measure each way in a world of its own, and print it."""
    err = Terminal(stderr=True)
    results = []
    for way in ways:
        err.print(f"{orders:,} orders at once, then {paced:,} at {PACE} a second, to {partners} partners: {way} ...")
        folder = Path(tempfile.mkdtemp(prefix="huanxin-bench-"))
        load = os.getloadavg()[0]
        try:
            with _world(folder, numbers=orders + paced, partners=partners, way=way) as world:
                results.append(_measured(world, way, orders, load))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    _print(Terminal(stderr=as_json), results)
    if as_json:
        print(json.dumps({"ways": [asdict(one) for one in results]}))
    return results


def _measured(world: World, way: str, orders: int, load: float) -> WayTimed:
    partners, total = len(world.partner_ids), len(world.numbers)
    spent, start = _spent(world), time.monotonic()
    with ThreadPoolExecutor(_PHONES) as clicking:
        for _ in clicking.map(lambda place: _click(world, place), range(orders)):
            pass
    clicked = time.monotonic() - start
    seen = _wait(world, orders)
    seconds = max(seen.values()) - start
    cpu = _per_outcome(spent, spent := _spent(world), orders * partners)
    times = _paced(world, range(orders, total), known=set(seen)) if total > orders else [0.0]
    paced_cpu = _per_outcome(spent, _spent(world), max(1, total - orders) * partners)
    _check(world)
    return WayTimed(
        way=way, partners=partners, orders=orders, orders_per_second=round(orders / clicked, 1),
        outcomes_per_second=round(orders * partners / seconds, 1), cpu=cpu, paced=total - orders, paced_cpu=paced_cpu,
        click_to_last={f"p{share}": round(float(np.percentile(times, share)), 2) for share in (50, 95, 100)}, load=load,
    )  # fmt: skip


def _spent(world: World) -> dict[str, float]:
    """Processor seconds that each part has taken so far."""
    return {name: cpu_seconds(pids) for name, pids in world.pids.items()}


def _per_outcome(before: dict[str, float], after: dict[str, float], outcomes: int) -> dict[str, float]:
    """Processor milliseconds that each part took for an outcome, and all together."""
    spent = {name: round(1000 * (after[name] - before[name]) / outcomes, 2) for name in after}
    return spent | {"all": round(sum(spent.values()), 2)}


def _click(world: World, place: int) -> str:
    """The one click; the order that it made."""
    form = {"p": [str(one) for one in world.partner_ids], "consent": "yes"}
    answer = world.phones[place].post("/renew/order", data=form)
    where = str(answer.headers.get("location", ""))
    if answer.status_code != httpx.codes.SEE_OTHER or not where.startswith("/renew/orders/"):
        raise AssertionError(f"the order was not taken: {answer.status_code} {where}")
    return where.rpartition("/")[2]


def _wait(world: World, count: int, seen: dict[str, float] | None = None) -> dict[str, float]:
    """When each of so many orders was seen to be done, once all are: committed, as another process reads it."""
    found, ends = {} if seen is None else seen, time.monotonic() + _PATIENCE
    while len(found) < count:
        with world.platform.read() as reading:
            done = requests.all_done(reading.tx)
        now = time.monotonic()
        for one in done:
            found.setdefault(one, now)
        if now > ends:
            raise AssertionError(f"{count - len(found)} of {count} orders were not answered within {_PATIENCE:.0f} s")
        time.sleep(_LOOK)
    return found


def _paced(world: World, places: range, known: set[str]) -> list[float]:
    """Click at an even pace, whether or not answers have come; seconds from each click to the last answer."""
    seen = dict.fromkeys(known, 0.0)
    clicks: dict[str, float] = {}
    watching = threading.Thread(target=_wait, args=(world, len(known) + len(places), seen))
    watching.start()
    start = time.monotonic()

    def click(turn: int) -> None:
        time.sleep(max(0.0, start + turn / PACE - time.monotonic()))
        due = start + turn / PACE  # counted from when they would have clicked, also if we come late
        clicks[_click(world, places[turn])] = due

    with ThreadPoolExecutor(_PHONES) as clicking:
        list(clicking.map(click, range(len(places))))
    watching.join()
    return [seen[order] - at for order, at in clicks.items()]


def _check(world: World) -> None:
    """Every partner answered every order once, and as its accounts say."""
    with world.platform.read() as seen:
        counted = requests.outcomes(seen.tx)
    pairs = ((partner, number) for partner in range(len(world.partner_ids)) for number in range(len(world.numbers)))
    expected = Counter(outcome_of(partner, number) for partner, number in pairs)
    if counted != expected:
        raise AssertionError(f"the outcomes are not what the accounts say: {counted}, expected {dict(expected)}")


@contextmanager
def _world(folder: Path, *, numbers: int, partners: int, way: str) -> Iterator[World]:
    key = ECKey.generate_key("P-256", {"kid": "carrier"}, private=True)
    (folder / "carrier.json").write_text(json.dumps(KeySet([key]).as_dict(private=False)), encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(home=folder / "home", database_url=None, issuer=url, handover={"cmcc": str(folder / "carrier.json")})
    environment = {"HUANXIN_HOME": str(settings.home), "HUANXIN_ISSUER": url,
                   "HUANXIN_HANDOVER": json.dumps(settings.handover)}  # fmt: skip
    with open_platform(settings) as platform, ExitStack() as running_now:
        opened = _numbers(platform, folder, numbers)
        ports = [free_port() for _ in range(_PROCESSES)]
        shops, ids = _shops(platform, folder, opened, partners, ports if way == "push" else None)

        def run(name: str, module: str, *given: str, at: str | None) -> int:
            return running_now.enter_context(
                running(module, *given, environment=environment, url=at, log=folder / f"{name}.log")
            ).pid

        serve = run("serve", "huanxin.cli.main", "serve", "--port", str(port), "--no-workers", at=url)
        worker = run("worker", "huanxin.cli.main", "worker", at=None)
        pids = {"serve": [serve], "worker": [worker], "partners": [], "postgres": [_postmaster(settings)]}
        for index, one in enumerate(ports):
            file = folder / f"shops-{index}.json"
            file.write_text(json.dumps(shops[index::_PROCESSES]), encoding="utf-8")
            pids["partners"].append(run(f"shops-{index}", "huanxin.bench.shops", "--shops", str(file), "--port", str(one),
                                        at=f"http://127.0.0.1:{one}"))  # fmt: skip
        world = World(platform=platform, url=url, numbers=list(opened), partner_ids=ids, pids=pids)
        tls = httpx.create_ssl_context()  # read once for all phones: that takes a third of a second
        for number in opened:
            world.phones.append(_signed_in(url, number, key, tls))
            running_now.callback(world.phones[-1].close)
        yield world


def _numbers(platform: Platform, folder: Path, count: int) -> dict[int, datetime]:
    """Numbers that were sold again within the last month, with the day of it, as a carrier reports them."""
    found = data.due_numbers(platform.plan, count, SEED).tolist()
    today = platform.plan.carriers["cmcc"].today(platform.now())
    opened = {number: _midnight(today - timedelta(days=2 + place % _DAYS)) for place, number in enumerate(found)}
    lines = ["number,event,at"]
    for number, at in opened.items():
        past = ((900, "opened"), (200, "cancelled"), (0, "opened"))
        lines += [f"{written(number)},{event},{(at - timedelta(days=days)).isoformat()}" for days, event in past]
    (folder / "report.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    with platform.act("bench") as act:
        take_report(act, folder / "report.csv", carrier="cmcc")
    return opened


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_SHANGHAI)


def _shops(
    platform: Platform, folder: Path, opened: dict[int, datetime], partners: int, ports: list[int] | None
) -> tuple[list[dict[str, object]], list[int]]:
    """Register partners, pushed to at these ports or polling, and make their accounts; what their processes are told."""
    numbers = [(written(number), at) for number, at in opened.items()]
    shops: list[dict[str, object]] = []
    ids = []
    for index in range(partners):
        client_id = random_id("pc")
        endpoint = f"http://127.0.0.1:{ports[index % len(ports)]}/{client_id}/events/" if ports else None
        with platform.act("bench") as act:
            made = add_partner(
                act, NewPartner(name=f"partner {index}", kind=Kind.APP, endpoint=endpoint), https_only=False,
                new_id=partial(_named, client_id),
            )  # fmt: skip
        make_accounts(folder / f"partner-{index}.db", index, numbers)
        shops.append({"issuer": platform.issuer, "client_id": client_id, "secret": made.client_secret,
                      "accounts": str(folder / f"partner-{index}.db"), "polls": endpoint is None})  # fmt: skip
        ids.append(made.partner.id)
    return shops, ids


def _named(client_id: str, kind: str) -> str:
    """New ids, but for the client's own, which its endpoint names."""
    return client_id if kind == "pc" else random_id(kind)


def _signed_in(url: str, number: int, key: ECKey, tls: ssl.SSLContext) -> httpx.Client:
    """A phone whose owner a carrier's app has handed over."""
    now = int(time.time())
    token = jwt.encode({"alg": "ES256", "kid": "carrier"}, {
        "iss": "cmcc", "aud": url, "phone_number": written(number), "iat": now, "exp": now + 60, "jti": random_id("ho"),
    }, key)  # fmt: skip
    phone = httpx.Client(base_url=url, timeout=60, verify=tls)
    phone.post("/renew/enter", data={"token": token, "to": "renew"})
    return phone


def _postmaster(settings: Settings) -> int:
    return int((settings.home.resolve() / "postgres" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])


def _print(out: Terminal, results: list[WayTimed]) -> None:
    table = Table(box=None, header_style="bold", title="One owner's orders, answered over HTTP", title_justify="left")
    for heading in ("way", "orders", "orders/s", "outcomes/s", "paced", "p50 s", "p95 s", "max s", "load"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for one in results:
        table.add_row(
            one.way, f"{one.orders} x {one.partners}", f"{one.orders_per_second:,.1f}", f"{one.outcomes_per_second:,.0f}",
            str(one.paced), *(f"{seconds:.2f}" for seconds in one.click_to_last.values()),
            f"{one.load:.1f}",
        )  # fmt: skip
    out.print(table)
    for one in results:
        for part, spent in (("at once", one.cpu), ("paced", one.paced_cpu)):
            words = ", ".join(f"{name} {taken:.2f}" for name, taken in spent.items())
            out.print(f"  {one.way}, {part}: processor ms per outcome: {words}")
