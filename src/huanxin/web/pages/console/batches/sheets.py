"""A batch's tables as CSV: counts only. A release list itself, with whole numbers, has a download of its own, recorded."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.responses import Response

from huanxin.domain.numbers import masked_text
from huanxin.figures.batch_body import RENEWED, TAKEN_BACK, RetractionFigures
from huanxin.web.pages.console.batches import approvals
from huanxin.web.pages.console.batches.views import PARTNERS, ReleaseGiven, batch_values
from huanxin.web.pages.console.sheets import one_of
from huanxin.web.pages.console.signing import Working

_LATE = ("partner", "batch", "purpose", "late_since", "escalated_at", "reminders", "pending", "unanswered")
_RETRACTIONS = ("retraction", "at", "by", "reason", "numbers", "partner", *TAKEN_BACK)
_RELEASES = ("release", "released_at", "released_by", "people", "carrier", "numbers")
Line = tuple[object, ...]


def batch_csv(who: Working, batch_id: int, *, table: str, partners: str) -> Response:
    """One table of a batch's page, in numbers of the batch; of the partners those that the page's filter leaves."""
    view, body, beside = batch_values(who, batch_id)
    return one_of(f"batch-{batch_id}", {
        "partners": (("partner", "kind", "required", *RENEWED, "waived", "open"), (
            (row.name, row.kind, row.required, *(count for _, count in row.parts), row.waived, row.open)
            for row in view.partners if PARTNERS.get(partners, PARTNERS["all"])(row)
        )),
        "late": (_LATE, (
            (row.name, row.batch, row.purpose, row.since, row.escalated_at, row.reminded, row.pending, row.outstanding)
            for row in view.late_rows
        )),
        "gate": (("state", "numbers"), view.gate.lines),
        "retractions": (_RETRACTIONS, (line for one in view.retractions for line in _retraction(one))),
        "freezes": (("sellable_from", "carrier", "numbers"), sorted(
            (day, carrier, numbers) for carrier, day, numbers in body.freezes
        )),
        "proposals": (approvals.HEADINGS, (approvals.line_of(one) for one in beside.proposals)),
        "releases": (_RELEASES, (line for one in beside.releases for line in _release(one))),
    }, table)  # fmt: skip


def _retraction(one: RetractionFigures) -> Iterator[Line]:
    """A line for each partner; one without a partner before anybody was told."""
    head = (one.id, one.at, one.by, masked_text(one.reason), one.numbers)
    if not one.rows:
        yield (*head, *("" for _ in _RETRACTIONS[len(head) :]))
    for row in one.rows:
        yield (*head, row.name, *(count for _, count in row.parts))


def _release(one: ReleaseGiven) -> Iterator[Line]:
    for carrier, numbers in one.lists:
        yield (
            one.release.id,
            one.release.released_at,
            one.release.released_by,
            1 if one.release.alone else 2,
            carrier,
            numbers,
        )
