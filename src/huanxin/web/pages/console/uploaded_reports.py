"""A report uploaded in the console: imported whole or refused whole, and what became of it kept with its bad lines."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.acts.reports import take_report
from huanxin.domain.errors import MOST_FAULTS, BadInput, Fault
from huanxin.numbersets.files import name_of
from huanxin.report.baseline import import_baseline
from huanxin.report.importing import Most
from huanxin.report.rejects import rejects_of
from huanxin.store.acting import Act
from huanxin.store.report import uploads

SHOWN = 100
"""Bad lines that a page shows; the file has them all."""


def upload_report(
    platform: Platform, path: Path, *, carrier: str, by: str, skip_bad: bool, most_bytes: int,
    say: Callable[[str], str] = str, first_day: bool = False, before: Callable[[Act], None] = lambda _: None,
    checked: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Import a report, or what was so on a carrier's first day, and record what became of it; the upload's id. Raises
    NotFound for an unknown carrier. It is kept as it was sent; pages mask the numbers in it, and whoever takes the file of
    bad lines is recorded.

    `checked`: how it was understood, as JSON. `before` is called first, in the same act, and may raise. `most_bytes`: what
    it may have once unpacked. `say` puts the reasons in the file of bad lines into the language of whoever mends it.
    """
    try:
        with platform.act(by) as act:
            before(act)
            most = Most(bad=MOST_FAULTS, bytes=most_bytes)
            if first_day:
                done = import_baseline(act, path, carrier=carrier, skip_bad=skip_bad, most=most)
            else:
                done = take_report(act, path, carrier=carrier, skip_bad=skip_bad, most=most).imported
            became = _Became(report_id=done.report_id, already=done.already, faults=done.faults, checked=checked)
            return _keep(act, path, carrier, became, say)  # with it: a report that was taken is not read again
    except BadInput as error:
        became = _Became(refusal=error.said, faults=error.faults, kinds=error.kinds, checked=checked)
    with platform.act(by) as act:
        before(act)
        return _keep(act, path, carrier, became, say)


@dataclass(frozen=True, kw_only=True)
class _Became:
    report_id: int | None = None
    already: bool = False
    refusal: str = ""
    faults: Sequence[Fault] = ()
    kinds: Sequence[Fault] = ()
    checked: Mapping[str, Any] | None = None


def _keep(act: Act, path: Path, carrier: str, became: _Became, say: Callable[[str], str]) -> int:
    shown = [(fault.line, fault.reason, fault.text) for fault in (became.kinds or became.faults)[:SHOWN]]
    lines = [fault for fault in became.faults if fault.line > 0 and fault.text]
    return uploads.add(
        act.tx, carrier=carrier, file_name=name_of(path), report_id=became.report_id, already=became.already,
        refusal=became.refusal, bad_lines=len(became.faults), shown=shown,
        rejects=gzip.compress(rejects_of(lines, say), 5) if lines else None, checked=became.checked, by=act.by, at=act.now,
    )  # fmt: skip
