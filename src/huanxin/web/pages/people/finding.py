"""Names that people can find: by Chinese, by pinyin, by its initials; and apps that they may name."""

from __future__ import annotations

import csv
import json
import logging
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

log = logging.getLogger("huanxin.web")
LONGEST = 40
_known: dict[str, str] = {}
_learning = threading.Lock()


def plain(text: str) -> str:
    """A text as it is compared: one form of each letter, lower case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def keys(name: str) -> str:
    """What a name is found by, with spaces between: itself, its pinyin, its initials."""
    learn([name])
    return _known.get(name) or plain(name)


def learn(names: Iterable[str]) -> None:
    """Have the keys of these names at hand: those that are new are worked out together, in a process of its own."""
    with _learning:
        new = [name for name in dict.fromkeys(names) if name not in _known]
        chinese = [name for name in new if not name.isascii()]
        _known.update({name: plain(name) for name in new if name.isascii()})
        if chinese:
            words = [sys.executable, "-I", str(Path(__file__).with_name("pinyin.py"))]
            try:
                told = subprocess.run(words, input=json.dumps(chinese), capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                log.exception("names can't be found by their pinyin just now")
                return
            for name, (sounds, initials) in zip(chinese, json.loads(told.stdout), strict=True):
                _known[name] = " ".join(dict.fromkeys(map(plain, (name, sounds, initials))))


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
