"""Reports that were wrong, and all that is set right once one is mended: the same by one function, whatever mended it."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterable
from pathlib import Path

from huanxin.acts.platform import Platform
from huanxin.acts.reports import judge_sales
from huanxin.disclose.mending import revoke_corrected
from huanxin.domain.mended import Changed, Consequence, Mended, What
from huanxin.domain.operators import Operator
from huanxin.notify.mending import mend_batches
from huanxin.notify.notices import send_request, tell_recycled
from huanxin.notify.retractions import retract_reclaimed
from huanxin.release.in_error import find_released_in_error
from huanxin.release.proposals import may_mend, mend_that_waits, propose_mend
from huanxin.report import correcting, mending
from huanxin.request.mending import mend_orders
from huanxin.store.acting import Act
from huanxin.store.release import proposals, stops
from huanxin.store.release.proposals import NewProposal, Proposal
from huanxin.store.release.stops import Listed
from huanxin.store.report import reports

SOMEBODY = "?"
"""who approves what is only rehearsed"""


def withdraw(act: Act, report_id: int, *, reason: str, approved_by: str = "") -> Mended:
    """Withdraw a report, with all that follows from it, or none of it. Raises NotFound, Conflict, BadInput."""
    act, found, numbers = mending.withdrawable(act, report_id)
    on_lists = list(stops.listed(act.tx, numbers))
    changed = mending.withdraw(act, found, numbers, reason=reason, approved_by=approved_by)
    done = set_right(act, changed, on_lists)
    return Mended(report_id=changed.report_id, taken_back=changed.taken_back, consequences=done)


def correct(
    act: Act, path: Path, *, carrier: str, reason: str, approved_by: str = "", region: str | None = None
) -> Mended:  # fmt: skip
    """Correct single events, with all that follows from it, or none of it. Raises NotFound, Conflict, BadInput."""
    act, correction = correcting.read_correction(act, path, carrier=carrier, region=region)
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


def propose_withdrawal(platform: Platform, report_id: int, *, reason: str, by: Operator) -> int:
    """Propose to withdraw a report, once it is sure that it can be; the proposal's id."""
    with platform.read() as seen:
        found = reports.get(seen.tx, report_id)
    if found is not None:
        may_mend(by, found.carrier)
    with platform.rehearse(by.login) as act:
        shown = withdraw(act, report_id, reason=reason, approved_by=SOMEBODY)
    assert found is not None
    new = NewProposal(kind="withdrawal", count=shown.touched, reason=reason, carrier=found.carrier, report_id=report_id,
                      file_name=found.file_name, shown=shown.counts())  # fmt: skip
    with platform.act(by.login) as act:
        return propose_mend(act, new, by)


def propose_correction(platform: Platform, path: Path, *, carrier: str, reason: str, by: Operator) -> int:
    """Propose to correct single events, once it is sure that they can be; the proposal's id."""
    may_mend(by, carrier)
    with platform.rehearse(by.login) as act:
        shown = correct(act, path, carrier=carrier, reason=reason, approved_by=SOMEBODY)
    new = NewProposal(kind="correction", count=shown.touched, reason=reason, carrier=carrier, file_name=path.name,
                      content=gzip.compress(path.read_bytes(), 5), shown=shown.counts())  # fmt: skip
    with platform.act(by.login) as act:
        return propose_mend(act, new, by)


def carry_out(act: Act, found: Proposal, *, approved_by: str) -> Mended:
    """Withdraw or correct what was proposed."""
    if found.report_id is not None:
        return withdraw(act, found.report_id, reason=found.reason, approved_by=approved_by)
    with tempfile.TemporaryDirectory(prefix="correction-") as folder:
        path = Path(folder) / (found.file_name or "correction.csv")
        path.write_bytes(gzip.decompress(proposals.content_of(act.tx, found.id)))
        return correct(act, path, carrier=found.carrier or "", reason=found.reason, approved_by=approved_by)


def preview(platform: Platform, proposal_id: int, *, by: Operator) -> Mended:
    """What a withdrawal or correction that waits would do now. Raises NotFound, Forbidden."""
    with platform.rehearse(by.login) as act:
        return carry_out(act, mend_that_waits(act, proposal_id, operator=by), approved_by=SOMEBODY)


def set_right(act: Act, changed: Changed, on_lists: Iterable[Listed]) -> list[Consequence]:
    """Set right what stood on facts that are on record no more, or otherwise: batches, releases, certificates, orders.

    on_lists: what releases had given back of the numbers and nobody had bought, by what was on record before.
    """
    done = list(mend_batches(act, changed, on_lists))
    done += find_released_in_error(act, changed)
    if revoked := revoke_corrected(act, changed.numbers, note=changed.reason):
        done.append(Consequence(what=What.REVOKED, numbers=revoked))
    orders = list(mend_orders(act, changed))
    for one in orders:
        send_request(act, one.request, one.notices)
    if orders:
        done.append(Consequence.of(What.ORDERS, [one.request.number for one in orders]))
    return done
