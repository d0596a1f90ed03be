"""A batch's figures are counted again when its own facts change, and only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clocks import Clock
from holding import hold
from huanxin.acts import Platform
from huanxin.domain.errors import NotFound
from huanxin.domain.partners import Kind, NewPartner
from huanxin.figures import batch_figures, summaries
from huanxin.notify.partners import add_partner
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.gate import load_gate
from huanxin.release.waiving import waive
from huanxin.store.figures import stamps
from huanxin.store.figures.stamps import Stamp
from huanxin.store.plan import batches
from huanxin.store.report import affected
from huanxin.web.pages.gate_view import batch_summaries, batch_view
from ordering import escalated, imported, plan_now, retracted, send_now

FIRST, SECOND = (tuple(f"+8613{shard}0138{n:03}" for n in range(3)) for shard in (80, 90))


@pytest.fixture
def counted(platform: Platform, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two sent batches of three numbers, in shards of their own; and which batch was counted, each time."""
    for name, numbers in (("a.csv", FIRST), ("b.csv", SECOND)):
        imported(platform, report(*(f"{n},cancelled,2026-08-26" for n in numbers), name=name), carrier="cmcc", by="test")
        with platform.act("test") as act:
            add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False)
        batch = plan_now(platform, by="test")
        assert batch is not None
        send_now(platform, batch.id)
    done: list[int] = []
    count = batch_figures.figures

    def noted(*args: object, **named: object) -> object:
        done.append(args[2])  # type: ignore[arg-type]
        return count(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_figures, "figures", noted)
    return done


def refreshed(platform: Platform, counted: list[int]) -> list[int]:
    counted.clear()
    with platform.database.transaction() as tx:
        summaries.refresh(tx, platform)
    return sorted(counted)


def test_a_fact_about_one_batch_counts_no_other(platform: Platform, counted: list[int], clock: Clock) -> None:
    assert refreshed(platform, counted) == [1, 2]
    assert refreshed(platform, counted) == []
    with platform.act("wang") as act:
        waive(act, 1, partner_id=1, only=None, reason="closed")
    assert refreshed(platform, counted) == [1]
    hold(platform, [8613900138001], until=platform.today())
    assert refreshed(platform, counted) == [2]
    retracted(platform, 1, NumberSet.of([8613800138000]), reason="wrongly cancelled", by="wang")
    assert refreshed(platform, counted) == [1]
    clock.forward(days=1)
    assert refreshed(platform, counted) == [1, 2], "a freeze may have ended with the day"


def test_a_report_counts_only_the_batches_of_which_it_names_numbers_again(
    platform: Platform, counted: list[int], report: Callable[..., Path]
) -> None:
    """A day's report names numbers of the same prefixes as every batch; what it says of them decides."""
    refreshed(platform, counted)
    strangers = (f"+8613800138{n},{event},2026-10-01" for n in (100, 101) for event in ("opened", "cancelled"))
    others = report(*strangers, name="others.csv")
    imported(platform, others, carrier="cmcc", by="test")
    assert refreshed(platform, counted) == []
    back = report(f"{FIRST[0]},reclaimed,2026-11-20", name="back.csv")
    imported(platform, back, carrier="cmcc", by="test")
    assert refreshed(platform, counted) == [1]
    with platform.act("li") as act:
        page, fresh = batch_figures.current(act.tx, platform, 1)
        whole = load_gate(act, 1)
    assert (fresh, page.body.gate.retracted, len(whole.gate.retracted_places())) == (True, 1, 1)


def retracted_by_reports(platform: Platform) -> list[int]:
    """How many numbers of each batch the gate keeps back since reports took them out of their freeze."""
    with platform.read() as seen:
        return [len(load_gate(seen, batch).gate.retracted_places()) for batch in (1, 2)]


