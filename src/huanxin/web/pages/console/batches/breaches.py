"""Breaches: recorded facts that show that a rule was broken; counts, and masked numbers for whose role allows them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pyroaring import BitMap

from huanxin.domain.errors import NotFound
from huanxin.domain.numbers import masked
from huanxin.domain.operators import Operator, Right
from huanxin.numbersets.sharded import Numbers
from huanxin.store.database import Tx
from huanxin.store.plan import batches
from huanxin.store.release import releases
from huanxin.store.release.releases import Breach
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import page
from huanxin.web.pages.console.sheets import as_csv, in_pieces
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.labels import BREACHES
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/console/breaches", include_in_schema=False)
Watcher = Annotated[Working, Depends(signing.working(Right.FIGURES))]
_PAGE, _SHOWN = 100, 200
_HEADINGS = ("id", "found_at", "kind", "numbers", "carrier", "batch", "report", "partner")


@router.get("")
def listed(request: Request, who: Watcher, kind: str = "", before: int | None = None, format: str = "") -> Response:
    """What was found, newest first: what somebody for one carrier sees concerns that carrier's numbers."""
    with who.platform.read() as seen:
        if format == "csv":
            return as_csv("breaches", _HEADINGS, _rows(seen.tx, who.operator, kind=kind or None, before=before))
        found = releases.latest_breaches(seen.tx, kind=kind or None, before=before, most=_PAGE)
        rows = [(one, _count(seen.tx, one, who.operator)) for one in found]
        totals = {} if who.operator.carrier else releases.breach_totals(seen.tx)
    shown = [(one, count) for one, count in rows if count]
    more = found[-1].id if len(found) == _PAGE else None
    return page(
        request, who, "breaches.html", tab="breaches", rows=shown, totals=totals, kind=kind, more=more, kinds=BREACHES
    )


def _rows(tx: Tx, person: Operator, *, kind: str | None, before: int | None) -> Iterator[tuple[object, ...]]:
    """All of them as lines of a table, however many there are."""

    def read(last: int | None, most: int) -> list[Breach]:
        return releases.latest_breaches(tx, kind=kind, before=last or before, most=most)

    for one in in_pieces(read, lambda found: found.id):
        if count := _count(tx, one, person):
            yield (one.id, one.found_at, one.kind, count, one.carrier, one.batch_id, one.report_id, one.partner)


@router.get("/{breach_id}")
def one(request: Request, who: Watcher, breach_id: int, format: str = "") -> Response:
    """One breach with its numbers, masked."""
    with who.platform.read() as seen:
        found = releases.breach(seen.tx, breach_id)
        count = _count(seen.tx, found, who.operator) if found else 0
        if found is None or not count:
            raise NotFound(Sentence("there is no breach %(breach_id)s", breach_id=breach_id))
        numbers = _numbers(seen.tx, found, who.operator) if who.operator.may(Right.NUMBERS) else None
    if format == "csv" and numbers is not None:
        return as_csv(f"breach-{breach_id}", ("number",), [(masked(int(number)),) for number in numbers])
    shown = [masked(int(number)) for number in islice(numbers, _SHOWN)] if numbers is not None else None
    return page(
        request, who, "breach.html", tab="breaches", breach=found, count=count, numbers=shown, most=_SHOWN, kinds=BREACHES
    )


def _count(tx: Tx, found: Breach, person: Operator) -> int:
    """How many numbers of a breach are this person's to see."""
    if person.carrier is None:
        return found.count
    if found.batch_id is None:
        return found.count if found.carrier == person.carrier else 0
    return len(releases.breach_spans(tx, found.id).get(person.carrier, ()))


def _numbers(tx: Tx, found: Breach, person: Operator) -> Numbers:
    if found.batch_id is None:
        return releases.breach_numbers(tx, found.id).numbers()
    spans = releases.breach_spans(tx, found.id)
    mine = [places for carrier, places in spans.items() if person.sees([carrier])]
    return batches.roster(tx, found.batch_id).at(BitMap.union(BitMap(), *mine))
