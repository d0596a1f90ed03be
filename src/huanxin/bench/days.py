"""`huanxin bench days`: what one day costs a carrier and the platform after few batches and after many.

Every day as many numbers are cancelled, some come back to their owners, those whose freeze ends the next day are planned and
answered for, those of the day before are released, and those that were released then are sold, but for a few that nobody
buys. It begins with a season of reports, so that as many numbers rest at every mark. A day costs what the day brings: its
steps take as long after two hundred batches as after ten.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
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
from huanxin.terminal import Terminal

CARRIER = "cmcc"
SEED = 1
STEPS = ("report", "plan", "gate", "release", "sales")
_MARK = 5  # days that are looked at up to each mark: their medians are what is compared
_BLOCK = 10_000
_BACK, _UNSOLD, _REFUSED = 0.02, 0.02, 0.0002  # of a day's numbers: reclaimed, on lists still, never answered for
_SOON = 30  # days after which those that are reclaimed are
_TIED = 0.1
_SEASON = FREEZE_DAYS + 1  # days from a cancellation to a release


@dataclass(kw_only=True)
class Days:
    """The platform, a day at a time. `strewn[block]`: the ends of its numbers in a random order, dealt out from the left."""

    platform: Platform
    folder: Path
    starts: Numbers
    strewn: npt.NDArray[np.uint16]
    per_block: int
    today: date
    on_lists: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    """of the day before"""

    def now(self) -> datetime:
        return datetime.combine(self.today, datetime.min.time(), UTC) + timedelta(hours=4)

    def numbers_of(self, place: int) -> Numbers:
        first = place * self.per_block
        return np.sort((self.starts[:, None] + self.strewn[:, first : first + self.per_block]).ravel())


def run_days(*, marks: Sequence[int], numbers: int, partners: int, as_json: bool) -> None:
    """Live through as many days as the last of `marks` says, and print what each step of a day took at each of them."""
    err = Terminal(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="huanxin-bench-"))
    try:
        first = datetime.now(UTC).date()
        days = _SEASON + max(marks)
        rng = np.random.default_rng(SEED)
        per_block = max(1, min(200, _BLOCK // days))
        blocks = numbers // per_block
        world: list[Days] = []
        with open_platform(Settings(home=folder, database_url=None, lead_days=1), clock=lambda: world[0].now()) as platform:
            strewn = rng.permuted(np.tile(np.arange(_BLOCK, dtype=np.uint16), (blocks, 1)), axis=1)
            world.append(Days(platform=platform, folder=folder, starts=data.block_starts(platform.plan, blocks, rng),
                              strewn=strewn[:, : days * per_block], per_block=per_block, today=first))  # fmt: skip
            with platform.act("bench") as act:
                for place in range(partners):
                    add_partner(act, NewPartner(name=f"partner {place}", kind=Kind.APP), https_only=False)
            took = []
            for place in range(days):
                world[0].today = first + timedelta(days=place)
                took.append(_day(world[0], place, rng))
                if (place + 1) % 10 == 0:
                    err.print(f"day {place + 1} of {days}, {_SEASON} of them before the first plan")
            again, count = _made_again(platform)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    at = {mark: {step: _median(took[: _SEASON + mark][-_MARK:], step) for step in STEPS} for mark in marks}
    _print(Terminal(stderr=as_json), at, f"{numbers:,} numbers a day, {partners} partners", count, again)
    if as_json:
        print(json.dumps({"numbers": numbers, "partners": partners, "seconds": at, "facts": count,
                          "facts_made_again_a_second": round(count / again)}))  # fmt: skip


def _median(days: list[Steps], step: str) -> float:
    """Seconds of a step on those days that had it; 0 if none did."""
    return round(statistics.median([day.seconds(step) for day in days if day.seconds(step)] or [0.0]), 4)


def _day(world: Days, place: int, rng: np.random.Generator) -> Steps:
    """One day: yesterday's lists are sold, today's events reported, what is due planned and answered for, and released."""
    platform, steps = world.platform, Steps()
    if len(world.on_lists):
        bought = world.on_lists[rng.random(len(world.on_lists)) > _UNSOLD]
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
    _answer(world, batch, rng)
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


def _answer(world: Days, batch: Batch, rng: np.random.Generator) -> None:
    """Every partner's complete receipt, straight to the record."""
    ties = bitmap_of(np.flatnonzero(rng.random(batch.count) < _TIED).astype(np.uint32))
    debts = BitMap(rng.choice(batch.count, size=max(1, int(batch.count * _REFUSED)), replace=False).tolist())
    unbound = Answer(outcome=Outcome.UNBOUND)
    refused = Answer(outcome=Outcome.REFUSED, reason=Reason.DEBT.value)
    with world.platform.act("bench") as act:
        for place, notice in enumerate(notices.of_batch(act.tx, batch.id)):
            answers = {unbound: ties - debts, refused: debts} if place == 0 else {unbound: ties}
            facts.receipt(
                act.tx, receipt_id=f"rc_{batch.id}_{notice.partner_id}", notice_id=notice.id, batch_id=batch.id,
                partner_id=notice.partner_id, sha256=f"{batch.id} {place}".encode(), complete=True, idempotency_key="",
                lines=sum(len(where) for where in answers.values()), answers=answers, at=act.now,
            )  # fmt: skip


def _made_again(platform: Platform) -> tuple[float, int]:
    """(seconds that making what is settled again from the facts takes, numbers in those facts)."""
    began = time.perf_counter()
    with platform.act("bench") as act:
        count = settled.make_again(act.tx)
    return time.perf_counter() - began, count


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
