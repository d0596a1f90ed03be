"""Rows of text, a block at a time, as chunks of Arrow columns. Parsing is pyarrow's.

A row has as many cells as the heading. One with more is taken if they are empty, as separators at a line's end make them;
one with fewer if what it lacks is not looked for, as Excel leaves it out; any other is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from huanxin.numbersets.arrow import pa, pa_csv
from huanxin.numbersets.columns import any_given
from huanxin.numbersets.dialect import Heading, cells_of
from huanxin.numbersets.shape import LONGEST, BadTable, Chunk, Columns
from huanxin.words.sentences import Sentence

_PEEK = 1 << 14  # bytes in which the first row is looked for


@dataclass(kw_only=True)
class Table:
    """A table being read, within a `with` block, at whose end reading ends too. `ragged` collects (line, what is wrong, the
    line's text) of rows with too few or many columns: all of them, or the first `keep_ragged`; `ragged_count` counts all."""

    chunks: Iterator[Chunk] = field(default_factory=lambda: iter(()))
    ragged: list[tuple[int, str, str]] = field(default_factory=list)
    ragged_count: int = 0
    keep_ragged: int | None = None
    heading: Heading | None = None
    """known once the first chunk is read; of Parquet and Arrow without separator and line"""
    _before: int = 0
    """lines before the block that is being read"""
    _skipped: list[int] = field(default_factory=list)
    """rows of the block, counted from 1, that its reader didn't take"""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(self.chunks, Iterator) and hasattr(self.chunks, "close"):
            self.chunks.close()

    def on_ragged(self, row: pa_csv.InvalidRow) -> None:
        """Note a row that the reader can't take, and nobody can mend."""
        self.ragged_count += 1
        if self.keep_ragged is None or len(self.ragged) < self.keep_ragged:
            why = Sentence(
                "%(found)s columns where the header has %(expected)s",
                found=row.actual_columns,
                expected=row.expected_columns,
            )
            text = row.text if len(row.text) <= LONGEST else f"{row.text[:LONGEST]}…"  # which no mending leaves in
            self.ragged.append((self._before + row.number, why, text))

    @property
    def next_line(self) -> int:
        """The line after those read so far."""
        return self._before + 1

    def skip(self, number: int) -> None:
        """Note that a row of the block, counted from 1, is not among those that were read."""
        self._skipped.append(number)

    @property
    def skipped(self) -> int:
        """How many rows of the block that is being read its reader didn't take."""
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


class Reader:
    """Reads the blocks of a text whose heading is known; `block`: the first of them."""

    def __init__(self, heading: Heading, columns: Columns, block: bytes) -> None:
        self._separator, self._found = heading.separator, heading.found
        width = _width(heading, block)
        names = [self._found.get(index, f"other {index}") for index in range(width)]
        self._names, self._needed = names, max(self._found, default=-1) + 1
        self._named = max((at for at, cell in enumerate(heading.cells, start=1) if cell.strip()), default=0)
        self._convert = pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=False,
            include_columns=names if columns.whole else list(self._found.values()),
        )
        self._whole = columns.whole
        mark = re.escape(heading.separator.encode())
        self._quoted = re.compile(rb"(?:(?<=[" + mark + rb'\r\n])|\A)"(?:[^"]|"")*+("|\Z)')
        """A cell in quotes, and what closes it."""

    def read(self, block: bytes, table: Table, *, last: bool) -> Chunk:
        """A block's rows. Raises BadTable with the line where a quote opens that nobody closes."""
        mended: list[tuple[int, list[str]]] = []
        cut = last and not block.endswith((b"\n", b"\r"))

        def on_invalid(row: pa_csv.InvalidRow) -> str:
            table.skip(row.number)
            if (cells := self._mended(row, block if cut else b"")) is None:
                table.on_ragged(row)
            else:
                mended.append((row.number, cells))
            return "skip"

        # One thread, since only then does the reader number the rows that it could not read.
        how = pa_csv.ReadOptions(use_threads=False, column_names=self._names, block_size=len(block) + 1)
        parse = pa_csv.ParseOptions(delimiter=self._separator, ignore_empty_lines=False, invalid_row_handler=on_invalid)
        read = pa_csv.read_csv(pa.BufferReader(block), how, parse, self._convert)
        self._refuse_unclosed(block, read.num_rows, table)
        before = table.next_line - 1
        lines = table.number_rows(read.num_rows)
        if mended:
            read, lines = self._with(read, lines, mended, before)
        made = {name: _one(read.column(name)) for name in self._found.values()}
        return Chunk(columns=made, lines=lines, said=any_given(read.columns if self._whole else ()))

    def _mended(self, row: pa_csv.InvalidRow, cut_off: bytes) -> list[str] | None:
        """A row's cells, as many as there are columns, if those that it lacks or has beside say nothing. The last row of a
        text without a line end may have been cut: it can't lack any."""
        width, text = len(self._names), row.text
        if row.actual_columns < width:
            if not text.strip():
                return [""] * width
            cut = row.actual_columns < self._named and cut_off.endswith(text.encode())
            if row.actual_columns < self._needed or cut:
                return None
        elif not text.rstrip().endswith((self._separator.strip() or "", '"')):
            return None
        cells = cells_of(text, self._separator)
        if len(cells) != row.actual_columns or any(cell.strip() for cell in cells[width:]):
            return None
        return cells[:width] + [""] * (width - len(cells))

    def _with(
        self, read: pa.Table, lines: npt.NDArray[np.int64], mended: Sequence[tuple[int, list[str]]], before: int
    ) -> tuple[pa.Table, npt.NDArray[np.int64]]:  # fmt: skip
        """Rows that were read together with those that were mended, in the order of their lines."""
        columns = dict(zip(self._names, zip(*(cells for _, cells in mended), strict=True), strict=True))
        others = pa.table({name: pa.array(columns[name], pa.string()) for name in read.column_names})
        every = np.concatenate((lines, [before + number for number, _ in mended]))
        order = np.argsort(every)
        return pa.concat_tables([read, others]).take(pa.array(order)), every[order]

    def _refuse_unclosed(self, block: bytes, taken: int, table: Table) -> None:
        """Raises BadTable with the line where a quote opens that swallows the lines after it; the reader took `taken`."""
        end = b"\n" if b"\n" in block else b"\r"
        if b'"' not in block or taken + table.skipped >= block.count(end) + (not block.endswith(end)):
            return
        closing = (b"", self._separator.encode(), b"\r", b"\n", b" ")
        for cell in self._quoted.finditer(block):
            swallows = end in cell.group()
            closed = cell.group(1) and block[cell.end() : cell.end() + 1] in closing
            if swallows and not closed:
                raise BadTable(
                    Sentence('a quote (") opens here and is not closed; close it, or take it out'),
                    line=table.next_line + block.count(end, 0, cell.start()),
                )


def _width(heading: Heading, block: bytes) -> int:
    """How many cells the rows have: where only the heading, or only the rows, have separators at their end, the first row
    says it."""
    cells = heading.cells
    first = next((line for line in block[:_PEEK].splitlines() if line.strip()), b"").decode("utf-8", "replace")
    row = cells_of(first, heading.separator)
    longer, shorter = row[len(cells) :], cells[len(row) :]
    if any(cell.strip() for cell in (*longer, *shorter)) or len(row) <= max(heading.found, default=0):
        return len(cells)
    return len(row)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
