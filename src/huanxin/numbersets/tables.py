"""Reading tables as companies really send them (CSV in any usual encoding, gzip, Parquet, and where people send lists by
hand an Excel workbook), in chunks of Arrow columns.

Everything comes out as text columns with the line of each row, so that a refusal can name it. Parsing is pyarrow's.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

from huanxin.numbersets import parquet, workbook
from huanxin.numbersets.arrow import pa, pa_csv, pq
from huanxin.numbersets.columns import Mask, any_given
from huanxin.sentences import Sentence

log = logging.getLogger("huanxin.tables")
log.addHandler(logging.NullHandler())  # a command shows its own sentence; a server logs the rest

BLOCK = 1 << 21  # bytes of CSV per chunk
PARQUET_ROWS = 1 << 16
_BUFFER = 1 << 18
_ROW = 24  # bytes that a row of Parquet counts for: what a short line takes as CSV
_SEPARATORS = {";": Sentence("semicolons"), "\t": Sentence("tabs"), "|": Sentence("vertical bars"),
               "\N{FULLWIDTH COMMA}": Sentence("full-width commas")}  # fmt: skip
_QUOTED = re.compile(rb'(?:(?<=[,\r\n])|\A)"(?:[^"]|"")*+("|\Z)')
"""A cell in quotes, and what closes it."""
_DIGITS = re.compile(r"\d{7,}")
_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class BadTable(ValueError):
    """The file as a whole can't be read; the text says why and what to do. `line` is 0 for the whole file."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows: text (or typed Parquet) columns by name, missing optional ones left out, and each row's line. `said`: which
    rows have anything in any of the file's columns, where that was asked for (`Columns.whole`)."""

    columns: dict[str, pa.Array]
    lines: npt.NDArray[np.int64]
    said: Mask = field(default_factory=lambda: np.empty(0, np.bool_))


@dataclass(kw_only=True)
class Table:
    """A table being read. `ragged` collects (line, what is wrong, the line's text) of rows with too few or many columns:
    all of them, or the first `keep_ragged`; `ragged_count` counts all."""

    chunks: Iterator[Chunk] = field(default_factory=lambda: iter(()))
    ragged: list[tuple[int, str, str]] = field(default_factory=list)
    ragged_count: int = 0
    keep_ragged: int | None = None
    _before: int = 0
    """lines before the block that is being read"""
    _skipped: list[int] = field(default_factory=list)
    """ragged rows of the block, counted from 1"""

    def on_ragged(self, row: pa_csv.InvalidRow) -> str:
        """Note a row that the reader can't take."""
        self.ragged_count += 1
        self._skipped.append(row.number)
        if self.keep_ragged is None or len(self.ragged) < self.keep_ragged:
            counts = {"found": row.actual_columns, "expected": row.expected_columns}
            why = Sentence("%(found)s columns where the header has %(expected)s", **counts)
            self.ragged.append((self._before + row.number, why, row.text))
        return "skip"

    @property
    def next_line(self) -> int:
        """The line after those read so far."""
        return self._before + 1

    @property
    def skipped(self) -> int:
        """How many ragged rows the block had that is being read."""
        return len(self._skipped)

    def number_rows(self, count: int) -> npt.NDArray[np.int64]:
        """The lines of the `count` rows of a block, the ragged ones having taken theirs."""
        every = count + len(self._skipped)
        left = np.ones(every, np.bool_)
        left[np.array(self._skipped, np.int64) - 1] = False
        lines = np.flatnonzero(left) + self._before + 1
        self._before += every
        self._skipped.clear()
        return lines


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What to look for: the columns' names, which of them may be missing, and other names they go by. `whole`: the columns
    that are not looked for are looked at, so that a row that lacks just these is told from an empty one."""

    names: Sequence[str]
    optional: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False

    def find(self, header: Sequence[str]) -> dict[int, str]:
        """Column index -> name. Raises BadTable naming what is missing."""
        found: dict[int, str] = {}
        for index, written in enumerate(header):
            name = written.strip().strip('"').strip().lower()
            name = self.aliases.get(name, name)
            if name in self.names and name not in found.values():
                found[index] = name
        missing = [name for name in self.names if name not in found.values() and name not in self.optional]
        if missing:
            seen = ", ".join(cell.strip()[:20] for cell in header[:6]) or "–"
            raise BadTable(
                Sentence(
                    "the first line must name the columns %(names)s; %(missing)s is missing (the line reads: %(seen)s)",
                    names=",".join(self.names), missing=", ".join(missing), seen=seen,
                ),
                line=1,
            )  # fmt: skip
        return found


Content: TypeAlias = Path | bytes
"""A file, or what stands in it where that is little."""


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
    most_rows: int | None = None
    """rows that it may have as Parquet"""

    @property
    def name(self) -> str:
        """What the file is called; empty for what came without a name."""
        return self.content.name if isinstance(self.content, Path) else ""


def inspect(content: Content, *, workbooks: bool = False, most: int | None = None, count_rows: bool = True) -> Source:
    """Hash a file and find out what it is: Parquet, gzip, and the encoding of its text; an Excel workbook only where
    `workbooks` come from people (a program that sends one has made a mistake). Raises BadTable.

    `most`: bytes that it may have once unpacked, when it comes from outside: a file of a megabyte can hold a billion lines.
    Rows of Parquet count as short lines, unless whoever reads them counts them (`count_rows`).
    """
    digest = hashlib.sha256()
    with _opened(content) as file:
        head = file.read(8)
        file.seek(0)
        while block := file.read(1 << 20):
            digest.update(block)
    is_parquet, gzip = head[:4] == b"PAR1", head[:2] == b"\x1f\x8b"
    xlsx = workbooks and head[:4] == workbook.MAGIC
    if not xlsx and workbook.is_one(content, head[:4]):
        raise BadTable(Sentence("this is an Excel workbook; save it in Excel as CSV UTF-8 and send that"))
    encoding = "binary"
    if not is_parquet and not xlsx:
        with _stream(content, gzip) as stream:
            encoding = _encoding(stream, most)
    return Source(
        content=content, sha256=digest.digest(), parquet=is_parquet, gzip=gzip, encoding=encoding, xlsx=xlsx, most=most,
        most_rows=None if most is None or not count_rows else most // _ROW,
    )  # fmt: skip


def read(source: Source, columns: Columns, keep_ragged: int | None = None) -> Table:
    """Read a file's rows, chunk by chunk."""
    table = Table(keep_ragged=keep_ragged)
    if source.parquet:
        table.chunks = _parquet(source.content, columns, source.most_rows)
    elif source.xlsx:
        table.chunks = _workbook(source.content, columns, table)
    else:
        table.chunks = _csv(_stream(source.content, source.gzip), source.encoding, columns, table, source.most)
    return table


