"""Cells of a table that somebody opens in a spreadsheet."""

from __future__ import annotations

import re

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}",
             "\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip
_NUMBER = re.compile(r"\+[0-9][0-9 ().-]*")


def as_text(cell: str) -> str:
    """What somebody wrote, so that no spreadsheet takes it for a formula (OWASP, CSV injection; East Asian ones read
    full-width signs too). A phone number stays as it is."""
    return f"'{cell}" if cell.startswith(_FORMULAS) and not _NUMBER.fullmatch(cell) else cell
