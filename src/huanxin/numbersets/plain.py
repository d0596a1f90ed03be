"""What somebody typed or pasted, as plain as it can be: without what nobody sees, and what programs put around it."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_WRAPPED = re.compile(r'=?\s*"([^"]*)"')
_WHOLE = re.compile(r"(\+?[0-9]+)\.0+")
_BETWEEN = re.compile(r"[\s_-]+")
_APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
_MINUS = "\N{MINUS SIGN}\N{HYPHEN BULLET}"
_UNSEEN = "\N{COMBINING GRAPHEME JOINER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}"
_WIDE = ord("\N{FULLWIDTH EXCLAMATION MARK}") - ord("!")


def clean(text: str) -> str:
    """A text without what nobody sees in it (zero width, bidi marks, byte order marks), with full-width letters, dashes and
    spaces of any kind as ASCII has them, and without spaces around it."""
    return (text if text.isascii() else "".join(map(_as_ascii, text))).strip()


def unwrapped(text: str) -> str:
    """The same without what a spreadsheet puts around a value: `="…"`, quotes, an apostrophe before it, `.0` after it."""
    plain = clean(text)
    if found := _WRAPPED.fullmatch(plain):
        plain = found[1].strip()
    plain = plain.lstrip(_APOSTROPHES).strip()
    found = _WHOLE.fullmatch(plain)
    return found[1] if found else plain


def word(text: str) -> str:
    """A word as it is looked up in a table: letter case, spaces, - and _ don't matter, nor quotes around it."""
    return _BETWEEN.sub("", clean(text).strip("\"'*:").lower())


@cache
def _as_ascii(character: str) -> str:
    if "\N{FULLWIDTH EXCLAMATION MARK}" <= character <= "\N{FULLWIDTH TILDE}":
        return chr(ord(character) - _WIDE)
    kind = unicodedata.category(character)
    if kind == "Cf" or character in _UNSEEN or unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
        return ""
    if kind == "Zs":
        return " "
    return "-" if kind == "Pd" or character in _MINUS else character
