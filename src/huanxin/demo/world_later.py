"""What carriers report once a batch is under way: numbers taken back by their owners, and numbers sold again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from huanxin.demo.allotments import CARRIERS
from huanxin.demo.world_numbers import EVENTS, OPENED, PORTED_IN, PORTED_OUT, RECLAIMED, Ints, State, Truth
from huanxin.demo.world_reports import ReportFile

_RECLAIMED, _OPENED = 0.01, 0.02
_PORTED = 5


def later_reports(
    out: Path, numbers: Ints, *, truth: Truth, seed: int, after: datetime, until: datetime, spare: Collection[int] = ()
) -> tuple[ReportFile, ...]:
    """The next report of each carrier with something to say: about 1 % of a batch's `numbers` (at least one) reclaimed.

    All times lie after the cut-off `after` and not after `until` (aware). Of the reclaimed, a few are ported out a moment
    later, as are a few numbers in service that are in no batch. What leaves a carrier is taken in by the next one, whose
    report comes after; what leaves the last is elsewhere. `spare` numbers are left alone.
    """
    rng = np.random.default_rng([seed, 11])
    able = np.setdiff1d(numbers, np.array(list(spare), np.int64))
    back = rng.choice(able, size=min(len(able), max(1, round(len(numbers) * _RECLAIMED))), replace=False)
    serving = truth.number[truth.state == State.IN_SERVICE]
    gone = rng.choice(serving, size=min(_PORTED, len(serving)), replace=False)
    left = back[: len(back) // 50]
    ported = np.concatenate([gone, left])
    leaves = truth.carrier[truth.where(ported)].astype(np.int64)
    taken = leaves + 1 < len(CARRIERS)
    number = np.concatenate([back, ported, ported[taken]])
    event = np.repeat([RECLAIMED, PORTED_OUT, PORTED_IN], [len(back), len(ported), int(taken.sum())])
    out_at = 0.5 + rng.random(len(ported)) * 0.4
    moment = np.concatenate([rng.random(len(back)) * 0.5, out_at, out_at[taken] + 0.05])
    by = np.concatenate([truth.carrier[truth.where(back)], leaves, leaves[taken] + 1])
    return _write(out, "later", by, number, event, moment, after, until)


def opened_report(
    out: Path, released: Ints, *, truth: Truth, seed: int, after: datetime, until: datetime, limit: int = 300,
    always: Collection[int] = (),
) -> tuple[ReportFile, ...]:  # fmt: skip
    """The report that some of the `released` numbers were sold: about 2 %, at most `limit`, those of `always` among them.

    All times lie after `after` and not after `until` (aware).
    """
    rng = np.random.default_rng([seed, 12])
    first = np.intersect1d(released, np.array(list(always), np.int64))
    rest = rng.permutation(np.setdiff1d(released, first))
    wanted = min(limit, max(1, round(len(released) * _OPENED)))
    number = np.concatenate([first, rest])[:wanted]
    by = truth.carrier[truth.where(number)].astype(np.int64)
    return _write(out, "opened", by, number, np.full(len(number), OPENED), rng.random(len(number)), after, until)


def _write(
    out: Path, name: str, carrier: Ints, number: Ints, event: Ints,
    moment: np.ndarray[tuple[int, ...], np.dtype[np.float64]], after: datetime, until: datetime,
) -> tuple[ReportFile, ...]:  # fmt: skip
    """One plain CSV per carrier (a place in CARRIERS) with a line; `moment`: where between `after` (0) and `until` (1)."""
    out.mkdir(parents=True, exist_ok=True)
    span = (until - after) / timedelta(microseconds=1)
    if span < 1:
        raise ValueError("a later report needs some time after the cut-off")
    order = np.argsort(moment, kind="stable")
    files = []
    for index, code in enumerate(CARRIERS):
        rows = order[carrier[order] == index]
        if not len(rows):
            continue
        lines = ["number,event,at"]
        for row in rows.tolist():
            at = after + timedelta(microseconds=1 + int(moment[row] * (span - 1)))
            lines.append(f"+{number[row]},{EVENTS[event[row]]},{at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}")
        path = out / f"{code}-{name}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files.append(ReportFile(carrier=code, path=path, lines=len(rows), repeated=0))
    return tuple(files)
