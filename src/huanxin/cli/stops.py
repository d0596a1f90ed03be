"""What is said loudly: numbers that were stopped though they stand on release lists already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from huanxin.store.release.stops import Stop


def loud(stopped: Sequence[Stop]) -> str:
    """One line for each list, after a line that says what to do; nothing if nothing was stopped."""
    if not stopped:
        return ""
    count = sum(one.count for one in stopped)
    lines = [
        f"  {one.carrier}: {one.count:,} on the list of release {one.release_id} (batch {one.batch_id})" for one in stopped
    ]
    head = (
        f"! {count:,} of these numbers are RELEASED FOR SALE ALREADY, and nobody is reported to have bought them. Have their"
        " carriers take them off sale now: each sale from here on is a breach. Which they are stands beside the release"
        " lists when they are written next, and can be had from the page of the batch"
    )
    return "\n".join(["", head, *lines])


def facts(stopped: Sequence[Stop]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {"carrier": one.carrier, "batch": one.batch_id, "release": one.release_id, "count": one.count} for one in stopped
    ]
