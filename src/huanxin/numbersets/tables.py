"""Reading tables as companies really send them (text in any usual encoding, workbooks, Parquet, Arrow; packed or not), in
chunks of Arrow columns.

Everything comes out as text columns with the line of each row, so that a refusal can name it. A chunk is small, whatever the
file says of itself, and no value longer than `shape.LONGEST`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from huanxin.numbersets import apart, delimited, packed, parquet, workbook
from huanxin.numbersets.files import name_of
from huanxin.numbersets.rows import Table
from huanxin.numbersets.shape import BadTable, Chunk, Columns, Content, damaged, opened
from huanxin.words.sentences import Sentence

__all__ = ["BadTable", "Chunk", "Columns", "Content", "Source", "Table", "inspect", "read"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file's content as it will be read: its SHA-256 (of the bytes as they are), its form (text, columns of Parquet, or a
    workbook), how it is packed (empty if it isn't) and, of text, its encoding."""

    content: Content
    sha256: bytes
    form: str
    packing: str = ""
    encoding: str = ""
    most: int | None = None
    """bytes that it may have once unpacked"""
    count_rows: bool = True
    """whether a row of Parquet counts as a short line"""

    @property
    def name(self) -> str:
        """What the file is called; empty for what came without a name."""
        return name_of(self.content) if isinstance(self.content, Path) else ""

    @property
    def given(self) -> apart.Given:
        """The file as a reader apart is given it."""
        return partial(packed.unpacking, self.content, self.packing) if self.packing else self.content


def inspect(content: Content, *, workbooks: bool = True, most: int | None = None, count_rows: bool = True) -> Source:
    """Hash a file and find out what it is. Workbooks come from people: where `workbooks` are none, a program that sends one
    has made a mistake. Raises BadTable.

    `most`: bytes that it may have once unpacked, when it comes from outside: a file of a megabyte can hold a billion lines.
    Rows of Parquet count as short lines, unless whoever reads them counts them (`count_rows`).
    """
    digest = hashlib.sha256()
    with opened(content) as file:
        head = file.read(workbook.HEAD)
        file.seek(0)
        while block := file.read(1 << 20):
            digest.update(block)
    packing = "" if workbook.is_one(content, head) else packed.packing_of(head)
    if packing:
        most = min(most or packed.MOST, packed.MOST)
        head = _beginning(content, packing)
    form = _form(content, head, packing)
    if form == "workbook" and not workbooks:
        raise BadTable(Sentence("this is an Excel workbook; save it in Excel as CSV UTF-8 and send that"))
    encoding = ""
    if form == "text":
        with packed.unpacking(content, packing) as stream:
            encoding = delimited.encoding_of(stream, most)
    return Source(
        content=content, sha256=digest.digest(), form=form, packing=packing, encoding=encoding, most=most,
        count_rows=count_rows,
    )  # fmt: skip


def takes_long(content: Content) -> bool:
    """Whether a file is read apart or unpacked, which takes long however small it is."""
    with opened(content) as file:
        head = file.read(workbook.HEAD)
    return head.startswith(parquet.MAGICS) or workbook.is_one(content, head) or packed.packing_of(head) != ""


def _beginning(content: Content, packing: str) -> bytes:
    """What a packed file holds begins so. Raises BadTable."""
    try:
        with packed.unpacking(content, packing) as stream:
            return bytes(stream.read(workbook.HEAD))
    except (OSError, EOFError) as error:
        raise damaged(error) from error


def _form(content: Content, head: bytes, packing: str) -> str:
    if head.startswith(parquet.MAGICS):
        return "columns"
    if workbook.is_one(head if packing else content, head):
        return "workbook"
    if packed.packing_of(head):
        raise BadTable(Sentence("the file is packed twice; unpack it once and send it again"))
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise BadTable(
            Sentence("this is a web page or XML, whatever its name; open it in a spreadsheet and save it as .xlsx or CSV")
        )
    return "text"


def read(source: Source, columns: Columns, keep_ragged: int | None = None) -> Table:
    """A file's rows, chunk by chunk, to be read within a `with` block."""
    table = Table(keep_ragged=keep_ragged)
    if source.form == "columns":
        table.chunks = parquet.rows(source.given, columns, table, source.most, count_rows=source.count_rows)
    elif source.form == "workbook":
        table.chunks = _workbook(source, columns, table)
    else:
        stream = partial(packed.unpacking, source.content, source.packing)
        table.chunks = delimited.rows(stream, source.encoding, columns, table, source.most)
    return table


def _workbook(source: Source, columns: Columns, table: Table) -> Iterator[Chunk]:
    """A workbook's sheet as the CSV that it would be exported to: the same lines, the same checks."""
    text = workbook.as_csv(source.given, source.most, ranges=columns.ranges)
    for chunk in delimited.rows(partial(io.BytesIO, text), "utf-8", columns, table, source.most):
        yield replace(chunk, sheet=True)