def _opened(content: Content) -> IO[bytes]:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _stream(content: Content, gzip: bool) -> pa.NativeFile:
    source = pa.py_buffer(content) if isinstance(content, bytes) else content
    return pa.input_stream(source, compression="gzip" if gzip else None)


def _unpacked(stream: IO[bytes] | pa.NativeFile, size: int, most: int | None) -> Iterator[bytes]:
    """A stream's blocks. Raises BadTable beyond `most` bytes."""
    seen = 0
    while block := stream.read(size):
        seen += len(block)
        if most is not None and seen > most:
            raise _too_long(most)
        yield block


def _too_long(most: int) -> BadTable:
    return BadTable(
        Sentence(
            "once unpacked, the file is longer than %(most)s bytes, so nothing of it was taken; send it in parts",
            most=f"{most:,}",
        )
    )


def _encoding(stream: IO[bytes] | pa.NativeFile, most: int | None) -> str:
    utf8, gb = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("gb18030")()
    is_utf8, is_gb = True, True
    try:
        for at, block in enumerate(_unpacked(stream, 1 << 20, most)):
            for mark, name in _ENCODINGS.items() if at == 0 else ():
                if block.startswith(mark):
                    return name
            if not block.isascii() or not (is_utf8 and is_gb):
                is_utf8 = is_utf8 and _decodes(utf8, block)
                is_gb = is_gb and _decodes(gb, block)
            if not (is_utf8 or is_gb):
                break
    except (OSError, EOFError) as error:
        raise _damaged(error) from error
    if is_utf8:
        return "utf-8"
    if is_gb:
        return "gb18030"
    raise BadTable(Sentence("the text is neither UTF-8 nor GB18030; save it as CSV in UTF-8"))


def _damaged(error: Exception) -> BadTable:
    _note(error)
    return BadTable(Sentence("the file is damaged or cut short; send it again"))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _workbook(content: Content, columns: Columns, table: Table) -> Iterator[Chunk]:
    """A workbook's sheet as the CSV that it would be exported to: the same lines, the same checks."""
    try:
        with _opened(content) as file:
            text = workbook.as_csv(file)
    except ValueError as error:
        _note(error.__cause__ or error)
        raise BadTable(error.args[0]) from error
    yield from _csv(pa.input_stream(pa.py_buffer(text)), "utf-8", columns, table)


