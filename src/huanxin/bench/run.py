"""`huanxin bench`: the main job at size, step by step, and what the obvious builds take for the same."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from huanxin.acts import Platform, open_platform
from huanxin.acts.batches import release, send_batch
from huanxin.acts.reports import take_report
from huanxin.answer.lines import ParsedReceipt, parse_receipt
from huanxin.bench import builds, data
from huanxin.bench.measure import Steps, peak_mb
from huanxin.bench.receipts import FORMS, BenchForm, Upload, time_receipts
from huanxin.domain.answers import Purpose
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.numbersets import tables
from huanxin.numbersets.numberfile import CSV, number_file
from huanxin.numbersets.sharded import Numbers
from huanxin.plan.batches import plan_batch
from huanxin.release.gate import load_gate
from huanxin.release.listing import write_release_lists
from huanxin.settings import Settings
from huanxin.store import facts
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.store.server import sizes
from huanxin.terminal import Terminal

SEED = 1
_TABLES = ("receipt", "receipt_set")


def run_bench(
    *, numbers: int, partners: int, receipt_lines: int, as_json: bool, forms: Sequence[BenchForm] = FORMS
) -> None:  # fmt: skip
    """Run everything and print it; 2 to 6 minutes, nearly all of it in the row builds."""
    err = Terminal(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="huanxin-bench-"))
    try:
        settings = Settings(home=folder / "home", database_url=None)
        with open_platform(settings) as platform:
            wanted = data.due_numbers(platform.plan, numbers, SEED)
            data.write_report(folder / "report.csv", wanted, platform.plan.carriers["cmcc"].today(datetime.now(UTC)), SEED)
            err.print(f"Huanxin: {numbers:,} numbers x {partners} partners ...")
            steps, clear, ties, disk = _ours(platform, folder, wanted, partners)
            ours_peak = peak_mb()
            err.print("A row per pair that isn't absent, on the same data ...")
            sparse = builds.sparse(platform.database.dsn, wanted, data.answers(numbers, partners, SEED), partners)
            dense = {}
            for share in (100, 30, 10):
                err.print(f"A row per pair, at 1/{share} of the numbers ...")
                dense[share] = builds.dense(platform.database.dsn, wanted, data.answers(numbers, partners, SEED), share)
            err.print(f"Receipts of {receipt_lines:,} lines over HTTP ...")
            uploads = list(time_receipts(platform, settings, folder, receipt_lines, SEED, forms))
        if sparse.clear != clear:
            raise AssertionError(f"the builds disagree: {clear} clear here, {sparse.clear} in the sparse build")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    out = Terminal(stderr=as_json)
    _print(out, steps, ties, disk, ours_peak, sparse, dense)
    _print_uploads(out, uploads)
    if as_json:
        core = steps.seconds("receipts stored", "reconcile and gate")
        print(json.dumps({
            "numbers": numbers, "partners": partners, "ties": ties, "clear": clear, "seconds": round(steps.seconds(), 2),
            "peak_rss_mb": round(ours_peak), "receipts_mb": round(disk / 1e6, 1),
            "steps": {step.name: round(step.seconds, 3) for step in steps.done},
            "times_faster_than_sparse": round((sparse.store + sparse.gate) / core, 1),
            "times_faster_than_dense": round((dense[10].store + dense[10].gate) * 10 / core),
            "times_smaller_than_sparse": round(sparse.disk / disk, 1),
            "receipts_at_size": [
                {"form": one.form, "lines": one.lines, "seconds": round(one.seconds, 2), "lines_per_second": round(one.rate),
                 "cpu_seconds": round(one.cpu, 2),
                 "peak_rss_mb": round(one.peak_mb)} for one in uploads
            ],
        }))  # fmt: skip


def _ours(platform: Platform, folder: Path, wanted: Numbers, partners: int) -> tuple[Steps, int, int, int]:
    """The main job; (steps, numbers clear, ties, bytes of the stored receipts)."""
    steps = Steps()
    with platform.act("bench") as act:
        for index in range(partners):
            add_partner(act, NewPartner(name=f"partner {index}", kind=Kind.APP), https_only=False)
    with steps.step("import the report"), platform.act("bench") as act:
        take_report(act, folder / "report.csv", carrier="cmcc")
    with steps.step("plan the batch"), platform.act("bench", sure=True) as act:
        batch = plan_batch(act)
    assert batch is not None
    with steps.step("notices and number file"):
        with platform.act("bench") as act:
            send_batch(act, batch.id)
        with platform.read() as seen:
            number_file(batches.roster(seen.tx, batch.id).numbers, CSV)
    ties = _receipts(platform, folder, wanted, partners, batch, steps)
    with steps.step("reconcile and gate"), platform.read() as reading:
        clear = len(load_gate(reading, batch.id).gate.renewed())
    with steps.step("release list"):
        release(platform, by="bench")
        with platform.read() as seen:
            write_release_lists(seen, folder / "lists")
    with platform.read() as seen:
        disk = sizes.bytes_on_disk(seen.tx, *_TABLES)
    return steps, clear, ties, disk


def _receipts(platform: Platform, folder: Path, wanted: Numbers, partners: int, batch: Batch, steps: Steps) -> int:
    """Parse and store every partner's receipt, each in a transaction of its own; the files are made between, untimed."""
    parse, store = Steps(), Steps()
    ties = 0
    with platform.read() as seen:
        roster = batches.roster(seen.tx, batch.id)
        told = notices.of_batch(seen.tx, batch.id)
    path = folder / "receipt.csv"
    for answer, notice in zip(data.answers(len(wanted), partners, SEED), told, strict=True):
        data.write_receipt(path, wanted, answer)
        ties += len(answer.places)
        with parse.step("parse"):
            source = tables.inspect(path)
            parsed = parse_receipt(source, roster, Purpose.RENEWAL, "Asia/Shanghai")
        with store.step("store"):
            _store(platform, batch, notice, source, parsed)
    steps.add("receipts parsed", parse.seconds())
    steps.add("receipts stored", store.seconds())
    return ties


