"""A report that was uploaded in the console is looked at first, and waits for the word of whoever uploaded it.

It waits in the store, whole, with its hash: what is taken is what was looked at, by the person who saw it, on any server.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huanxin.acts.platform import Platform
from huanxin.domain.errors import MOST_FAULTS, BadInput, Conflict, NotFound, TooMany
from huanxin.domain.operators import Operator
from huanxin.numbersets.files import name_of
from huanxin.report.checking import Checked, check_report
from huanxin.report.importing import Most
from huanxin.store.acting import Act
from huanxin.store.database import one_name_at_a_time
from huanxin.store.report import waiting
from huanxin.store.report.waiting import Waiting
from huanxin.web.pages.console.uploaded_reports import upload_report
from huanxin.web.pages.console.uploading import file_name
from huanxin.words.sentences import Sentence

MOST_WAITING = 3
"""Reports of one person: with another the oldest of them is gone."""
_ROOM = 2 << 30  # bytes that all may take


def looked_at(
    platform: Platform, path: Path, *, carrier: str, most_bytes: int, first_day: bool
) -> Checked | None:  # fmt: skip
    """What would come of a file; None for one that can't be read at all. Raises NotFound for an unknown carrier."""
    with platform.read() as reading:
        try:
            most = Most(bad=MOST_FAULTS, bytes=most_bytes)
            return check_report(reading, path, carrier=carrier, most=most, first_day=first_day)
        except BadInput:
            return None


def keep(platform: Platform, path: Path, found: Checked, *, carrier: str, skip_bad: bool, who: Operator) -> int:
    """Have a file wait, as it was looked at; its id. Raises TooMany while there is no room."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    with platform.act(who.login) as act:
        one_name_at_a_time(act.tx, "reports that wait")
        waiting.forget(act.tx, act.now)
        others = waiting.of_person(act.tx, who.id, act.now)
        for one in others[: max(0, len(others) - MOST_WAITING + 1)]:
            waiting.remove(act.tx, one.id)
        made = waiting.add(
            act.tx, _pieces(path), operator_id=who.id, carrier=carrier, file_name=name_of(path), sha256=digest,
            skip_bad=skip_bad, checked=found.stored(), at=act.now,
        )  # fmt: skip
        if waiting.stored(act.tx) > _ROOM:
            raise TooMany(
                Sentence("too many uploaded reports wait for a decision, so there is no room; try again in an hour"), 3600
            )
        return made


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(waiting.PIECE):
            yield piece


def take(
    platform: Platform, one: Waiting, *, shown: str, who: Operator, uploads: Path, most_bytes: int,
    say: Callable[[str], str],
) -> int:  # fmt: skip
    """Take a report that waited: the upload's id. `shown`: the hash (hex) of what the person saw. Raises Conflict if that is
    not what waits, and NotFound if it waits no more."""
    with _as_file(platform, one, uploads) as path:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        if not shown == digest.hex() == one.sha256.hex():
            raise Conflict(Sentence("this is not the file that you looked at; nothing was taken, upload it again"))

        def still(act: Act) -> None:
            if waiting.get(act.tx, one.id, operator_id=who.id, now=act.now) is None:
                raise gone()
            waiting.remove(act.tx, one.id)

        return upload_report(
            platform, path, carrier=one.carrier, by=who.login, skip_bad=one.skip_bad, most_bytes=most_bytes, say=say,
            before=still, checked=one.checked, first_day=one.checked["first_day"],
        )  # fmt: skip


@contextmanager
def _as_file(platform: Platform, one: Waiting, uploads: Path) -> Iterator[Path]:
    uploads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="report-", dir=uploads) as folder:
        path = Path(folder) / file_name(one.file_name)
        with path.open("wb") as file, platform.read() as seen:
            for piece in waiting.content(seen.tx, one.id):
                file.write(piece)
        yield path


def gone() -> NotFound:
    return NotFound(Sentence("no report of yours waits here: it was taken, discarded, or waited too long; upload it again"))
