"""Verb 4, answer, for requests: one number, one answer. A file may answer many notices at once, each by its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from huanxin.answer.lines import FIRST_UNTIL, cant_answer, needs_reason, no_day, refused_whole, unreadable
from huanxin.answer.receiving import another_key
from huanxin.domain.answers import INQUIRY_OUTCOMES, OUTCOMES_OF, Answer, Outcome, Purpose, Reason
from huanxin.domain.errors import BadInput, Fault, NotFound
from huanxin.domain.numbers import NumberingPlan, written
from huanxin.domain.partners import Partner
from huanxin.domain.rules import NewId, random_id
from huanxin.numbersets import columns, moments, phones, tables
from huanxin.numbersets.arrow import pa
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.store.request import requests
from huanxin.store.request.requests import NewAnswer, RequestAsked
from huanxin.words.sentences import Sentence

COLUMNS = tables.Columns(
    names=("notice", "number", "outcome", "reason", "until"), optional=frozenset({"notice", "reason", "until"})
)
PREFIX = "nr_"
"""With which the ids of requests' notices begin."""
MOST_LINES = 10_000
LONGEST = MOST_LINES * 256
"""Bytes of such a receipt, unpacked, with room for columns of the partner's own."""
_OUTCOMES = {requests.INQUIRE: INQUIRY_OUTCOMES, requests.RETRACT: OUTCOMES_OF[Purpose.RETRACTION]}
"""by what a notice is for; all others are renewals"""
_CLOSING = [outcome for outcome in Outcome if not Answer(outcome=outcome).settles]
_SHOWN = 100
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class AnswerLine:
    """One line of a receipt, as written; `notice` is empty where the address names the notice."""

    line: int
    notice: str
    number: str
    outcome: str
    reason: str
    until: str


def read(source: tables.Source) -> list[AnswerLine]:
    """The lines of a receipt of requests. Raises BadInput for a file that can't be read, or is longer than MOST_LINES."""
    found: list[AnswerLine] = []
    try:
        with tables.read(source, COLUMNS, keep_ragged=_SHOWN) as table:
            for chunk in table.chunks:
                if len(found) + len(chunk.lines) + table.ragged_count > MOST_LINES:
                    raise BadInput(
                        Sentence(
                            "a receipt of requests has at most %(most)s lines; file it in parts", most=f"{MOST_LINES:,}"
                        )
                    )
                found += _lines(chunk)
    except tables.BadTable as error:
        raise unreadable(error) from error
    if table.ragged:
        raise refused_whole([Fault(line=line, reason=reason) for line, reason, _ in table.ragged], table.ragged_count)
    return [line for line in found if line.number or line.outcome]


def _lines(chunk: tables.Chunk) -> list[AnswerLine]:
    rows = np.arange(len(chunk.lines))
    texts = {
        name: columns.texts(chunk.columns[name], rows) if name in chunk.columns else [""] * len(rows)
        for name in COLUMNS.names
    }
    return [
        AnswerLine(line=int(chunk.lines[row]), **{name: texts[name][row].strip() for name in COLUMNS.names})
        for row in rows.tolist()
    ]


def asked(tx: Tx, partner: Partner, notice_id: str) -> RequestAsked:
    """What a notice of this partner asks. Raises NotFound for another's as for none (rule 5)."""
    found = requests.asked(tx, partner.id, [notice_id]).get(notice_id)
    if found is None:
        raise NotFound(Sentence("there is no notice %(notice)s for this partner", notice=notice_id))
    return found


def filled(lines: list[AnswerLine], told: RequestAsked | None) -> list[AnswerLine]:
    """The lines of a receipt; of an empty one that is complete, the one that says so of what its notice asks (`told`).
    Raises BadInput if there are none."""
    if told and not lines:
        return [AnswerLine(line=0, notice="", number=written(told.number), outcome="absent", reason="", until="")]
    if not lines:
        raise BadInput(Sentence("the receipt has no lines; write one line for each notice that it answers"))
    return lines


