"""One batch in figures: numbers and ties by carrier and region, and how each partner answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.acts.platform import Platform
from huanxin.domain.answers import Outcome, Standing, fold
from huanxin.domain.clock import working_days_between
from huanxin.domain.regions import CODES, regions_of
from huanxin.numbersets.sharded import union, values_of
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.figures import stamps, summaries
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.release import releases

KIND = "watch-batch"
_HOUR = 3600

Labels = npt.NDArray[np.int16]
"""The cell (carrier and region) of each place of a batch: shape (numbers,)."""


def keep_batches(tx: Tx, platform: Platform) -> list[dict[str, Any]]:
    """The figures of every batch that was sent; those are counted again of which a fact was recorded since. Months and
    working days are the platform's."""
    known = {one.key: one for one in summaries.all_of(tx, KIND)}
    found = []
    for batch_id, facts in stamps.of_batches(tx).items():
        if not facts.sent:
            continue
        stamp = f"{facts.own} {platform.zone}"
        one = known.get(str(batch_id))
        if one is None or one.stamp != stamp:
            body = count_batch(tx, batch_id, platform.zone)
            one = summaries.put(tx, KIND, str(batch_id), stamp=stamp, body=body, at=platform.now())
        found.append(one.body)
    return found


def count_batch(tx: Tx, batch_id: int, zone: ZoneInfo) -> dict[str, Any]:
    """A batch that was sent: its month, carriers, `cells` [carrier, region, noticed, renewed, released, ties cut], and a
    line a partner. Nothing in it depends on the present instant."""
    batch = batches.get(tx, batch_id)
    assert batch is not None
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
    return {
        "batch": batch_id, "month": f"{sent_at.astimezone(zone):%Y-%m}", "carriers": carriers,
        "answer_by": batch.answer_by.isoformat(), "cells": _cells(columns, carriers),
        "partners": [_line(one, standing, at, asked, zone) for one, standing, at in folded],
    }  # fmt: skip


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


def _cells(columns: list[npt.NDArray[np.int64]], carriers: list[str]) -> list[list[Any]]:
    """A line for each carrier and region that has numbers."""
    used = np.flatnonzero(columns[0]).tolist()
    return [
        [carriers[cell // len(CODES)], CODES[cell % len(CODES)], *(int(column[cell]) for column in columns)] for cell in used
    ]


def _line(notice: Notice, stand: Standing, at: datetime | None, asked: BitMap, zone: ZoneInfo) -> dict[str, Any]:
    """How one partner answered, the last of it `at` that instant. `hours` and working `days` from the notice to then; None
    while an answer is missing."""
    refused: dict[str, int] = {}
    for answer, places in stand.answers.items():
        if answer.outcome is Outcome.REFUSED and (left := len((places & asked) - stand.waived_places())):
            refused[answer.reason] = refused.get(answer.reason, 0) + left
    days = at and working_days_between(notice.sent_at.astimezone(zone).date(), at.astimezone(zone).date())
    return {
        "id": notice.partner_id, "asked": len(asked), "refused": refused, "days": days,
        "hours": at and round((at - notice.sent_at).total_seconds() / _HOUR, 2), "in_time": at and at <= notice.answer_by,
        "answer_by": notice.answer_by.isoformat(),
    }  # fmt: skip
