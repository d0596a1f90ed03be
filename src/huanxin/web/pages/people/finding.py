"""Names that people can find: by Chinese, by pinyin, by its initials; and apps that they may name."""

from __future__ import annotations

import csv
import threading
import unicodedata
from functools import cache
from importlib.resources import files

LONGEST = 40


def plain(text: str) -> str:
    """A text as it is compared: one form of each letter, lower case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


@cache
def keys(name: str) -> str:
    """What a name is found by, with spaces between: itself, its pinyin, its initials."""
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  # its dictionaries are large: see `warm`

    sounds = lazy_pinyin(name)
    initials = lazy_pinyin(name, style=Style.FIRST_LETTER)
    return " ".join(dict.fromkeys(map(plain, (name, "".join(sounds), "".join(initials)))))


def warm() -> None:
    """Read the dictionaries beside the start, so that neither the start nor the first visitor waits for them."""
    threading.Thread(target=keys, args=("号码",), name="pinyin", daemon=True).start()


def finds(query: str, name: str) -> bool:
    return plain(query) in keys(name)


@cache
def suggestions() -> tuple[str, ...]:
    """Apps that people may mean. None of them is connected to anything: they only save typing."""
    text = (files("huanxin.web.pages.people") / "apps.csv").read_text(encoding="utf-8")
    return tuple(row["name"] for row in csv.DictReader(text.splitlines()))


def wished_name(typed: str) -> str:
    """The name that a person typed, in the form in which it is counted; empty if there is none in it."""
    shown = " ".join(unicodedata.normalize("NFKC", typed).split())[:LONGEST]
    known = {plain(name): name for name in suggestions()}
    return known.get(plain(shown), "".join(one for one in shown if one.isprintable()))
