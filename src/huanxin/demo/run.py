"""`huanxin demo`: a world of carriers and partners, the main job on it, and an audit of what came of it."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from huanxin.acts import Platform, open_platform
from huanxin.demo import staff
from huanxin.demo.audit import Audit, audit
from huanxin.demo.by_hand import Missed, leave_ties
from huanxin.demo.job import Job, Story
from huanxin.demo.kept import Kept, find, keep, made_from
from huanxin.demo.own_servers import serve_process, worker_process
from huanxin.demo.processes import Servers, free_port, is_free
from huanxin.demo.summary import Counted, print_summary
from huanxin.demo.world import WorldReports, load_reports, make_reports
from huanxin.demo.world_partners import partner_specs
from huanxin.domain.errors import BadInput, BadSetting
from huanxin.domain.numbers import masked, parse
from huanxin.settings import Mode, Settings
from huanxin.store.notify import notices
from huanxin.store.request import requests
from huanxin.store.server import sizes
from huanxin.terminal import Terminal, led
from huanxin.web.pages.report import write_report

_CHINA = ZoneInfo("Asia/Shanghai")
_MARK = ".huanxin-demo"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line asked for."""

    numbers: int
    partners: int
    seed: int
    reports: Path | None
    out: Path | None
    serve: bool
    port: int
    fresh: bool
    as_json: bool


def run_demo(wishes: Wishes) -> None:
    """Run the demo, or open the finished world that its folder holds; then serve until Ctrl-C, unless told not to."""
    gc.set_threshold(100_000)  # a world is a million small values that stay: looking through them took a tenth of the time
    err = Terminal(stderr=True)
    port = wishes.port or free_port()
    if not is_free(port):
        raise BadSetting(f"port {port} is in use, perhaps by a Huanxin that runs already; say another with --port")
    # The demo has a database of its own, whatever the environment says: it must never write to a real one.
    for name in [name for name in os.environ if name.startswith("HUANXIN_")]:
        del os.environ[name]
    if wishes.reports is not None:
        _reports(wishes.reports)  # before a finished world makes room
    wanted = made_from(numbers=wishes.numbers, partners=wishes.partners, seed=wishes.seed, reports=wishes.reports)
    with _folder(wishes, wanted) as (folder, kept):
        issuer = f"http://127.0.0.1:{port}"
        settings = Settings(home=folder / "home", issuer=issuer, mode=Mode.DEVELOPMENT, database_url=None)
        begun = time.perf_counter()
        with Servers() as servers, open_platform(settings, made_up=True) as platform:
            servers.add(serve_process(folder, port=port, issuer=issuer))
            servers.add(worker_process(folder, issuer=issuer))
            if kept is None:
                kept = _make(wishes, wanted, folder, platform, servers, err, begun)
                opened = None
            else:
                _open_again(kept, folder, issuer, servers)
                opened = f"{time.perf_counter() - begun:.1f} s"
            staff.hire(platform)
            missed = _missed(kept, folder, platform)
            _tell(wishes, kept, folder, opened, missed, err)
            if wishes.serve:
                err.print(missed.steps(issuer), soft_wrap=True)
                err.print(staff.steps(issuer), soft_wrap=True)
                err.print(led(issuer, "bold", " for people, /console and /report for operators (Ctrl-C ends it)"))
                _until_interrupted()


def _missed(kept: Kept, folder: Path, platform: Platform) -> Missed:
    """The number to try by hand: not the one that the summary tells of, and none that was tried before."""

    def ordered(number: str) -> bool:
        with platform.read() as seen:
            return bool(requests.of_number(seen.tx, parse(number)))

    told = kept.told["login"]["number"]
    return leave_ties(folder, kept.partners, spare=lambda one: masked(parse(one)) == told, ordered=ordered)


def _tell(wishes: Wishes, kept: Kept, folder: Path, opened: str | None, missed: Missed, err: Terminal) -> None:
    """Print what came of the world; of one that was opened again, when that was."""
    out = err if wishes.as_json else Terminal()
    print_summary(out, kept.told, folder / "report.html")
    if opened is not None:
        made = f"{kept.made_at.astimezone(_CHINA):%Y-%m-%d %H:%M} (China)"
        out.print(f"打开的是 {made} 做好的演示,上面是当时的结果;重做请加 --fresh")
        out.print(
            f"Opened again in {opened}: this world was made on {made}, and the figures above are of that run. "
            "--fresh makes it anew.",
        )
    if wishes.as_json:
        told = kept.told | {"made_at": kept.made_at.isoformat(), "reopened": opened is not None}
        told |= {"by_hand": {"number": missed.number, "app": missed.app}}
        print(json.dumps(told, ensure_ascii=False), flush=True)


def _open_again(kept: Kept, folder: Path, issuer: str, servers: Servers) -> None:
    """Start every partner's server on its database and the port that it is registered with."""
    taken = [f"{one.port} ({one.name})" for one in kept.partners if not is_free(one.port)]
    if taken:
        raise BadSetting(
            f"the partners of this world are registered with ports that are in use: {', '.join(taken)}. End what uses them, "
            "perhaps servers of an earlier demo that was killed, or make the world anew with --fresh"
        )
    for one in kept.partners:
        servers.add(one.server(folder, issuer=issuer))
    servers.wait_ready()


