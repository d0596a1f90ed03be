"""`huanxin demo`: a world of carriers and partners, the main job on it, and an audit of what came of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from huanxin.demo.audit import Audit, audit
from huanxin.demo.job import Job, Story, serve_process
from huanxin.demo.processes import Servers, free_port, is_free
from huanxin.demo.summary import Counted, print_summary
from huanxin.demo.world import WorldReports, load_reports, make_reports
from huanxin.demo.world_partners import partner_specs
from huanxin.domain.errors import BadInput, BadSetting
from huanxin.operations import Platform, open_platform
from huanxin.settings import Mode, Settings
from huanxin.store import figures, notices
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
    as_json: bool


def run_demo(wishes: Wishes) -> None:
    """Run the demo; then serve until Ctrl-C, unless told not to."""
    err = Console(stderr=True)
    port = wishes.port or free_port()
    if not is_free(port):
        raise BadSetting(f"port {port} is in use, perhaps by a Huanxin that runs already; say another with --port")
    # The demo has a database of its own, whatever the environment says: it must never write to a real one.
    for name in [name for name in os.environ if name.startswith("HUANXIN_")]:
        del os.environ[name]
    with _folder(wishes.out) as folder:
        issuer = f"http://127.0.0.1:{port}"
        settings = Settings(home=folder / "home", issuer=issuer, mode=Mode.DEVELOPMENT, database_url=None)
        begun = time.perf_counter()
        with Servers() as servers, open_platform(settings) as platform:
            servers.add(serve_process(folder, port=port, issuer=issuer))
            counted = _run(wishes, folder, platform, servers, err, begun)
            report = folder / "report.html"
            with platform.database.transaction() as tx:
                write_report(report, counted.report(tx, platform.now().astimezone(_CHINA).date()))
            print_summary(err if wishes.as_json else Console(), counted, report)
            if wishes.as_json:
                print(json.dumps(counted.json(), ensure_ascii=False), flush=True)
            if wishes.serve:
                err.print(
                    f"[bold]{issuer}[/] shows it all: / the batches, /report the charts (Ctrl-C ends it)", highlight=False
                )
                _until_interrupted()


def _run(wishes: Wishes, folder: Path, platform: Platform, servers: Servers, err: Console, begun: float) -> Counted:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("world", total=1.0)

        def tell(what: str, share: float) -> None:
            bar.update(task, description=f"{what[:60]:<60}", completed=share)

        story = Story()
        with story.step("world"):
            world = _world(wishes, folder, platform)
        job = Job(platform=platform, world=world, folder=folder, servers=servers, story=story, tell=tell)
        with story.step("partners"):
            job.add_partners(partner_specs(wishes.partners, wishes.seed))
        batch = _do(job)
        loaded, _ = job.gate(batch)
        tell("audit", 0.9)
        with story.step("audit"):
            result = _audit(job, loaded.batch.cutoff)
    with platform.database.transaction() as tx:
        size = figures.bytes_on_disk(tx)
    return Counted(job=job, loaded=loaded, audit=result, seconds=time.perf_counter() - begun, database_mb=size / 1e6)


def _do(job: Job) -> Any:
    """The six verbs, in order."""
    story = job.story
    with story.step("report"):
        job.import_reports()
    with story.step("plan"):
        batch = job.plan()
    with story.step("wait for servers"):
        job.servers.wait_ready()
    job.log_in()
    with story.step("notify and answer"):
        job.platform.send_batch(batch.id)
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
        try:
            return load_reports(wishes.reports)
        except FileNotFoundError as error:
            raise BadInput(f"{wishes.reports} holds no world ({error.filename} is missing); make one with "
                           "examples/make_reports.py") from error  # fmt: skip
    today = platform.now().astimezone(_CHINA).date()
    return make_reports(folder / "reports", numbers=wishes.numbers, seed=wishes.seed, today=today)


def _audit(job: Job, cutoff: Any) -> Audit:
    story = job.story
    seen: list[tuple[str, Path]] = []
    for file, done in story.imports:
        if not done.imported.already:
            seen.append((file.carrier, file.path))
    with job.platform.database.transaction() as tx:
        told = notices.of_batch(tx, story.batch.id) if story.batch else []
    ids = {notice.partner: notice.id for notice in told}
    silent = [one.spec.name for one in job.partners if one.spec.behaviour == "silent"]
    return audit(
        reports=seen, holds=[job.world.holds.path], partners={one.spec.name: one.database for one in job.partners},
        releases=[(path.stem.rsplit("-", 1)[-1], path) for path in story.lists], cutoff=cutoff,
        today=job.platform.now().astimezone(_CHINA).date(), waivers=[(name, "all") for name in silent],
        notices={one.spec.name: ids[one.spec.zh_name] for one in job.partners},
    )  # fmt: skip


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    """The folder of the run: a new one that goes with it, or the one asked for, emptied of an earlier run."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="huanxin-demo-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    folder = wanted.resolve()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise BadInput(f"{folder} holds something else than an earlier demo; name another folder with --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    yield folder


def _until_interrupted() -> None:
    ending = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ending.append(True))
    while not ending:
        time.sleep(0.2)
