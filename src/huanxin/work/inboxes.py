"""Receipts that partners leave in a folder: picked up by one worker at a time, answered with a result file each.

IN/NOTICE.N.receipt.csv    or .parquet: number,outcome,reason,until
IN/NOTICE.N.receipt.json   the manifest, written last: without it the receipt is not touched
OUT/NOTICE.N.result.json   what was taken, or why nothing was; a receipt that has one is done with
OUT/NOTICE.N.waiting.json  which lower numbers it waits for (domain.parts), if they don't come soon
"""

from __future__ import annotations

import logging
import re
import tempfile
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from huanxin.acts.platform import Platform
from huanxin.acts.requests import file_single
from huanxin.answer import single
from huanxin.answer.lines import longest
from huanxin.answer.receiving import (
    CONFIRMATION,
    Accepted,
    Filing,
    Rosters,
    confirmation,
    file_receipt,
    note_named,
    partners_notice,
    taken_before,
    zone_of,
)
from huanxin.answer.single import LONGEST, PREFIX
from huanxin.domain.errors import Conflict, HuanxinError, Unavailable
from huanxin.domain.partners import Partner
from huanxin.domain.parts import Part
from huanxin.domain.problems import problem_of
from huanxin.domain.streams import Method
from huanxin.notify.files import as_json
from huanxin.notify.folders import Folder, Unreachable
from huanxin.notify.own_folders import FolderRules
from huanxin.numbersets import tables
from huanxin.signing.keys import Signer
from huanxin.store import jobs
from huanxin.store.acting import PLATFORM, Act
from huanxin.store.answer import receipt_files
from huanxin.store.connect import partners
from huanxin.store.connect.partners import RECEIPT_WAITS
from huanxin.store.database import Tx
from huanxin.store.jobs import Job
from huanxin.store.notify import notices, streams
from huanxin.store.plan import batches
from huanxin.store.request import requests
from huanxin.words.sentences import Sentence
from huanxin.work.jobs import Failed, Jobs
from huanxin.work.manifests import NAME, Manifest, Unfinished, fetch_receipt, not_as_said, read_manifest

log = logging.getLogger("huanxin.inboxes")
_SETTLES_IN = timedelta(minutes=1)
"""How long something that doesn't fit its manifest, or an earlier part, may still be on its way."""


_Said: TypeAlias = dict[str, Any]
"""Members of a result file."""