def _make(
    wishes: Wishes, wanted: dict[str, Any], folder: Path, platform: Platform, servers: Servers, err: Terminal, begun: float
) -> Kept:
    """Run the main job on a new world; once it is finished and its report is written, say so in its folder."""
    counted = _run(wishes, folder, platform, servers, err, begun)
    with platform.read() as seen:
        write_report(folder / "report.html", counted.report(seen.tx, seen.now.astimezone(_CHINA).date()))
    partners = tuple(one.process for one in counted.job.partners)
    kept = Kept(made_at=platform.now(), told=counted.json(), partners=partners)
    keep(folder, kept, wanted)
    return kept


def _run(wishes: Wishes, folder: Path, platform: Platform, servers: Servers, err: Terminal, begun: float) -> Counted:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), TimeElapsedColumn())
    with (
        Progress(*columns, console=err, transient=True) as bar,
        ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as builder,
        httpx.Client(timeout=30) as http,
    ):
        task = bar.add_task("world", total=1.0)

        def tell(what: str, share: float) -> None:
            bar.update(task, description=f"{what[:60]:<60}", completed=share)

        story = Story()
        with story.step("world"):
            world = _world(wishes, folder, platform)
        job = Job(platform=platform, world=world, folder=folder, servers=servers, story=story, tell=tell, builder=builder,
                  http=http)  # fmt: skip
        with story.step("partners"):
            job.add_partners(partner_specs(wishes.partners, wishes.seed))
        batch = _do(job)
        loaded, _ = job.gate(batch)
        tell("audit", 0.9)
        with story.step("audit"):
            result = _audit(job, loaded.batch.cutoff)
    with platform.read() as seen:
        size = sizes.bytes_on_disk(seen.tx)
    return Counted(job=job, loaded=loaded, audit=result, seconds=time.perf_counter() - begun, database_mb=size / 1e6)


def _do(job: Job) -> Any:
    """The six verbs, in order."""
    story = job.story
    with story.step("report"):
        job.import_reports()
    with story.step("wait for partners"):
        job.wait_for_partners()
    with story.step("plan"):
        batch = job.plan()
    job.log_in()
    with story.step("notify and answer"):
        job.send(batch)
        job.wait_for_answers(batch)
    with story.step("retract"):
        job.take_back(batch)
    with story.step("waive and release"):
        job.waive_silent(batch)
        job.release()
    with story.step("open again"):
        job.sell(batch)
    job.log_in()
    return batch


def _world(wishes: Wishes, folder: Path, platform: Platform) -> WorldReports:
    if wishes.reports is not None:
        return _reports(wishes.reports)
    today = platform.now().astimezone(_CHINA).date()
    try:
        return make_reports(folder / "reports", numbers=wishes.numbers, seed=wishes.seed, today=today)
    except ValueError as error:
        raise BadInput(str(error)) from error


def _reports(folder: Path) -> WorldReports:
    """The world that a folder holds. Raises BadInput if it holds none, or half of one."""
    try:
        world = load_reports(folder)
    except (FileNotFoundError, ValueError, KeyError) as error:
        why = f"{error.filename} is missing" if isinstance(error, FileNotFoundError) else "world.json can't be read"
        raise BadInput(f"{folder} holds no world ({why}); make one with examples/make_reports.py") from error
    if missing := [file.path for file in world.files if not file.path.exists()]:
        raise BadInput(f"{folder} holds no whole world ({missing[0]} is missing); make one with examples/make_reports.py")
    return world


def _audit(job: Job, cutoff: Any) -> Audit:
    story = job.story
    reports: list[tuple[str, Path]] = []
    for file, done in story.imports:
        if not done.imported.already:
            reports.append((file.carrier, file.path))
    with job.platform.read() as seen:
        told = notices.of_batch(seen.tx, story.batch.id) if story.batch else []
    ids = {notice.partner: notice.id for notice in told}
    silent = [one.spec.name for one in job.partners if one.spec.behaviour == "silent"]
    return audit(
        reports=reports, holds=[job.world.holds.path], partners={one.spec.name: one.database for one in job.partners},
        releases=[(path.stem.rsplit("-", 1)[-1], path) for path in story.lists], cutoff=cutoff,
        today=job.platform.now().astimezone(_CHINA).date(), waivers=[(name, "all") for name in silent],
        notices={one.spec.name: ids[one.spec.zh_name] for one in job.partners},
    )  # fmt: skip


@contextmanager
def _folder(wishes: Wishes, wanted: dict[str, Any]) -> Iterator[tuple[Path, Kept | None]]:
    """The folder of the run: a new one that goes with it, or the one asked for. What that has of an earlier run is opened
    again if it is finished and made from the same, else it is emptied."""
    if wishes.out is None:
        with tempfile.TemporaryDirectory(prefix="huanxin-demo-", ignore_cleanup_errors=True) as made:
            yield Path(made), None
        return
    folder, kept = wishes.out.resolve(), None
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise BadInput(f"{folder} holds something else than an earlier demo; name another folder with --out")
        kept = None if wishes.fresh else find(folder, wanted)
        if kept is None:
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    yield folder, kept


def _until_interrupted() -> None:
    ending = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ending.append(True))
    while not ending:
        time.sleep(0.2)
