"""CSV in any usual encoding, in chunks of Arrow columns. Parsing is pyarrow's."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from huanxin.numbersets.arrow import pa, pa_csv
from huanxin.numbersets.columns import any_given
from huanxin.numbersets.shape import LONGEST, BadTable, Chunk, Columns, check_lengths, damaged, note, too_long
from huanxin.words.sentences import Sentence

BLOCK = 1 << 21  # bytes of CSV per chunk
_HEADER = 1 << 16  # bytes
_SEPARATORS = {";": Sentence("semicolons"), "\t": Sentence("tabs"), "|": Sentence("vertical bars"),
               "\N{FULLWIDTH COMMA}": Sentence("full-width commas")}  # fmt: skip
_QUOTED = re.compile(rb'(?:(?<=[,\r\n])|\A)"(?:[^"]|"")*+("|\Z)')
"""A cell in quotes, and what closes it."""
_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


Stream: TypeAlias = "IO[bytes] | pa.NativeFile"


@dataclass(kw_only=True)
class Table:
    """A table being read, within a `with` block, at whose end reading ends too. `ragged` collects (line, what is wrong, the
    line's text) of rows with too few or many columns: all of them, or the first `keep_ragged`; `ragged_count` counts all."""

    chunks: Iterator[Chunk] = field(default_factory=lambda: iter(()))
    ragged: list[tuple[int, str, str]] = field(default_factory=list)
    ragged_count: int = 0
    keep_ragged: int | None = None
    _before: int = 0
    """lines before the block that is being read"""
    _skipped: list[int] = field(default_factory=list)
    """ragged rows of the block, counted from 1"""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(self.chunks, Iterator) and hasattr(self.chunks, "close"):
            self.chunks.close()

    def on_ragged(self, row: pa_csv.InvalidRow) -> str:
        """Note a row that the reader can't take."""
        self.ragged_count += 1
        self._skipped.append(row.number)
        if self.keep_ragged is None or len(self.ragged) < self.keep_ragged:
            why = Sentence(
                "%(found)s columns where the header has %(expected)s",
                found=row.actual_columns,
                expected=row.expected_columns,
            )
            text = row.text if len(row.text) <= LONGEST else f"{row.text[:LONGEST]}…"  # which no mending leaves in
            self.ragged.append((self._before + row.number, why, text))
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


def unpacked(stream: Stream, size: int, most: int | None) -> Iterator[bytes]:
    """A stream's blocks. Raises BadTable beyond `most` bytes."""
    seen = 0
    while block := stream.read(size):
        seen += len(block)
        if most is not None and seen > most:
            raise too_long(most)
        yield block


def encoding_of(stream: Stream, most: int | None) -> str:
    """The encoding of a text. Raises BadTable for none that is read here."""
    utf8, gb = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("gb18030")()
    is_utf8, is_gb = True, True
    try:
        for at, block in enumerate(unpacked(stream, 1 << 20, most)):
            for mark, name in _ENCODINGS.items() if at == 0 else ():
                if block.startswith(mark):
                    return name
            if not block.isascii() or not (is_utf8 and is_gb):
                is_utf8 = is_utf8 and _decodes(utf8, block)
                is_gb = is_gb and _decodes(gb, block)
            if not (is_utf8 or is_gb):
                break
    except (OSError, EOFError) as error:
        raise damaged(error) from error
    if is_utf8:
        return "utf-8"
    if is_gb:
        return "gb18030"
    raise BadTable(Sentence("the text is neither UTF-8 nor GB18030; save it as CSV in UTF-8"))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def rows(
    opened: Callable[[], AbstractContextManager[Stream]], encoding: str, columns: Columns, table: Table,
    most: int | None = None,
) -> Iterator[Chunk]:  # fmt: skip
    """The rows, a block of whole lines at a time. (pyarrow's own block reader keeps 32 blocks in memory.)"""
    with opened() as stream:
        yield from _rows(stream, encoding, columns, table, most)


def _rows(stream: Stream, encoding: str, columns: Columns, table: Table, most: int | None) -> Iterator[Chunk]:
    try:
        blocks = _whole_lines(stream, encoding, table, most)
        first = next(blocks, b"")
        head, rest = _first_line(first)
        header = _header(head)
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
            read = pa_csv.read_csv(pa.BufferReader(block), how, parse, convert)
            _refuse_unclosed(block, read.num_rows, table)
            lines = table.number_rows(read.num_rows)
            made = {name: _one(read.column(name)) for name in found.values()}
            for name, column in made.items():
                check_lengths(column, name, lines)
            yield Chunk(columns=made, lines=lines, said=any_given(read.columns if columns.whole else ()))
    except pa.ArrowInvalid as error:
        note(error)
        raise BadTable(Sentence("the file can't be read as CSV; save it again as CSV in UTF-8")) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise damaged(error) from error


def _header(line: bytes) -> list[str]:
    """The cells of the first line. Raises BadTable."""
    text = line.decode("utf-8", "replace").lstrip("\ufeff")
    if len(line) > _HEADER:
        raise BadTable(
            Sentence("the first line is longer than %(most)s bytes, so it names no columns", most=f"{_HEADER:,}"), line=1
        )
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return [text]  # which is no column that is looked for


def _refuse_unclosed(block: bytes, taken: int, table: Table) -> None:
    """Raises BadTable with the line where a quote opens that swallows the lines after it; the reader took `taken`."""
    end = b"\n" if b"\n" in block else b"\r"
    if b'"' not in block or taken + table.skipped >= block.count(end) + (not block.endswith(end)):
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


def _whole_lines(stream: Stream, encoding: str, table: Table, most: int | None) -> Iterator[bytes]:
    """The text as UTF-8, cut after line ends into blocks of about BLOCK bytes."""
    decoder = None if encoding in ("utf-8", "utf-8-sig") else codecs.getincrementaldecoder(encoding)()
    kept = b""
    for data in unpacked(stream, BLOCK, most):
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
