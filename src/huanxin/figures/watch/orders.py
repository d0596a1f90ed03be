"""Owners' orders in figures, a month at a time: people served, orders, ties cut and owners who ordered, by carrier and
region; and by partner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from huanxin.acts.platform import Platform
from huanxin.domain.regions import CODES, regions_of_blocks
from huanxin.store.database import Tx
from huanxin.store.figures import summaries, watch
from huanxin.store.figures.watch import BlockCount

KIND = "watch-owners"
_SEEN = "seen"
_DECEMBER, _COLUMNS = 12, 4


def keep_orders(tx: Tx, platform: Platform) -> dict[str, dict[str, Any]]:
    """The figures of every month with orders, by month; those months are counted again of which an order came or was
    answered since."""
    now, zone = platform.now(), platform.zone
    mine = f"{zone} "  # counted in another zone, a month is another one
    known = {one.key.removeprefix(mine): one.body for one in summaries.all_of(tx, KIND) if one.key.startswith(mine)}
    seen = known.pop(_SEEN, {"request": 0, "answer": 0})
    request, answer = watch.last_orders(tx)
    changed = watch.months_changed(
        tx, after_request=seen["request"] - watch.SLACK, after_answer=seen["answer"] - watch.SLACK, zone=zone.key
    )
    for month in changed:
        known[month] = count_month(tx, month, zone)
        summaries.put(tx, KIND, mine + month, stamp=f"{request}/{answer}", body=known[month], at=now)
    summaries.put(tx, KIND, mine + _SEEN, stamp="", body={"request": request, "answer": answer}, at=now)
    return known


def count_month(tx: Tx, month: str, zone: ZoneInfo) -> dict[str, Any]:
    """A month's orders: `cells` [carrier, region, people, orders, ties cut, owners], and a line a partner."""
    since = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    after = (since.year + 1, 1) if since.month == _DECEMBER else (since.year, since.month + 1)
    until = datetime(*after, 1, tzinfo=zone)
    people = watch.people(tx, since, until)
    orders, partners = watch.orders(tx, since, until)
    return {
        "cells": _cells([*people, *orders]),
        "partners": [
            {"id": one.partner_id, "asked": one.asked, "answered": one.answered, "in_time": one.in_time,
             "refused": one.refused} for one in partners
        ],
    }  # fmt: skip


def _cells(counts: Iterable[BlockCount]) -> list[list[Any]]:
    found = list(counts)
    regions = regions_of_blocks(np.array([one.block for one in found], np.int64)).tolist() if found else []
    total: Counter[tuple[str, str, int]] = Counter()
    for one, region in zip(found, regions, strict=True):
        for column, count in enumerate((one.people, one.orders, one.ties_cut, one.owners)):
            total[one.carrier, CODES[region], column] += count
    places = sorted({(carrier, region) for carrier, region, _ in total})
    return [[carrier, region, *(total[carrier, region, column] for column in range(_COLUMNS))] for carrier, region in places]
