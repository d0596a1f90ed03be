"""Room for everybody: on disk, where what comes in leaves the platform enough to work with; and in turns, of which each
caller leaves some to the others."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from huanxin.domain.errors import TooMany, Unavailable
from huanxin.words.sentences import Sentence

_SOON = 5  # seconds

UPLOADS = "uploads"
"""The folder in HUANXIN_HOME where bodies and files lie while they come in."""


@dataclass(kw_only=True)
class Turns:
    """Something that takes long: `each` at a time for a caller, `every` for all together. Used from several threads."""

    what: Sentence
    each: int
    every: int
    _taken: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def taking(self, caller: str) -> Iterator[None]:
        """One of them, for as long as the block runs. Raises TooMany or Unavailable."""
        with self._lock:
            if self._taken[caller] >= self.each:
                said = Sentence(
                    "%(count)s %(what)s of yours are under way already; try again when one of them is done",
                    count=self.each, what=self.what,
                )  # fmt: skip
                raise TooMany(said, retry_after=_SOON)
            if self._taken.total() >= self.every:
                raise Unavailable(Sentence("too many %(what)s are under way at this moment; try again soon", what=self.what))
            self._taken[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[caller] -= 1
                if not self._taken[caller]:
                    del self._taken[caller]


@dataclass(kw_only=True)
class Room:
    """What may lie in `folder` while it comes in: all but `spare` bytes of what is free, and a few uploads at a time."""

    folder: Path
    spare: int
    uploads: Turns

    @property
    def left(self) -> int:
        """Bytes that may still be taken; below zero when too many were, by whomever."""
        place = next(one for one in (self.folder, *self.folder.resolve().parents) if one.is_dir())
        return shutil.disk_usage(place).free - self.spare

    @property
    def full(self) -> bool:
        """Whether so little is left that the database will soon have none."""
        return self.left < -self.spare * 3 // 4

    def check(self, coming: int = 0) -> None:
        """Raise Unavailable unless there is room for `coming` bytes more."""
        if self.left < coming:
            raise Unavailable(
                Sentence(
                    "there is too little room on the platform's disk to take this now, so nothing of it was taken; send it "
                    "again later"
                )
            )

    @contextmanager
    def taking(self, account: str, coming: int = 0) -> Iterator[None]:
        """An upload of `coming` bytes, as far as is known, for as long as the block runs. Raises TooMany or Unavailable."""
        with self.uploads.taking(account):
            self.check(coming)
            yield


def sweep(folder: Path, older_than: float) -> None:
    """Remove uploads that a killed server left behind: those that no server can be working on any more (seconds)."""
    if folder.is_dir():
        for left in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - older_than:
                    shutil.rmtree(left, ignore_errors=True)
