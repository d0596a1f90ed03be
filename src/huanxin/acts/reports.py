"""Taking a carrier's report, with all that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from huanxin.disclose.breaches import find_undisclosed
from huanxin.domain.errors import Fault
from huanxin.domain.leaving import Left
from huanxin.notify.notices import tell_recycled
from huanxin.notify.retractions import retract_reclaimed
from huanxin.release.early_sales import find_early_sales, lots_of
from huanxin.release.stopped import find_stopped_sales
from huanxin.report.importing import ALL, Imported, Most, Progress, import_report
from huanxin.store.acting import Act
from huanxin.store.plan.batches import Batch
from huanxin.store.report import affected
from huanxin.store.report.sales import sales_of


@dataclass(frozen=True, kw_only=True)
class ImportDone:
    """A report that was taken, and what followed from it."""

    imported: Imported
    retractions: list[Batch]
    recycled_events: int
    breaches: int
    """numbers that were opened without a release, or before their freeze ended"""
    undisclosed: int = 0
    """numbers that were opened without a disclosure"""
    stopped: int = 0
    """numbers that were opened while held, or after what they were released for was taken back or refused"""


def take_report(
    act: Act, path: Path, *, carrier: str, skip_bad: bool = False, progress: Progress = lambda _step, _lines: None,
    keep_rejects: Callable[[Sequence[Fault]], None] = lambda _: None, most: Most = ALL, region: str | None = None,
) -> ImportDone:  # fmt: skip
    """Take a report and what follows from it (retractions, news of new owners, breaches), or none of it.

    keep_rejects: keeps the lines that were left out, before anything is recorded: if it can't, nothing is, since a file
    that was taken is not read again.
    """
    done = import_report(act, path, carrier=carrier, skip_bad=skip_bad, progress=progress, most=most, region=region)
    if done.already:
        return ImportDone(imported=done, retractions=[], recycled_events=0, breaches=0)
    retractions = retract_reclaimed(act, done.left) if done.counts.get("reclaimed") else []
    events = tell_recycled(act, done.report_id, done.recycled)
    breaches, stopped, untold = judge_sales(act, done.report_id, done.left)
    affected.note(act.tx, done.report_id, done.left)
    if done.faults:
        keep_rejects(done.faults)
    return ImportDone(
        imported=done, retractions=retractions, recycled_events=events, breaches=breaches, undisclosed=untold,
        stopped=stopped,
    )  # fmt: skip


def judge_sales(act: Act, report_id: int, left: Iterable[tuple[int, Left]]) -> tuple[int, int, int]:
    """Record what should not have been sold of what a report took out of the freeze: without a release or too early, while
    it was stopped, without a disclosure; how many numbers of each."""
    sales = sales_of(act.tx, left, plan=act.plan, freeze_days=act.rules.freeze_days)
    lots = lots_of(act.tx, sales)
    breaches = find_early_sales(act, report_id, sales, lots)
    stopped = find_stopped_sales(act, report_id, sales, lots)
    return breaches, stopped, find_undisclosed(act, report_id, [one for one in sales if one.known])
