"""Reading tables as companies really send them (CSV in any usual encoding, gzip, Parquet), in chunks of Arrow columns.

Everything comes out as text columns with the line of each row, so that a refusal can name it. Parsing is pyarrow's.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

BLOCK = 1 << 23  # bytes of CSV per chunk
PARQUET_ROWS = 1 << 18
_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class BadTable(ValueError):
    """The file as a whole can't be read; the text says why and what to do. `line` is 0 for the whole file."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows: text (or typed Parquet) columns by name, missing optional ones left out, and each row's line."""

    columns: dict[str, pa.Array]
    lines: npt.NDArray[np.int64]


@dataclass(kw_only=True)
class Table:
    """A table being read. `ragged` collects (line, what is wrong, the line's text) of rows with too few or many columns."""

    chunks: Iterator[Chunk]
    ragged: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What to look for: the columns' names, which of them may be missing, and other names they go by."""

    names: Sequence[str]
    optional: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)

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
            seen = ", ".join(cell.strip()[:20] for cell in header[:6]) or "nothing"
            raise BadTable(
                f"the first line must name the columns {','.join(self.names)}; {', '.join(missing)} is missing "
                f"(the line reads: {seen})",
                line=1,
            )
        return found


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file's content as it will be read: its SHA-256 (of the bytes as they are), form and encoding."""

    path: Path
    sha256: bytes
    parquet: bool
    gzip: bool
    encoding: str


def inspect(path: Path) -> Source:
    """Hash a file and find out what it is: Parquet, gzip, and the encoding of its text. Raises BadTable."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        while block := file.read(1 << 20):
            digest.update(block)
    parquet, gzip = head == b"PAR1", head[:2] == b"\x1f\x8b"
    encoding = "binary"
    if not parquet:
        with _open(path, gzip) as stream:
            encoding = _encoding(stream)
    return Source(path=path, sha256=digest.digest(), parquet=parquet, gzip=gzip, encoding=encoding)


def read(source: Source, columns: Columns) -> Table:
    """Read a file's rows, chunk by chunk."""
    if source.parquet:
        return Table(chunks=_parquet(source.path, columns))
    table = Table(chunks=iter(()))
    table.chunks = _csv(_open(source.path, source.gzip), source.encoding, columns, table.ragged)
    return table


def _open(path: Path, gzip: bool) -> pa.NativeFile:
    return pa.input_stream(str(path), compression="gzip" if gzip else None)


def _encoding(stream: IO[bytes] | pa.NativeFile) -> str:
    head = stream.read(1 << 20)
    for mark, name in _ENCODINGS.items():
        if head.startswith(mark):
            return name
    utf8, gb = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("gb18030")()
    is_utf8, is_gb = True, True
    try:
        block = head
        while block and (is_utf8 or is_gb):
            if not block.isascii() or not (is_utf8 and is_gb):
                is_utf8 = is_utf8 and _decodes(utf8, block)
                is_gb = is_gb and _decodes(gb, block)
            block = stream.read(1 << 20)
    except (OSError, EOFError) as error:
        raise BadTable(f"the compressed file is damaged or cut short ({error}); send it again") from error
    if is_utf8:
        return "utf-8"
    if is_gb:
        return "gb18030"
    raise BadTable("the text is neither UTF-8 nor GB18030; save it as CSV in UTF-8")


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _header(stream: IO[bytes] | pa.NativeFile, encoding: str) -> tuple[list[str], bytes]:
    """The cells of the first line, and all bytes read so far."""
    head = stream.read(1 << 16)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    first = next(csv.reader(io.StringIO(text)), [])
    return first, head


def _csv(stream: pa.NativeFile, encoding: str, columns: Columns, ragged: list[tuple[int, str, str]]) -> Iterator[Chunk]:
    header, head = _header(stream, encoding)
    found = columns.find(header)
    names = [found.get(index, f"other {index}") for index in range(len(header))]

    def on_ragged(row: pa_csv.InvalidRow) -> str:
        ragged.append((row.number, f"{row.actual_columns} columns where the header has {row.expected_columns}", row.text))
        return "skip"

    try:
        reader = pa_csv.open_csv(
            _Rejoined(head, stream),
            # One thread, since only then does the reader number the rows that it could not read.
            read_options=pa_csv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=1, block_size=BLOCK,
                encoding="utf8" if encoding in ("utf-8", "utf-8-sig") else encoding,
            ),
            parse_options=pa_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=on_ragged),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False,
                include_columns=list(found.values()),
            ),
        )  # fmt: skip
        line = 2
        for batch in reader:
            lines, line = _number_rows(line, batch.num_rows, ragged)
            yield Chunk(columns={name: batch.column(name) for name in found.values()}, lines=lines)
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise BadTable(f"the file can't be read as CSV: {error}") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadTable(f"the file is damaged or cut short ({error}); send it again") from error


def _number_rows(start: int, count: int, ragged: list[tuple[int, str, str]]) -> tuple[npt.NDArray[np.int64], int]:
    """The lines of the next `count` rows when the ragged ones, skipped by the reader, have taken theirs."""
    lines = np.arange(start, start + count, dtype=np.int64)
    for skipped in sorted({row[0] for row in ragged if row[0] is not None and row[0] >= start}):
        lines[lines >= skipped] += 1
    return lines, int(lines[-1]) + 1 if count else start


class _Rejoined(io.RawIOBase):
    """A stream with the bytes already read put back in front."""

    def __init__(self, head: bytes, rest: IO[bytes] | pa.NativeFile) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            data, self._head = self._head + self._rest.read(), b""
            return data
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        return bytes(self._rest.read(size))


def _parquet(path: Path, columns: Columns) -> Iterator[Chunk]:
    try:
        with pq.ParquetFile(path) as file:
            found = columns.find(file.schema_arrow.names)
            written = {name: file.schema_arrow.names[index] for index, name in found.items()}
            line = 1
            for batch in file.iter_batches(batch_size=PARQUET_ROWS, columns=list(written.values())):
                yield Chunk(
                    columns={name: _plain(batch.column(batch.schema.get_field_index(column)))
                             for name, column in written.items()},
                    lines=np.arange(line, line + batch.num_rows, dtype=np.int64),
                )  # fmt: skip
                line += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise BadTable(f"the file can't be read as Parquet: {error}; send it again") from error


def _plain(column: pa.Array) -> pa.Array:
    """A Parquet column without dictionary or nulls where it is text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    return pc.fill_null(column, "") if pa.types.is_string(column.type) else column
