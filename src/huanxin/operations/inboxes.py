"""Receipts that partners leave in a folder: picked up by one worker at a time, answered with a result file each.

IN/NOTICE.N.receipt.csv    or .parquet: number,outcome,reason,until
IN/NOTICE.N.receipt.json   the manifest, written last: without it the receipt is not touched
OUT/NOTICE.N.result.json   what was taken, or why nothing was; a receipt that has one is done with
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from huanxin.answer.receiving import CONFIRMATION, Accepted, Rosters, confirmation, file_receipt, partners_notice
from huanxin.domain.errors import BadInput, BadRequest, Fault, HuanxinError
from huanxin.domain.partners import Partner
from huanxin.domain.streams import Method, Stream
from huanxin.notify.files import as_json
from huanxin.notify.folders import Folder, Missing, Unreachable
from huanxin.notify.keys import Signer
from huanxin.notify.own_folders import FolderRules
from huanxin.notify.pushing import Retries
from huanxin.numbersets import tables
from huanxin.operations.platform import Platform
from huanxin.operations.problems import problem_of
from huanxin.sentences import Sentence
from huanxin.store import notices, partners, recurring, streams

log = logging.getLogger("huanxin.inboxes")
_MANIFEST = re.compile(r"(?P<notice>[A-Za-z0-9_-]{1,100})\.(?P<part>[0-9]{1,9})\.receipt\.json")
_LONGEST_MANIFEST = 1 << 16
_SETTLES_IN = timedelta(minutes=1)
"""How long something that doesn't fit its manifest may still be on its way. Then it is refused."""


class _Unfinished(Exception):
    """What is there doesn't fit together, as when somebody is still writing it. `seen` tells one state from the next."""

    def __init__(self, error: HuanxinError, seen: str = "") -> None:
        super().__init__(str(error))
        self.error, self.seen = error, seen


class Manifest(BaseModel):
    """What a partner says of a receipt. `count`: its lines but for the heading; `sha256`: hex, of the file as it is."""

    model_config = ConfigDict(strict=True, frozen=True)

    notice: str
    count: int
    sha256: str
    complete: bool
    receipt: str


@dataclass(frozen=True, kw_only=True)
class InboxReader:
    """What a worker needs to read partners' folders. `every`: how often each is looked at; `limit`: the longest receipt
    in bytes; `fetched`: where receipts lie while they are read (else among the machine's temporary files)."""

    platform: Platform
    rosters: Rosters
    signer: Signer
    folders: FolderRules
    every: timedelta
    limit: int
    fetched: Path | None = None
    on_refusal: Callable[[Platform, Partner, str, HuanxinError], None] = lambda *_: None
    """told of each receipt of one of the partner's notices that is refused"""
    retries: Retries = field(default_factory=Retries)
    chance: Callable[[], float] = random.random
    _unfinished: dict[tuple[int, str, str], datetime] = field(default_factory=dict)
    """(partner, manifest, state of it) -> when this process first saw it so"""

    def one_job(self) -> bool:
        """Look into each folder whose turn it is; whether any receipt was dealt with."""
        with self.platform.database.transaction() as tx:
            chosen = streams.of_method(tx, Method.FILES)
        return sum(self._look(stream) for stream in chosen) > 0

    def _look(self, stream: Stream) -> int:
        """Read one partner's folder if it is due and no other worker is at it; how many receipts were dealt with."""
        turn = f"inbox of stream {stream.id}"
        with self.platform.database.transaction() as tx:
            failures = recurring.claim(tx, turn, self.platform.now())
            if failures is None:
                return 0
            partner = partners.get(tx, stream.partner_id)
            assert partner is not None
            taken, problem = 0, ""
            try:
                with (
                    self.folders.open(stream.inbox or "", stream.sealed_authorization, client_id=partner.client_id) as into,
                    self.folders.open(
                        stream.endpoint or "", stream.sealed_authorization, client_id=partner.client_id
                    ) as out,
                ):
                    taken = self._take_all(partner, into, out)
            except Unreachable as error:
                problem = str(error)
            except Exception as error:  # one partner's receipt must not keep the others' from being read
                log.exception("the folder of %s could not be read through; it is tried again", partner.name)
                problem = f"the platform failed: {type(error).__name__}"
            now = self.platform.now()
            failures = failures + 1 if problem else 0
            if problem:
                detail = {"attempt": failures, "why": problem[:500]}
                partners.note(tx, partner.id, "folder-unreachable", by="worker", at=now, detail=detail)
            next_at = self.retries.next(failures, now, now, self.chance) if problem else None
            recurring.done(tx, turn, next_at=max(next_at or now, now + self.every), failures=failures)
        return taken

    def _take_all(self, partner: Partner, into: Folder, out: Folder) -> int:
        """Deal with every receipt that has a manifest and no result yet, in the order of their numbers."""
        found = [match for name in into.names() if (match := _MANIFEST.fullmatch(name))]
        if not found:
            return 0
        answered = set(out.names())
        taken = 0
        for match in sorted(found, key=lambda one: (one["notice"], int(one["part"]), one["part"])):
            result = f"{match['notice']}.{match['part']}.result.json"
            if result in answered:
                continue
            content = self._result(partner, into, match)
            if content is not None:
                out.put(result, as_json(content))
                taken += 1
        return taken

    def _result(self, partner: Partner, into: Folder, match: re.Match[str]) -> dict[str, Any] | None:
        """Take one receipt, whole or not at all; what the result file says of it. None if it has to settle first."""
        result = {"notice": match["notice"], "receipt_file": match[0], "accepted": None,
                  "outstanding": None, "confirmation": None, "problem": None}  # fmt: skip
        try:
            if self.fetched:
                self.fetched.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="receipt-", dir=self.fetched) as folder:
                manifest = _manifest(into, match)
                result["receipt_file"] = manifest.receipt
                path = Path(folder) / "receipt"
                source = _fetched(into, manifest, path, self.limit)
                accepted = self._filed(partner, manifest, source, key=match["part"])
        except _Unfinished as unfinished:
            if self._may_settle((partner.id, match[0], unfinished.seen)):
                return None
            return result | {"problem": self._refused(partner, match["notice"], unfinished.error)}
        except HuanxinError as error:
            return result | {"problem": self._refused(partner, match["notice"], error)}
        claims = confirmation(accepted, audience=partner.client_id, now=self.platform.now())
        told = {name: claims[name] for name in ("accepted", "outstanding")}
        return result | told | {"confirmation": self.signer.signed(CONFIRMATION, claims)}

    def _refused(self, partner: Partner, notice: str, error: HuanxinError) -> dict[str, Any]:
        with self.platform.database.transaction() as tx:
            known = notices.get(tx, notice)
        if known is not None and known.partner_id == partner.id:
            self.on_refusal(self.platform, partner, notice, error)
        return problem_of(error)

    def _may_settle(self, key: tuple[int, str, str]) -> bool:
        now = self.platform.now()
        if now < self._unfinished.setdefault(key, now) + _SETTLES_IN:
            return True
        del self._unfinished[key]
        return False

    def _filed(self, partner: Partner, manifest: Manifest, source: tables.Source, *, key: str) -> Accepted:
        platform = self.platform
        with platform.database.transaction() as tx:
            notice = partners_notice(tx, manifest.notice, partner)
        roster = self.rosters.get(notice.batch_id)
        with platform.database.transaction() as tx:
            accepted = file_receipt(
                tx, source, notice=notice, roster=roster, zone=next(iter(platform.plan.carriers.values())).zone.key,
                complete=manifest.complete, idempotency_key=key, now=platform.now(),
            )  # fmt: skip
            if accepted.receipt.lines != manifest.count:
                raise _not_as_said(
                    Sentence(
                        "the manifest says %(said)s lines, the receipt has %(found)s",
                        said=f"{manifest.count:,}",
                        found=f"{accepted.receipt.lines:,}",
                    )
                )
        return accepted


