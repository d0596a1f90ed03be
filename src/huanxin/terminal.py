"""What is printed for people at a terminal, or into a file.

What was recorded is printed as it is: a reason that somebody wrote, or a partner's name, may look like Rich's markup.
"""

from __future__ import annotations

import errno
import io
import sys
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.text import Text

_NO_LIMIT = 1_000_000  # columns
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""How a system says that a disk is full, or somebody's part of it."""


class Terminal(Console):
    """A console that takes text literally. What goes into a file or another program is not cut at a width, unless COLUMNS
    asks for one."""

    def __init__(self, **more: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **more)

    @property
    def size(self) -> ConsoleDimensions:
        found = super().size
        return found if self.is_terminal else ConsoleDimensions(_NO_LIMIT, found.height)

    @size.setter
    def size(self, new: tuple[int, int]) -> None:
        self._width, self._height = new


class _Spoken(io.FileIO):
    """A stream for what is said: what it can't take, since its disk is full, stays unsaid, and ends nobody's work."""

    def write(self, said: Any, /) -> int:
        try:
            return super().write(said)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            return len(said)


def speak_on() -> None:
    """Let this process go on where its standard error, which logs go to, is a file on a full disk."""
    stream = sys.stderr
    if isinstance(stream, io.TextIOWrapper):
        spoken = _Spoken(stream.fileno(), "w", closefd=False)
        sys.stderr = io.TextIOWrapper(spoken, stream.encoding, stream.errors, line_buffering=True, write_through=True)


def led(mark: str, style: str, text: str = "") -> Text:
    """Text that begins with a word or mark in a style."""
    return Text.assemble((mark, style), text)
