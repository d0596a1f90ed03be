"""The bad lines of a report, to be mended and sent again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from huanxin.domain.errors import Fault
from huanxin.domain.numbers import masked
from huanxin.numbersets.files import replacing
from huanxin.report.lines import COLUMNS

_DIGITS = re.compile(r"\+?\d{7,}")


def write_rejects(path: Path, faults: Iterable[Fault]) -> None:
    """Write bad lines as a report of their own: number, event, at; then line and reason, which an import ignores. Raises
    OSError naming the place where it can't be written."""
    with replacing(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        write_rejects_to(text, faults)


def rejects_of(faults: Iterable[Fault], say: Callable[[str], str] = str) -> bytes:
    """The same as UTF-8 with a byte order mark, without which spreadsheets take it for another encoding; the reasons as
    `say` puts them."""
    text = io.StringIO(newline="")
    write_rejects_to(text, faults, say)
    return text.getvalue().encode("utf-8-sig")


def write_rejects_to(
    file: io.TextIOBase | io.TextIOWrapper, faults: Iterable[Fault], say: Callable[[str], str] = str
) -> None:
    writer = csv.writer(file)
    writer.writerow((*COLUMNS.names, "line", "reason"))
    writer.writerows((*_cells(fault.text), fault.line, say(fault.reason)) for fault in faults)


def masked_text(text: str) -> str:
    """A bad line as a page may show it: whatever looks like a number is masked."""
    return _DIGITS.sub(lambda found: masked(found.group()), text)


def _cells(text: str) -> Iterator[str]:
    """The three cells of a line, whatever is left of them."""
    found = next(csv.reader([text]), [])
    yield from (found[at].strip() if at < len(found) else "" for at in range(len(COLUMNS.names)))
