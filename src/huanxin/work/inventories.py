"""Keeping carriers' inventories fresh, so that whoever asks waits for little; and in a folder, if there is one for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from huanxin.acts.inventory import look, write_files
from huanxin.store import jobs
from huanxin.store.acting import Act
from huanxin.store.jobs import Job
from huanxin.work.jobs import Jobs

_EVERY = timedelta(minutes=1)
_AS_LONG = 5
"""So many times as long as it took it then rests (work.counting)."""


@dataclass(frozen=True, kw_only=True)
class Stocktaker(Jobs):
    """Notes what changed of what carriers may sell."""

    KIND = jobs.INVENTORY
    GIVEN_UP = False

    folder: Path | None = None

    def always(self, act: Act) -> Collection[str]:
        return ("",)

    def do(self, act: Act, job: Job) -> datetime:
        if self.folder is None:
            look(self.platform)
        else:
            write_files(self.platform, self.folder)
        ended = self.platform.now()
        return ended + max(_EVERY, _AS_LONG * (ended - act.now))