def confirmation(
    told: dict[str, Any], *, audience: str, sha256: bytes, lines: int, notice: str | None, now: datetime,
    new_id: NewId = random_id,
) -> dict[str, Any]:  # fmt: skip
    """What the platform signs for a partner whose receipt it took, beside what the partner is told of it."""
    return told | {
        "aud": audience, "iat": int(now.timestamp()), "jti": new_id("cf"), "sha256": sha256.hex(), "lines": lines,
        "received_at": now.isoformat(),
    } | ({"notice": notice} if notice else {})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What became of a receipt of requests: the receipt of each notice, the requests it answers, how many lines were new."""

    receipts: dict[str, str]
    request_ids: list[str]
    new: int


def answer(
    act: Act, partner: Partner, lines: Sequence[AnswerLine], *, notice: str | None, key: str, new_id: NewId = random_id
) -> Answered:
    """Record a partner's answers to its notices. Raises BadInput with the lines, or Conflict for a key under which one of
    the notices was answered otherwise, and then nothing was taken.

    A repeat changes nothing (rule 7, `_repeated`). `notice`: the one that the address names.
    """
    named = sorted({notice or line.notice for line in lines})
    requests.one_at_a_time(act.tx, named)
    known = requests.asked(act.tx, partner.id, named)
    said = requests.answers_of(act.tx, [told.id for told in known.values() if told.outcome is not None])
    faults: list[Fault] = []
    fresh: list[NewAnswer] = []
    receipts: dict[str, str] = {}
    for line in lines:
        told = known.get(notice or line.notice)
        day, why = _checked(line, told, act.plan, again=(notice or line.notice) in receipts)
        if why or told is None:
            faults.append(Fault(line=line.line, reason=why))
            continue
        new = NewAnswer(receipt=new_id("rc"), notice_id=told.id, request_id=told.request_id, outcome=line.outcome,
                        reason=line.reason, until_day=day, key=key)  # fmt: skip
        receipts[told.id] = _repeated(new, said.get(told.id, [])) or new.receipt
        if receipts[told.id] == new.receipt:
            fresh.append(new)
    if faults:
        raise refused_whole(faults[:_SHOWN], len(faults))
    facts.request_answers(act.tx, fresh, act.now)
    touched = sorted({told.request_id for told in known.values()})
    return Answered(receipts=receipts, request_ids=touched, new=len(fresh))


def _repeated(new: NewAnswer, before: Sequence[NewAnswer]) -> str | None:
    """The receipt of which an answer is a repeat; None if it is news. `before`: all that was answered, oldest first.

    Under the same key it is the same receipt. Without a key an answer that was given before is a repeat, unless it keeps the
    number open and another one stands now: whoever refuses again is heard.
    """
    if new.key:
        under = [one for one in before if one.key == new.key]
        same = [one for one in under if one.says(new)]
        if under and not same:
            raise another_key(new.key)
        return same[-1].receipt if same else None
    same = [one for one in before if one.says(new)]
    if not same or (new.outcome in _CLOSING and not before[-1].says(new)):
        return None
    return same[-1].receipt


def _checked(line: AnswerLine, told: RequestAsked | None, plan: NumberingPlan, *, again: bool) -> tuple[date | None, str]:
    """The day until which the answer stands, and why the line can't be taken; empty if it can."""
    if told is None:
        return None, Sentence("there is no notice %(notice)s for this partner", notice=line.notice)
    if again:
        return None, Sentence("notice %(notice)s is answered twice in one receipt; send one answer", notice=told.id)
    if why := phones.why_not(line.number, phones.E164):
        return None, why
    if phones.read(line.number, phones.E164) != told.number:
        return None, Sentence("the number is not the one of this notice")
    possible = _OUTCOMES.get(told.purpose, OUTCOMES_OF[Purpose.RENEWAL])
    if line.outcome not in possible:
        return None, cant_answer(line.outcome, Sentence("this request"), possible)
    if line.outcome == "refused" and line.reason not in list(Reason):
        return None, needs_reason()
    if not line.until:
        return None, ""
    # The forms that a receipt of a batch may have and no others; an instant is a day of the carrier that serves the number.
    read = moments.instants(pa.array([line.until]), plan.carriers[told.carrier].zone.key)
    day = _EPOCH + timedelta(days=int(read.day[0])) if read.good[0] else date.min
    return (day, "") if day >= FIRST_UNTIL else (None, no_day())
