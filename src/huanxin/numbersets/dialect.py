"""How a text came to be a table: what separates its cells, where its heading stands, and what is said below its last line.

People and billing systems put a title above the heading, and a total under the lines. Whatever could be a line of the list
is never taken for either.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from huanxin.numbersets.shape import BadTable, Columns
from huanxin.words.sentences import Sentence

SEPARATORS = (",", "\t", ";", "|")
"""In the order in which they are tried."""
_FULLWIDTH = "\N{FULLWIDTH COMMA}"
_LONGEST = 1 << 16  # bytes of a heading
_TITLES = 5
"""Lines that may stand above the heading: a title, whose it is, when it was made."""
_SAID = re.compile(rb'(?i)"?sep=(.)"?[,;\t|]*')
"""The line by which Excel is told what separates the cells."""
_NUMBER = re.compile(r"""[\s'"=+]*(?:\d[\s().-]*){10,}["\s]*""")
_TOTAL = re.compile(
    r"""(?xi) (?: 合\s*计 | 总\s*计 | 共\s*计 | 小\s*计 | 总\s*数 | 总条数 | 总?记录数 | 共 | (?:grand\s+)?totals? | count )
        \s* [:：=]? \s* [\d,]* \s* (?: 条 | 行 | 个 | 户 | 笔 )? (?: 记录 | 数据 )? \s* [。.]?
      | \(? \d+ \s+ rows? (?: \s+ (?: affected | selected | returned ))? \.? \)? """
)
_SHORT = 40
"""Characters of a cell that may be a number or a total: what is longer is neither, and would keep its pattern busy."""
_CTRL_Z = re.compile(rb"[\r\n]*\x1a[\r\n\x1a]*\Z")
_END = 1 << 12  # bytes that a total may take


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The heading of a table: its cells; which of them are looked for, by their index; what separates cells; its line; and
    where in the text the rows begin."""

    cells: list[str]
    found: dict[int, str]
    separator: str
    line: int
    rows_at: int


def heading_of(block: bytes, columns: Columns) -> Heading:
    """The heading of a text that begins with `block`. Raises BadTable saying what is missing of the line that is most like
    one."""
    given, at, lines = _said(block)
    best: tuple[int, BadTable] | None = None
    for line, (text, end) in enumerate(_first_lines(block, at), start=lines + 1):
        tried = _tried(text, line, columns, given)
        if isinstance(tried, Heading):
            return Heading(cells=tried.cells, found=tried.found, separator=tried.separator, line=line, rows_at=end)
        if best is None or tried[0] > best[0]:
            best = tried
        if _may_be_a_line(text, columns):
            break
    if best is None:
        best = _tried(b"", lines + 1, columns, given)  # type: ignore[assignment]
    assert best is not None
    raise best[1]


def _said(block: bytes) -> tuple[str, int, int]:
    """What separates the cells if the text says so, where it goes on after that, and how many lines that were."""
    text, end = _line(block, 0)
    said = _SAID.fullmatch(text.removeprefix(b"\xef\xbb\xbf").strip())
    return (said[1].decode(), end, 1) if said and said[1].isascii() and said[1] not in b'"' else ("", 0, 0)


def _first_lines(block: bytes, at: int) -> Iterator[tuple[bytes, int]]:
    """Lines from a place on, each with where the next one begins; a line ends within no quotes, if that can be."""
    for _ in range(_TITLES + 1):
        if at >= len(block):
            return
        text, end = _line(block, at)
        whole, whole_end = text, end
        for _ in range(_TITLES):
            if whole.count(b'"') % 2 and whole_end < len(block):
                _, whole_end = _line(block, whole_end)
                whole = block[at:whole_end].rstrip(b"\r\n")
        if whole.count(b'"') % 2 == 0:
            text, end = whole, whole_end
        yield text, end
        at = end


def _line(block: bytes, at: int) -> tuple[bytes, int]:
    """The line that begins at a place, and where the next one begins."""
    end = min((found for found in (block.find(b"\n", at), block.find(b"\r", at)) if found >= 0), default=len(block))
    return block[at:end], end + (2 if block[end : end + 2] == b"\r\n" else 1)


def _tried(line: bytes, number: int, columns: Columns, given: str) -> Heading | tuple[int, BadTable]:
    """A line as a heading; or how many cells it has, and why it is none."""
    if len(line) > _LONGEST:
        return 0, BadTable(
            Sentence("the first line is longer than %(most)s bytes, so it names no columns", most=f"{_LONGEST:,}"), line=1
        )
    text = line.decode("utf-8", "replace").lstrip("\ufeff")
    best: tuple[int, BadTable] | None = None
    for separator in (given,) if given else SEPARATORS:
        cells = cells_of(text, separator)
        try:
            found = columns.find(cells)
        except BadTable as error:
            filled = sum(1 for cell in cells if cell.strip())
            if best is None or filled > best[0]:
                best = filled, BadTable(error.reason, number)
            continue
        return Heading(cells=cells, found=found, separator=separator, line=number, rows_at=0)
    assert best is not None
    if best[0] <= 1 and _FULLWIDTH in text:
        why = Sentence(
            "the columns are separated by %(mark)s; separate them with commas", mark=Sentence("full-width commas")
        )
        return text.count(_FULLWIDTH) + 1, BadTable(why, number)
    return best


def cells_of(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator), [])
    except csv.Error:
        return [text]  # which is no column that is looked for


def _may_be_a_line(line: bytes, columns: Columns) -> bool:
    """Whether a line could be one of the list: it has as many cells as a heading needs, and a number in one."""
    text, needed = line.decode("utf-8", "replace"), len(columns.names) - len(columns.optional)
    for separator in SEPARATORS:
        cells = [cell for cell in cells_of(text, separator) if cell.strip()]
        if len(cells) >= needed and _names_a_number(cells):
            return True
    return False


def _names_a_number(cells: Sequence[str]) -> bool:
    return any(len(cell) <= _SHORT and _NUMBER.fullmatch(cell) for cell in cells)


def without_end(block: bytes, separator: str) -> bytes:
    """The last block of a text without what stands under its lines: a total, and the Ctrl-Z with which DOS ended files."""
    block = _CTRL_Z.sub(b"\n", block) if b"\x1a" in block[-_END:] else block
    text = block[-_END:].rstrip()
    start = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
    if start == 0 and len(block) > _END:
        return block  # a line that is so long is no total
    cells = cells_of(text[start:].decode("utf-8", "replace"), separator)
    first = next((cell.strip() for cell in cells if cell.strip()), "")
    if len(first) > _SHORT or not _TOTAL.fullmatch(first) or _names_a_number(cells):
        return block
    return block[: max(0, len(block) - _END) + start]
