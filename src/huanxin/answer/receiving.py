"""Verb 4, answer: a partner's receipt becomes recorded facts, whole or not at all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from huanxin.answer.lines import SHOWN_FAULTS, ParsedReceipt, RefusedReceipt, parse_receipt
from huanxin.domain.answers import Answer, Purpose, Receipt, Standing
from huanxin.domain.clock import zone_of_deadline
from huanxin.domain.errors import BadInput, Conflict, Fault, HuanxinError, NotFound
from huanxin.domain.numbers import masked, written
from huanxin.domain.partners import Partner
from huanxin.domain.rules import NewId, random_id
from huanxin.numbersets import tables
from huanxin.numbersets.roster import Roster
from huanxin.store import facts
from huanxin.store.acting import Act, Read, Reading
from huanxin.store.answer import receipt_files, receipts
from huanxin.store.answer.receipts import StoredReceipt
from huanxin.store.database import Tx
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.release import releases, stops
from huanxin.words.sentences import Sentence

CONFIRMATION = "receipt-confirmation+jwt"
"""The `typ` of the platform's signature under what it took."""


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

    def __init__(self, read: Read, most: int = 10_000_000) -> None:
        self._read, self._most = read, most
        self._kept: OrderedDict[int, Roster] = OrderedDict()
        self._lock = Lock()

    def get(self, batch_id: int) -> Roster:
        with self._lock:  # held while loading: ten receipts for one batch need its roster once
            roster = self._kept.pop(batch_id, None)
            if roster is None:
                with self._read() as seen:
                    roster = batches.roster(seen.tx, batch_id)
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


def zone_of(reading: Reading, notice: Notice, otherwise: ZoneInfo) -> ZoneInfo:
    """In which zone a day of a receipt is read that is written as an instant: that of the carrier in whose day the notice is
    to be answered; `otherwise` if it has none's numbers."""
    carriers = batches.carriers_of(reading.tx, [notice.batch_id]).get(notice.batch_id, frozenset())
    return zone_of_deadline(notice.answer_by, {reading.plan.carriers[code].zone for code in carriers}, otherwise)


@dataclass(frozen=True, kw_only=True)
class Filing:
    """For which notice a receipt is filed, and how: the roster of its batch, the zone in which its days are read, whether it
    is the last part, its Idempotency-Key if it has one."""

    notice: Notice
    roster: Roster
    zone: str
    complete: bool
    key: str = ""


def file_receipt(
    act: Act, source: tables.Source, filing: Filing, *, in_turn: Callable[[], None] = lambda: None,
    new_id: NewId = random_id,
) -> Accepted:  # fmt: skip
    """Take a receipt in this transaction. Raises BadInput with the lines and reasons, or Conflict for a key that names
    another receipt of this notice, and then nothing was taken.

    What was filed before under the same key is the same receipt (rule 7). Without a key the same content is, but for what
    it keeps open and another receipt has changed since: whoever refuses again is heard. One that reopens a released number
    is taken, since it is a fact, and recorded as a breach. `complete` makes no number absent that a refused receipt named:
    whatever that wanted to say of it, it was not nothing.

    in_turn: raises what keeps it from being taken now, once no other receipt of the notice can come before it.
    """
    notice, roster, complete = filing.notice, filing.roster, filing.complete
    batch = batches.get(act.tx, notice.batch_id)
    assert batch is not None
    everyone = roster.everyone
    content = _Content(notice_id=notice.id, sha256=source.sha256, complete=complete, key=filing.key)
    # Read first, then wait: nobody waits while a long one is read.
    recorded = _recorded(act.tx, content)
    parsed = None if recorded else _parsed(source, roster, Purpose(batch.purpose), filing.zone, complete)
    turn = act.in_turn()
    receipts.one_at_a_time(act.tx, notice.id)
    in_turn()
    recorded = recorded or _recorded(act.tx, content)
    standing = _standing(act.tx, notice, everyone)
    answers: Mapping[Answer, BitMap] = parsed.answers if parsed else {}
    if recorded:
        answers = {} if filing.key else _changed_since(act.tx, recorded[0], standing)
        if not answers:
            return Accepted(receipt=recorded[-1], outstanding=len(standing.outstanding(everyone)), new=False)
    elif complete:
        _refuse_silence(act.tx, notice, roster, standing.answered() | BitMap.union(BitMap(), *answers.values()))
    stored = facts.receipt(
        act.tx, receipt_id=new_id("rc"), notice_id=notice.id, batch_id=batch.id, partner_id=notice.partner_id,
        sha256=source.sha256, complete=complete, idempotency_key=filing.key,
        lines=parsed.lines if parsed else recorded[0].lines, answers=answers, at=act.now,
    )  # fmt: skip
    was_open = standing.open(everyone)
    standing.take(Receipt(answers=answers, complete=complete), everyone)
    _note_reopened(turn, notice, stored, roster, standing.open(everyone) - was_open)
    return Accepted(receipt=stored, outstanding=len(standing.outstanding(everyone)), new=True)


