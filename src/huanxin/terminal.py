"""What is printed for people at a terminal, or into a file.

What was recorded is printed as it is: a reason that somebody wrote, or a partner's name, may look like Rich's markup.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.text import Text

_NO_LIMIT = 1_000_000  # columns


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


def led(mark: str, style: str, text: str = "") -> Text:
    """Text that begins with a word or mark in a style."""
    return Text.assemble((mark, style), text)
