"""Verb 4, answer: a partner's receipt becomes recorded facts, whole or not at all."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from huanxin.answer.lines import SHOWN_FAULTS, RefusedReceipt, parse_receipt
from huanxin.domain.answers import Purpose, Standing
from huanxin.domain.clock import zone_of_deadline
from huanxin.domain.errors import BadInput, Fault, HuanxinError, NotFound
from huanxin.domain.numbers import NumberingPlan, masked, written
from huanxin.domain.partners import Partner
from huanxin.domain.rules import NewId, random_id
from huanxin.numbersets import tables
from huanxin.numbersets.roster import Roster
from huanxin.sentences import Sentence
from huanxin.store import batches, notices, receipt_files, receipts, releases
from huanxin.store.database import Database, Tx, recording_facts
from huanxin.store.notices import Notice
from huanxin.store.receipts import StoredReceipt

CONFIRMATION = "receipt-confirmation+jwt"
"""The `typ` of the platform's signature under what it took."""
BREACH_AFTER_RELEASE = "answered-after-release"


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A receipt that was taken: what it said, how many numbers of the notice have no answer yet, whether it is new."""

    receipt: StoredReceipt
    outstanding: int
    new: bool


def confirmation(accepted: Accepted, *, audience: str, now: datetime, new_id: NewId = random_id) -> dict[str, Any]:
    """What the platform signs for a partner whose receipt it took: claims of a JWT (RFC 7519), `iss` left out.

    `sha256` is that of the receipt's content, unpacked; `outstanding` is as of `iat`.
    """
    receipt = accepted.receipt
    return {
        "aud": audience, "iat": int(now.timestamp()), "jti": new_id("cf"), "notice": receipt.notice_id,
        "receipt": receipt.id, "sha256": receipt.sha256.hex(), "complete": receipt.complete, "lines": receipt.lines,
        "accepted": receipt.counts, "outstanding": accepted.outstanding, "received_at": receipt.received_at.isoformat(),
    }  # fmt: skip


class Rosters:
    """The rosters of batches, which never change, kept for the receipts that follow each other: the last ones used, up
    to `most` numbers together (4 bytes each), and the very last one whatever its size."""

    def __init__(self, database: Database, most: int = 10_000_000) -> None:
        self._database, self._most = database, most
        self._kept: OrderedDict[int, Roster] = OrderedDict()
        self._lock = Lock()

    def get(self, batch_id: int) -> Roster:
        with self._lock:  # held while loading: ten receipts for one batch need its roster once
            roster = self._kept.pop(batch_id, None)
            if roster is None:
                with self._database.transaction() as tx:
                    roster = batches.roster(tx, batch_id)
            self._kept[batch_id] = roster
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._most:
                self._kept.popitem(last=False)
            return roster


def partners_notice(tx: Tx, notice_id: str, partner: Partner) -> Notice:
    """A notice of this partner. Raises NotFound for another's as for none (rule 5)."""
    notice = notices.get(tx, notice_id)
    if notice is None or notice.partner_id != partner.id:
        raise NotFound(Sentence("there is no notice %(notice)s for this partner", notice=notice_id))
    return notice


def zone_of(tx: Tx, notice: Notice, plan: NumberingPlan, otherwise: ZoneInfo) -> ZoneInfo:
    """In which zone a day of a receipt is read that is written as an instant: that of the carrier in whose day the notice is
    to be answered; `otherwise` if it has none's numbers."""
    carriers = batches.carriers_of(tx, [notice.batch_id]).get(notice.batch_id, frozenset())
    return zone_of_deadline(notice.answer_by, {plan.carriers[code].zone for code in carriers}, otherwise)


def file_receipt(
    tx: Tx, source: tables.Source, *, notice: Notice, roster: Roster, zone: str, complete: bool, idempotency_key: str,
    now: datetime, new_id: NewId = random_id,
) -> Accepted:  # fmt: skip
    """Take a receipt in this transaction. Raises BadInput with the lines and reasons, and then nothing was taken.

    The same content again is the same receipt (rule 7). One that keeps a released number open is taken, since it is
    a fact, and recorded as a breach. `complete` makes no number absent that a refused receipt named: whatever that wanted
    to say of it, it was not nothing.
    """
    batch = batches.get(tx, notice.batch_id)
    assert batch is not None
    everyone = roster.everyone
    recording_facts(tx)
    receipts.one_at_a_time(tx, notice.id)
    same = receipts.find(tx, notice_id=notice.id, sha256=source.sha256, complete=complete, idempotency_key=idempotency_key)
    if same:
        return Accepted(receipt=same, outstanding=len(_standing(tx, notice, everyone).outstanding(everyone)), new=False)
    parsed = parse_receipt(source, roster, Purpose(batch.purpose), zone)
    if not parsed.lines and not complete:
        raise BadInput(Sentence("the receipt has no lines; say complete=true if no number of the notice has a tie"))
    if complete:
        _refuse_silence(tx, notice, roster, BitMap.union(BitMap(), *parsed.answers.values()))
    stored = receipts.add(
        tx, receipt_id=new_id("rc"), notice_id=notice.id, batch_id=batch.id, partner_id=notice.partner_id,
        sha256=source.sha256, complete=complete, idempotency_key=idempotency_key, lines=parsed.lines,
        answers=parsed.answers, at=now,
    )  # fmt: skip
    standing = _standing(tx, notice, everyone)
    late = releases.released_places(tx, batch.id) & standing.open(everyone) if notice.required else BitMap()
    if late:
        releases.add_breach(
            tx, kind=BREACH_AFTER_RELEASE, batch_id=batch.id, partner_id=notice.partner_id, receipt_id=stored.id,
            places=late, at=now,
        )  # fmt: skip
    return Accepted(receipt=stored, outstanding=len(standing.outstanding(everyone)), new=True)


class Silent(BadInput):
    """A receipt that says complete and is silent of what a refused one named."""

    code = "silent-about-refused"


def _refuse_silence(tx: Tx, notice: Notice, roster: Roster, named: BitMap) -> None:
    """Raise Silent if a receipt that names these places and says complete is silent of what a refused one named."""
    before = receipt_files.named_in_refused(tx, notice.id) - named
    silent = before - _standing(tx, notice, roster.everyone).answered() if before else before
    if silent:
        faults = [
            Fault(
                line=0,
                reason=Sentence(
                    "%(number)s stood in a receipt that was refused, and nothing that was taken names it; name it,"
                    " as absent if there is no tie",
                    number=masked(written(number)),
                ),
            )
            for number in roster.at(silent[:SHOWN_FAULTS]).tolist()
        ]
        raise Silent(
            Sentence("%(count)s numbers of refused receipts were answered in none", count=f"{len(silent):,}"),
            faults, len(silent),
        )  # fmt: skip


def note_named(tx: Tx, notice: Notice, error: HuanxinError, *, now: datetime) -> None:
    """Record which numbers a receipt named that was refused with this error."""
    if isinstance(error, RefusedReceipt):
        receipt_files.note_named(tx, notice.id, error.named, at=now)


def taken_before(tx: Tx, receipt_id: str, notice: Notice, roster: Roster) -> Accepted:
    """A receipt that was taken earlier, as it is now."""
    stored = receipts.get(tx, receipt_id)
    assert stored is not None
    outstanding = len(_standing(tx, notice, roster.everyone).outstanding(roster.everyone))
    return Accepted(receipt=stored, outstanding=outstanding, new=False)


def _standing(tx: Tx, notice: Notice, everyone: BitMap) -> Standing:
    found = receipts.standings(tx, notice.batch_id, everyone, notice.partner_id)
    return found.get(notice.partner_id, Standing())
