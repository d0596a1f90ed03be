"""The file channel: notices are read from one folder, receipts written to another, results read back.

OUT/NOTICE.numbers.csv     then OUT/NOTICE.notice.json    written by the platform; the manifest carries the signed event
IN/NOTICE.N.receipt.csv    then IN/NOTICE.N.receipt.json  written by the partner, N counting from 1
OUT/NOTICE.N.result.json                                  what the platform says of that receipt
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from joserfc import jws
from joserfc.errors import JoseError

from huanxin_partner.client import Passing, receipt_csv
from huanxin_partner.events import RENEWAL, RETRACTION, check, notice_of, number_file
from huanxin_partner.folders import Folder
from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.outbox import Outbox
from huanxin_partner.reading import read_json
from huanxin_partner.ties import Answer, TieStore
from huanxin_partner.tokens import Event, TokenError, Verifier

RESULT = "urn:huanxin:file:result"
_PURPOSES = {"renewal": RENEWAL, "retraction": RETRACTION}
_NOTICE, _OUTCOME, _WAITING = ".notice.json", ".result.json", ".waiting.json"
_SAFE = re.compile(r"[A-Za-z0-9_-]+")
_BLOCK = 1 << 20


class BadFile(ValueError):
    """A manifest or result that is not as it should be."""


@dataclass(kw_only=True)
class Exchange:
    """The two folders as a handler.Channel: number files by their hash, receipts by notice. `outbox` keeps receipts until
    the platform has taken them; in memory, what a process that ends leaves is filed anew."""

    out: Folder
    inbox: Folder
    outbox: Outbox = field(default_factory=Outbox)
    _files: dict[str, tuple[str, int]] = field(default_factory=dict)

    def knows(self, sha256: str, name: str, count: int) -> None:
        """Say which file has the numbers that hash so, and how many they are."""
        self._files[sha256] = name, count

    @contextmanager
    def numbers(self, url: str, sha256: str) -> Iterator[IO[str]]:
        """See handler.Channel. The event's `url` is for those who fetch it. Raises Passing while the file isn't right."""
        if sha256 not in self._files:
            raise Passing(f"the manifest with the numbers of {url} was not read yet")
        name, count = self._files[sha256]
        with tempfile.TemporaryFile() as copy:
            digest, lines = hashlib.sha256(), 0
            with self.out.open(name) as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    lines += block.count(b"\n")
                    copy.write(block)
            if digest.hexdigest() != sha256:
                raise Passing(f"{name} does not hash to what the notice says")
            if lines != count + 1:
                raise Passing(f"{name} has {lines - 1} numbers, the notice says {count}")
            copy.seek(0)
            with open(copy.fileno(), encoding="ascii", closefd=False) as text:
                yield text

    def file_receipt(self, notice: str, answers: Sequence[Answer], *, complete: bool, key: str = "") -> dict[str, Any]:
        """See handler.Channel. The receipt is on its way then, and not taken yet; filed again after a crash, it is not
        written twice. Raises RefusedForGood."""
        self.outbox.add(notice, receipt_csv(answers), lines=len(answers), complete=complete, key=key)
        self.send(notice)
        return {"notice": notice, "lines": len(answers)}

    def send(self, notice: str | None = None) -> None:
        """Write the receipts whose turn has come, of one notice or of all. Raises what the folders raise."""
        self.outbox.send(self.out, self.inbox, notice)


@dataclass(kw_only=True)
class Mail:
    """Reads what the platform wrote: manifests and results go into the journal, each once."""

    exchange: Exchange
    verifier: Verifier
    journal: Journal
    say: Callable[[str], None]
    clock: Callable[[], float] = time.time
    _read: set[str] = field(default_factory=set)
    _bad: dict[str, str] = field(default_factory=dict)

    def fetch(self) -> int:
        """Take what is new; how many files are not as they should be. Raises KeysUnreachable, and what the folder raises."""
        for ending, take in ((_NOTICE, self._notice), (_OUTCOME, self._result), (_WAITING, self._waiting)):
            for name in self.exchange.out.names(ending):
                if name not in self._read:
                    self._take(name, take)
        return len(self._bad)

    def _take(self, name: str, take: Callable[[str, dict[str, Any]], None]) -> None:
        content = self.exchange.out.read(name)
        try:
            take(name, _object(content))
        except (BadFile, TokenError) as error:
            if self._bad.get(name) != (told := f"{hashlib.sha256(content).hexdigest()} {error}"):
                self._bad[name] = told
                self.say(f"{name}: not taken: {error}")
        else:
            self._read.add(name)
            self._bad.pop(name, None)

    def _notice(self, name: str, manifest: dict[str, Any]) -> None:
        token = _text(manifest, "set")
        if manifest.get("numbers") is not None:  # the hash of the signed event decides whether they are the right ones
            self.exchange.knows(_text(manifest, "sha256"), _text(manifest, "numbers"), _count(manifest))
        if self.journal.outcome(_unverified_jti(token)) is not None:
            return  # it was taken before, and may be too old to verify by now
        event = self.verifier.verify(token)
        check(event, self.clock())
        _hold_to(event, name, manifest)
        if self.journal.take(event):
            self.say(f"{name}: {manifest['purpose']} of {_count(manifest)} numbers, to be answered by"
                     f" {event.claims.get('answer_by')}")  # fmt: skip

    def _result(self, name: str, result: dict[str, Any]) -> None:
        notice = _text(result, "notice")
        said = {"notice": notice, "file": name, "text": self._in_words(result)}
        self.journal.take(Event(jti=f"file:{name}", name=RESULT, claims=said | result, subject={}, issued_at=0))

    def _waiting(self, name: str, waiting: dict[str, Any]) -> None:
        self.say(f"{name}: the receipt waits for those with the numbers {waiting.get('waits_for')}")

    def _in_words(self, result: dict[str, Any]) -> str:
        if problem := result.get("problem"):
            return f"the receipt was REFUSED, nothing of it counts: {json.dumps(problem, ensure_ascii=False)}"
        confirmation = result.get("confirmation")
        if isinstance(confirmation, str):
            self.verifier.signed(confirmation)
        accepted = ", ".join(f"{outcome} {count}" for outcome, count in (result.get("accepted") or {}).items())
        signed = "confirmed with a signature" if confirmation else "not confirmed with a signature"
        return f"the receipt was accepted ({accepted or 'no lines'}), {signed}; outstanding {result.get('outstanding')}"


def _hold_to(event: Event, name: str, manifest: dict[str, Any]) -> None:
    """Raise BadFile for a manifest that doesn't agree with the signed event: it may only say where the numbers are."""
    notice, file = notice_of(event), number_file(event)
    if event.name != _PURPOSES.get(str(manifest.get("purpose"))):
        raise BadFile(f"the purpose is {manifest.get('purpose')!r}, the signed event is {event.name}")
    if not _SAFE.fullmatch(notice) or notice != manifest.get("notice") or name != notice + _NOTICE:
        raise BadFile(f"it is of notice {manifest.get('notice')!r}, the signed event is of {notice!r}")
    if file and (manifest.get("sha256"), manifest.get("count")) != (file[1], event.claims.get("count")):
        raise BadFile("count and sha256 are not those of the signed event")


