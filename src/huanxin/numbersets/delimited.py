"""Text in any usual encoding as a table, in chunks of Arrow columns."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator

from huanxin.numbersets.arrow import pa
from huanxin.numbersets.dialect import SEPARATORS, heading_of, without_end
from huanxin.numbersets.packed import Opens, Stream, within
from huanxin.numbersets.rows import Reader, Table
from huanxin.numbersets.shape import BadTable, Chunk, Columns, check_lengths, damaged, note
from huanxin.words.sentences import Sentence

BLOCK = 1 << 21  # bytes of CSV per chunk
_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_BLANKS, _BLANK = b"\r\n\x1a", 1 << 12
_UNMARKED = 1 << 12  # bytes in which text in UTF-16 without a mark shows what it is


def encoding_of(stream: Stream, most: int | None) -> str:
    """The encoding of a text. Raises BadTable for none that is read here."""
    utf8, gb = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("gb18030")()
    is_utf8, is_gb = True, True
    try:
        for at, block in enumerate(within(stream, 1 << 20, most)):
            if at == 0 and (known := _marked(block)):
                return known
            if at == 0 and len(block) == 1 << 20 and b"\n" not in block and b"\r" not in block:
                raise _no_lines()  # before all the rest is unpacked
            if not block.isascii() or not (is_utf8 and is_gb):
                is_utf8 = is_utf8 and _decodes(utf8, block)
                is_gb = is_gb and _decodes(gb, block)
            if not (is_utf8 or is_gb):
                break
        if is_utf8:
            utf8.decode(b"", final=True)  # fails on half a character: then the file was cut
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise damaged(error) from error
    if is_utf8:
        return "utf-8"
    if is_gb:
        return "gb18030"
    raise BadTable(Sentence("the text is neither UTF-8 nor GB18030; save it as CSV in UTF-8"))


def _marked(block: bytes) -> str:
    """The encoding that a text's beginning shows; empty if it has to be read."""
    for mark, name in _ENCODINGS.items():
        if block.startswith(mark):
            return name
    head = block[:_UNMARKED]
    if b"\0" in head:
        for name in ("utf-16-le", "utf-16-be"):
            text = head.decode(name, "ignore")
            if "\n" in text and any(separator in text for separator in SEPARATORS):
                return name
    return ""


def _no_lines(line: int = 1) -> BadTable:
    return BadTable(
        Sentence("a line is longer than %(most)s bytes, so this is not a table of numbers", most=f"{BLOCK:,}"), line
    )


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def rows(opened: Opens, encoding: str, columns: Columns, table: Table, most: int | None = None) -> Iterator[Chunk]:
    """The rows, a block of whole lines at a time. (pyarrow's own block reader keeps 32 blocks in memory.)"""
    with opened() as stream:
        yield from _rows(stream, encoding, columns, table, most)


def _rows(stream: Stream, encoding: str, columns: Columns, table: Table, most: int | None) -> Iterator[Chunk]:
    try:
        blocks = _whole_lines(stream, encoding, table, most)
        first = next(blocks, b"")
        heading = heading_of(first, columns)
        table.heading = heading
        table.number_rows(heading.line)
        reader = Reader(heading, columns, first[heading.rows_at :])
        for block, last in _to_the_end(itertools.chain([first[heading.rows_at :]], blocks), heading.separator):
            read = reader.read(block, table, last=last)
            for name, column in read.columns.items():
                check_lengths(column, name, read.lines)
            yield read
    except pa.ArrowInvalid as error:
        note(error)
        raise BadTable(Sentence("the file can't be read as CSV; save it again as CSV in UTF-8")) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise damaged(error) from error


def _to_the_end(blocks: Iterable[bytes], separator: str) -> Iterator[tuple[bytes, bool]]:
    """Blocks that have something in them, the last one without what stands below the lines, and whether it is that."""
    before = b""
    for block in blocks:
        if len(block) <= _BLANK and not block.strip(_BLANKS):
            before += block  # a total may stand above
            continue
        if before:
            yield before, False
        before = block
    if before := without_end(before, separator):
        yield before, True


def _whole_lines(stream: Stream, encoding: str, table: Table, most: int | None) -> Iterator[bytes]:
    """The text as UTF-8, cut after line ends into blocks of about BLOCK bytes."""
    decoder = None if encoding in ("utf-8", "utf-8-sig") else codecs.getincrementaldecoder(encoding)()
    kept = b""
    for data in within(stream, BLOCK, most):
        block = kept + (data if decoder is None else decoder.decode(data).encode())
        cut = block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, -1) + 1
        if not cut and len(block) > BLOCK:
            raise _no_lines(table.next_line)
        kept = block[cut:]
        if cut:
            yield block[:cut]
    if decoder is not None:
        decoder.decode(b"", final=True)  # fails on half a character: then the file was cut
    if kept:
        yield kept
