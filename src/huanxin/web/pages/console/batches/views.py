"""The batch pages' values: what stands in the list, on one page, and in their CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import Request
from fastapi.responses import Response

from huanxin.domain.answers import Purpose
from huanxin.domain.errors import HuanxinError
from huanxin.domain.operators import Right
from huanxin.domain.problems import status_of
from huanxin.figures import batch_figures
from huanxin.figures.batch_body import RENEWED, BatchFigures, PartnerRow
from huanxin.release.gate import renewal_batch
from huanxin.store.acting import PLATFORM
from huanxin.store.answer import receipts
from huanxin.store.answer.receipts import Granted
from huanxin.store.connect import partners
from huanxin.store.notify import progress
from huanxin.store.plan import batches, plannings
from huanxin.store.plan.batches import Batch
from huanxin.store.release import proposals, releases
from huanxin.store.release.proposals import Proposal
from huanxin.store.release.releases import Release
from huanxin.store.release.stops import Stop
from huanxin.web.pages import charts, labels
from huanxin.web.pages.console.batches import stopped
from huanxin.web.pages.console.forms import Posted
from huanxin.web.pages.console.frame import lines_of, page
from huanxin.web.pages.console.number import unmasking
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.gate_view import batch_summaries, batch_view
from huanxin.web.pages.render import total
from huanxin.web.pages.routes import language
from huanxin.web.pages.views import BatchSummary, BatchView
from huanxin.words.saying import say, translated

MOST = 100
_LOOK_AGAIN = 5  # seconds
STATES = ("all", "late", "waiting", "done")


PARTNERS: Mapping[str, Callable[[PartnerRow], bool]] = {
    "all": lambda _: True,
    "open": lambda row: row.open > 0,
    "waiting": lambda row: row.outstanding + row.pending > 0,
    "refused": lambda row: row.refused > 0,
}
"""Which partners of a batch are looked at: all; those that keep numbers from being released, that still have to answer, that
refused."""
_BARS, FIRST = 10, 12
"""Partners in the chart, and lines of a long table before the others are folded."""
_SOON = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class FreezeDay:
    """The numbers of a batch that may be sold from a day on, by carrier."""

    day: date
    by: Mapping[str, int]

    @property
    def numbers(self) -> int:
        return sum(self.by.values())


@dataclass(frozen=True, kw_only=True)
class Freezes:
    """When the freezes of a batch end: until today, in the two weeks after it, and later."""

    ended: list[FreezeDay]
    soon: list[FreezeDay]
    later: list[FreezeDay]


@dataclass(frozen=True, kw_only=True)
class ReleaseGiven:
    """A release with its lists: (carrier, numbers)."""

    release: Release
    lists: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is asked of a batch each time. `fresh`: whether all recorded facts are in its figures; `reminded`: how often
    anybody was; `withdrawn`: partners by id."""

    itself: Batch
    fresh: bool
    proposals: list[Proposal]
    releases: list[ReleaseGiven]
    reminded: int
    withdrawn: frozenset[int]
    stopped: list[Stop]
    waivers: list[Granted]


def shown(
    who: Working, *, state: str, before: int | None, everything: bool = False
) -> tuple[list[BatchSummary], int | None]:
    """The batches that an operator sees, newest first, and where the list goes on; `everything` goes to its end."""
    platform = who.platform
    with platform.act(PLATFORM) as act:
        of = batches.carriers(act.tx)
        known = [
            one for one in batches.all_batches(act.tx, Purpose.RENEWAL, called_off=True)[::-1]
            if who.operator.sees(of.get(one.id, ())) and (before is None or one.id < before)
        ]  # fmt: skip
        rows = [one for one in batch_summaries(act.tx, platform, known) if _in_state(one, state)]
    if everything or len(rows) <= MOST:
        return rows, None
    return rows[:MOST], rows[MOST - 1].id


def _in_state(one: BatchSummary, state: str) -> bool:
    waits = one.outcomes.outstanding + one.outcomes.pending > 0 or (not one.partners and not one.called_off)
    return {"late": one.late > 0, "waiting": waits, "done": not waits}.get(state, True)


def list_page(
    request: Request, who: Working, rows: list[BatchSummary], *, more: int | None, state: str, done: str,
    problem: HuanxinError | None = None,
) -> Response:  # fmt: skip
    """The list of batches."""
    as_of = min((one.as_of for one in rows if one.as_of), default=None)
    with who.platform.read() as seen:
        wished = [one for one in plannings.waiting(seen.tx) if one.carrier is None or who.operator.sees([one.carrier])]
        loud = stopped.fresh(seen.tx, who)
    answer = page(
        request, who, "batches.html", status_of(problem) if problem else 200, tab="batches", rows=rows, more=more,
        state=state, states=STATES, done=done, as_of=as_of, problem=problem and problem.said,
        may_act=who.operator.may(Right.BATCHES), carriers=who.platform.plan.carriers, wished=wished, stopped=loud,
    )  # fmt: skip
    if wished:  # without a script the page looks again by itself
        answer.headers["Refresh"] = str(_LOOK_AGAIN)
    return answer


