"""The bad lines of a report, to be mended and sent again."""

from __future__ import annotations

import csv
from pathlib import Path

from huanxin.domain.errors import Fault


def write_rejects(path: Path, faults: tuple[Fault, ...]) -> None:
    """Write bad lines as CSV: line, reason, text."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "text"))
        writer.writerows((fault.line, fault.reason, fault.text) for fault in faults)
