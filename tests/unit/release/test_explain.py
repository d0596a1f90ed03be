"""What `gate explain` says of a number in no batch: which of the reasons holds, and by which report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from holding import hold
from huanxin.acts import Platform
from huanxin.domain.numbers import parse
from huanxin.release.explain import Explanation, explain
from ordering import imported, plan_now

NUMBER = "+8613800138000"
Report = Callable[..., Path]


def explained(platform: Platform, number: str = NUMBER) -> Explanation:
    with platform.read() as reading:
        return explain(reading, parse(number))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((f"{NUMBER},opened,2026-01-05",), ("in service at cmcc since 2026-01-05",)),
        ((f"{NUMBER},cancelled,2026-10-01", f"{NUMBER},reclaimed,2026-10-09"), ("reclaimed", "2026-10-09")),
        ((f"{NUMBER},ported_out,2026-10-09",), ("ported out of cmcc on 2026-10-09", "not frozen")),
        ((f"{NUMBER},ported_out,2026-10-08", f"{NUMBER},ported_in,2026-10-09"), ("taken in by cmcc on 2026-10-09",)),
        ((f"{NUMBER},transferred,2026-10-09",), ("another subscriber", "2026-10-09")),
        ((f"{NUMBER},cancelled,2026-10-01",), ("sold from 2026-12-31", "not due yet", "from 2026-12-16")),
        ((f"{NUMBER},cancelled,2026-08-20",), ("due", "next `huanxin batch plan`")),
    ],
    ids=["in service", "reclaimed", "ported out", "came back", "transferred", "not due yet", "due"],
)
def test_a_number_in_no_batch_has_its_one_reason_and_the_report_that_says_so(
    platform: Platform, report: Report, lines: tuple[str, ...], words: tuple[str, ...]
) -> None:
    imported(platform, report(*lines, name="cmcc-2026.csv"), carrier="cmcc", by="li")
    why = explained(platform)
    (finding,) = why.findings
    assert (why.batch_id, why.clear, finding.ok) == (None, False, False)
    assert [word for word in words if word not in finding.text] == []
    assert "cmcc-2026.csv" in finding.evidence
    assert lines[-1].rpartition(",")[2] in finding.evidence


def test_a_number_that_nobody_reported_is_unknown_not_clear(platform: Platform) -> None:
    """Rule 4."""
    why = explained(platform)
    assert not why.clear
    assert "no report ever named" in why.findings[0].text


def test_a_held_number_that_would_be_due_names_the_hold_and_the_authority(platform: Platform, report: Report) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    order = hold(platform, [parse(NUMBER)], source="police", order="order 17")
    planned, held = explained(platform).findings
    assert "a hold keeps it out" in planned.text
    assert f"hold {order}" in held.text
    assert "2027-05-01" in held.text
    assert "police, order 17" in held.evidence


def test_a_number_cancelled_again_is_explained_by_its_new_tenure_not_by_the_old_batch(
    platform: Platform, clock: Clock, report: Report
) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    batch = plan_now(platform, by="li")
    assert batch is not None
    assert explained(platform).batch_id == batch.id
    clock.forward(days=60)
    lines = (f"{NUMBER},opened,2026-12-01", f"{NUMBER},cancelled,2027-01-10")
    imported(platform, report(*lines, name="next.csv"), carrier="cmcc", by="li")
    why = explained(platform)
    assert why.batch_id is None
    assert "frozen since 2027-01-10" in why.findings[0].text