def _manifest(into: Folder, match: re.Match[str]) -> Manifest:
    """Raises BadRequest for a manifest that can't be meant so, _Unfinished for one that may be half written."""
    try:
        content = into.read(match[0], _LONGEST_MANIFEST)
    except Missing as error:
        raise _Unfinished(BadRequest(error.args[0])) from error
    try:
        read = json.loads(content)
    except ValueError as error:
        seen = hashlib.sha256(content).hexdigest()
        raise _Unfinished(
            BadRequest(Sentence("the manifest %(file)s is not JSON: %(why)s", file=match[0], why=error)), seen
        ) from error
    try:
        manifest = Manifest.model_validate(read)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc']) or 'it'}: {e['msg']}" for e in error.errors())
        raise BadRequest(Sentence("the manifest %(file)s can't be used: %(why)s", file=match[0], why=wrong)) from error
    start = f"{match['notice']}.{match['part']}.receipt"
    if manifest.notice != match["notice"]:
        raise BadRequest(Sentence("the manifest %(file)s names another notice than its own name does", file=match[0]))
    if manifest.receipt not in (f"{start}.csv", f"{start}.parquet"):
        raise BadRequest(
            Sentence(
                "the receipt of %(file)s has to be named %(start)s.csv or %(start)s.parquet", file=match[0], start=start
            )
        )
    return manifest


def _not_as_said(why: Sentence) -> BadInput:
    return BadInput(Sentence("%(why)s; nothing of it was taken", why=why), [Fault(line=0, reason=why)])


def _fetched(into: Folder, manifest: Manifest, path: Path, limit: int) -> tables.Source:
    """Copy the receipt here and compare it with its manifest."""
    try:
        into.fetch(manifest.receipt, path, limit)
    except Missing as error:
        why = Sentence("%(why)s; its manifest names it", why=error.args[0])
        raise _Unfinished(BadRequest(why), manifest.sha256) from error
    try:
        source = tables.inspect(path, most=limit, count_rows=False)
    except tables.BadTable as error:
        raise _Unfinished(BadRequest(error.args[0]), manifest.sha256) from error
    if source.sha256.hex() != manifest.sha256.lower():
        why = Sentence(
            "%(file)s hashes to %(found)s, the manifest says %(said)s",
            file=manifest.receipt, found=source.sha256.hex(), said=manifest.sha256,
        )  # fmt: skip
        raise _Unfinished(_not_as_said(why), source.sha256.hex())
    if source.gzip:
        raise BadRequest(Sentence("receipts are taken as they are, not packed; unpack the file and write it again"))
    return source
