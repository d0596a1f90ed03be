"""The data of the benchmark: a report, and what every partner answers. Seeded, so that every run has the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from huanxin.domain.answers import Outcome, Reason
from huanxin.domain.errors import BadInput
from huanxin.domain.numbers import NumberingPlan
from huanxin.numbersets.numberfile import write_csv, written
from huanxin.numbersets.sharded import Numbers
from huanxin.words.sentences import Sentence

TIES_PER_NUMBER = 6.4
_OUTCOMES = (Outcome.UNBOUND, Outcome.KEPT, Outcome.PENDING, Outcome.REFUSED)
_SHARES = (0.985, 0.005, 0.005, 0.005)
_BLOCK = 10_000
_DAYS = 16


def due_numbers(plan: NumberingPlan, count: int, seed: int) -> Numbers:
    """Numbers of one carrier, strewn over its blocks of ten thousand as a year of cancellations is: half of each block."""
    rng = np.random.default_rng(seed)
    starts = block_starts(plan, count // (_BLOCK // 2) + 2, rng)
    every = (starts[:, None] + np.arange(_BLOCK)[None, :]).ravel()
    return np.sort(rng.choice(every, size=count, replace=False))


def block_starts(plan: NumberingPlan, count: int, rng: np.random.Generator) -> Numbers:
    """The first numbers of some blocks of ten thousand that one carrier has, in any order."""
    shards = np.array([shard for shard in range(8613000, 8619999) if plan.owner(shard) == "cmcc"], dtype=np.int64)
    if count > len(shards) * 100:
        most = (len(shards) * 100 - 2) * (_BLOCK // 2)
        raise BadInput(Sentence("the carrier has no more than %(most)s numbers to time this with", most=f"{most:,}"))
    blocks = rng.choice(len(shards) * 100, size=count, replace=False)
    return np.asarray(shards[blocks // 100] * 1_000_000 + (blocks % 100) * _BLOCK, dtype=np.int64)


def write_report(path: Path, numbers: Numbers, today: date, seed: int) -> None:
    """A report of the cancellations, by day: half of the freezes have ended, half end within the lead time."""
    rng = np.random.default_rng(seed + 1)
    back = rng.integers(91 - _DAYS // 2, 91 + _DAYS // 2, size=len(numbers))
    order = np.argsort(-back, kind="stable")
    days = pa.array([f"{today - timedelta(days=int(n))}T09:30:00+08:00" for n in range(200)], pa.string())
    table = pa.table({
        "number": written(numbers[order]), "event": pa.array(["cancelled"]).take(pa.array(np.zeros(len(numbers), np.int8))),
        "at": days.take(pa.array(back[order])),
    })  # fmt: skip
    with path.open("wb") as file:
        write_csv(table, file)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What one partner answers: places with a tie, and the outcome of each as an index into OUTCOMES."""

    partner: int
    places: npt.NDArray[np.int64]
    outcomes: npt.NDArray[np.int8]


def answers(numbers: int, partners: int, seed: int) -> Iterator[Answers]:
    """Every partner's answers; a few large partners hold most ties (shares fall as 1/rank), as with real apps."""
    rng = np.random.default_rng(seed + 2)
    weights = 1 / np.arange(1, partners + 1)
    wanted = np.minimum(weights / weights.sum() * numbers * TIES_PER_NUMBER, numbers * 0.9)
    wanted *= numbers * TIES_PER_NUMBER / wanted.sum()
    for partner, count in enumerate(np.minimum(wanted, numbers * 0.95).astype(int).tolist()):
        places = np.flatnonzero(rng.random(numbers) < count / numbers)
        outcomes = rng.choice(len(_OUTCOMES), size=len(places), p=_SHARES).astype(np.int8)
        yield Answers(partner=partner, places=places, outcomes=outcomes)


OUTCOMES = tuple(outcome.value for outcome in _OUTCOMES)


def write_receipt(path: Path, numbers: Numbers, answer: Answers) -> None:
    """A partner's receipt as it would file it: ties only; the rest is absent by complete=true."""
    reasons = pa.array(["", "", "", Reason.DEBT.value], pa.string())
    until = pa.array([""], pa.string()).take(pa.array(np.zeros(len(answer.places), np.int8)))
    table = pa.table(
        {
            "number": written(numbers[answer.places]),
            "outcome": pa.array(OUTCOMES, pa.string()).take(pa.array(answer.outcomes)),
            "reason": reasons.take(pa.array(answer.outcomes)),
            "until": until,
        }
    )
    with path.open("wb") as file:
        write_csv(table, file)
