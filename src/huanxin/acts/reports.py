"""Taking a carrier's report, with all that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from huanxin.acts.consequences import judge_sales, set_right
from huanxin.domain.errors import Fault
from huanxin.domain.mended import Consequence
from huanxin.notify.notices import tell_recycled
from huanxin.notify.retractions import retract_reclaimed
from huanxin.release.in_error import find_reclaimed_before
from huanxin.report.importing import ALL, Imported, Most, Progress, import_report
from huanxin.store.acting import Act
from huanxin.store.plan.batches import Batch
from huanxin.store.release import stops
from huanxin.store.release.stops import Listed
from huanxin.store.report import affected


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
    consequences: Sequence[Consequence] = ()
    """what was set right since something older than what was on record was taken"""


def take_report(
    act: Act, path: Path, *, carrier: str, skip_bad: bool = False, progress: Progress = lambda _step, _lines: None,
    keep_rejects: Callable[[Sequence[Fault]], None] = lambda _: None, most: Most = ALL, region: str | None = None,
) -> ImportDone:  # fmt: skip
    """Take a report and what follows from it (retractions, news of new owners, breaches), or none of it.

    keep_rejects: keeps the lines that were left out, before anything is recorded: if it can't, nothing is, since a file
    that was taken is not read again.
    """
    on_lists: list[Listed] = []
    done = import_report(
        act, path, carrier=carrier, skip_bad=skip_bad, progress=progress, most=most, region=region,
        before_late=lambda late: on_lists.extend(stops.listed(act.tx, late)),
    )  # fmt: skip
    if done.already:
        return ImportDone(imported=done, retractions=[], recycled_events=0, breaches=0)
    consequences = set_right(act, done.changed, on_lists) if done.changed else []
    consequences += find_reclaimed_before(act, done.left, done.changed)
    retractions = retract_reclaimed(act, done.left) if done.counts.get("reclaimed") else []
    events = tell_recycled(act, done.report_id, done.recycled)
    breaches, stopped, untold = judge_sales(act, done.report_id, done.left)
    affected.note(act.tx, done.report_id, done.left)
    if done.faults:
        keep_rejects(done.faults)
    return ImportDone(
        imported=done, retractions=retractions, recycled_events=events, breaches=breaches, undisclosed=untold,
        stopped=stopped, consequences=consequences,
    )  # fmt: skip
