"""The planner on a real store: what it counts of a carrier's history, and what the page and the command line show of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyroaring import BitMap

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.answers import Answer, Outcome, Receipt, Waiver
from huanxin.domain.errors import BadInput, NotFound
from huanxin.domain.partners import Kind, NewPartner
from huanxin.figures import counting, history, summaries
from huanxin.notify.partners import add_partner
from huanxin.simulate import planner
from huanxin.simulate.planner import Choices, Planned
from huanxin.store import facts
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.figures import summaries as stored
from huanxin.store.notify import notices
from ordering import imported, plan_now, send_now

Report = Callable[..., Path]
A, B, C, D, E = (f"+861380013800{n}" for n in range(5))


def told_to(platform: Platform, *names: str) -> int:
    """A batch of everything that is due, told to partners of these names."""
    for name in names:
        with platform.act("test") as act:
            add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False)
    batch = plan_now(platform, by="test")
    assert batch is not None
    if names:
        send_now(platform, batch.id)
    return batch.id


def answer(platform: Platform, batch_id: int, partner_id: int, complete: bool = False, **places: set[int]) -> None:
    """A receipt: places by outcome."""
    with platform.database.transaction() as tx:
        notice = next(one for one in notices.of_batch(tx, batch_id) if one.partner_id == partner_id)
        id = f"rc_{platform.now().isoformat()}_{partner_id}"
        named = {Answer(outcome=Outcome(word)): BitMap(found) for word, found in places.items()}
        facts.receipt(tx, receipt_id=id, notice_id=notice.id, batch_id=batch_id, partner_id=partner_id, sha256=id.encode(),
                     complete=complete, idempotency_key="", lines=1, answers=named, at=platform.now())  # fmt: skip


def plan(platform: Platform, choices: Choices | None = None, carrier: str = "cmcc") -> Planned:
    with platform.act("li") as act:
        summaries.refresh(act.tx, platform)
        return planner.plan(act.tx, platform, carrier, choices or Choices())


def test_a_history_is_counted_as_it_can_be_counted_by_hand(platform: Platform, report: Report) -> None:
    imported(
        platform,
        report(
            f"{A},cancelled,2026-08-01", f"{B},cancelled,2026-08-01", f"{C},cancelled,2026-08-03",
            f"{A},reclaimed,2026-08-11", f"{D},opened,2026-08-12", f"{E},ported_out,2026-08-12",
        ),
        carrier="cmcc", by="test",
    )  # fmt: skip
    found = plan(platform).history
    assert (found.first, len(found.cancelled)) == (date(2026, 8, 1), 12)
    assert (found.cancelled[0], found.cancelled[2], sum(found.cancelled)) == (2, 1, 3)
    assert (found.opened[11], sum(found.opened)) == (1, 1)
    assert found.frozen == {date(2026, 8, 1): 1, date(2026, 8, 3): 1}
    assert (found.in_service, found.capacity, found.never_sold, found.for_sale) == (2, 10_000, 9_995, 0)
    assert (len(found.back), sum(found.back[:10])) == (11, 0)
    assert found.back[10] == 0.5, "of the two numbers whose tenth day the reports cover, one was taken back"


def test_what_was_released_is_for_sale_until_it_is_opened_again(platform: Platform, report: Report) -> None:
    imported(platform, report(*(f"{one},cancelled,2026-08-01" for one in (A, B, C))), carrier="cmcc", by="test")
    batch_id = told_to(platform)
    with platform.database.transaction() as tx:
        facts.release(
            tx, batch_id=batch_id, spans={("cmcc", date(2026, 8, 1)): BitMap([0, 1])}, by="test", alone=True,
            freeze_days=90, at=platform.now(),
        )  # fmt: skip
    found = plan(platform).history
    assert (found.for_sale, dict(found.frozen)) == (2, {date(2026, 8, 1): 1})
    imported(platform, report(f"{A},opened,2026-11-23"), carrier="cmcc", by="test")
    found = plan(platform).history
    assert (found.for_sale, dict(found.frozen), found.in_service) == (1, {date(2026, 8, 1): 1}, 1)


def test_a_partners_answer_time_is_measured_and_an_open_notice_is_no_answer(
    platform: Platform, report: Report, clock: Clock
) -> None:
    imported(platform, report(*(f"{one},cancelled,2026-08-25" for one in (A, B, C, D))), carrier="cmcc", by="test")
    batch_id = told_to(platform, "晨星商城", "飞燕快递")
    first, second = (one.id for one in plan(platform).history.partners)
    clock.forward(days=2)
    answer(platform, batch_id, first, unbound={0}, pending={1})
    assert plan(platform).history.partners[0].never == 1, "a part of a receipt never passes for the whole"
    clock.forward(days=2)
    answer(platform, batch_id, first, complete=True, unbound={1})
    quick, silent = plan(platform).history.partners
    assert (quick.days, quick.share, quick.typical) == ((4.0,), (1.0,), 4.0)
    assert (quick.ties, quick.pending, quick.never) == (0.5, 0, 0)
    assert (silent.id, silent.days, silent.never, silent.typical) == (second, (), 1, None)
    assert plan(platform, carrier="cmcc").history.waived == 0


def test_the_planner_says_when_longer_lead_times_would_change_nothing_because_answers_came_sooner(
    platform: Platform, report: Report, clock: Clock
) -> None:
    imported(platform, report(*(f"{one},cancelled,2026-08-25" for one in (A, B, C, D))), carrier="cmcc", by="test")
    assert not plan(platform, Choices(leads=(7, 15))).indifferent, "nobody was told of anything yet"
    batch_id = told_to(platform, "晨星商城")
    (partner,) = (one.id for one in plan(platform).history.partners)
    clock.forward(days=4)
    answer(platform, batch_id, partner, complete=True)
    assert plan(platform, Choices(leads=(7, 15, 30))).indifferent
    assert not plan(platform, Choices(leads=(2, 15))).indifferent
    assert not plan(platform, Choices(leads=(2,), faster=planner.EVERYONE)).indifferent
    assert not plan(platform, Choices(leads=(7,))).indifferent, "a freeze with one line is compared with nothing"


def test_answers_are_never_old_and_only_the_batch_of_which_something_new_was_said_is_counted_again(
    platform: Platform, report: Report, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(platform, report(f"{A},cancelled,2026-08-25", f"{B},cancelled,2026-08-25"), carrier="cmcc", by="test")
    batch_id = told_to(platform, "晨星商城", "飞燕快递")
    imported(platform, report(f"{C},cancelled,2026-08-25", name="more.csv"), carrier="cmcc", by="test")
    other = told_to(platform)
    send_now(platform, other)
    first, second = (one.id for one in plan(platform).history.partners)
    folded: list[int] = []
    read = receipts.history

    def noted(tx: Tx, batch: int, partner: int | None = None) -> dict[int, list[Receipt | Waiver]]:
        folded.append(batch)
        return read(tx, batch, partner)

    def said() -> dict[tuple[int, int], tuple[int, int]]:
        """What each batch's partner answered: ties cut, ties not there."""
        with platform.database.transaction() as tx:
            found = history.answered(tx, platform, "cmcc")
        return {(one.batch_id, one.partner_id): (one.counts.unbound, one.counts.absent) for one in found}

    monkeypatch.setattr(receipts, "history", noted)
    answer(platform, batch_id, first, complete=True, unbound={0})
    silent = {(batch_id, second): (0, 0), (other, first): (0, 0), (other, second): (0, 0)}
    assert said() == silent | {(batch_id, first): (1, 1)}
    answer(platform, batch_id, second, unbound={0, 1})
    assert said() == silent | {(batch_id, first): (1, 1), (batch_id, second): (2, 0)}
    assert folded == [batch_id, batch_id]
    clock.forward(days=1)
    assert said()
    assert len(folded) == 2, "a night changes no answer"


