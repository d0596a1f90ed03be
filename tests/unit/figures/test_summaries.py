"""Summaries: made again when a fact comes or a day ends, and not otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clocks import Clock
from exchanging import register
from huanxin.acts import Platform
from huanxin.domain.partners import Partner
from huanxin.figures import summaries
from huanxin.figures.projection import Projection, everything
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.store.figures import stamps
from huanxin.store.figures import summaries as stored
from huanxin.store.figures.summaries import SummaryKind, _shape
from huanxin.store.notify import notices
from huanxin.work.counting import Summarizer
from ordering import imported, plan_now, send_now


@dataclass(frozen=True, kw_only=True)
class Times:
    """How often something was counted."""

    times: int


def projection(make: Callable[..., Mapping[str, Times]], **more: Any) -> Projection[Times]:
    """Figures that stand on every fact."""

    def facts(tx: Tx, platform: Platform) -> dict[str, str]:
        return {"": everything(tx, platform)}

    return Projection(kind=TEST, facts=facts, make=make, **more)


TEST = SummaryKind("test", Times)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was counted, each time."""
    counted: list[str] = []

    def make(*_: object) -> dict[str, Times]:
        counted.append("reports")
        return {"": Times(times=len(counted))}

    monkeypatch.setattr(summaries, "PROJECTIONS", (projection(make),))
    return counted


def test_what_has_nothing_to_keep_rests_too_until_a_fact_comes(
    platform: Platform, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any answer there are no counts of answers; the worker does not look for them every five seconds."""
    looked: list[str] = []

    def make(*_: object) -> dict[str, Times]:
        looked.append("at the facts")
        return {}

    monkeypatch.setattr(summaries, "PROJECTIONS", (projection(make),))
    for _ in range(2):
        with platform.database.transaction() as tx:
            summaries.refresh(tx, platform)
    assert len(looked) == 1
    imported(platform, report("+8613800138000,opened,2026-10-01"), carrier="cmcc", by="test")
    with platform.database.transaction() as tx:
        assert summaries.refresh(tx, platform) == ["test"]
    assert len(looked) == 2


def times(platform: Platform) -> int:
    with platform.database.transaction() as tx:
        summaries.refresh(tx, platform)
        found = stored.get(tx, TEST)
    assert found is not None
    return found.body.times


@pytest.mark.usefixtures("made")
def test_a_page_shows_the_new_counts_after_a_report_and_after_midnight(
    platform: Platform, clock: Clock, report: Callable[..., Path]
) -> None:
    assert times(platform) == 1
    clock.forward(hours=1)
    assert times(platform) == 1, "nothing happened, so nothing is counted again"
    imported(platform, report("+8613800138000,opened,2026-10-01"), carrier="cmcc", by="test")
    assert times(platform) == 2
    clock.forward(days=1)
    assert times(platform) == 3, "what is frozen or due depends on the day"


def test_counting_a_country_leaves_the_processor_to_those_who_import(
    platform: Platform, clock: Clock, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While reports come in one after the other, what counts everything again would run all the time."""
    counted: list[str] = []

    def slow(*_: object) -> dict[str, Times]:
        clock.forward(seconds=20)
        counted.append("all")
        return {"": Times(times=len(counted))}

    monkeypatch.setattr(summaries, "PROJECTIONS", (projection(slow),))
    worker = Summarizer(platform=platform)
    worker.one_job()
    imported(platform, report("+8613800138000,opened,2026-10-01"), carrier="cmcc", by="test")
    clock.forward(seconds=99)
    worker.one_job()
    assert counted == ["all"]
    clock.forward(seconds=1)
    worker.one_job()
    assert counted == ["all", "all"]


def test_a_receipt_that_was_begun_first_and_committed_last_is_counted_too(
    platform: Platform, report: Callable[..., Path]
) -> None:
    """Else the figures of its batch would stay as they were until somebody filed something else."""
    imported(platform, report("+8613800138000,cancelled,2026-08-25"), carrier="cmcc", by="test")
    batch = plan_now(platform)
    assert batch is not None
    partners = [register(platform, name) for name in ("slow", "quick")]
    send_now(platform, batch.id)

    def stamped() -> list[str]:
        with platform.read() as seen:
            return [stored.stamp(seen.tx), str(stamps.of_batches(seen.tx)[batch.id])]

    def filed(act: Act, partner: Partner) -> None:
        (notice,) = (one.id for one in notices.of_batch(act.tx, batch.id) if one.partner_id == partner.id)
        facts.receipt(
            act.tx, receipt_id=f"rc_{partner.id}", notice_id=notice, batch_id=batch.id, partner_id=partner.id, sha256=b"",
            complete=True, idempotency_key="", lines=0, answers={}, at=act.now,
        )  # fmt: skip

    with platform.act("slow") as slow:
        filed(slow, partners[0])
        with platform.act("quick") as quick:
            filed(quick, partners[1])
        counted = stamped()
    assert all(now != then for now, then in zip(stamped(), counted, strict=True))


def test_after_an_upgrade_no_page_reads_what_was_kept_with_other_fields(
    platform: Platform, made: list[str], report: Callable[..., Path]
) -> None:
    """The new version would break on it, or show what it doesn't mean; it is made again although no fact came."""

    @dataclass(frozen=True, kw_only=True)
    class Before:
        counted: int

    before = SummaryKind("test", Before)
    with platform.database.transaction() as tx:
        old = Projection(kind=before, make=lambda *_: {"": Before(counted=7)}, facts=lambda tx, of: {"": everything(tx, of)})
        assert old.keep_fresh(tx, platform, everything(tx, platform))
        assert not old.keep_fresh(tx, platform, everything(tx, platform))
    with platform.database.transaction() as tx:
        assert stored.get(tx, TEST) is None
        assert stored.all_of(tx, TEST) == [] == stored.heads(tx, TEST, TEST)
    assert times(platform) == 1
    with platform.database.transaction() as tx:
        assert stored.get(tx, before) is None, "nor does the old version read the new one's"


def test_a_bodys_shape_is_all_that_it_is_made_of() -> None:
    """What is within counts too, and the same types give the same shape in every process."""
    shapes = {SummaryKind("test", of).shape for of in (Times, tuple[Times, ...], list[Times], dict[str, Times])}
    assert len(shapes) == 4
    assert " at 0x" not in "".join(_shape(one.kind.body) for one in summaries.PROJECTIONS)


@pytest.mark.usefixtures("made")
def test_another_freeze_in_the_settings_counts_everything_again(platform: Platform) -> None:
    assert times(platform) == 1
    assert times(replace(platform, rules=replace(platform.rules, freeze_days=platform.rules.freeze_days + 30))) == 2


def test_figures_that_rest_are_not_kept_old_by_a_clock_that_is_set_back(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were made an hour from now, and would rest until then."""
    counted: list[int] = []

    def make(*_: object) -> dict[str, Times]:
        counted.append(1)
        return {"": Times(times=len(counted))}

    monkeypatch.setattr(summaries, "PROJECTIONS", (projection(make, rest=timedelta(minutes=1)),))
    assert times(platform) == 1
    longer = replace(platform, rules=replace(platform.rules, freeze_days=120))
    assert times(longer) == 1, "they rest for a minute"
    clock.forward(hours=-1)
    assert times(longer) == 2
