"""Room on disk, and whose it is: what comes in from outside leaves the platform enough to work with, and each account leaves
some to the others."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from huanxin.domain.errors import TooMany, Unavailable
from huanxin.sentences import Sentence

_SOON = 5  # seconds


@dataclass(kw_only=True)
class Room:
    """What may lie in `folder` while it comes in: all but `spare` bytes of what is free. At most `each` uploads of an
    account at a time, and `every` of all together. May be used from several threads."""

    folder: Path
    spare: int
    each: int
    every: int
    _taking: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
        with self._lock:
            if self._taking[account] >= self.each:
                raise TooMany(
                    Sentence(
                        "%(count)s files of yours are being taken already; send this one when one of them is done",
                        count=self.each,
                    ),
                    retry_after=_SOON,
                )
            if self._taking.total() >= self.every:
                raise Unavailable(
                    Sentence("too many files are being taken at this moment, so this one was not; send it again soon")
                )
            self._taking[account] += 1
        try:
            self.check(coming)
            yield
        finally:
            with self._lock:
                self._taking[account] -= 1
                if not self._taking[account]:
                    del self._taking[account]