class FileHandler(Handler):
    """A handler that files through folders, and says what it did and what the platform said of it. `refused` counts the
    receipts that the platform refused."""

    def __init__(self, store: TieStore, exchange: Exchange, journal: Journal, *, say: Callable[[str], None]) -> None:
        super().__init__(store, exchange, journal)
        self.exchange, self.say, self.refused = exchange, say, 0

    def handle(self, event: Event) -> str:
        """See handler.Handler. What the platform says of a receipt lets the next one go; one that was damaged is sent again,
        and of one that can't be taken the answers are asked of the store anew."""
        if event.name != RESULT:
            said = super().handle(event)
            self.say(f"{event.claims.get('notice')}: {said}")
            return said
        notice, problem, text = notice_of(event), event.claims.get("problem"), str(event.claims["text"])
        self.refused += bool(problem)
        named = self.exchange.outbox.note(notice, _number_in(event.claims["file"]), problem or None)
        if named is not None:
            self.journal.note_named(notice, named)
            self.journal.again(notice, text)
        self.exchange.send(notice)
        self.say(f"{event.claims['file']}: {text}")
        return text


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = read_json(content)
    except ValueError as error:
        raise BadFile(f"it is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadFile("it is not a JSON object")
    return found


def _text(found: dict[str, Any], member: str) -> str:
    value = found.get(member)
    if not isinstance(value, str) or not value:
        raise BadFile(f"{member} is missing")
    return value


def _count(manifest: dict[str, Any]) -> int:
    count = manifest.get("count")
    if not isinstance(count, int) or isinstance(count, bool):
        raise BadFile("count is not a number")
    return count


def _unverified_jti(token: str) -> str:
    try:
        return str(read_json(jws.extract_compact(token.encode()).payload)["jti"])
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(f"set is not a signed token: {error}") from error


def _number_in(name: str) -> int:
    return int(name.split(".")[-3])
