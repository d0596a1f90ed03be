"""Reports that were wrong, and all that is set right once one is mended: the same by one function, whatever mended it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from huanxin.acts.reports import judge_sales
from huanxin.domain.mended import Changed, Consequence, Mended
from huanxin.notify.mending import mend_batches
from huanxin.notify.notices import tell_recycled
from huanxin.notify.retractions import retract_reclaimed
from huanxin.release.in_error import find_released_in_error
from huanxin.report import correcting, mending
from huanxin.store.acting import Act
from huanxin.store.release import stops
from huanxin.store.release.stops import Listed


def withdraw(act: Act, report_id: int, *, reason: str, approved_by: str = "") -> Mended:
    """Withdraw a report, with all that follows from it, or none of it. Raises NotFound, Conflict, BadInput."""
    act, found, numbers = mending.withdrawable(act, report_id)
    on_lists = list(stops.listed(act.tx, numbers))
    changed = mending.withdraw(act, found, numbers, reason=reason, approved_by=approved_by)
    done = set_right(act, changed, on_lists)
    return Mended(report_id=changed.report_id, taken_back=changed.taken_back, consequences=done)


def correct(act: Act, path: Path, *, carrier: str, reason: str, approved_by: str = "") -> Mended:
    """Correct single events, with all that follows from it, or none of it. Raises NotFound, Conflict, BadInput."""
    act, correction = correcting.read_correction(act, path, carrier=carrier)
    on_lists = list(stops.listed(act.tx, correction.numbers))
    done = correcting.correct(act, correction, reason=reason, approved_by=approved_by)
    found = set_right(act, done.changed, on_lists)
    if done.counts.get("reclaimed"):
        retract_reclaimed(act, done.left)
    tell_recycled(act, done.changed.report_id, done.news)
    judge_sales(act, done.changed.report_id, done.left)
    return Mended(
        report_id=done.changed.report_id, taken_back=done.changed.taken_back, added=done.counts, consequences=found
    )


def set_right(act: Act, changed: Changed, on_lists: Iterable[Listed]) -> list[Consequence]:
    """Set right what stood on facts that are on record no more, or otherwise: batches, releases. on_lists: what releases had
    given back of the numbers and nobody had bought, by what was on record before."""
    done = list(mend_batches(act, changed, on_lists))
    return done + find_released_in_error(act, changed)
