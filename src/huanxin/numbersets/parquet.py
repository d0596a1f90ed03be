"""The rows of a Parquet or Arrow file, read apart. Columns come as those that are read here: text, numbers, days and times;
every other type is refused with what to write instead, since no program that fails on it later could say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, TypeAlias

import numpy as np

from huanxin.numbersets import apart
from huanxin.numbersets.arrow import pa, pc, pq
from huanxin.numbersets.columns import any_given
from huanxin.numbersets.dialect import Heading
from huanxin.numbersets.rows import Table
from huanxin.numbersets.shape import BadTable, Chunk, Columns, check_lengths, too_long
from huanxin.words.sentences import Sentence

MAGICS = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
"""How Parquet begins, an Arrow file (Feather is one) and a stream of Arrow's."""
ROWS = 1 << 16
"""A chunk's, at most."""
_MEMORY = 1 << 30
"""Bytes that reading one may take. Ten million lines take a tenth of it; more than half, if whoever wrote them put all into
one page."""
_BUFFER = 1 << 18
_FRAME = 8 << 20  # bytes
_SAID, _WRITTEN = "which rows say anything", b"written"
_ROW = 24  # bytes that a row counts for: what a short line takes as CSV
_DAY = 86_400
_FIRST = int(datetime(1, 1, 2, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
"""Seconds since 1970 that a calendar has, in any zone."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def rows(content: apart.Given, columns: Columns, table: Table, most: int | None, *, count_rows: bool) -> Iterator[Chunk]:
    """Chunks of typed columns; where `count_rows`, as many rows at most as there are short lines in `most` bytes. Raises
    BadTable."""
    line = 1
    asked = {"names": list(columns.names), "optional": sorted(columns.optional), "aliases": dict(columns.aliases),
             "whole": columns.whole}  # fmt: skip
    for frame in apart.frames(__name__, content, memory=_MEMORY, most=most, **asked):
        batch = pa.ipc.open_stream(pa.py_buffer(frame)).read_next_batch()
        lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
        line += batch.num_rows
        if most is not None and count_rows and line > most // _ROW:
            raise too_long(most)
        read = dict(zip(batch.schema.names, batch.columns, strict=True))
        table.heading = table.heading or _heading(batch.schema)
        said = read.pop(_SAID, pa.array([], pa.bool_())).to_numpy(zero_copy_only=False)
        yield Chunk(columns=read, lines=lines, said=said)


def _heading(schema: pa.Schema) -> Heading:
    cells = [field.metadata[_WRITTEN].decode() for field in schema if field.name != _SAID]
    return Heading(cells=cells, found=dict(enumerate(schema.names[: len(cells)])), separator="", line=0, rows_at=0)


def frames(
    file: IO[bytes], *, names: Sequence[str], optional: Sequence[str], aliases: Mapping[str, str], whole: bool
) -> Iterator[bytes]:
    """The rows, as streams of Arrow's IPC format with one batch each: what the reader apart gives. Raises BadTable."""
    wanted, line = Columns(names=names, optional=frozenset(optional), aliases=aliases), 1
    begins = file.read(len(MAGICS[1]))
    file.seek(0)
    batches = _of_parquet if begins.startswith(MAGICS[0]) else _of_arrow
    try:
        for header, found, batch in batches(file, wanted):
            for part in _divided(batch):
                made = _typed(dict(zip(found, part.columns, strict=True)), line)
                if whole:  # what stands elsewhere may be of any type, and a program writes no row for nothing
                    made[_SAID] = pa.array(any_given(made.values()) | (len(header) > len(found)))
                yield _frame(made, {name: header[index] for name, index in found.items()})
                line += part.num_rows
    except MemoryError:
        raise  # the reader's to say
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadTable(Sentence("the file is damaged or no Parquet; export it again")) from error


_Batch: TypeAlias = "tuple[Sequence[str], Mapping[str, int], pa.RecordBatch]"
"""A file's headings; those columns that are looked for, by their names here; and these columns alone, in that order."""


def _of_parquet(file: IO[bytes], wanted: Columns) -> Iterator[_Batch]:
    with pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False) as opened:  # else it keeps what it has read
        header = opened.schema_arrow.names
        found = {name: index for index, name in wanted.find(header).items()}
        written = [header[index] for index in found.values()]
        for batch in opened.iter_batches(batch_size=ROWS, columns=written, use_threads=False):
            yield header, found, pa.record_batch([batch.column(one) for one in written], names=list(found))


def _of_arrow(file: IO[bytes], wanted: Columns) -> Iterator[_Batch]:
    """Of an Arrow file or stream nobody has checked what it says of itself."""
    magic = file.read(len(MAGICS[1]))
    file.seek(0)
    with pa.ipc.open_file(file) if magic == MAGICS[1] else pa.ipc.open_stream(file) as opened:
        header = opened.schema.names
        found = {name: index for index, name in wanted.find(header).items()}
        each = map(opened.get_batch, range(opened.num_record_batches)) if magic == MAGICS[1] else opened
        for batch in each:
            columns = [batch.column(index) for index in found.values()]
            for column in columns:
                column.validate(full=True)
            yield header, found, pa.record_batch(columns, names=list(found))


def _divided(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in parts of about _FRAME bytes."""
    step = max(1, batch.num_rows * _FRAME // max(batch.nbytes, _FRAME))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _typed(columns: Mapping[str, pa.Array], line: int) -> dict[str, pa.Array]:
    """Columns of rows from this line on, as they are read here. Raises BadTable."""
    made = {}
    for name, column in columns.items():
        try:
            made[name] = plain(column, name)
        except MemoryError:
            raise
        except ValueError as error:
            raise BadTable(error.args[0]) from error
        check_lengths(made[name], name, np.arange(line, line + len(column)))
    return made


def _frame(columns: Mapping[str, pa.Array], headings: Mapping[str, str]) -> bytes:
    fields = [
        pa.field(
            name, column.type, metadata={_WRITTEN: headings[name].encode("utf-8", "replace")} if name in headings else None
        )
        for name, column in columns.items()
    ]
    batch, out = pa.record_batch(list(columns.values()), schema=pa.schema(fields)), pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(out.getvalue())


def plain(column: pa.Array, name: str) -> pa.Array:
    """A column as text without nulls, integers, decimals, dates or timestamps of at most microseconds. Raises ValueError
    with what is wrong and what to do."""
    try:
        return _plain(column, name)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ValueError(_unfit(name, column.type)) from error


def _unfit(name: str, kind: pa.DataType) -> Sentence:
    return Sentence("column %(name)s is %(type)s; write it as text", name=name, type=kind)


def _plain(column: pa.Array, name: str) -> pa.Array:
    kind, types = column.type, pa.types
    if column.null_count == len(column):  # as pandas writes an optional column that nobody filled: of any type
        return pa.array([""] * len(column), pa.string())
    if types.is_dictionary(kind):
        return _plain(column.dictionary_decode(), name)
    if types.is_floating(kind):
        return column.cast(pa.float64())
    if types.is_timestamp(kind) or types.is_date(kind):
        return _instants(column)
    if types.is_integer(kind) and not types.is_uint64(kind):
        return column
    if types.is_integer(kind) or types.is_decimal(kind):
        return pc.fill_null(column.cast(pa.string()), "")
    return pc.fill_null(_text(column, name), "")


def _text(column: pa.Array, name: str) -> pa.Array:
    kind, types = column.type, pa.types
    bytes_only = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    words = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if not words and not bytes_only and not types.is_fixed_size_binary(kind):
        raise ValueError(_unfit(name, kind))
    try:
        text = column if words else column.cast(pa.binary()).cast(pa.string())
        text = text.cast(pa.string())
        text.validate(full=True)  # Parquet's text may hold any bytes
    except pa.ArrowInvalid as error:
        raise ValueError(
            Sentence("column %(name)s holds bytes that are no text in UTF-8; write it as text", name=name)
        ) from error
    return text


def _instants(column: pa.Array) -> pa.Array:
    """Dates or timestamps; as text, which names the row that can't be read, where one lies beyond every calendar."""
    kind = column.type
    column.slice(0, 1).cast(pa.string())  # fails if nobody knows its time zone
    if pa.types.is_date32(kind):
        counts, low, high = column.cast(pa.int32()), _FIRST // _DAY, _LAST // _DAY
    else:
        each = _PER_SECOND["ms" if pa.types.is_date64(kind) else kind.unit]
        counts, low, high = column.cast(pa.int64()), _FIRST * each, _LAST * each
    ends = pc.min_max(counts).as_py()
    if ends["min"] < low or ends["max"] >= high:
        return pc.fill_null(column.cast(pa.string()), "")
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column