def _store(platform: Platform, batch: Batch, notice: Notice, source: tables.Source, parsed: ParsedReceipt) -> None:
    with platform.act("bench") as act:
        facts.receipt(
            act.tx, receipt_id=f"rc_{notice.partner_id}", notice_id=notice.id, batch_id=batch.id,
            partner_id=notice.partner_id, sha256=source.sha256, complete=True, idempotency_key="", lines=parsed.lines,
            answers=parsed.answers, at=act.now,
        )  # fmt: skip


def _print(
    out: Terminal, steps: Steps, ties: int, disk: int, peak: float, sparse: builds.Built, dense: dict[int, builds.Built]
) -> None:
    table = Table(box=None, header_style="bold", title=f"The main job, {ties:,} ties", title_justify="left")
    for heading in ("step", "seconds", "peak MB"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for step in steps.done:
        table.add_row(step.name, f"{step.seconds:.3f}", f"{step.peak_mb:.0f}")
    table.add_row("whole run", f"{steps.seconds():.3f}", f"{peak:.0f}", style="bold")
    out.print(table)
    core = steps.seconds("receipts stored", "reconcile and gate")
    ours_store, ours_gate = steps.seconds("receipts stored"), steps.seconds("reconcile and gate")
    table = Table(box=None, header_style="bold", title="Beside two obvious builds", title_justify="left")
    for heading in ("build", "rows", "store s", "gate s", "together", "ratio", "disk MB", "ratio"):
        table.add_column(heading, justify="left" if heading == "build" else "right")
    table.add_row(
        "sets of places", "-", f"{ours_store:.2f}", f"{ours_gate:.3f}", f"{core:.2f}", "1", f"{disk / 1e6:.1f}", "1"
    )
    rows = [("row per pair not absent", sparse, 1)]
    rows += [(f"row per pair, 1/{share} x {share}", built, share) for share, built in dense.items()]
    for name, built, times in rows:
        both = (built.store + built.gate) * times
        table.add_row(
            name, f"{built.rows:,}", f"{built.store:.2f}", f"{built.gate:.3f}", f"{both:.1f}", f"{both / core:.0f}",
            f"{built.disk * times / 1e6:.0f}", f"{built.disk * times / disk:.0f}",
        )  # fmt: skip
    out.print(table)


def _print_uploads(out: Terminal, uploads: list[Upload]) -> None:
    title = f"Receipts at size: {uploads[0].lines:,} lines in one upload over HTTP, to a server in a process of its own"
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    for heading in ("form", "MB sent", "seconds", "lines/s", "cpu s", "MB at rest", "peak MB"):
        table.add_column(heading, justify="left" if heading == "form" else "right")
    for one in uploads:
        table.add_row(
            one.form, f"{one.megabytes:,.0f}", f"{one.seconds:.1f}", f"{one.rate:,.0f}", f"{one.cpu:.1f}",
            f"{one.rest_mb:.0f}", f"{one.peak_mb:.0f}",
        )  # fmt: skip
    out.print(table)
