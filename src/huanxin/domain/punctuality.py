"""How long partners take to answer, beside the working days that they have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from pyroaring import BitMap

from huanxin.domain.answers import Outcome, Receipt


def answered_at(receipts: Iterable[tuple[datetime, Receipt]], asked: BitMap) -> datetime | None:
    """When a partner had first said something final of every place that it was asked about; None if it has not.

    receipts: with the instants at which they came, in order. A refusal is an answer; `pending` is not one yet.
    """
    waiting, named = BitMap(asked), BitMap()
    for at, receipt in receipts:
        for answer, places in receipt.answers.items():
            named |= places
            if answer.outcome is Outcome.PENDING:
                waiting |= places & asked
            else:
                waiting -= places
        if receipt.complete:
            waiting -= asked - named
        if not waiting:
            return at
    return None


def quantile(values: Sequence[float], share: float) -> float | None:
    """The least of the values that `share` of them don't exceed (nearest rank); None of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
