"""Reports that were wrong: withdrawn or corrected, by one person or by two, with all that follows."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

from huanxin.acts.consequences import judge_sales, set_right
from huanxin.acts.platform import Platform
from huanxin.domain.mended import Mended
from huanxin.domain.operators import Operator
from huanxin.notify.notices import tell_recycled
from huanxin.release.proposals import may_mend, mend_that_waits, propose_mend
from huanxin.report import correcting, mending
from huanxin.store.acting import Act
from huanxin.store.release import proposals, stops
from huanxin.store.release.proposals import NewProposal, Proposal
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
        content = proposals.content_of(act.tx, found.id)
        assert content is not None
        path.write_bytes(gzip.decompress(content))
        return correct(act, path, carrier=found.carrier or "", reason=found.reason, approved_by=approved_by)


def preview(platform: Platform, proposal_id: int, *, by: Operator) -> Mended:
    """What a withdrawal or correction that waits would do now. Raises NotFound, Forbidden."""
    with platform.rehearse(by.login) as act:
        return carry_out(act, mend_that_waits(act, proposal_id, operator=by), approved_by=SOMEBODY)
