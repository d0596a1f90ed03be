"""Cells of a workbook that python-calamine reads as empty ones though something stands there: an error (`#N/A`), or a
formula whose value was never worked out. An empty cell says nothing, so a number that is missing would be passed over.

They are looked for in what the file itself says: in the XML of each sheet (ISO/IEC 29500-1, section 18.3.1.4; OpenDocument
1.3, part 3, section 9.1.4), and in the records of an .xls file (MS-XLS, sections 2.4.24 and 2.4.127).
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, TypeAlias
from xml.etree import ElementTree

Cell: TypeAlias = tuple[int, int, str]
"""(row from 0, column from 0, what stands there)"""
Lost: TypeAlias = Callable[[str], Iterator[Cell] | None]
"""Of a sheet by its name, cells that may have been lost; None if it has no cells, as a chart."""

_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_TEXTS = ("s", "str", "inlineStr")
"""Types of cells that hold a text, which may be an empty one."""
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_TABLES = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_ERROR = re.compile(rb"\x05\x02\x08\x00(....)..([\x00\x07\x0f\x17\x1d\x24\x2a])\x01", re.DOTALL)
_FORMULA = re.compile(rb"\x06\x00..(....)..([\x00\x02\x03]).(.)...\xff\xff(.)", re.DOTALL)
_IS_ERROR, _IS_EMPTY, _WHEN_OPENED = b"\x02", b"\x03", 2
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def put_back(rows: list[list[object]], cells: Iterator[Cell]) -> None:
    """Write what was lost into the cells that were read as empty."""
    for row, column, said in cells:
        if len(rows) > row and len(rows[row]) > column and rows[row][column] != "":
            continue
        rows.extend([] for _ in range(row + 1 - len(rows)))
        rows[row].extend("" for _ in range(column + 1 - len(rows[row])))
        rows[row][column] = said


def of_xls(file: IO[bytes]) -> Lost:
    """An .xls file's. It has one sheet with anything in it, or is refused, so that all its cells are this one's. Its records
    are looked for wherever they lie: a program writes them in one piece."""
    content = file.read()

    def cells() -> Iterator[Cell]:
        for found in _ERROR.finditer(content):
            yield (*struct.unpack("<HH", found[1]), _ERRORS[found[2][0]])
        for found in _FORMULA.finditer(content):
            if found[2] != _IS_EMPTY or found[4][0] & _WHEN_OPENED:
                said = _ERRORS.get(found[3][0], "#") if found[2] == _IS_ERROR else "="
                yield (*struct.unpack("<HH", found[1]), said)

    return lambda _: cells()


def of_ods(archive: zipfile.ZipFile) -> Lost:
    """An .ods file's: its formulas, those that were read as empty among them."""

    def cells(name: str) -> Iterator[Cell]:
        row = column = 0
        inside = False
        with archive.open("content.xml") as part:
            for event, one in ElementTree.iterparse(part, ("start", "end")):
                if one.tag == f"{_TABLES}table":
                    inside, row = event == "start" and one.get(f"{_TABLES}name") == name, 0
                elif not inside:
                    pass
                elif one.tag == f"{_TABLES}table-row":
                    row, column = row + (event == "end") * int(one.get(f"{_TABLES}number-rows-repeated", 1)), 0
                elif event == "end" and one.tag in (f"{_TABLES}table-cell", f"{_TABLES}covered-table-cell"):
                    if formula := one.get(f"{_TABLES}formula"):
                        yield row, column, "".join(one.itertext()).strip() or formula.removeprefix("of:")
                    column += int(one.get(f"{_TABLES}number-columns-repeated", 1))
                if event == "end" and one.tag == f"{_TABLES}table-row":
                    one.clear()

    return cells


def of_xlsx(archive: zipfile.ZipFile) -> Lost:
    """An .xlsx file's. Raises KeyError for a file without the parts of one."""
    parts = _parts(archive)

    def lost(part: str) -> Iterator[Cell]:
        with archive.open(part) as file:
            for row, column, kind, cell in _cells(file):
                value, formula = (cell.findtext(f"{{*}}{name}") for name in ("v", "f"))
                if kind not in _TEXTS and (said := value or (formula is not None and f"={formula}")):
                    yield row, column, said

    return lambda name: lost(parts[name]) if name in parts else None


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
