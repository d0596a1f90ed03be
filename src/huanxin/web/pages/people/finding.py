"""Names that people can find: by Chinese, by pinyin, by its initials; and apps that they may name."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from huanxin.domain.partners import plain

LONGEST = 40


def keys(name: str, spelled: Mapping[str, str]) -> str:
    """What a name is found by, with spaces between: itself, its pinyin, its initials; only itself until it is spelled."""
    return spelled.get(name) or plain(name)


def finds(query: str, keys: str) -> bool:
    return plain(query) in keys


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
