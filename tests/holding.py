"""Holds that tests place as an authority's order would."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from huanxin.acts import Platform
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.holds import Placed, add_hold


def hold(
    platform: Platform, numbers: Iterable[int], *, source: str = "police", order: str = "17", reason: str = "fraud",
    until: date = date(2027, 5, 1), review: date | None = None,
) -> int:  # fmt: skip
    """Place a hold; its id. It is looked at again on its last day unless `review` says otherwise."""
    return placed(platform, numbers, source=source, order=order, reason=reason, until=until, review=review).id


def placed(
    platform: Platform, numbers: Iterable[int], *, source: str = "police", order: str = "17", reason: str = "fraud",
    until: date = date(2027, 5, 1), review: date | None = None,
) -> Placed:  # fmt: skip
    """The same; all that is said of it."""
    with platform.act("li") as act:
        return add_hold(
            act, NumberSet.of(list(numbers)), source=source, order=order, reason=reason, until=until,
            review_on=review or until,
        )  # fmt: skip
