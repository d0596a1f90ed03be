"""What a report sold, by the cancellation before each sale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from huanxin.acts import Platform
from huanxin.report.importing import import_report
from huanxin.store.report.sales import sales_of
from ordering import imported

EARLY, LATE = 8613800138000, 8613800138001


def test_numbers_cancelled_on_two_days_and_sold_in_one_minute_keep_their_instants(
    platform: Platform, report: Callable[..., Path]
) -> None:
    """The set of the sale was emptied while it was divided, and the import ended in an error."""
    imported(platform, report(f"+{EARLY},cancelled,2026-06-01", f"+{LATE},cancelled,2026-06-02"), carrier="cmcc", by="test")
    sold = report(f"+{EARLY},opened,2026-11-24T08:00:00+08:00", f"+{LATE},opened,2026-11-24T08:30:00+08:00", name="sold.csv")
    with platform.act("test") as act:
        done = import_report(act, sold, carrier="cmcc")
        sales = sales_of(act.tx, done.left, plan=platform.plan, freeze_days=platform.rules.freeze_days)
    assert [(list(one.numbers.numbers()), len(one.opening.instants(one.opening.numbers))) for one in sales] == [
        ([LATE], 1), ([EARLY], 1)
    ]  # fmt: skip