def test_the_history_is_walked_once_for_as_long_as_no_report_and_no_release_comes(
    platform: Platform, report: Report, clock: Clock
) -> None:
    imported(platform, report(f"{A},cancelled,2026-08-25"), carrier="cmcc", by="test")
    with platform.database.transaction() as tx:
        counting.PASTS.refresh(tx, platform)
        kept = stored.get(tx, counting.PASTS.kind, "cmcc")
        assert kept is not None
        changed = replace(kept.body, in_service=77)
        stored.put(tx, counting.PASTS.kind, "cmcc", stamp=kept.stamp, body=changed, at=clock())
        assert counting.PASTS.now(tx, platform)["cmcc"].in_service == 77
    imported(platform, report(f"{B},opened,2026-08-25"), carrier="cmcc", by="test")
    assert plan(platform).history.in_service == 1


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        (Choices(freezes=(89,)), "90 to 720"), (Choices(leads=(0,)), "1 to 90"), (Choices(days=0), "1 to 1095"),
        (Choices(faster="nobody"), "nobody was told"), (Choices(capacity=0), "name 1 numbers"),
        (Choices(freezes=tuple(range(90, 120))), "at most 18"),
    ],
)  # fmt: skip
def test_what_can_not_be_tried_is_refused_with_the_reason(
    platform: Platform, report: Report, choices: Choices, says: str
) -> None:
    imported(platform, report(f"{A},cancelled,2026-08-25"), carrier="cmcc", by="test")
    with pytest.raises(BadInput, match=says):
        plan(platform, choices)


def test_without_a_cancellation_there_is_nothing_to_simulate(platform: Platform) -> None:
    with pytest.raises(NotFound, match="import its reports first"):
        plan(platform)
    with pytest.raises(BadInput, match="there is no carrier"):
        plan(platform, carrier="nobody")


def test_months_add_up_to_the_whole(platform: Platform, report: Report) -> None:
    lines = [f"+86138001{n:05},cancelled,{date(2026, 8, 1) + timedelta(days=n % 100)}" for n in range(500)]
    imported(platform, report(*lines), carrier="cmcc", by="test")
    found = plan(platform)
    months = planner.months(found.results[0], found.history.today)
    assert (months[0].first, months[-1].first, len(months)) == (date(2026, 11, 25), date(2027, 11, 1), 13)
    assert sum(one.supply for one in months) == pytest.approx(found.results[0].total, abs=7)
    assert [one.total for one in found.results] == sorted((one.total for one in found.results), reverse=True)
