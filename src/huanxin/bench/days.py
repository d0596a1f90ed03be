"""`huanxin bench days`: what one day costs a carrier and the platform after few batches and after many.

Every day as many numbers are cancelled, some come back to their owners, those whose freeze ends the next day are planned and
answered for, those of the day before are released, and those that were released then are sold, but for a few that nobody
buys. It begins with a season of reports, so that as many numbers rest at every mark. A day costs what the day brings: its
steps take as long after two hundred batches as after ten.
"""

from __future__ import annotations

import copy
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pyroaring import BitMap
from rich.table import Table

from huanxin.acts import Platform, open_platform
from huanxin.acts.batches import release, send_batch
from huanxin.acts.reports import take_report
from huanxin.bench import data
from huanxin.bench.measure import Steps
from huanxin.domain.answers import Answer, Outcome, Reason
from huanxin.domain.lifecycle import FREEZE_DAYS, Event
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.numbersets.numberfile import write_csv, written
from huanxin.numbersets.sharded import Numbers, bitmap_of
from huanxin.plan.batches import plan_batch
from huanxin.release.gate import load_gate
from huanxin.settings import Settings
from huanxin.store import facts
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.store.release import releases
from huanxin.store.report import settled
from huanxin.store.server.embedded import embedded_dsn, leave
from huanxin.terminal import Terminal

CARRIER = "cmcc"
SEED = 1
STEPS = ("report", "plan", "gate", "release", "sales")
_MARK = 15  # days that are lived after each mark: the medians of their steps are what is compared
_BLOCK = 10_000
_BACK, _UNSOLD, _REFUSED = 0.02, 0.02, 0.0002  # of a day's numbers: reclaimed, on lists still, never answered for
_SOON = 30  # days after which those that are reclaimed are
_TIED = 0.1
_SEASON = FREEZE_DAYS + 1  # days from a cancellation to a release


@dataclass(kw_only=True)
class Days:
    """A platform, a day at a time. `strewn[block]`: the ends of its numbers in a random order, dealt out from the left."""

    database: str
    folder: Path
    starts: Numbers
    strewn: npt.NDArray[np.uint16]
    per_block: int
    today: date
    rng: np.random.Generator
    lived: int = 0
    on_lists: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    """of the day before"""

    def now(self) -> datetime:
        return datetime.combine(self.today, datetime.min.time(), UTC) + timedelta(hours=4)

    def numbers_of(self, place: int) -> Numbers:
        first = place * self.per_block
        return np.sort((self.starts[:, None] + self.strewn[:, first : first + self.per_block]).ravel())

    def copied(self, database: str) -> Days:
        """The same, with a past of its own from now on, in a copy of its database, swept as each night sweeps it."""
        with psycopg.connect(make_conninfo(self.database, dbname="postgres"), autocommit=True) as connection:
            names = (sql.Identifier(database), sql.Identifier(str(conninfo_to_dict(self.database)["dbname"])))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))
        made = make_conninfo(self.database, dbname=database)
        with psycopg.connect(made, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
        return replace(self, database=made, rng=copy.deepcopy(self.rng))

    def opened(self) -> AbstractContextManager[Platform]:
        settings = Settings(home=self.folder, database_url=self.database, lead_days=1)
        return open_platform(settings, clock=self.now)


def run_days(*, marks: Sequence[int], numbers: int, partners: int, as_json: bool) -> None:
    """Live through as many days as the last of `marks` says, keep a copy of the platform at each of them, and print what
    the steps of a day take in all copies, which live their next days in turn: so that a machine that is slow for a while
    is slow for all."""
    err = Terminal(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="huanxin-bench-"))
    try:
        world = _begin(folder, numbers, partners, _SEASON + max(marks) + _MARK)
        kept = []
        for mark in marks:
            with world.opened() as platform:
                while world.lived < _SEASON + mark:
                    _day(world, platform)
                    if world.lived % 10 == 0:
                        err.print(f"day {world.lived} of {_SEASON + max(marks)}, {_SEASON} of them before the first plan")
            kept.append(world.copied(f"after_{mark}"))
        took, again, count = _side_by_side(kept)
    finally:
        leave(folder)
        shutil.rmtree(folder, ignore_errors=True)
    at = {mark: {step: _median(days, step) for step in STEPS} for mark, days in zip(marks, took, strict=True)}
    _print(Terminal(stderr=as_json), at, f"{numbers:,} numbers a day, {partners} partners", count, again)
    if as_json:
        print(json.dumps({"numbers": numbers, "partners": partners, "seconds": at, "facts": count,
                          "facts_made_again_a_second": round(count / again)}))  # fmt: skip


