"""The bad lines of a report, to be mended and sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from huanxin.domain.errors import Fault
from huanxin.numbersets.cells import as_text
from huanxin.numbersets.files import replacing
from huanxin.report.lines import NAMES


def write_rejects(path: Path, faults: Iterable[Fault], names: Sequence[str] = NAMES) -> None:
    """Write bad lines as a file of their own: its columns, of a report number, event, at; then line and reason, which an
    import ignores. Raises OSError naming the place where it can't be written."""
    with replacing(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        write_rejects_to(text, faults, names=names)


def rejects_of(faults: Iterable[Fault], say: Callable[[str], str] = str) -> bytes:
    """The same as UTF-8 with a byte order mark, without which spreadsheets take it for another encoding; the reasons as
    `say` puts them."""
    text = io.StringIO(newline="")
    write_rejects_to(text, faults, say)
    return text.getvalue().encode("utf-8-sig")


def write_rejects_to(
    file: io.TextIOBase | io.TextIOWrapper, faults: Iterable[Fault], say: Callable[[str], str] = str,
    names: Sequence[str] = NAMES,
) -> None:  # fmt: skip
    writer = csv.writer(file)
    writer.writerow((*names, "line", "reason"))
    writer.writerows((*map(as_text, _cells(fault.text)), fault.line, as_text(say(fault.reason))) for fault in faults)


def _cells(text: str) -> list[str]:
    """The cells of a line, three at least: a line of too many keeps them all, so that it is refused again until mended."""
    try:
        found = [cell.strip() for cell in next(csv.reader([text]), [])]
    except csv.Error:  # a line break within, or more than the reader takes for a cell
        found = [text]
    return found + [""] * (len(NAMES) - len(found))
