"""Spelling names: people find a partner by the pinyin of its name, or by its initials."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from huanxin.domain.partners import plain
from huanxin.store import jobs
from huanxin.store.acting import Act
from huanxin.store.connect import spellings
from huanxin.store.jobs import Job
from huanxin.work.jobs import Failed, Jobs

log = logging.getLogger("huanxin.work")
_EVERY = timedelta(seconds=5)
_MOST_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Speller(Jobs):
    """Spells the names of partners that are new, all together."""

    KIND = jobs.SPELLING
    GIVEN_UP = False

    def always(self, act: Act) -> Collection[str]:
        return ("",)

    def do(self, act: Act, job: Job) -> datetime:
        names = spellings.missing(act.tx)
        sounds = _sounds([name for name in names if not name.isascii()])
        spellings.keep(act.tx, {name: " ".join(dict.fromkeys(map(plain, (name, *sounds.get(name, ()))))) for name in names})
        return act.now + _EVERY


def _sounds(names: Sequence[str]) -> dict[str, list[str]]:
    """The pinyin and the initials of Chinese names. A process of its own tells them, since its dictionaries take 60 MB that
    no server has to keep. Raises Failed."""
    if not names:
        return {}
    words = [sys.executable, "-I", str(Path(__file__).with_name("pinyin.py"))]
    try:
        told = subprocess.run(
            words, input=json.dumps(names), capture_output=True, text=True, check=True, timeout=_MOST_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.exception("names can't be found by their pinyin just now")
        raise Failed from error
    return dict(zip(names, json.loads(told.stdout), strict=True))