def _note_reopened(act: Act, notice: Notice, receipt: StoredReceipt, roster: Roster, reopened: BitMap) -> None:
    """Record that a receipt reopened numbers that were released since its partner was told of them (until then it could not
    be waited for), and how many of these nobody has bought yet. A receipt is dated when it came; what it stops, when that is
    recorded: a report that was judged meanwhile did not know of it."""
    if notice.required and reopened:
        late = reopened & releases.released_places(act.tx, notice.batch_id, asked=notice.partner_id)
        if late:
            releases.add_breach(
                act.tx, kind=releases.ANSWERED_AFTER, batch_id=notice.batch_id, partner_id=notice.partner_id,
                receipt_id=receipt.id, places=late, at=act.now,
            )  # fmt: skip
            on_lists = stops.listed(act.tx, roster.subset(late))
            stops.add(
                act.tx, [one for one in on_lists if one.batch_id == notice.batch_id], receipt_id=receipt.id, at=act.now
            )


class Silent(BadInput):
    """A receipt that says complete and is silent of what a refused one named."""

    code = "silent-about-refused"


def _refuse_silence(tx: Tx, notice: Notice, roster: Roster, answered: BitMap) -> None:
    """Raise Silent if these are the places that are answered by a receipt that says complete, and it and all before it are
    silent of what a refused one named."""
    silent = receipt_files.named_in_refused(tx, notice.id) - answered
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


def note_named(act: Act, notice: Notice, error: HuanxinError) -> None:
    """Record which numbers a receipt named that was refused with this error."""
    if isinstance(error, RefusedReceipt):
        receipt_files.note_named(act.tx, notice.id, error.named, at=act.now)


def taken_before(tx: Tx, receipt_id: str, notice: Notice, roster: Roster) -> Accepted:
    """A receipt that was taken earlier, as it is now."""
    stored = receipts.get(tx, receipt_id)
    assert stored is not None
    outstanding = len(_standing(tx, notice, roster.everyone).outstanding(roster.everyone))
    return Accepted(receipt=stored, outstanding=outstanding, new=False)


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What a receipt is known again by: for which notice, its bytes, whether it is the last part, its key if it has one."""

    notice_id: str
    sha256: bytes
    complete: bool
    key: str


def _recorded(tx: Tx, content: _Content) -> list[StoredReceipt]:
    """The receipts on record of the same key and content, or without a key of the same content, oldest first."""
    if not content.key:
        return receipts.of_content(tx, content.notice_id, sha256=content.sha256, complete=content.complete)
    under = receipts.of_key(tx, content.notice_id, content.key)
    same = [one for one in under if (one.sha256, one.complete) == (content.sha256, content.complete)]
    if under and not same:
        raise another_key(content.key)
    return same


def _changed_since(tx: Tx, first: StoredReceipt, standing: Standing) -> dict[Answer, BitMap]:
    """What a receipt kept open and doesn't keep open so any more, since another one said something else of it."""
    nothing = BitMap()
    said = receipts.closing(tx, first.id).items()
    return {answer: rest for answer, places in said if (rest := places - standing.answers.get(answer, nothing))}


def _parsed(source: tables.Source, roster: Roster, purpose: Purpose, zone: str, complete: bool) -> ParsedReceipt:
    parsed = parse_receipt(source, roster, purpose, zone)
    if not parsed.lines and not complete:
        raise BadInput(Sentence("the receipt has no lines; say complete=true if no number of the notice has a tie"))
    return parsed


def another_key(key: str) -> Conflict:
    """Something else was filed under a key: which of the two is meant can't be known."""
    return Conflict(
        Sentence(
            "another receipt was filed under the Idempotency-Key %(key)s; file this one under a key of its own", key=key
        )
    )


def _standing(tx: Tx, notice: Notice, everyone: BitMap) -> Standing:
    found = receipts.standings(tx, notice.batch_id, everyone, notice.partner_id)
    return found.get(notice.partner_id, Standing())