def _begin(folder: Path, numbers: int, partners: int, days: int) -> Days:
    """A platform with its partners, before its first day."""
    rng = np.random.default_rng(SEED)
    per_block = max(1, min(200, _BLOCK // days))
    blocks = numbers // per_block
    strewn = rng.permuted(np.tile(np.arange(_BLOCK, dtype=np.uint16), (blocks, 1)), axis=1)[:, : days * per_block]
    database = make_conninfo(embedded_dsn(folder))
    world = Days(
        database=database, folder=folder, starts=np.empty(0, np.int64), strewn=strewn, per_block=per_block,
        today=datetime.now(UTC).date(), rng=rng,
    )  # fmt: skip
    with world.opened() as platform, platform.act("bench") as act:
        world.starts = data.block_starts(platform.plan, blocks, rng)
        for place in range(partners):
            add_partner(act, NewPartner(name=f"partner {place}", kind=Kind.APP), https_only=False)
    return world


def _side_by_side(worlds: Sequence[Days]) -> tuple[list[list[Steps]], float, int]:
    """(the next days of each platform, lived in turn; seconds that making what is settled again takes in the last, and of
    how many numbers in facts)"""
    took: list[list[Steps]] = [[] for _ in worlds]
    with ExitStack() as open_ones:
        platforms = [open_ones.enter_context(world.opened()) for world in worlds]
        for _ in range(_MARK):
            for world, platform, days in zip(worlds, platforms, took, strict=True):
                days.append(_day(world, platform))
        began = time.perf_counter()
        with platforms[-1].act("bench") as act:
            count = settled.make_again(act.tx)
        return took, time.perf_counter() - began, count


def _median(days: list[Steps], step: str) -> float:
    """Seconds of a step on those days that had it; 0 if none did."""
    return round(statistics.median([day.seconds(step) for day in days if day.seconds(step)] or [0.0]), 4)


def _day(world: Days, platform: Platform) -> Steps:
    """The next day: yesterday's lists are sold, today's events reported, what is due planned and answered for, and
    released."""
    steps, place = Steps(), world.lived
    world.today, world.lived = world.today + timedelta(days=1), place + 1
    if len(world.on_lists):
        bought = world.on_lists[world.rng.random(len(world.on_lists)) > _UNSOLD]
        _write(world.folder / "sold.csv", [(bought, Event.OPENED)], world.today)
        with steps.step("sales"), platform.act("bench") as act:
            take_report(act, world.folder / "sold.csv", carrier=CARRIER)
    back = world.numbers_of(place - _SOON)[:: round(1 / _BACK)] if place >= _SOON else np.empty(0, np.int64)
    said = [(world.numbers_of(place), Event.CANCELLED), (back, Event.RECLAIMED)]
    _write(world.folder / "report.csv", said, world.today)
    with steps.step("report"), platform.act("bench") as act:
        take_report(act, world.folder / "report.csv", carrier=CARRIER)
    if place < _SEASON - 1:
        return steps
    with steps.step("plan"), platform.act("bench", sure=True) as act:
        batch = plan_batch(act)
    assert batch is not None
    with platform.act("bench") as act:
        send_batch(act, batch.id)
    _answer(platform, batch, world.rng)
    with steps.step("gate"), platform.read() as reading:
        load_gate(reading, batch.id).gate.renewed()
    with steps.step("release"):
        made = release(platform, by="bench")
    world.on_lists = np.empty(0, np.int64)
    with platform.read() as reading:
        for one in made:
            given = BitMap.union(*releases.spans_of(reading.tx, one.id).values())
            world.on_lists = batches.roster(reading.tx, one.batch_id).at(given)
    return steps


def _write(path: Path, said: Sequence[tuple[Numbers, Event]], day: date) -> None:
    """A report of a morning's events."""
    table = pa.table({
        "number": pa.concat_arrays([written(numbers).cast(pa.string()) for numbers, _ in said]),
        "event": pa.array([event.value for numbers, event in said for _ in range(len(numbers))]),
        "at": pa.array([f"{day}T09:30:00+08:00"] * sum(len(numbers) for numbers, _ in said)),
    })  # fmt: skip
    with path.open("wb") as file:
        write_csv(table, file)


def _answer(platform: Platform, batch: Batch, rng: np.random.Generator) -> None:
    """Every partner's complete receipt, straight to the record."""
    ties = bitmap_of(np.flatnonzero(rng.random(batch.count) < _TIED).astype(np.uint32))
    debts = BitMap(rng.choice(batch.count, size=max(1, int(batch.count * _REFUSED)), replace=False).tolist())
    unbound = Answer(outcome=Outcome.UNBOUND)
    refused = Answer(outcome=Outcome.REFUSED, reason=Reason.DEBT.value)
    with platform.act("bench") as act:
        for place, notice in enumerate(notices.of_batch(act.tx, batch.id)):
            answers = {unbound: ties - debts, refused: debts} if place == 0 else {unbound: ties}
            facts.receipt(
                act.tx, receipt_id=f"rc_{batch.id}_{notice.partner_id}", notice_id=notice.id, batch_id=batch.id,
                partner_id=notice.partner_id, sha256=f"{batch.id} {place}".encode(), complete=True, idempotency_key="",
                lines=sum(len(where) for where in answers.values()), answers=answers, at=act.now,
            )  # fmt: skip


def _print(out: Terminal, at: dict[int, dict[str, float]], world: str, count: int, again: float) -> None:
    table = Table(box=None, header_style="bold", title=f"What a day costs: {world}", title_justify="left")
    table.add_column("after batches")
    for step in (*STEPS, "the day", "ratio"):
        table.add_column(step, justify="right")
    first = None
    for mark, seconds in at.items():
        day = sum(seconds.values())
        first = first or day
        table.add_row(str(mark), *(f"{seconds[step]:.3f}" for step in STEPS), f"{day:.3f}", f"{day / first:.2f}")
    out.print(table)
    out.print(f"What is settled was made again from {count:,} facts in {again:.2f} s: {count / again:,.0f} a second.")
