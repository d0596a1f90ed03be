"""Notices as files in a partner's folder, the way many companies exchange data: the job of a worker.

NOTICE.numbers.csv      the numbers, column `number`
NOTICE.notice.json      the manifest, written last: whoever sees it finds the numbers whole
NOTICE.reminder-N.json  the N-th reminder of an answer that is missing
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from huanxin.domain.answers import Purpose
from huanxin.domain.clock import Clock
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.partners import REMINDER, RENEWAL, RETRACTION, Partner
from huanxin.domain.retries import Retries
from huanxin.domain.rules import NewId, random_id
from huanxin.domain.streams import DEFAULT_EVENTS, Chosen, Method
from huanxin.notify.folders import Folder, Unreachable, check_folder
from huanxin.notify.own_folders import FolderAccess, FolderRules
from huanxin.notify.streams import send_verification
from huanxin.numbersets.numberfile import CSV, number_file
from huanxin.signing.keys import ES256, Signer
from huanxin.store.acting import Act
from huanxin.store.connect import partners
from huanxin.store.database import Database, Tx
from huanxin.store.notify import again, deliveries, new_owners, notices, streams
from huanxin.store.notify.deliveries import Delivery, Met
from huanxin.store.plan import batches
from huanxin.words.sentences import Sentence

log = logging.getLogger("huanxin.files")
_WORDS_KEPT = 500  # characters of what went wrong that are recorded
_TOGETHER = 16  # events of one partner that one job writes at most
_TRIED_AGAIN = 1  # threads that try again what failed; the others are for what did not
NUMBERS = ".numbers.csv"
FILES_CHOSEN = "files-chosen"
"""Kind of a partner's event: it exchanges files from now on."""
File = tuple[str, bytes]
"""A file's name and content."""


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The two folders of a partner: notices are written to `out`, receipts are read from `into`."""

    out: str
    into: str


def check_folders(tx: Tx, out: str, into: str, partner_id: int | None = None) -> Folders:
    """Two folders that a partner may use. Raises BadInput for an address that can't be used, Conflict if another partner
    uses it: a partner sees its own notices only (rule 5)."""
    wanted = Folders(out=check_folder(out), into=check_folder(into))
    if wanted.out == wanted.into:
        raise BadInput(Sentence("notices and receipts need a folder each; both addresses are the same"))
    for other, stream in streams.all_streams(tx).items():
        used = {stream.endpoint, stream.inbox} & {wanted.out, wanted.into}
        if other != partner_id and stream.method == Method.FILES and used:
            raise Conflict(
                Sentence("%(url)s is another partner's folder; each partner needs folders of its own", url=used.pop())
            )
    return wanted


def choose_folders(act: Act, partner: Partner, *, out: str, into: str, login: FolderAccess, rules: FolderRules) -> Folders:
    """Exchange files through folders that the partner itself chose, and send it a verification event. Raises BadInput for
    folders that are not for it to choose, and as `use_files`."""
    if len({urlsplit(check_folder(url.strip())).scheme for url in (out, into)}) > 1:
        raise BadInput(Sentence("both folders have to be reached in the same way, with the same login"))
    folders = Folders(
        out=rules.checked(out, login, client_id=partner.client_id),
        into=rules.checked(into, login, client_id=partner.client_id),
    )
    use_files(act, partner.id, out=folders.out, into=folders.into, sealed=rules.sealed(login), login=login.given())
    send_verification(act, partner)
    return folders


def use_files(
    act: Act, partner_id: int, *, out: str, into: str, sealed: str | None = None, login: Sequence[str] = (),
    new_id: NewId = random_id,
) -> None:  # fmt: skip
    """Exchange files with a partner from now on, in place of how it was told before. Events that wait go the new way;
    identifier-recycled has no form as a file, and what waits of it is dropped. `sealed` is the login of a partner that chose
    its folders itself, `login` the names of its members. Raises as `check_folders`."""
    streams.one_at_a_time(act.tx, partner_id)
    folders = check_folders(act.tx, out, into, partner_id)
    there = streams.of_partner(act.tx, partner_id)
    if there is None:
        streams.add(
            act.tx,
            Chosen(
                method=Method.FILES, endpoint=folders.out, inbox=folders.into, sealed_authorization=sealed,
                events_requested=DEFAULT_EVENTS, alg=ES256,
            ),
            stream_id=new_id("st"),
            partner_id=partner_id,
            at=act.now,
        )  # fmt: skip
    else:
        streams.change(
            act.tx,
            partner_id,
            Chosen(
                method=Method.FILES, endpoint=folders.out, inbox=folders.into, sealed_authorization=sealed,
                events_requested=DEFAULT_EVENTS, alg=there.alg, description=there.description,
            ),
        )  # fmt: skip
    new_owners.drop(act.tx, partner_id)
    again.afresh(act.tx, partner_id, act.now)
    partners.note(
        act.tx, partner_id, FILES_CHOSEN, by=act.by, at=act.now,
        detail={"out": folders.out, "in": folders.into, "login": list(login)},
    )  # fmt: skip
    deliveries.wake_workers(act.tx)


@dataclass(frozen=True, kw_only=True)
class FileWriter:
    """What a worker needs to write notices into folders."""

    database: Database
    signer: Signer
    folders: FolderRules
    clock: Clock
    retries: Retries = field(default_factory=Retries)
    chance: Callable[[], float] = random.random

    _again: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_TRIED_AGAIN), repr=False)

    def one_job(self) -> bool:
        """Write what has waited longest, of one partner; False if nothing is due, or only what was tried in vain before and
        enough threads are at that.

        One transaction, which holds the events' rows: a worker that dies half way leaves a number file without its manifest,
        which means nothing, and the next writes both.
        """
        with self.database.transaction() as tx:
            due = deliveries.claim_due(tx, self.clock(), Method.FILES, _TOGETHER)
            failing = any(one.tries for one in due)
            if not due or (failing and not self._again.acquire(blocking=False)):
                return False
            try:
                met = self._write_all(tx, due)
            finally:
                if failing:
                    self._again.release()
            deliveries.record_attempts(tx, met, at=self.clock())
            if len(met) < len(due):
                until = met[-1].next_at or self.clock() + self.retries.longest
                deliveries.put_off(tx, [one.jti for one in due[len(met) :]], until, endpoint=due[0].endpoint)
        return True

    def _write_all(self, tx: Tx, due: Sequence[Delivery]) -> list[Met]:
        """Write some events of one partner, until its folder can't be reached; what became of those that were tried.
        Whatever goes wrong with one, the attempt goes on record."""
        met: list[Met] = []
        try:
            with self.folders.open(
                due[0].endpoint or "", due[0].sealed_authorization, client_id=due[0].claims["aud"]
            ) as folder:
                for one in due:
                    names, problem = self._written(tx, one, folder)
                    met.append(self._met(one, problem or f"written: {', '.join(names)}", delivered=not problem))
        except Exception as error:  # also a fault of ours, or a login that can't be opened any more
            problem = str(error) if isinstance(error, Unreachable) else f"the platform failed: {type(error).__name__}"
            log.log(logging.INFO if isinstance(error, Unreachable) else logging.ERROR, problem, exc_info=True)
            met += [self._met(one, problem, delivered=False) for one in due[len(met) : len(met) + 1]]
        return met

    def _met(self, due: Delivery, answer: str, *, delivered: bool) -> Met:
        next_at = None if delivered else self.retries.next(due, self.clock(), self.chance)
        return Met(jti=due.jti, endpoint=due.endpoint, status=None, answer=answer[:_WORDS_KEPT], next_at=next_at,
                   delivered=delivered)  # fmt: skip

    def _written(self, tx: Tx, due: Delivery, folder: Folder) -> tuple[list[str], str]:
        """Write an event's files, in their order; their names, and what stands in the way. Raises Unreachable."""
        try:
            with tx.transaction():
                wanted = files_of(tx, due, self.signer)
        except Conflict as error:
            return [], str(error)
        except Exception as error:  # it must not keep the partner's other events from being written
            log.exception("the files of an event could not be made")
            return [], f"the platform failed: {type(error).__name__}"
        for name, content in wanted:
            folder.put(name, content)
        return [name for name, _ in wanted], ""


