"""Broken lines as they are found in real reports, one or more of every sort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle

import numpy as np

from huanxin.demo.allotments import BLOCK_SIZE, CARRIERS, blocks
from huanxin.demo.world_numbers import State, Truth

SORTS = (
    "spreadsheet", "lost_digit", "letters", "too_short", "empty_number", "unknown_event", "empty_event",
    "future_time", "no_time", "no_such_day", "too_many_columns", "too_few_columns", "other_carrier",
    "not_mobile", "reclaimed_in_service", "cancelled_twice",
)  # fmt: skip
"""What can be wrong with a line. The last four are well written, but can't be true."""

OF_EACH = 3
_DAY = 86_400
_CHINA = 8 * 3600


@dataclass(frozen=True, kw_only=True)
class BrokenLine:
    """A broken line: where in time it stands (seconds since 1970, China's clock), its sort (of SORTS) and text."""

    second: int
    sort: str
    text: str


def broken_lines(rng: np.random.Generator, truth: Truth, *, carrier: str, today: int) -> list[BrokenLine]:
    """Three lines of every sort for a carrier's report; `today` is days since 1970.

    A sort is left out if the world has no number that it could be about.
    """
    mine = truth.carrier == CARRIERS.index(carrier)
    serving = _some(rng, truth.number[mine & (truth.state == State.IN_SERVICE)])
    frozen = _some(rng, truth.number[mine & truth.frozen() & (truth.closed < today - 2)])
    foreign = _some(rng, _unused_block(truth, other_than=carrier) + np.arange(BLOCK_SIZE))
    lines = []
    for sort in SORTS:
        for nth in range(OF_EACH):
            numbers = {"reclaimed_in_service": serving, "cancelled_twice": frozen, "other_carrier": foreign}
            number = next(numbers.get(sort, serving), None)
            if number is None:
                continue
            # What contradicts a number's past must come after it: yesterday, in the last hour of the day.
            late = today * _DAY - 3600 + nth * 60
            second = late if sort in numbers else int(rng.integers(today - 300, today)) * _DAY + 36_000
            if sort == "future_time":
                second += 3650 * _DAY
            lines.append(BrokenLine(second=second, sort=sort, text=_text(sort, number, second)))
    return lines


def _some(rng: np.random.Generator, numbers: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Iterator[int]:
    return cycle(rng.permutation(numbers).tolist())


def _unused_block(truth: Truth, *, other_than: str) -> int:
    """The first number of a block of another carrier in which the world has no number."""
    plan = blocks()
    used = np.unique(truth.number // BLOCK_SIZE * BLOCK_SIZE)
    free = (plan.carrier != CARRIERS.index(other_than)) & ~np.isin(plan.start, used)
    return int(plan.start[free][0])


def _text(sort: str, number: int, second: int) -> str:
    at = datetime.fromtimestamp(second - _CHINA, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digits = str(number)
    return {
        "spreadsheet": f"{digits[0]}.{digits[1:3]}E+12,cancelled,{at}",
        "lost_digit": f"{digits[2:-1]},cancelled,{at}",
        "letters": f"+{digits[:6]}ABC{digits[9:]},cancelled,{at}",
        "too_short": f"+{digits[:5]},cancelled,{at}",
        "empty_number": f",cancelled,{at}",
        "unknown_event": f"+{digits},suspended,{at}",
        "empty_event": f"+{digits},,{at}",
        "future_time": f"+{digits},cancelled,{at}",
        "no_time": f"+{digits},cancelled,",
        "no_such_day": f"+{digits},cancelled,{at[:4]}-02-30T10:00:00Z",
        "too_many_columns": f"+{digits},cancelled,{at},3,x",
        "too_few_columns": f"+{digits},cancelled",
        "other_carrier": f"+{digits},cancelled,{at}",
        "not_mobile": f"+8610{digits[-8:]},cancelled,{at}",
        "reclaimed_in_service": f"+{digits},reclaimed,{at}",
        "cancelled_twice": f"+{digits},cancelled,{at}",
    }[sort]
