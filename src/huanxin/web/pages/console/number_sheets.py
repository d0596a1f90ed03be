"""What is on record about one number as CSV, and how a page keeps the number for its tables without showing it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from fastapi import Request
from fastapi.responses import Response
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from huanxin.domain.errors import BadInput
from huanxin.domain.numbers import masked_text
from huanxin.operations.tracing import Entry, Trace
from huanxin.sentences import Sentence
from huanxin.web.pages.console.number_view import BatchCase, batch_cases
from huanxin.web.pages.console.sheets import one_of
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.people.setup import people_of

_HEADINGS = (
    "number", "at", "what", "batch", "partner", "outcome", "reason", "until", "carrier", "by", "why", "count", "grade",
    "evidence",
)  # fmt: skip
_TENURES = ("number", "opened_on", "closed_on", "ended_how", "carrier")
_BATCHES = (
    "number", "batch", "carrier", "sellable_from", "states", "partner", "required", "outcome", "reason", "until", "at",
    "waived", "receipt", "notice", "open",
)  # fmt: skip
_SEALED = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = list(_SEALED.values())
Line = tuple[object, ...]


def number_csv(found: Trace, name: str, *, table: str, batch: int | None) -> Response:
    """One of a number's tables; `name`: how it may be written, `batch`: one of its batches, or all."""
    return one_of("number", {
        "timeline": (_HEADINGS, (_entry(name, one) for one in found.entries)),
        "tenures": (_TENURES, (
            (name, one.opened_on, one.closed_on, one.how, one.carrier) for one in found.standing.tenures
        )),
        "batches": (_BATCHES, (
            line for one in batch_cases(found) if batch in (None, one.id) for line in _case(name, one)
        )),
    }, table)  # fmt: skip


def _entry(name: str, entry: Entry) -> Line:
    evidence = "; ".join(f"{kind} {one}".strip() for kind, one in entry.evidence)
    at = entry.at.date() if entry.day_only else entry.at
    return (name, at, entry.kind, entry.batch, entry.partner, entry.outcome, entry.reason, entry.until, entry.carrier,
            _who(entry.by, entry.alone), masked_text(entry.why), entry.count, entry.grade, evidence)  # fmt: skip


def _who(by: str, alone: bool) -> str:
    return f"{by} (one person)" if alone else by


def _case(name: str, one: BatchCase) -> Iterator[Line]:
    """A line for each partner; one without a partner before anybody was told."""
    head = (name, one.id, one.carrier, one.sellable, " ".join(one.states))
    if not one.told:
        yield (*head, *("" for _ in _BATCHES[len(head) :]))
    for row in one.partners:
        waived = "; ".join(f"{_who(by, alone)}: {why}" for by, alone, why in row.waived)
        yield (*head, row.name, row.required, row.outcome or "unanswered", row.reason, row.until, row.at,
               waived, row.receipt, row.notice, row.open)  # fmt: skip
    for partner, receipt in one.absent:
        yield (*head, partner, "", "absent", "", "", "", "", receipt, "", False)


def keep(request: Request, who: Working, number: int) -> str:
    """The number so that the forms of a page can hand it in again, and nobody who reads the page can: encrypted (RFC 7516)
    for this operator."""
    return jwe.encrypt_compact(_SEALED, str(number).encode(), _key(request, who), algorithms=_ALGORITHMS)


def kept(request: Request, who: Working, sealed: str) -> int:
    """The number that `keep` was given. Raises BadInput."""
    try:
        found = jwe.decrypt_compact(sealed, _key(request, who), algorithms=_ALGORITHMS)
    except (JoseError, ValueError) as error:
        raise BadInput(Sentence("this page has become too old; search the number again")) from error
    return int(found.plaintext or b"")


def _key(request: Request, who: Working) -> OctKey:
    secret = f"{people_of(request).secret}/number/{who.operator.id}"
    return OctKey.import_key(hashlib.sha256(secret.encode()).digest())