def list_csv(rows: list[BatchSummary]) -> Response:
    """The list as CSV; outcomes in (number, partner) pairs."""
    header = ["batch", "cutoff", "answer_by", "numbers", "partners", *RENEWED, "released", "late_partners", "as_of"]
    return as_csv("batches", header, (
        (one.id, one.cutoff, one.answer_by, one.numbers, one.partners, *(count for _, count in one.outcomes.parts),
         one.released, one.late, one.as_of)
        for one in rows
    ))  # fmt: skip


def batch_page(
    request: Request, who: Working, batch_id: int, *, status: int = 200, done: str = "",
    problem: HuanxinError | None = None, given: Posted | None = None, partners: str = "all",
) -> Response:  # fmt: skip
    """One batch, and what can be done with it; `partners` one of PARTNERS."""
    lang = language(request)
    view, body, beside = batch_values(who, batch_id)
    now = who.platform.now()
    return page(
        request, who, "batch.html", status, tab="batches", **figures_of(view, lang, partners), done=done,
        problem=problem and problem.said, faults=lines_of(problem, lang) if problem else [],
        given=given or {}, left=(view.answer_by - now).total_seconds(), may_act=who.operator.may(Right.BATCHES),
        may_see=who.operator.may(Right.NUMBERS), list_purposes=unmasking.LIST_PURPOSES,
        freezes=_freezes(body.freezes, who.platform.today()),
        asked=sorted(((one.partner, one.name, one.waits, one.refused) for one in body.partners),
                     key=lambda one: (-one[2], -one[3], one[1])),
        carriers=body.carriers, **vars(beside),
    )  # fmt: skip


def figures_of(view: BatchView, lang: str, partners: str = "all") -> dict[str, object]:
    """The values of console/_batch_figures.html: a batch, its partners (of PARTNERS[partners]) with the open ones first,
    and its charts."""
    everyone = sorted(view.partners, key=lambda row: (-row.open, -row.outstanding, -row.unbound))
    partners = partners if partners in PARTNERS else "all"
    rows = [row for row in everyone if PARTNERS[partners](row)]
    bars = [(say(row.name, lang), row) for row in rows[:_BARS]]
    return {
        "view": view, "everyone": everyone, "rows": rows, "totals": total(everyone), "most": _BARS, "first": FIRST,
        "shown": partners, "views": {key: sum(map(fits, everyone)) for key, fits in PARTNERS.items()},
        "answers": charts.outcome_bars(bars, translated(labels.OUTCOMES, lang)),
        "gate": charts.gate_bars(view.gate, translated(labels.GATE, lang), lang),
    }  # fmt: skip


def _freezes(known: Iterable[tuple[str, date, int]], today: date) -> Freezes:
    by_day: dict[date, dict[str, int]] = {}
    for carrier, day, numbers in known:
        by_day.setdefault(day, {})[carrier] = numbers
    days = [FreezeDay(day=day, by=by_day[day]) for day in sorted(by_day)]
    return Freezes(
        ended=[one for one in days if one.day <= today], soon=[one for one in days if today < one.day <= today + _SOON],
        later=[one for one in days if one.day > today + _SOON],
    )  # fmt: skip


def batch_values(who: Working, batch_id: int) -> tuple[BatchView, BatchFigures, Beside]:
    """A batch as it is shown, its figures, and what is asked each time."""
    platform = who.platform
    with platform.act(PLATFORM) as act:
        summary, fresh = batch_figures.current(act.tx, platform, batch_id)
        view = batch_view(act.tx, platform, batch_id, summary.body, as_of=summary.made_at)
        told = progress.told(act.tx, batch_id)
        gone = partners.withdrawn(act.tx)
        itself = renewal_batch(act.tx, batch_id)
        loud = stopped.of_batch(act.tx, who, batch_id)
        granted = receipts.granted(act.tx, batch_id=batch_id)
        found: list[Proposal] = proposals.listed(act.tx, batch_id=batch_id)
        given = [
            ReleaseGiven(release=one, lists=tuple(releases.counts_of(act.tx, one.id).items()))
            for one in releases.all_releases(act.tx, batch_id)
        ]
    reminded = sum(times for times, _ in told.values())
    return view, summary.body, Beside(itself=itself, fresh=fresh, proposals=found, releases=given,
                                      reminded=reminded, withdrawn=gone, stopped=loud, waivers=granted)  # fmt: skip
