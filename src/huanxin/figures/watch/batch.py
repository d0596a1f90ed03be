"""One batch in figures: numbers and ties by carrier and region, and how each partner answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.domain.answers import Outcome, Standing, fold
from huanxin.domain.clock import working_days_between
from huanxin.domain.regions import CODES, regions_of
from huanxin.figures.projection import Projection
from huanxin.numbersets.sharded import union, values_of
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.figures import stamps
from huanxin.store.figures.summaries import SummaryKind
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.release import releases

_HOUR = 3600

Labels = npt.NDArray[np.int16]
"""The cell (carrier and region) of each place of a batch: shape (numbers,)."""


Line = tuple[tuple[str, ...], tuple[int, ...]]
"""Codes, and counts of what they name together."""


@dataclass(frozen=True, kw_only=True)
class NoticeCounts:
    """How one partner answered. `hours` and working `days` from the notice to the last answer; None while one is missing.
    `refused`: numbers by reason."""

    partner: int
    asked: int
    refused: dict[str, int]
    days: int | None
    hours: float | None
    in_time: bool
    answer_by: datetime


@dataclass(frozen=True, kw_only=True)
class BatchCounts:
    """A batch that was sent. `cells`: carrier and region with noticed, renewed, released, ties cut. Nothing in it depends on
    the present instant."""

    batch: int
    month: str
    carriers: tuple[str, ...]
    cells: tuple[Line, ...]
    partners: tuple[NoticeCounts, ...]


def count_batch(tx: Tx, batch_id: int, zone: ZoneInfo) -> BatchCounts:
    """Count a batch that was sent."""
    roster, spans, told = batches.roster(tx, batch_id), batches.spans(tx, batch_id), notices.of_batch(tx, batch_id)
    back = roster.places_in(union(batches.numbers_of(tx, one.id) for one in batches.retractions_of(tx, batch_id)))
    carriers = sorted({carrier for carrier, _ in spans})
    labels = _labels(regions_of(roster.numbers), carriers, spans)
    said, everyone = receipts.history(tx, batch_id), roster.everyone
    asked = everyone - back
    folded = [(one, *fold(said.get(one.partner_id, []), everyone, lambda it: not it.waiting(asked))) for one in told]
    still_open = BitMap.union(BitMap(), *(standing.open(everyone) for one, standing, _ in folded if one.required))
    columns = [
        _counted(labels, [places], carriers)
        for places in (everyone, asked - still_open, releases.released_places(tx, batch_id))
    ]
    cut = [
        places for _, standing, _ in folded
        for answer, places in standing.answers.items() if answer.outcome is Outcome.UNBOUND
    ]  # fmt: skip
    columns.append(_counted(labels, cut, carriers))
    sent_at = min(one.sent_at for one in told)
    return BatchCounts(
        batch=batch_id, month=f"{sent_at.astimezone(zone):%Y-%m}", carriers=tuple(carriers), cells=_cells(columns, carriers),
        partners=tuple(_line(one, standing, at, asked, zone) for one, standing, at in folded),
    )  # fmt: skip


BATCHES = Projection(
    kind=SummaryKind("watch-batch", BatchCounts),
    facts=lambda tx, platform: {
        str(batch_id): f"{stamp.own} {platform.zone}" for batch_id, stamp in stamps.of_batches(tx).items() if stamp.sent
    },
    make=lambda tx, platform, stale: {key: count_batch(tx, int(key), platform.zone) for key in stale},
)
"""By batch that was sent. Months and working days are the platform's."""


def _labels(regions: npt.NDArray[np.int8], carriers: list[str], spans: Mapping[tuple[str, date], BitMap]) -> Labels:
    labels = regions.astype(np.int16)
    for (carrier, _), places in spans.items():
        labels[values_of(places)] += np.int16(carriers.index(carrier) * len(CODES))
    return labels


def _counted(labels: Labels, sets: Iterable[BitMap], carriers: list[str]) -> npt.NDArray[np.int64]:
    """How many places of some sets there are in each cell."""
    found = np.zeros(len(carriers) * len(CODES), np.int64)
    for places in sets:
        found += np.bincount(labels[values_of(places)], minlength=len(found))
    return found


def _cells(columns: list[npt.NDArray[np.int64]], carriers: list[str]) -> tuple[Line, ...]:
    """A line for each carrier and region that has numbers."""
    used = np.flatnonzero(columns[0]).tolist()
    return tuple(
        ((carriers[cell // len(CODES)], CODES[cell % len(CODES)]), tuple(int(column[cell]) for column in columns))
        for cell in used
    )


def _line(notice: Notice, stand: Standing, at: datetime | None, asked: BitMap, zone: ZoneInfo) -> NoticeCounts:
    """How one partner answered, the last of it `at` that instant."""
    refused: dict[str, int] = {}
    for answer, places in stand.answers.items():
        if answer.outcome is Outcome.REFUSED and (left := len((places & asked) - stand.waived_places())):
            refused[answer.reason] = refused.get(answer.reason, 0) + left
    days = working_days_between(notice.sent_at.astimezone(zone).date(), at.astimezone(zone).date()) if at else None
    return NoticeCounts(
        partner=notice.partner_id, asked=len(asked), refused=refused, days=days,
        hours=round((at - notice.sent_at).total_seconds() / _HOUR, 2) if at else None,
        in_time=at is not None and at <= notice.answer_by, answer_by=notice.answer_by,
    )  # fmt: skip
