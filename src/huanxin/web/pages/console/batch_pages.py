"""The batch pages' values: what stands in the list, on one page, and in their CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from huanxin.domain.answers import Purpose
from huanxin.domain.errors import HuanxinError
from huanxin.domain.operators import Right
from huanxin.operations import batch_figures
from huanxin.operations.problems import status_of
from huanxin.store import batches, plannings, progress, proposals, releases
from huanxin.store.proposals import Proposal
from huanxin.store.releases import Release
from huanxin.web.pages import charts, labels
from huanxin.web.pages.console import unmasking
from huanxin.web.pages.console.forms import Posted
from huanxin.web.pages.console.frame import lines_of, page
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.gate_view import batch_summaries, batch_view
from huanxin.web.pages.render import say, total, translated
from huanxin.web.pages.routes import language
from huanxin.web.pages.views import BatchSummary, BatchView

MOST = 100
_LOOK_AGAIN = 5  # seconds
STATES = ("all", "late", "waiting", "done")
_KEYS = ("unbound", "absent", "kept", "pending", "refused", "unanswered")


@dataclass(frozen=True, kw_only=True)
class Given:
    """A release with its lists: (carrier, numbers)."""

    release: Release
    lists: tuple[tuple[str, int], ...]


def shown(who: Working, *, state: str, before: int | None) -> tuple[list[BatchSummary], int | None]:
    """The batches that an operator sees, newest first, and where the list goes on."""
    platform = who.platform
    with platform.database.transaction() as tx:
        of = batches.carriers(tx)
        known = [
            one for one in batches.all_batches(tx, Purpose.RENEWAL)[::-1]
            if who.operator.sees(of.get(one.id, ())) and (before is None or one.id < before)
        ]  # fmt: skip
        rows = [one for one in batch_summaries(tx, platform, known) if _in_state(one, state)]
    return rows[:MOST], rows[MOST - 1].id if len(rows) > MOST else None


def _in_state(one: BatchSummary, state: str) -> bool:
    waits = one.outcomes.outstanding + one.outcomes.pending > 0 or not one.partners
    return {"late": one.late > 0, "waiting": waits, "done": not waits}.get(state, True)


def list_page(
    request: Request, who: Working, rows: list[BatchSummary], *, more: int | None, state: str, done: str,
    problem: HuanxinError | None = None,
) -> Response:  # fmt: skip
    """The list of batches."""
    as_of = min((one.as_of for one in rows if one.as_of), default=None)
    with who.platform.database.transaction() as tx:
        wished = [one for one in plannings.waiting(tx) if one.carrier is None or who.operator.sees([one.carrier])]
    answer = page(
        request, who, "batches.html", status_of(problem) if problem else 200, tab="batches", rows=rows, more=more,
        state=state, states=STATES, done=done, as_of=as_of, problem=problem and problem.said,
        may_act=who.operator.may(Right.BATCHES), carriers=who.platform.plan.carriers, wished=wished,
    )  # fmt: skip
    if wished:  # without a script the page looks again by itself
        answer.headers["Refresh"] = str(_LOOK_AGAIN)
    return answer


def list_csv(rows: list[BatchSummary]) -> Response:
    """The list as CSV; outcomes in (number, partner) pairs."""
    header = ["batch", "cutoff", "answer_by", "numbers", "partners", *_KEYS, "released", "late_partners", "as_of"]
    return as_csv("batches", header, (
        (one.id, one.cutoff, one.answer_by, one.numbers, one.partners, *(count for _, count in one.outcomes.parts),
         one.released, one.late, one.as_of)
        for one in rows
    ))  # fmt: skip


def batch_page(
    request: Request, who: Working, batch_id: int, *, status: int = 200, done: str = "",
    problem: HuanxinError | None = None, given: Posted | None = None,
) -> Response:  # fmt: skip
    """One batch, and what can be done with it."""
    lang = language(request)
    view, body, extra = _values(who, batch_id)
    rows = sorted(view.partners, key=lambda row: (-row.open, -row.outstanding, -row.unbound))
    now = who.platform.now()
    return page(
        request, who, "batch.html", status, tab="batches", view=view, rows=rows, totals=total(rows), most=charts.MOST_BARS,
        answers=charts.outcome_bars([(say(row.name, lang), row) for row in rows], translated(labels.OUTCOMES, lang)),
        gate=charts.gate_bars(view.gate, translated(labels.GATE, lang), lang), done=done,
        problem=problem and problem.said, faults=lines_of(problem, lang) if problem else [],
        given=given or {}, left=(view.answer_by - now).total_seconds(), may_act=who.operator.may(Right.BATCHES),
        may_see=who.operator.may(Right.NUMBERS), list_purposes=unmasking.LIST_PURPOSES,
        freezes=[(carrier, date.fromisoformat(day), numbers) for carrier, day, numbers in body["freezes"]],
        partners=sorted(((one["partner"], one["name"], one["waits_outstanding"] + one["waits_pending"], one["refused"])
                         for one in body["partners"]), key=lambda one: (-one[2], -one[3], one[1])),
        carriers=body["carriers"], today=who.platform.today(), **extra,
    )  # fmt: skip


def _values(who: Working, batch_id: int) -> tuple[BatchView, dict[str, Any], dict[str, Any]]:
    platform = who.platform
    with platform.database.transaction() as tx:
        summary, fresh = batch_figures.current(tx, platform, batch_id)
        view = batch_view(tx, platform, batch_id, summary.body, as_of=summary.made_at)
        told = progress.told(tx, batch_id)
        found: list[Proposal] = proposals.listed(tx, batch_id=batch_id)
        given = [
            Given(release=one, lists=tuple(releases.counts_of(tx, one.id).items()))
            for one in releases.all_releases(tx, batch_id)
        ]
    reminded = sum(times for times, _ in told.values())
    return view, summary.body, {"fresh": fresh, "proposals": found, "releases": given, "reminded": reminded}


def batch_csv(who: Working, batch_id: int) -> Response:
    """The partners of a batch as CSV, in numbers."""
    view, _, _ = _values(who, batch_id)
    header = ["partner", "kind", "required", *_KEYS, "waived", "open"]
    return as_csv(f"batch-{batch_id}", header, (
        (row.name, row.kind, row.required, *(count for _, count in row.parts), row.waived, row.open) for row in view.partners
    ))  # fmt: skip