class _Waits(Exception):
    """A receipt whose turn has not come: the numbers that it waits for."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__(numbers)
        self.numbers = numbers


@dataclass(frozen=True, kw_only=True)
class _Box:
    """A partner's folders while they are looked through, and the names in `out`."""

    partner: Partner
    into: Folder
    out: Folder
    names: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class InboxReader(Jobs):
    """What a worker needs to read partners' folders. `every`: how often each is looked at; `limit`: the longest receipt
    in bytes; `fetched`: where receipts lie while they are read (else among the machine's temporary files)."""

    KIND = jobs.FOLDER
    GIVEN_UP = False

    rosters: Rosters
    signer: Signer
    folders: FolderRules
    every: timedelta
    limit: int
    fetched: Path | None = None
    check_room: Callable[[int], None] = lambda _: None
    """raises Unavailable unless there is room on disk for so many bytes"""
    on_refusal: Callable[[Platform, Partner, str, HuanxinError], None] = lambda *_: None
    """told of each receipt of one of the partner's notices that is refused"""
    _unfinished: dict[tuple[int, str, str], datetime] = field(default_factory=dict)
    """(partner, manifest, state of it) -> when this process first saw it so"""
    _again: threading.Semaphore = field(default_factory=threading.Semaphore, repr=False)

    def always(self, act: Act) -> Collection[str]:
        return [one.id for one in streams.of_method(act.tx, Method.FILES)]

    def one_job(self) -> bool:
        """Look into the folder that has been due longest; into those that could not be reached the last time only when no
        other is due, and by one thread."""
        if self.claimed(failing=False):
            return True
        if not self._again.acquire(blocking=False):
            return False
        try:
            return self.claimed(failing=True)
        finally:
            self._again.release()

    def do(self, act: Act, job: Job) -> datetime | None:
        """Read one partner's folder."""
        stream = next((one for one in streams.of_method(act.tx, Method.FILES) if one.id == job.key), None)
        if stream is None:
            return None  # it exchanges no files any more
        partner = partners.get(act.tx, stream.partner_id)
        assert partner is not None
        try:
            with (
                self.folders.open(stream.inbox or "", stream.sealed_authorization, client_id=partner.client_id) as into,
                self.folders.open(stream.endpoint or "", stream.sealed_authorization, client_id=partner.client_id) as out,
            ):
                self.take_all(partner, into, out)
        except (Unreachable, Unavailable) as error:
            problem = str(error)
        except Exception as error:  # one partner's receipt must not keep the others' from being read
            log.exception("the folder of %s could not be read through; it is tried again", partner.name)
            problem = f"the platform failed: {type(error).__name__}"
        else:
            return self.platform.now() + self.every
        detail = {"attempt": job.tries + 1, "why": problem[:500]}
        partners.note(act.tx, partner.id, "folder-unreachable", by="worker", at=self.platform.now(), detail=detail)
        raise Failed

    def take_all(self, partner: Partner, into: Folder, out: Folder) -> int:
        """Deal with every receipt that has a manifest and no result yet; how many that were."""
        found = [match for name in into.names() if (match := NAME.fullmatch(name))]
        if not found:
            return 0
        box = _Box(partner=partner, into=into, out=out, names=frozenset(out.names()))
        new = [match for match in found if _beside(match, "result") not in box.names]
        ordered = sorted(new, key=lambda one: (one["notice"], int(one["number"]), one["number"]))
        return sum(self._take_of_notice(box, list(group)) for _, group in groupby(ordered, lambda one: one["notice"]))

    def _take_of_notice(self, box: _Box, left: list[re.Match[str]]) -> int:
        """Deal with the receipts of a notice: after each one from the lowest number on, since it may be what that waited
        for."""
        taken = 0
        while (done := next((match for match in left if self._dealt_with(box, match)), None)) is not None:
            left.remove(done)
            taken += 1
        return taken

    def _dealt_with(self, box: _Box, match: re.Match[str]) -> bool:
        content = self._result(box, match)
        if content is not None:
            box.out.put(_beside(match, "result"), as_json(content))
        return content is not None

    def _result(self, box: _Box, match: re.Match[str]) -> dict[str, Any] | None:
        """Take one receipt, whole or not at all; what the result file says of it. None if it has to settle first, or to
        wait for its turn."""
        result = {"notice": match["notice"], "receipt_file": match[0], "accepted": None,
                  "outstanding": None, "confirmation": None, "problem": None}  # fmt: skip
        manifest = None
        try:
            manifest = read_manifest(box.into, match)
            result["receipt_file"] = manifest.receipt
            done = self._before(box, manifest, int(match["number"])) or self._taken(box, manifest, int(match["number"]))
        except _Waits as waits:
            self._tell(box, match, waits)
            return None
        except Unfinished as unfinished:
            if self._may_settle((box.partner.id, match[0], unfinished.seen)):
                return None
            done = self._refused(box.partner, match, manifest, unfinished.error)
        except Unavailable:
            raise  # nothing is wrong with the receipt: it is looked at again
        except HuanxinError as error:
            done = self._refused(box.partner, match, manifest, error)
        return result | done

    def _before(self, box: _Box, manifest: Manifest, number: int) -> _Said | None:
        """What came of this receipt before, if its result got lost since; None if its turn has come. Raises _Waits, and
        Conflict or NotFound for one that can't be taken."""
        with self.platform.read() as seen:
            order = _is_order(manifest.notice) and single.asked(seen.tx, box.partner, manifest.notice)
            notice = None if order else partners_notice(seen.tx, manifest.notice, box.partner)
            known = receipt_files.dealt(seen.tx, manifest.notice, number)
            if known is None:
                _check_turn(seen.tx, manifest.notice, manifest.part(number))
                return None
            if known.sha256 != manifest.sha256.lower():
                raise Conflict(
                    Sentence(
                        "%(number)s was used before for another receipt of this notice; write this one under the next"
                        " number",
                        number=number,
                    )
                )
            if known.receipt_id is None:
                return {"problem": known.problem}
            if notice is None:
                return {"accepted": {requests.outcome_of(seen.tx, known.receipt_id): 1}, "outstanding": 0}
            accepted = taken_before(seen.tx, known.receipt_id, notice, self.rosters.get(notice.batch_id))
        return self._confirmed(box.partner, accepted)

    def _taken(self, box: _Box, manifest: Manifest, number: int) -> _Said:
        if self.fetched:
            self.fetched.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="receipt-", dir=self.fetched) as folder:
            limit = min(self.limit, self._most(box.partner, manifest.notice))
            self.check_room(limit)
            source = fetch_receipt(box.into, manifest, Path(folder) / "receipt", limit)
            if _is_order(manifest.notice):
                return self._ordered(box.partner, manifest, source, number)
            return self._confirmed(box.partner, self._filed(box.partner, manifest, source, number))

    def _most(self, partner: Partner, notice_id: str) -> int:
        """Bytes that a receipt of a notice can need: no more is fetched."""
        if _is_order(notice_id):
            return LONGEST
        with self.platform.read() as seen:
            batch = batches.get(seen.tx, partners_notice(seen.tx, notice_id, partner).batch_id)
        assert batch is not None
        return longest(batch.count)

    def _confirmed(self, partner: Partner, accepted: Accepted) -> _Said:
        """What is said of a receipt for a batch: only after its transaction ended, since it is signed."""
        claims = confirmation(accepted, audience=partner.client_id, now=self.platform.now())
        told = {name: claims[name] for name in ("accepted", "outstanding")}
        return told | {"confirmation": self.signer.signed(CONFIRMATION, claims)}

    def _ordered(self, partner: Partner, manifest: Manifest, source: tables.Source, number: int) -> _Said:
        """Take the answer to an owner's order. If we die before its number is recorded, it is read again: the same answer
        changes nothing."""

        def read() -> list[single.AnswerLine]:
            lines = single.read(source)
            _check_count(manifest, len(lines))
            return lines

        taken = file_single(
            self.platform, partner, read, notice_id=manifest.notice, complete=manifest.complete, key=str(number)
        )
        with self.platform.act(partner.client_id) as act:
            part, sha256 = manifest.part(number), source.sha256.hex()
            receipt = taken.told["receipt"]
            receipt_files.take(act.tx, manifest.notice, part, receipt_id=receipt, sha256=sha256, at=act.now)
        claims = single.confirmation(
            taken.told, audience=partner.client_id, sha256=source.sha256, lines=taken.lines, notice=manifest.notice,
            now=self.platform.now(),
        )  # fmt: skip
        told = {name: taken.told[name] for name in ("accepted", "outstanding")}
        return told | {"confirmation": self.signer.signed(CONFIRMATION, claims)}

    def _filed(self, partner: Partner, manifest: Manifest, source: tables.Source, number: int) -> Accepted:
        platform, part = self.platform, manifest.part(number)
        with platform.read() as seen:
            notice = partners_notice(seen.tx, manifest.notice, partner)
        roster = self.rosters.get(notice.batch_id)
        with platform.act(partner.client_id) as act:
            accepted = file_receipt(
                act,
                source,
                Filing(
                    notice=notice, roster=roster, zone=zone_of(act, notice, platform.zone).key, complete=manifest.complete,
                    key=str(number),
                ),
                in_turn=partial(_check_turn, act.tx, notice.id, part),
            )  # fmt: skip
            _check_count(manifest, accepted.receipt.lines)
            receipt_files.take(
                act.tx, notice.id, part, receipt_id=accepted.receipt.id, sha256=source.sha256.hex(), at=act.now
            )
        return accepted

    def _refused(self, partner: Partner, match: re.Match[str], manifest: Manifest | None, error: HuanxinError) -> _Said:
        problem, name = problem_of(error), match["notice"]
        with self.platform.act(partner.client_id) as act:
            notice = notices.get(act.tx, name)
            if notice is not None and notice.partner_id != partner.id:
                notice = None
            order = _is_order(name) and bool(requests.asked(act.tx, partner.id, [name]))
            if (notice or order) and not match["number"].startswith("0"):
                sha256 = manifest.sha256.lower() if manifest else None
                receipt_files.refuse(act.tx, name, int(match["number"]), sha256=sha256, problem=problem, at=act.now)
            if notice:
                note_named(act, notice, error)
        if notice:
            self.on_refusal(self.platform, partner, name, error)
        return {"problem": problem}

    def _tell(self, box: _Box, match: re.Match[str], waits: _Waits) -> None:
        """Say what a receipt waits for, once, if that doesn't come soon."""
        name = _beside(match, "waiting")
        if name in box.names or self._may_settle((box.partner.id, match[0], "waits")):
            return
        numbers = ", ".join(map(str, waits.numbers))
        why = Sentence(
            "it is taken once these receipts of the notice were taken, or were replaced by one that was: %(numbers)s",
            numbers=numbers,
        )
        box.out.put(name, as_json({"notice": match["notice"], "waits_for": waits.numbers, "detail": why}))
        notice = None if _is_order(match["notice"]) else match["notice"]
        with self.platform.act(PLATFORM) as act:
            partners.note(
                act.tx, box.partner.id, RECEIPT_WAITS, notice_id=notice, by="worker", at=act.now,
                detail={"receipt": match[0], "waits_for": waits.numbers},
            )  # fmt: skip

    def _may_settle(self, key: tuple[int, str, str]) -> bool:
        now = self.platform.now()
        if now < self._unfinished.setdefault(key, now) + _SETTLES_IN:
            return True
        del self._unfinished[key]
        return False


