"""An Excel workbook's first sheet as CSV text, so that one code checks what people send, whatever they sent it in.

Rows keep their numbers: row 7 of the sheet is line 7 of the text. Reading is python-calamine's, in a process of its own with
little memory: a sheet of two cells, far apart, makes it ask for more than any machine has, and that ends the process.
"""

from __future__ import annotations

import csv
import io
import resource
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineWorkbook

from huanxin.sentences import Sentence

MAGIC = b"PK\x03\x04"
"""How an .xlsx file begins: it is a ZIP archive."""
OLD_MAGIC = b"\xd0\xcf\x11\xe0"
"""How an .xls file begins, and whatever else Office wrote before 2007."""
_SHEETS = "xl/"

_MOST_BYTES = 1 << 30
"""of a workbook once unpacked: a million rows take about 100 MB, and a bomb much more"""
_MOST_MEMORY = 2 << 30
"""bytes that reading one may take; a million rows take a tenth"""
_MOST_SECONDS = 120
_UNREADABLE = 3
_ROUNDED = 10**9
_LONG = 10**12


def is_one(content: Path | bytes, head: bytes) -> bool:
    """Whether a file that begins like `head` is a workbook, and not some other archive."""
    if head != MAGIC:
        return head == OLD_MAGIC
    try:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
            return any(name.startswith(_SHEETS) for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def as_csv(file: IO[bytes]) -> bytes:
    """The first sheet that has anything in it, as CSV in UTF-8. Raises ValueError with what is wrong and what to do."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(one.file_size for one in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ValueError(_unreadable()) from error
    if size > _MOST_BYTES:
        raise ValueError(_too_large())
    file.seek(0)
    try:
        read = subprocess.run(
            [sys.executable, "-m", __name__], input=file.read(), capture_output=True, timeout=_MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(_too_large()) from error
    if read.returncode == _UNREADABLE:
        raise ValueError(_unreadable())
    if read.returncode:
        raise ValueError(_too_large())
    return read.stdout


def _unreadable() -> Sentence:
    return Sentence("the file can't be read as an Excel workbook; save it again as .xlsx or CSV")


def _too_large() -> Sentence:
    return Sentence("the workbook is too large to be a list of numbers; export the column as CSV and send that")


def _read(content: bytes) -> bytes:
    """What `as_csv` gives, read here. Raises CalamineError."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    sheets = (book.get_sheet_by_name(one.name).to_python(skip_empty_area=False) for one in book.sheets_metadata)
    rows = next((rows for rows in sheets if any(any(cell != "" for cell in row) for row in rows)), [])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_text(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _text(cell: object) -> str:
    """A cell as it would stand in a careful export. A long whole number that ends in zeros was rounded by a spreadsheet
    (8.61E+12, typed or pasted back) and is written so, that it be refused as what it is."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float) and float(cell).is_integer():
        whole = int(cell)
        return f"{whole:.2E}" if whole >= _LONG and whole % _ROUNDED == 0 else str(whole)
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return " ".join(str(cell).split())


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    try:
        sys.stdout.buffer.write(_read(sys.stdin.buffer.read()))
    except CalamineError:
        sys.exit(_UNREADABLE)
