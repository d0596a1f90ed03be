"""A stand-in platform that exchanges files: notices in one folder, receipts from another (docs/partners/files.md)."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from huanxin_partner.events import RENEWAL
from huanxin_partner.folders import Folder
from huanxin_partner.reading import read_json
from huanxin_partner.rehearsal.notices import BadReceipt, PlayedNotice
from huanxin_partner.rehearsal.stage import Filed, Pushed
from huanxin_partner.rehearsal.standin import StandIn, claims_in

_SETTLES_IN = 5.0  # seconds that a receipt which doesn't fit its manifest may still be on its way
_MANIFEST = ".receipt.json"
_WRITTEN = 202


class FilesStandIn(StandIn):
    """See StandIn. Notices go into `out`, receipts are read from `into` whenever the scenarios look for them."""

    replies = False

    def __init__(
        self, *, out: Folder, into: Folder, client_id: str, client_secret: str, port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        super().__init__(client_id=client_id, client_secret=client_secret, port=port, clock=clock)
        self._out, self._into = out, into
        self._written: dict[str, str] = {}  # the last token, by notice
        self._done: set[str] = set()
        self._taken: defaultdict[str, set[int]] = defaultdict(set)  # numbers that were taken or replaced, by notice
        self._unfinished: dict[str, float] = {}

    def push(self, token: str) -> Pushed:
        """See stage.Stage."""
        ((event, payload),) = claims_in(token)["events"].items()
        notice = self._notices[payload["notice"]]
        self._written[notice.id] = token
        more = {name: payload[name] for name in ("of", "rehearsal") if name in payload}
        manifest = {
            "notice": notice.id, "purpose": "renewal" if event == RENEWAL else "retraction", **more,
            "count": payload["count"], "sha256": notice.sha256, "cutoff": payload["cutoff"],
            "answer_by": payload["answer_by"], "numbers": f"{notice.id}.numbers.csv", "set": token,
        }  # fmt: skip
        try:
            self._out.put(f"{notice.id}.numbers.csv", notice.content)
            self._out.put(f"{notice.id}.notice.json", json.dumps(manifest).encode())
        except OSError as error:
            return Pushed(None, f"{type(error).__name__}: {error}")
        return Pushed(_WRITTEN, f"written: {notice.id}.notice.json")

    def set_broken(self, notice: str, broken: bool) -> None:
        """See stage.Stage."""
        super().set_broken(notice, broken)
        if notice in self._written and not broken:
            self.push(self._written[notice])

    def filed(self, notice: str) -> Filed:
        """See stage.Stage. Receipts are taken in the order of their numbers: after each one from the lowest on, since it may
        be what that waited for."""
        form = re.compile(re.escape(notice) + r"\.([1-9][0-9]*)" + re.escape(_MANIFEST))
        found = sorted((int(match[1]), match[0]) for name in self._into.names(_MANIFEST) if (match := form.fullmatch(name)))
        while any(self._take(self._notices[notice], *one) for one in found if one[1] not in self._done):
            pass
        waits = [name for number, name in found if name not in self._done and number > 1]
        return replace(super().filed(notice), waits=waits)

    def _take(self, notice: PlayedNotice, number: int, name: str) -> bool:
        """Take one receipt and write its result; False for one that waits for another, or doesn't fit its manifest and may
        have to settle first."""
        result: dict[str, Any] = {"notice": notice.id, "receipt_file": name, "accepted": None, "outstanding": None,
                                  "confirmation": None, "problem": None}  # fmt: skip
        taken = self._taken[notice.id]
        try:
            body, complete, replaces = self._read(name)
            if not self._in_turn(notice.id, number, complete, replaces):
                return False
            notice.file(body, complete=complete, key=name)
            taken |= {number, *replaces}
            result["accepted"] = dict(Counter(answer.outcome for answer in notice.filed().answers.values()))
            result["outstanding"] = notice.outstanding()
        except _Unfinished as unfinished:
            if self._clock() < self._unfinished.setdefault(name, self._clock()) + _SETTLES_IN:
                return False
            notice.refuse(unfinished.error)
            result["problem"] = {"title": "the receipt is refused", "status": 422, "detail": str(unfinished.error),
                                 "errors": [{"line": 0, "reason": str(unfinished.error)}]}  # fmt: skip
        except BadReceipt as error:
            errors = [{"line": line, "reason": reason.en} for line, reason in error.errors]
            result["problem"] = {"title": "the receipt is refused", "status": 422, "detail": str(error), "errors": errors}
        self._done.add(name)
        self._out.put(f"{name.removesuffix(_MANIFEST)}.result.json", json.dumps(result).encode())
        return True

    def _in_turn(self, notice: str, number: int, complete: bool, replaces: list[int]) -> bool:
        """Whether each lower number was taken or replaced; what stands in another's place comes in its turn. Raises
        BadReceipt for a last part that passes over what waits for it."""
        lower = set(range(1, number)) - self._taken[notice] - set(replaces)
        if lower and min(lower) < min([number, *replaces]):
            return False
        if lower and complete:
            raise BadReceipt.at(0, f"序号 {min(lower)} 既未收下也未被代替", f"{min(lower)} was neither taken nor replaced")
        return True

    def _read(self, name: str) -> tuple[bytes, bool, list[int]]:
        """A receipt that is as its manifest says, whether it is complete, and what it replaces. Raises _Unfinished."""
        start, _, _ = name.rpartition(_MANIFEST)
        try:
            manifest = read_json(self._into.read(name))
            said = manifest["notice"], manifest["receipt"], manifest["sha256"], manifest["count"], manifest["complete"]
            replaces = [int(one) for one in manifest.get("replaces", [])]
            body = self._into.read(f"{start}.receipt.csv")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _Unfinished(f"{type(error).__name__}: {error}") from error
        complete = said[4] is True
        found = (start.rpartition(".")[0], f"{start}.receipt.csv", hashlib.sha256(body).hexdigest(),
                 len(body.splitlines()) - 1, complete)  # fmt: skip
        if said != found:
            raise _Unfinished(f"notice, receipt, sha256, count, complete are {said}, they should be {found}")
        return body, complete, replaces


class _Unfinished(Exception):
    """What is there doesn't fit together, as when somebody is still writing it; `error` is for when it stays so."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.error = BadReceipt.at(0, f"清单与回执不符：{why}", f"manifest and receipt don't fit: {why}")
