"""What is on record about one number as CSV."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.responses import Response

from huanxin.domain.numbers import masked_text
from huanxin.figures.tracing import Entry, Trace
from huanxin.web.pages.console.number.views import BatchCase, batch_cases
from huanxin.web.pages.console.sheets import one_of

_HEADINGS = (
    "number", "at", "what", "batch", "partner", "outcome", "reason", "until", "carrier", "by", "why", "count", "grade",
    "evidence",
)  # fmt: skip
_TENURES = ("number", "opened_on", "closed_on", "ended_how", "carrier")
_BATCHES = (
    "number", "batch", "carrier", "sellable_from", "states", "partner", "required", "outcome", "reason", "until", "at",
    "waived", "receipt", "notice", "open",
)  # fmt: skip
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