def test_a_report_that_nobody_has_looked_at_may_touch_every_batch(
    platform: Platform, counted: list[int], report: Callable[..., Path]
) -> None:
    """Until it is known which batches a report names, their pages say that facts have come; then only one is counted. The
    gate knows at all times what was sold."""
    imported(platform, report(f"{SECOND[2]},opened,2026-11-20", name="sold.csv"), carrier="cmcc", by="test")
    assert refreshed(platform, counted) == [1, 2]
    with platform.database.transaction() as tx:
        tx.execute("DELETE FROM report_touch")
    assert retracted_by_reports(platform) == [0, 1]
    with platform.database.transaction() as tx:
        assert [affected.reports_of(tx, batch) for batch in (1, 2)] == [[2, 3], [3]]
        assert affected.look(tx) == 3
        assert [affected.reports_of(tx, batch) for batch in (1, 2)] == [[], [3]]
        assert affected.look(tx) == 0
    assert retracted_by_reports(platform) == [0, 1]
    assert refreshed(platform, counted) == [], "what was counted holds"


def test_a_page_counts_a_small_batch_itself_and_shows_a_large_one_as_of_when_it_was_counted(
    platform: Platform, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed(platform, counted)
    with platform.act("wang") as act:
        waive(act, 1, partner_id=1, only=None, reason="closed")
    monkeypatch.setattr(batch_figures, "SMALL", 0)
    with platform.database.transaction() as tx:
        summary, fresh = batch_figures.current(tx, platform, 1)
        assert (fresh, summary.body.gate.waived) == (False, 0)
    monkeypatch.setattr(batch_figures, "SMALL", 100)
    with platform.database.transaction() as tx:
        summary, fresh = batch_figures.current(tx, platform, 1)
        assert (fresh, summary.body.gate.waived) == (True, 3)


def test_a_list_of_batches_asks_none_of_them_what_it_stands_on_once_a_worker_has_seen_to_all(
    platform: Platform, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has hundreds would wait for hundreds of answers that are known."""
    refreshed(platform, counted)
    asked: list[object] = []
    ask = stamps.of_batches

    def noted(*args: Any) -> dict[int, Stamp]:
        asked.append(args)
        return ask(*args)

    monkeypatch.setattr(stamps, "of_batches", noted)

    def waived() -> list[int]:
        with platform.database.transaction() as tx:
            heads = batch_figures.heads(tx, platform, batches.all_batches(tx))
        return [heads[batch].body.gate.waived for batch in (1, 2)]

    assert (waived(), asked) == ([0, 0], [])
    with platform.act("wang") as act:
        waive(act, 2, partner_id=1, only=None, reason="closed")
    assert (waived(), len(asked)) == ([0, 3], 1)


def test_list_and_page_say_the_same_of_a_batch_and_who_is_late(platform: Platform, counted: list[int], clock: Clock) -> None:
    assert counted == []
    clock.forward(days=20)
    with platform.database.transaction() as tx:
        (row,) = batch_summaries(tx, platform, [one for one in batches.all_batches(tx) if one.id == 2])
        summary, _ = batch_figures.current(tx, platform, 2)
        view = batch_view(tx, platform, 2, summary.body, as_of=summary.made_at)
    assert (row.partners, row.late, row.outcomes.outstanding) == (2, 2, 6)
    assert [(one.name, one.outstanding, one.reminded) for one in view.late_rows] == [("a.csv", 3, 0), ("b.csv", 3, 0)]


def test_an_escalation_by_hand_is_for_those_who_are_late(platform: Platform, counted: list[int], clock: Clock) -> None:
    assert counted == []
    with pytest.raises(Exception, match="overdue"):
        escalated(platform, 2, partner_id=None, escalates=False, by="wang")
    clock.forward(days=20)
    assert [one.notice.partner for one in escalated(platform, 2, partner_id=1, escalates=True, by="wang")] == ["a.csv"]
    with platform.database.transaction() as tx:
        summary, _ = batch_figures.current(tx, platform, 2)
        view = batch_view(tx, platform, 2, summary.body, as_of=summary.made_at)
    assert [one.escalated_at is not None for one in view.late_rows] == [True, False]


def test_there_are_no_figures_of_what_is_no_batch(platform: Platform) -> None:
    with platform.database.transaction() as tx, pytest.raises(NotFound):
        batch_figures.current(tx, platform, 99)