def _csv(stream: pa.NativeFile, encoding: str, columns: Columns, table: Table, most: int | None = None) -> Iterator[Chunk]:
    """The rows, a block of whole lines at a time. (pyarrow's own block reader keeps 32 blocks in memory.)"""
    try:
        blocks = _whole_lines(stream, encoding, table, most)
        first = next(blocks, b"")
        head, rest = _first_line(first)
        header = next(csv.reader([head.decode("utf-8", "replace").lstrip("\ufeff")]), [])
        found = _found(header, columns)
        names = [found.get(index, f"other {index}") for index in range(len(header))]
        convert = pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=False,
            include_columns=names if columns.whole else list(found.values()),
        )
        parse = pa_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=table.on_ragged)
        table.number_rows(1)  # the header
        for block in itertools.chain([rest], blocks):
            if not block:
                continue
            # One thread, since only then does the reader number the rows that it could not read.
            how = pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1)
            rows = pa_csv.read_csv(pa.BufferReader(block), how, parse, convert)
            _refuse_unclosed(block, rows.num_rows, table)
            lines = table.number_rows(rows.num_rows)
            said = any_given(rows.columns if columns.whole else ())
            yield Chunk(columns={name: _one(rows.column(name)) for name in found.values()}, lines=lines, said=said)
    except pa.ArrowInvalid as error:
        _note(error)
        raise BadTable(Sentence("the file can't be read as CSV; save it again as CSV in UTF-8")) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _damaged(error) from error


def _refuse_unclosed(block: bytes, rows: int, table: Table) -> None:
    """Raises BadTable with the line where a quote opens that swallows the lines after it; the reader took `rows`."""
    end = b"\n" if b"\n" in block else b"\r"
    if b'"' not in block or rows + table.skipped >= block.count(end) + (not block.endswith(end)):
        return
    for cell in _QUOTED.finditer(block):
        swallows = end in cell.group()
        closed = cell.group(1) and block[cell.end() : cell.end() + 1] in (b"", b",", b"\r", b"\n", b" ")
        if swallows and not closed:
            raise BadTable(
                Sentence('a quote (") opens here and is not closed; close it, or take it out'),
                line=table.next_line + block.count(end, 0, cell.start()),
            )


def _found(header: Sequence[str], columns: Columns) -> dict[int, str]:
    try:
        return columns.find(header)
    except BadTable as error:
        for mark, name in _SEPARATORS.items():
            if len(header) == 1 and mark in header[0]:
                why = Sentence("the columns are separated by %(mark)s; separate them with commas", mark=name)
                raise BadTable(why, line=1) from error
        raise


def _whole_lines(stream: pa.NativeFile, encoding: str, table: Table, most: int | None) -> Iterator[bytes]:
    """The text as UTF-8, cut after line ends into blocks of about BLOCK bytes."""
    decoder = None if encoding in ("utf-8", "utf-8-sig") else codecs.getincrementaldecoder(encoding)()
    kept = b""
    for data in _unpacked(stream, BLOCK, most):
        block = kept + (data if decoder is None else decoder.decode(data).encode())
        cut = block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, -1) + 1
        if not cut and len(block) > BLOCK:
            raise BadTable(
                Sentence("a line is longer than %(most)s bytes, so this is not a table of numbers", most=f"{BLOCK:,}"),
                table.next_line,
            )
        kept = block[cut:]
        if cut:
            yield block[:cut]
    if decoder is not None:
        decoder.decode(b"", final=True)  # fails on half a character: then the file was cut
    if kept:
        yield kept


def _first_line(block: bytes) -> tuple[bytes, bytes]:
    """A block's first line and what comes after it."""
    end = min((at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0), default=len(block))
    return block[:end], block[end + (2 if block[end : end + 2] == b"\r\n" else 1) :]


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _parquet(content: Content, columns: Columns, most_rows: int | None) -> Iterator[Chunk]:
    file = pa.BufferReader(content) if isinstance(content, bytes) else content
    try:
        with pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False) as file:  # else it keeps what it has read
            header = file.schema_arrow.names
            found = {name: header[index] for index, name in columns.find(header).items()}
            line = 1
            for batch in file.iter_batches(batch_size=PARQUET_ROWS, columns=list(found.values()), use_threads=False):
                at = {name: batch.schema.names.index(column) for name, column in found.items()}
                read = {name: _typed(batch.column(index), found[name]) for name, index in at.items()}
                # What stands elsewhere may be of any type, and a program writes no row for nothing.
                said = any_given(read.values() if columns.whole else ()) | (len(header) > len(found))
                yield Chunk(columns=read, lines=np.arange(line, line + batch.num_rows, dtype=np.int64), said=said)
                line += batch.num_rows
                if most_rows is not None and line > most_rows:
                    raise _too_long(most_rows * _ROW)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        _note(error)
        raise BadTable(Sentence("the file is damaged or no Parquet; export it again")) from error


def _typed(column: pa.Array, name: str) -> pa.Array:
    try:
        return parquet.plain(column, name)
    except ValueError as error:
        raise BadTable(error.args[0]) from error


def _note(error: BaseException) -> None:
    """Log a library's words, which say nothing to whoever sent the file; without numbers, which it may quote."""
    log.warning(
        "a file can't be read: %s: %s", type(error).__name__, _DIGITS.sub("****", " ".join(str(error).split())[:300])
    )