def files_of(tx: Tx, due: Delivery, signer: Signer, *, token: str | None = None) -> list[File]:
    """The files that tell of an event, in the order in which they are written. `token` stands for the signed event in a
    rehearsal."""
    token = token or signer.event_token(due.claims, due.alg)
    payload: dict[str, Any] = signer.event_claims(due.claims)["events"][due.event]
    if due.event in (RENEWAL, RETRACTION):
        purpose = Purpose.RETRACTION if due.event == RETRACTION else Purpose.RENEWAL
        return _notice(payload, token, purpose, _numbers(tx, due, payload))
    if due.event == REMINDER:
        name = f"{payload['notice']}.reminder-{deliveries.ordinal(tx, due)}.json"
        return [(name, as_json(payload | {"set": token}))]
    return [(f"{due.jti}.event.json", as_json({"event": due.event, "set": token}))]


def _numbers(tx: Tx, due: Delivery, payload: dict[str, Any]) -> bytes:
    """The number file of a notice: of an owner's order it has the one number that stands in the signed event itself."""
    if payload["scope"] == "request":
        return f"number\n{due.claims['sub_id']['phone_number']}\n".encode()
    found = notices.get(tx, payload["notice"])
    assert found is not None
    content = number_file(batches.roster(tx, found.batch_id), CSV)
    if hashlib.sha256(content).hexdigest() != payload["numbers"]["sha256"][CSV]:
        raise Conflict(
            f"the number file of {found.id} comes out otherwise than announced; run the version that planned its batch"
        )
    return content


def _notice(payload: dict[str, Any], token: str, purpose: Purpose, content: bytes) -> list[File]:
    notice = payload["notice"]
    numbers = notice + NUMBERS
    more: dict[str, Any] = {name: payload[name] for name in ("of", "rehearsal") if name in payload}
    manifest = {
        "notice": notice, "purpose": purpose, **more, "count": payload["count"],
        "sha256": hashlib.sha256(content).hexdigest(), "cutoff": payload["cutoff"], "answer_by": payload["answer_by"],
        "numbers": numbers, "set": token,
    }  # fmt: skip
    return [(numbers, content), (f"{notice}.notice.json", as_json(manifest))]


def as_json(content: dict[str, Any]) -> bytes:
    """A manifest's bytes."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
