"""A workbook's sheet (.xlsx, .xls, .ods) as CSV text, so that one code checks what people send, whatever they sent it in.

Rows keep their numbers: row 7 of the sheet is line 7 of the text. Reading is python-calamine's, apart: a sheet of two cells,
far from each other, makes it ask for more than any machine has, and that ends the process. What it reads as empty and is not
is put back (`lost_cells`), and refused by its row.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from typing import IO
from xml.etree import ElementTree

from huanxin.numbersets import apart, lost_cells
from huanxin.numbersets.shape import BadTable, Content, opened, too_long
from huanxin.words.sentences import Sentence

_MAGIC = b"PK\x03\x04"
"""How an .xlsx and an .ods file begin: they are ZIP archives."""
_OLD_MAGIC = b"\xd0\xcf\x11\xe0"
"""How an .xls file begins, and whatever else Office wrote before 2007."""
_OPEN = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
"""What stands first in an .ods file (OpenDocument 1.3, part 2, section 3.3)."""
_NAMES = (b"xl/", b"[Content_Types].xml", b"docProps/")
"""What no other archive has: parts of a workbook, and of whatever else Office writes (ISO/IEC 29500-2)."""
HEAD = 1 << 16
"""Bytes at its ends by which a workbook is told from other archives."""
_MEMORY = 3 << 29
"""Bytes that reading one may take; a million rows take a third."""
_FRAME = 1 << 20  # bytes
_LONGEST = 64 << 20  # bytes of text: a million rows have a quarter of it
_LONG, _ROUND = 10**10, 10**7
"""A whole number of so many digits that ends in so many zeros is a phone number that the spreadsheet has rounded."""


def is_one(content: Content, head: bytes) -> bool:
    """Whether a file that begins like `head` is a workbook, and not some other archive: by the names in it, of which some
    stand near its ends."""
    if not head.startswith(_MAGIC):
        return head.startswith(_OLD_MAGIC)
    if _OPEN in head:
        return True
    with opened(content) as file:
        begins = file.read(HEAD)
        file.seek(max(0, file.seek(0, 2) - HEAD))
        ends = file.read(HEAD)
    return any(name in begins or name in ends for name in _NAMES)


def as_csv(content: apart.Given, most: int | None, *, ranges: bool = False) -> bytes:
    """The one sheet that has anything in it, as CSV in UTF-8. `ranges`: its numbers end in zeros by right. Raises BadTable,
    beyond `most` bytes too."""
    text, limit = bytearray(), min(most or _LONGEST, _LONGEST)
    with closing(apart.frames(__name__, content, memory=_MEMORY, most=most, ranges=ranges)) as pieces:
        for piece in pieces:
            text += piece
            if len(text) > limit:
                raise too_long(limit)
    return bytes(text)


def frames(file: IO[bytes], *, ranges: bool) -> Iterator[bytes]:
    """What `as_csv` gives: what the reader apart makes of a workbook. Raises BadTable."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in _rows(file):
        writer.writerow([_text(cell, ranges=ranges) for cell in row])
        if out.tell() > _FRAME:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    if out.tell():
        yield out.getvalue().encode()


def _rows(file: IO[bytes]) -> list[list[object]]:
    """The cells of the one sheet that has any. Raises BadTable."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415  # nobody else needs it

    rows: list[list[object]] = []
    try:
        book = CalamineWorkbook.from_filelike(file)
        lost = _lost(file)
        for one in book.sheets_metadata:
            if (cells := lost(one.name)) is None:
                continue
            found = list(map(list[object], book.get_sheet_by_name(one.name).to_python(skip_empty_area=False)))
            lost_cells.put_back(found, cells)
            if any(cell != "" for row in found for cell in row):
                if rows:
                    raise BadTable(
                        Sentence("several sheets of the workbook have something in them; send one with the list alone")
                    )
                rows = found
    except BadTable:
        raise
    except PasswordError as error:
        raise BadTable(Sentence("the workbook is locked with a password; save it without and send it again")) from error
    except (CalamineError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, ElementTree.ParseError) as error:
        raise BadTable(Sentence("the file can't be read as an Excel workbook; save it again as .xlsx or CSV")) from error
    return rows


def _lost(file: IO[bytes]) -> lost_cells.Lost:
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    if head.startswith(_OLD_MAGIC):
        return lost_cells.of_xls(file)
    archive = zipfile.ZipFile(file)
    return lost_cells.of_ods(archive) if _OPEN in head else lost_cells.of_xlsx(archive)


def _text(cell: object, *, ranges: bool) -> str:
    """A cell as it would stand in a careful export. A long whole number that ends in zeros was rounded by a spreadsheet
    (8.61381E+12, typed or pasted back) and is written so, that it be refused as what it is."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float) and float(cell).is_integer():
        whole = int(cell)
        return f"{whole:.5E}" if not ranges and whole >= _LONG and whole % _ROUND == 0 else str(whole)
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return " ".join(str(cell).split())
