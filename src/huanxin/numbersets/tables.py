"""Reading tables as companies really send them (CSV in any usual encoding, gzip, Parquet, and where people send lists by
hand an Excel workbook), in chunks of Arrow columns.

Everything comes out as text columns with the line of each row, so that a refusal can name it. A chunk is small, whatever the
file says of itself, and no value longer than `shape.LONGEST`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from huanxin.numbersets import delimited, parquet, workbook
from huanxin.numbersets.arrow import pa
from huanxin.numbersets.delimited import Table
from huanxin.numbersets.files import name_of
from huanxin.numbersets.shape import BadTable, Chunk, Columns, Content, opened
from huanxin.words.sentences import Sentence

__all__ = ["BadTable", "Chunk", "Columns", "Content", "Source", "Table", "inspect", "read"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file's content as it will be read: its SHA-256 (of the bytes as they are), form and encoding."""

    content: Content
    sha256: bytes
    parquet: bool
    gzip: bool
    encoding: str
    xlsx: bool = False
    most: int | None = None
    """bytes that it may have once unpacked"""
    count_rows: bool = True
    """whether a row of Parquet counts as a short line"""

    @property
    def name(self) -> str:
        """What the file is called; empty for what came without a name."""
        return name_of(self.content) if isinstance(self.content, Path) else ""


def inspect(content: Content, *, workbooks: bool = False, most: int | None = None, count_rows: bool = True) -> Source:
    """Hash a file and find out what it is: Parquet, gzip, and the encoding of its text; an Excel workbook only where
    `workbooks` come from people (a program that sends one has made a mistake). Raises BadTable.

    `most`: bytes that it may have once unpacked, when it comes from outside: a file of a megabyte can hold a billion lines.
    Rows of Parquet count as short lines, unless whoever reads them counts them (`count_rows`).
    """
    digest = hashlib.sha256()
    with opened(content) as file:
        head = file.read(8)
        file.seek(0)
        while block := file.read(1 << 20):
            digest.update(block)
    is_parquet, gzip = head[:4] == parquet.MAGIC, head[:2] == b"\x1f\x8b"
    xlsx = workbooks and head[:4] == workbook.MAGIC
    if not xlsx and workbook.is_one(content, head[:4]):
        raise BadTable(Sentence("this is an Excel workbook; save it in Excel as CSV UTF-8 and send that"))
    encoding = "binary"
    if not is_parquet and not xlsx:
        with _stream(content, gzip) as stream:
            encoding = delimited.encoding_of(stream, most)
    return Source(
        content=content, sha256=digest.digest(), parquet=is_parquet, gzip=gzip, encoding=encoding, xlsx=xlsx, most=most,
        count_rows=count_rows,
    )  # fmt: skip


def read(source: Source, columns: Columns, keep_ragged: int | None = None) -> Table:
    """A file's rows, chunk by chunk, to be read within a `with` block."""
    table = Table(keep_ragged=keep_ragged)
    if source.parquet:
        table.chunks = parquet.rows(source.content, columns, source.most, count_rows=source.count_rows)
    elif source.xlsx:
        table.chunks = _workbook(source, columns, table)
    else:
        stream = partial(_stream, source.content, source.gzip)
        table.chunks = delimited.rows(stream, source.encoding, columns, table, source.most)
    return table


def _stream(content: Content, gzip: bool) -> AbstractContextManager[IO[bytes] | pa.NativeFile]:
    file = opened(content)  # here, since Arrow opens no file whose name isn't UTF-8
    return pa.input_stream(file, compression="gzip") if gzip else file


def _workbook(source: Source, columns: Columns, table: Table) -> Iterator[Chunk]:
    """A workbook's sheet as the CSV that it would be exported to: the same lines, the same checks."""
    text = workbook.as_csv(source.content, source.most)
    yield from delimited.rows(partial(io.BytesIO, text), "utf-8", columns, table, source.most)
