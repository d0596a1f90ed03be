"""A report uploaded in the console: imported whole or refused whole, and what became of it kept with its bad lines."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

from huanxin.acts.platform import Platform
from huanxin.acts.reports import take_report
from huanxin.domain.errors import MOST_FAULTS, BadInput, Fault
from huanxin.numbersets.files import name_of
from huanxin.report.importing import Most
from huanxin.report.rejects import rejects_of
from huanxin.store.report import uploads

SHOWN = 100
"""Bad lines that a page shows; the file has them all."""


def upload_report(
    platform: Platform, path: Path, *, carrier: str, by: str, skip_bad: bool, most_bytes: int,
    say: Callable[[str], str] = str,
) -> int:  # fmt: skip
    """Import a report and record what became of it; the upload's id. Raises NotFound for an unknown carrier. It is kept as
    it was sent; pages mask the numbers in it, and whoever takes the file of bad lines is recorded.

    `most_bytes`: what it may have once unpacked. `say` puts the reasons in the file of bad lines into the language of
    whoever mends it.
    """
    report_id, already, refusal = None, False, ""
    faults: Sequence[Fault] = ()
    try:
        with platform.act(by) as act:
            most = Most(bad=MOST_FAULTS, bytes=most_bytes)
            done = take_report(act, path, carrier=carrier, skip_bad=skip_bad, most=most).imported
        report_id, already, faults = done.report_id, done.already, done.faults
    except BadInput as error:
        refusal, faults = error.said, error.faults
    shown = [(fault.line, fault.reason, fault.text) for fault in faults[:SHOWN]]
    lines = [fault for fault in faults if fault.line > 0 and fault.text]
    with platform.act(by) as act:
        return uploads.add(
            act.tx, carrier=carrier, file_name=name_of(path), report_id=report_id, already=already, refusal=refusal,
            bad_lines=len(faults), shown=shown, rejects=gzip.compress(rejects_of(lines, say), 5) if lines else None, by=by,
            at=act.now,
        )  # fmt: skip
