"""What a table is, whatever form it came in; and how large it may be, so that nobody's file takes the memory of all."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

from huanxin.numbersets.arrow import pa, pc
from huanxin.numbersets.columns import Mask
from huanxin.numbersets.plain import word
from huanxin.words.sentences import Sentence

log = logging.getLogger("huanxin.tables")
log.addHandler(logging.NullHandler())  # a command shows its own sentence; a server logs the rest

LONGEST = 1000
"""Bytes of a value: numbers, words and times have a few dozen."""
MOST_COLUMNS = 1000
_DIGITS = re.compile(r"\d{7,}")

Content: TypeAlias = Path | bytes
"""A file, or what stands in it where that is little."""


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
    sheet: bool = False
    """whether it is of a spreadsheet, where a number in place of a time counts days"""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What to look for: the columns' names, which of them may be missing, and by `plain.word` what else they are called.
    `whole`: the columns
    that are not looked for are looked at, so that a row that lacks just these is told from an empty one. `ranges`: numbers
    end in zeros by right, and no spreadsheet has rounded them."""

    names: Sequence[str]
    optional: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    ranges: bool = False

    def find(self, header: Sequence[str]) -> dict[int, str]:
        """Column index -> name. Raises BadTable naming what is missing, or if there are too many columns to be a list."""
        if len(header) > MOST_COLUMNS:
            raise BadTable(
                Sentence(
                    "the file has %(count)s columns; a list of numbers has %(most)s at most",
                    count=f"{len(header):,}", most=f"{MOST_COLUMNS:,}",
                ),
                line=1,
            )  # fmt: skip
        found = self._found(header)
        missing = [name for name in self.names if name not in found.values() and name not in self.optional]
        if missing:
            seen = ", ".join(cell.strip()[:20] for cell in header[:6]) or "–"
            raise BadTable(
                Sentence(
                    "the first line must name the columns %(names)s; %(missing)s is missing (the line reads: %(seen)s)",
                    names=",".join(self.names),
                    missing=", ".join(missing),
                    seen=seen,
                ),
                line=1,
            )
        return found

    def _found(self, header: Sequence[str]) -> dict[int, str]:
        """A column's own name goes before what else it may be called. Raises BadTable where two may be meant."""
        found: dict[int, str] = {}
        written = [word(cell) for cell in header]
        for name in self.names:
            own = [index for index, cell in enumerate(written) if cell == word(name)]
            places = own or [index for index, cell in enumerate(written) if self.aliases.get(cell) == name]
            if len(places) > 1:
                raise BadTable(
                    Sentence(
                        "the columns %(first)s and %(second)s both may be %(name)s; leave one, or call it %(name)s and the "
                        "other something else", first=header[places[0]].strip()[:20], second=header[places[1]].strip()[:20],
                        name=name,
                    ),
                    line=1,
                )  # fmt: skip
            found |= dict.fromkeys(places, name)
        return found


def opened(content: Content) -> IO[bytes]:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def check_lengths(column: pa.Array, name: str, lines: npt.NDArray[np.int64]) -> None:
    """Raises BadTable with the line of a value that is too long: what is said of it later would be as long."""
    if not (pa.types.is_string(column.type) or pa.types.is_binary(column.type)) or not len(column):
        return
    lengths = pc.binary_length(column)
    if (pc.max(lengths).as_py() or 0) > LONGEST:
        line = int(lines[np.argmax(pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False) > LONGEST)])
        raise BadTable(
            Sentence(
                "a value in column %(name)s is longer than %(most)s bytes, so this is not a list of numbers",
                name=name, most=f"{LONGEST:,}",
            ),
            line,
        )  # fmt: skip


def too_long(most: int) -> BadTable:
    """Why a file isn't taken that is longer, once unpacked, than what is read of one."""
    return BadTable(
        Sentence(
            "once unpacked, the file is longer than %(most)s bytes, so nothing of it was taken; send it in parts",
            most=f"{most:,}",
        )
    )


def damaged(error: Exception) -> BadTable:
    note(error)
    return BadTable(Sentence("the file is damaged or cut short; send it again"))


def note(error: BaseException | str) -> None:
    """Log a library's words, which say nothing to whoever sent the file; without numbers, which it may quote."""
    said = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    log.warning("a file can't be read: %s", _DIGITS.sub("****", " ".join(said.split())[:300]))
