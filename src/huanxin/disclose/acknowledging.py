"""Recording that a buyer saw what is told of a number and chose it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from huanxin.disclose.desk import look_up, texts_of
from huanxin.domain.disclosure import EN, REASONS, VERSION, NotForSale, Told, digest, is_of
from huanxin.domain.errors import BadInput, Conflict, Fault, Forbidden, NotFound
from huanxin.domain.numbers import masked
from huanxin.domain.operators import Operator, Right
from huanxin.domain.rules import NewId, random_id
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.store.disclose import disclosures
from huanxin.store.disclose.disclosures import Disclosure, NewDisclosure, SeenText
from huanxin.words.sentences import Sentence

MOST = 10_000
"""Acknowledgements that are taken in one call."""
_PATH = re.compile(r"M\d{1,4} \d{1,4}(?:[ML]\d{1,4} \d{1,4})*")
LONGEST_SIGNATURE, _FEWEST_POINTS, _LONGEST_REFERENCE = 20_000, 5, 200


class Method(StrEnum):
    """How a buyer acknowledged: by a signature on the screen, by a code sent to their own phone, or in the shop's own
    system, which names its record."""

    SIGNATURE = "signature"
    CODE = "code"
    REFERENCE = "reference"


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """One buyer's acknowledgement. `shown`: the SHA-256 (hex) of the text that they saw; `evidence`: the path of their
    signature (SVG, moves and lines in whole pixels), the reference, or nothing for a code."""

    number: int
    shown: str
    method: Method
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """What came of it: the id of each disclosure, in the order given, and how many are new."""

    ids: list[str]
    new: int


@dataclass(kw_only=True)
class _Taken:
    ids: list[str] = field(default_factory=list)
    rows: list[NewDisclosure] = field(default_factory=list)
    texts: dict[str, SeenText] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def acknowledge(
    act: Act, given: Sequence[Acknowledgement], *, operator: Operator, new_id: NewId = random_id
) -> Acknowledged:
    """Record acknowledgements, all or none. The same one again changes nothing (rule 7), also once the number was sold.

    Raises BadInput with the line (from 1) of each that can't be taken: the number is not for sale or was acknowledged by
    somebody before, the text that was shown is not the one of now, the signature is none. Forbidden without the right.
    """
    operator.require(Right.DESK)
    if not 1 <= len(given) <= MOST:
        raise BadInput(
            Sentence(
                "send 1 to %(most)s acknowledgements at a time; there are %(count)s",
                most=f"{MOST:,}", count=f"{len(given):,}",
            )
        )  # fmt: skip
    act = act.in_turn()
    disclosures.one_at_a_time(act.tx)
    numbers = [one.number for one in given]
    looked = look_up(act, numbers, seller=operator.carrier)
    known = disclosures.all_standing_of(act.tx, numbers)
    taken, seen = _Taken(), set[int]()
    for line, (one, told) in enumerate(zip(given, looked, strict=True), start=1):
        twice = Sentence("the number stands in an earlier line too")
        reason = twice if one.number in seen else _malformed(one)
        seen.add(one.number)
        reason = reason or _take(taken, one, told, known.get(one.number, []), by=operator, now=act.now, new_id=new_id)
        if reason:
            why = Sentence("%(number)s: %(reason)s", number=masked(one.number), reason=reason)
            taken.faults.append(Fault(line=line, reason=why))
    if taken.faults:
        raise BadInput(
            Sentence(
                "%(count)s of %(total)s acknowledgements can't be taken, so none was",
                count=f"{len(taken.faults):,}", total=f"{len(given):,}",
            ),
            taken.faults,
        )  # fmt: skip
    facts.disclosures(act.tx, taken.rows, taken.texts.values())
    return Acknowledged(ids=taken.ids, new=len(taken.rows))


def _malformed(one: Acknowledgement) -> Sentence | None:
    if one.method is Method.SIGNATURE:
        points = one.evidence.count("L") + one.evidence.count("M")
        if len(one.evidence) > LONGEST_SIGNATURE or points < _FEWEST_POINTS or not _PATH.fullmatch(one.evidence):
            return Sentence("the signature is no drawn line; let the buyer sign again, not longer than a few names")
    if one.method is Method.REFERENCE and not 1 <= len(one.evidence.strip()) <= _LONGEST_REFERENCE:
        return Sentence(
            "a reference has 1 to %(most)s characters: the record in the shop's own system", most=_LONGEST_REFERENCE
        )
    if one.method is Method.CODE and one.evidence:
        return Sentence("a code leaves no evidence; the platform has compared it itself")
    return None


def _take(
    taken: _Taken, one: Acknowledgement, told: Told, before: Sequence[Disclosure], *, by: Operator, now: datetime,
    new_id: NewId,
) -> Sentence | None:  # fmt: skip
    """Prepare one record; the reason why not, if it can't be taken. `before`: what stands of earlier ones, oldest first.

    A number that is for sale now is disclosed anew, whatever was said before another sale. One that is not may have been
    acknowledged just so before: then this is a retry.
    """
    said = (one.shown, one.method, one.evidence)
    mine = (old for old in before if by.sees([old.carrier]))
    same = [old.id for old in mine if (old.text_sha256.hex(), old.method, old.evidence) == said]
    if told.why is not None and same:
        taken.ids.append(same[-1])
        return None
    if told.why is NotForSale.ACKNOWLEDGED:
        last = [old for old in before if is_of(old, told.closed_on)][-1]
        return Sentence(
            "a buyer acknowledged it on %(day)s; withdraw that first if they did not take it",
            day=f"{last.acknowledged_at:%Y-%m-%d}",
        )
    if told.why is not None or told.carrier is None:
        return Sentence("it is not for sale: %(why)s", why=REASONS[told.why or NotForSale.OTHER_CARRIER][EN])
    found = next(((lang, text) for lang, text in texts_of(told).items() if digest(text) == one.shown), None)
    if found is None:
        return Sentence("the disclosure is not the one that was shown: it has changed since; show it again")
    taken.texts[one.shown] = text = SeenText(version=VERSION, language=found[0], text=found[1])
    row = NewDisclosure(
        id=new_id("di"), number=one.number, carrier=told.carrier, closed_on=told.closed_on, grade=told.grade.value,
        asked=told.asked, confirmed=told.confirmed, text_sha256=text.sha256, method=one.method.value, evidence=one.evidence,
        operator_id=by.id, acknowledged_at=now,
    )  # fmt: skip
    taken.ids.append(row.id)
    taken.rows.append(row)
    return None


def named(tx: Tx, disclosure_id: str, *, by: Operator) -> Disclosure:
    """A disclosure that this person may see. Raises NotFound, for another carrier's as for none."""
    found = disclosures.get(tx, disclosure_id)
    if found is None or not by.sees([found.carrier]):
        raise NotFound(Sentence("there is no disclosure %(id)s; `/console/desk/records` lists them", id=disclosure_id))
    return found


def withdraw(act: Act, disclosure_id: str, *, reason: str, operator: Operator) -> None:
    """Record that the buyer did not take the number, so that it may be disclosed to another. Raises Conflict once it was
    sold or withdrawn, BadInput without a reason."""
    operator.require(Right.DESK)
    if not reason.strip():
        raise BadInput(Sentence("say why it is withdrawn; the reason is recorded"))
    act = act.in_turn()
    disclosures.one_at_a_time(act.tx)
    found = named(act.tx, disclosure_id, by=operator)
    told = look_up(act, [found.number], seller=found.carrier)[0]
    if not found.stands:
        raise Conflict(Sentence("%(id)s was withdrawn before", id=disclosure_id))
    if told.why in (NotForSale.IN_SERVICE, NotForSale.PORTED_OUT) or not is_of(found, told.closed_on):
        raise Conflict(Sentence("%(number)s was sold since; what its buyer acknowledged stays", number=masked(found.number)))
    if operator.carrier is not None and operator.carrier != found.carrier:
        raise Forbidden(Sentence("%(id)s is another carrier's", id=disclosure_id))
    facts.disclosure_withdrawal(act.tx, disclosure_id, reason=reason.strip(), by=operator.id, at=act.now)
