"""An Excel workbook's first sheet as CSV text, so that one code checks what people send, whatever they sent it in.

Rows keep their numbers: row 7 of the sheet is line 7 of the text. Reading is python-calamine's, apart: a sheet of two cells,
far from each other, makes it ask for more than any machine has, and that ends the process.

Calamine reads a cell with an error (`#N/A`) and a formula whose value was never worked out as empty ones, and an empty cell
says nothing. So the sheet's own XML (ISO/IEC 29500-1, section 18.3.1.4) is looked at too: such a cell stands in the text as
what it is, and is refused by its row.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from typing import IO
from xml.etree import ElementTree

from huanxin.numbersets import apart
from huanxin.numbersets.shape import BadTable, Content, opened, too_long
from huanxin.words.sentences import Sentence

_MAGIC = b"PK\x03\x04"
"""How an .xlsx and an .ods file begin: they are ZIP archives."""
_OLD_MAGIC = b"\xd0\xcf\x11\xe0"
"""How an .xls file begins, and whatever else Office wrote before 2007."""
_OPEN = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
"""What stands first in an .ods file (OpenDocument 1.3, part 2, section 3.3)."""
_MEMORY = 3 << 29
"""Bytes that reading one may take; a million rows take a third."""
_NAMES = (b"xl/", b"[Content_Types].xml", b"docProps/")
"""What no other archive has: parts of a workbook, and of whatever else Office writes (ISO/IEC 29500-2)."""
HEAD = 1 << 16
"""Bytes at its ends by which a workbook is told from other archives."""
_FRAME = 1 << 20  # bytes
_LONGEST = 64 << 20  # bytes of text: a million rows have a quarter of it
_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_TEXTS = ("s", "str", "inlineStr")
"""Types of cells that hold a text, which may be an empty one."""
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ROUNDED = 10**9
_LONG = 10**12


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


def as_csv(content: apart.Given, most: int | None) -> bytes:
    """The first sheet that has anything in it, as CSV in UTF-8. Raises BadTable, beyond `most` bytes too."""
    text, most = bytearray(), min(most or _LONGEST, _LONGEST)
    with closing(apart.frames(__name__, content, memory=_MEMORY, most=most)) as pieces:
        for piece in pieces:
            text += piece
            if len(text) > most:
                raise too_long(most)
    return bytes(text)


def frames(file: IO[bytes]) -> Iterator[bytes]:
    """What `as_csv` gives: what the reader apart makes of a workbook. Raises BadTable."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in _rows(file):
        writer.writerow([_text(cell) for cell in row])
        if out.tell() > _FRAME:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    if out.tell():
        yield out.getvalue().encode()


def _rows(file: IO[bytes]) -> list[list[object]]:
    """The cells of the one sheet that has any. Raises BadTable."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415  # nobody else needs it

    rows: list[list[object]] = []
    try:
        book = CalamineWorkbook.from_filelike(file)
        with zipfile.ZipFile(file) as archive:
            parts = _parts(archive)
            for one in book.sheets_metadata:
                if one.name not in parts:
                    continue  # a chart, which has no cells
                found: list[list[object]] = list(
                    map(list, book.get_sheet_by_name(one.name).to_python(skip_empty_area=False))
                )
                with archive.open(parts[one.name]) as part:
                    _put_back(found, part)
                if any(cell != "" for row in found for cell in row):
                    if rows:
                        raise BadTable(
                            Sentence("several sheets of the workbook have something in them; send one with the list alone")
                        )
                    rows = found
    except BadTable:
        raise
    except (CalamineError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, ElementTree.ParseError) as error:
        raise BadTable(Sentence("the file can't be read as an Excel workbook; save it again as .xlsx or CSV")) from error
    return rows


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part of the archive that holds each sheet's cells, by the sheet's name."""
    links = {
        one.get("Id"): posixpath.normpath(posixpath.join("/xl", one.get("Target", ""))).lstrip("/")
        for one in ElementTree.fromstring(archive.read(_LINKS))
        if one.get("Type", "").endswith("/worksheet")
    }
    sheets = ElementTree.fromstring(archive.read(_BOOK)).iterfind("{*}sheets/{*}sheet")
    refer = {sheet.get("name", ""): value for sheet in sheets for key, value in sheet.items() if key.endswith("}id")}
    return {name: links[link] for name, link in refer.items() if link in links}


def _put_back(rows: list[list[object]], part: IO[bytes]) -> None:
    """Write into the cells that were read as empty and are not what stands there: an error, or a formula."""
    for row, column, kind, cell in _cells(part):
        if kind in _TEXTS or (len(rows) > row and len(rows[row]) > column and rows[row][column] != ""):
            continue
        value, formula = (cell.findtext(f"{{*}}{name}") for name in ("v", "f"))
        if said := value or (formula is not None and f"={formula}"):
            rows.extend([] for _ in range(row + 1 - len(rows)))
            rows[row].extend("" for _ in range(column + 1 - len(rows[row])))
            rows[row][column] = said


def _cells(part: IO[bytes]) -> Iterator[tuple[int, int, str | None, ElementTree.Element]]:
    """Row and column (from 0), type and element of each cell; a cell may leave out its place, which is the next one then."""
    row = column = -1
    for event, one in ElementTree.iterparse(part, ("start", "end")):
        name = one.tag.rpartition("}")[2]
        if event == "start" and name == "row":
            row, column = int(one.get("r", row + 2)) - 1, -1
        elif event == "end" and name == "c":
            place = _PLACE.fullmatch(one.get("r", ""))
            column = _column(place[1]) if place else column + 1
            yield int(place[2]) - 1 if place else row, column, one.get("t"), one
        elif event == "end" and name == "row":
            one.clear()


def _column(letters: str) -> int:
    """A is 0, AA is 26."""
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - ord("A") + 1
    return at - 1


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
