"""The pool: how many numbers are in which state, where they are short, and what can be sold when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from huanxin.domain.errors import BadInput, Forbidden, HuanxinError, NotFound, TooLarge, TooSlow
from huanxin.domain.operators import Right
from huanxin.domain.pool import CANCELLED, STATES, TO_COME
from huanxin.domain.regions import PROVINCES
from huanxin.figures.pool import POOL
from huanxin.figures.pool_sums import Sums
from huanxin.report.allocations import import_allocation
from huanxin.store.figures import summaries
from huanxin.store.figures.summaries import Summary
from huanxin.store.report import allocations
from huanxin.web.pages import flash, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import carrier_names, lines_of, page
from huanxin.web.pages.console.pool import charts as pool_charts
from huanxin.web.pages.console.pool.data import DayRow, Filters, Pool, Row, block_rows, pool, read_filters
from huanxin.web.pages.console.pool.words import REGION_NAMES, STATE_NAMES, STATE_WORDS
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.console.uploading import received
from huanxin.web.pages.routes import language
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Viewer = Annotated[Working, Depends(signing.working(Right.FIGURES))]
Reporter = Annotated[Working, Depends(signing.working(Right.REPORTS))]
_BLOCKS = 50  # on a page
_BAD_LINES = 100  # of an allocation on a page
_DAYS = 60  # of cancellation on a page; the CSV has all


@router.get("/pool")
def show(
    request: Request, who: Viewer, done: flash.JustDone, carrier: str = "", region: str = "", prefix: str = "",
    state: str = "", number: Annotated[int, Query(alias="page")] = 1, table: str = "",
) -> Response:  # fmt: skip
    """The pool under some filters; with `table` and format=csv one of its tables as a file."""
    with who.platform.read() as seen:
        summary = summaries.get(seen.tx, POOL.kind)
        if summary is None:
            return page(request, who, "pool.html", tab="pool", summary=None)
        sums = summary.body
        filters, wrong = read_filters(
            carrier=who.operator.carrier or carrier, region=region, prefix=prefix, state=state, sums=sums
        )
        found = pool(seen.tx, sums, filters)
        held = allocations.latest(seen.tx)
    if request.query_params.get("format") == "csv":
        return _csv(table, found, sums)
    return _page(request, who, summary, sums, filters, found, wrong=wrong, number=number, done=done.what,
                 allotted={code: one for code, one in held.items() if who.operator.sees([code])})  # fmt: skip


def _page(
    request: Request,
    who: Working,
    summary: Summary[Sums],
    sums: Sums,
    filters: Filters,
    found: Pool,
    *,
    number: int,
    **values: Any,
) -> Response:
    lang = language(request)
    pages = max(1, -(-len(found.blocks) // _BLOCKS))
    number = max(1, min(number, pages))
    blocks = block_rows(sums, found.blocks[(number - 1) * _BLOCKS : number * _BLOCKS])
    names = carrier_names(who)
    return page(
        request, who, "pool.html", tab="pool", summary=summary, sums=sums, filters=filters, pool=found, blocks=blocks,
        number=number, pages=pages, carriers=names, states=STATES,
        listed=(filters.state,) if filters.state else STATES, state_names=STATE_NAMES, state_words=STATE_WORDS,
        region_names=REGION_NAMES, provinces=PROVINCES, cancelled=CANCELLED, to_come=TO_COME, days=found.days[:_DAYS],
        charts=pool_charts.of_pool(found, blocks, filters, names, lang), most=who.context.limits.most_bytes, **values,
    )  # fmt: skip


def _csv(table: str, found: Pool, sums: Sums) -> Response:
    """One table, whole, with codes for what the page writes in words."""
    if table == "states":
        rows: Iterable[Sequence[object]] = zip(STATES, found.total.counts, strict=True)
        return as_csv("pool-states", ("state", "numbers"), rows)
    if table in ("carriers", "regions", "prefixes"):
        listed = {"carriers": found.carriers, "regions": found.regions}.get(table)
        listed = block_rows(sums, found.blocks) if listed is None else listed
        more = ("carrier", "region") if table == "prefixes" else ()
        heads = (table.removesuffix("s").removesuffix("e"), *more, "capacity", "in_use", "utilisation", *STATES)
        return as_csv(f"pool-{table}", heads, (_cells(row, bool(more)) for row in listed))
    if table in ("days", "ahead"):
        states, by_day = (CANCELLED, found.days) if table == "days" else (TO_COME, found.ahead)
        heads = ("cancelled_on" if table == "days" else "sellable_from", *states)
        return as_csv(f"pool-{table}", heads, (_day_cells(row) for row in by_day))
    raise NotFound(
        Sentence("the pool has no table %(table)s; it has states, carriers, regions, prefixes, days and ahead", table=table)
    )


def _cells(row: Row, with_place: bool) -> Sequence[object]:
    place = (row.owner, row.region) if with_place else ()
    share = round(row.used / row.capacity, 6) if row.capacity else ""
    return (row.key, *place, row.capacity, row.used, share, *row.counts)


def _day_cells(row: DayRow) -> Sequence[object]:
    return (row.day.isoformat(), *row.counts)


@router.post("/pool/allocation", dependencies=_FORMS)
async def allot(request: Request, who: Reporter) -> Response:
    """Take what a carrier was allotted."""
    problem: HuanxinError
    try:
        async with received(request) as sent:
            carrier = who.operator.carrier or sent.fields.get("carrier", "")
            if not who.operator.sees([carrier]):
                raise Forbidden(
                    Sentence(
                        "%(login)s works with the numbers of %(carrier)s only",
                        login=who.operator.login,
                        carrier=who.operator.carrier,
                    )
                )
            if sent.path is None:
                raise BadInput(Sentence("no file was chosen"))
            path = sent.path

            def take() -> int:
                with who.act() as act:
                    return import_allocation(act, path, carrier=carrier)

            await to_thread.run_sync(take)
    except (BadInput, NotFound, TooLarge, TooSlow) as error:
        problem = error
        faults = lines_of(error, language(request), _BAD_LINES)
        return await to_thread.run_sync(
            lambda: page(request, who, "pool_allocation.html", 422, tab="pool", problem=problem.said, faults=faults)
        )
    return flash.after(request, "/console/pool#capacity", "allotted")