def _beside(match: re.Match[str], what: str) -> str:
    """The name of what the platform says of a receipt."""
    return f"{match['notice']}.{match['number']}.{what}.json"


def _is_order(notice_id: str) -> bool:
    """Whether a notice is of an owner's order, and so of one number."""
    return notice_id.startswith(PREFIX)


def _check_count(manifest: Manifest, lines: int) -> None:
    if lines != manifest.count:
        raise not_as_said(
            Sentence(
                "the manifest says %(said)s lines, the receipt has %(found)s", said=f"{manifest.count:,}",
                found=f"{lines:,}",
            )
        )  # fmt: skip


def _check_turn(tx: Tx, notice_id: str, part: Part) -> None:
    """Raise _Waits for a receipt whose turn has not come, Conflict for one whose turn can't come."""
    parts = receipt_files.parts(tx, notice_id)
    if part.number in parts.replaced:
        raise Conflict(
            Sentence("a later receipt took the place of %(number)s, which names it in replaces", number=part.number)
        )
    if wrong := sorted(part.replaces & parts.taken):
        raise Conflict(
            Sentence(
                "%(number)s was taken and can't be replaced; what a later receipt says of a number counts, so name only"
                " what was refused",
                number=wrong[0],
            )
        )
    if waits := parts.waits_for(part):
        raise _Waits(waits)
    if between := parts.passes_over(part):
        raise Conflict(
            Sentence(
                "it says complete, and not all before it were taken or replaced: %(numbers)s; write it again and name those"
                " in replaces too, or without complete",
                numbers=", ".join(map(str, between)),
            )
        )
