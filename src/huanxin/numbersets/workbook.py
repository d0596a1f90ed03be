"""An Excel workbook's first sheet as CSV text, so that one code checks what people send, whatever they sent it in.

Rows keep their numbers: row 7 of the sheet is line 7 of the text. Reading is python-calamine's.
"""

from __future__ import annotations

import csv
import io
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
        if size > _MOST_BYTES:
            raise ValueError(
                Sentence("the workbook is too large to be a list of numbers; export the column as CSV and send that")
            )
        file.seek(0)
        book = CalamineWorkbook.from_filelike(file)
        sheets = (book.get_sheet_by_name(one.name).to_python(skip_empty_area=False) for one in book.sheets_metadata)
        rows = next((rows for rows in sheets if any(any(cell != "" for cell in row) for row in rows)), [])
    except (CalamineError, zipfile.BadZipFile) as error:
        raise ValueError(Sentence("the file can't be read as an Excel workbook; save it again as .xlsx or CSV")) from error
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
