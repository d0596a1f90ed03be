"""A stand-in platform that exchanges files: notices in one folder, receipts from another (docs/partners/files.md)."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from huanxin_partner.events import RENEWAL
from huanxin_partner.folders import Folder
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
        """See stage.Stage."""
        for name in self._into.names(_MANIFEST):
            if name not in self._done and re.fullmatch(re.escape(notice) + r"\.[0-9]+" + re.escape(_MANIFEST), name):
                self._take(self._notices[notice], name)
        return super().filed(notice)

    def _take(self, notice: PlayedNotice, name: str) -> None:
        """Take one receipt and write its result; one that doesn't fit its manifest may have to settle first."""
        result: dict[str, Any] = {"notice": notice.id, "receipt_file": name, "accepted": None, "outstanding": None,
                                  "confirmation": None, "problem": None}  # fmt: skip
        try:
            body, complete = self._read(name)
            notice.file(body, complete=complete, key=name)
            result["accepted"] = dict(Counter(answer.outcome for answer in notice.filed().answers.values()))
            result["outstanding"] = notice.outstanding()
        except _Unfinished as unfinished:
            if self._clock() < self._unfinished.setdefault(name, self._clock()) + _SETTLES_IN:
                return
            notice.refuse(unfinished.error)
            result["problem"] = {"title": "the receipt is refused", "status": 422, "detail": str(unfinished.error)}
        except BadReceipt as error:
            errors = [{"line": line, "reason": reason.en} for line, reason in error.errors]
            result["problem"] = {"title": "the receipt is refused", "status": 422, "detail": str(error), "errors": errors}
        self._done.add(name)
        self._out.put(f"{name.removesuffix(_MANIFEST)}.result.json", json.dumps(result).encode())

    def _read(self, name: str) -> tuple[bytes, bool]:
        """A receipt that is as its manifest says, and whether it is complete. Raises _Unfinished."""
        start, _, _ = name.rpartition(_MANIFEST)
        try:
            manifest = json.loads(self._into.read(name))
            said = manifest["notice"], manifest["receipt"], manifest["sha256"], manifest["count"], manifest["complete"]
            body = self._into.read(f"{start}.receipt.csv")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _Unfinished(f"{type(error).__name__}: {error}") from error
        complete = said[4] is True
        found = (start.rpartition(".")[0], f"{start}.receipt.csv", hashlib.sha256(body).hexdigest(),
                 len(body.splitlines()) - 1, complete)  # fmt: skip
        if said != found:
            raise _Unfinished(f"notice, receipt, sha256, count, complete are {said}, they should be {found}")
        return body, complete


class _Unfinished(Exception):
    """What is there doesn't fit together, as when somebody is still writing it; `error` is for when it stays so."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.error = BadReceipt.at(0, f"清单与回执不符：{why}", f"manifest and receipt don't fit: {why}")
