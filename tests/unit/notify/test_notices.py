"""Who is told what: a notice too many cuts a tie that should live, one too few leaves the former owner logged in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.errors import Conflict, NotFound
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.notices import recycled_jti
from huanxin.notify.partners import add_partner
from huanxin.store.notify import deliveries, notices
from ordering import imported, plan_now, send_now

NUMBER = "+8613800138000"
Report = Callable[..., Path]


def partner(platform: Platform, name: str, *, recycled: bool = False) -> int:
    with platform.act("li") as act:
        return add_partner(
            act, NewPartner(name=name, kind=Kind.APP, endpoint="http://127.0.0.1:9/events/", wants_recycled=recycled),
            https_only=False,
        ).partner.id  # fmt: skip


def waiting(platform: Platform) -> int:
    with platform.database.transaction() as tx:
        return deliveries.waiting(tx)


def test_the_history_that_a_carrier_brings_along_is_no_news(platform: Platform, report: Report, clock: Clock) -> None:
    """A transfer of yesterday by the carrier's calendar, reported to a partner that joined after midnight there: in UTC both
    are the same day, and the partner would cut ties for an owner who had come before it did."""
    clock.now = datetime.fromisoformat("2026-11-25T00:30:00+08:00")
    partner(platform, "music", recycled=True)
    old = report(f"{NUMBER},transferred,2026-11-24T09:00:00+08:00", name="old.csv")
    assert imported(platform, old, carrier="cmcc", by="li").recycled_events == 0
    clock.forward(hours=10)
    new = report("+8613800138001,transferred,2026-11-25T09:00:00+08:00", name="new.csv")
    assert imported(platform, new, carrier="cmcc", by="li").recycled_events == 1
    assert waiting(platform) == 1


def test_only_partners_whose_stream_asks_for_it_hear_of_new_owners(platform: Platform, report: Report) -> None:
    partner(platform, "bank")
    path = report(f"{NUMBER},transferred,2026-11-24T08:30:00+08:00")
    assert imported(platform, path, carrier="cmcc", by="li").recycled_events == 0
    assert waiting(platform) == 0


def test_the_same_news_has_the_same_name_whenever_it_is_sent(platform: Platform) -> None:
    """A partner knows a replay by its jti: after a crash the rest of a feed is sent again."""
    day = date(2026, 11, 24)
    one = recycled_jti(report_id=3, client_id="a", number=8613800138000, day=day)
    assert one == recycled_jti(report_id=3, client_id="a", number=8613800138000, day=day)
    wanted = ((4, "a", 1, day), (3, "b", 1, day), (3, "a", 2, day), (3, "a", 1, day), (3, "a", 1, date(2026, 11, 25)))
    others = {recycled_jti(report_id=r, client_id=c, number=n, day=d) for r, c, n, d in wanted}
    assert len(others | {one}) == 6


def test_a_batch_is_sent_to_somebody_or_refused_in_words(platform: Platform, report: Report) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    batch = plan_now(platform, by="li")
    assert batch is not None
    with pytest.raises(Conflict, match="no partner is registered"):
        send_now(platform, batch.id)
    with pytest.raises(NotFound):
        send_now(platform, batch.id + 1)
    partner(platform, "music")
    assert len(send_now(platform, batch.id)) == 1
    partner(platform, "bank")  # registered later: sending again tells it, and nobody twice
    assert [notice.partner for notice in send_now(platform, batch.id)] == ["music", "bank"]
    assert waiting(platform) == 2


def test_a_number_reclaimed_before_the_batch_was_sent_is_retracted_from_nobody(platform: Platform, report: Report) -> None:
    imported(platform, report(f"{NUMBER},cancelled,2026-08-20"), carrier="cmcc", by="li")
    partner(platform, "music")
    assert plan_now(platform, by="li") is not None
    back = report(f"{NUMBER},reclaimed,2026-11-24T08:30:00+08:00", name="back.csv")
    assert imported(platform, back, carrier="cmcc", by="li").retractions == []


def test_a_number_is_taken_back_once_from_the_partners_that_had_the_notice(platform: Platform, report: Report) -> None:
    numbers = (NUMBER, "+8613800138001")
    imported(platform, report(*(f"{n},cancelled,2026-08-20" for n in numbers)), carrier="cmcc", by="li")
    music = partner(platform, "music")
    batch = plan_now(platform, by="li")
    assert batch is not None
    send_now(platform, batch.id)
    partner(platform, "bank")
    made = [
        imported(
            platform, report(f"{n},reclaimed,2026-11-24T08:30:00+08:00", name=f"{n}.csv"), carrier="cmcc", by="li"
        ).retractions
        for n in numbers
    ]
    assert [[one.count for one in found] for found in made] == [[1], [1]]
    with platform.database.transaction() as tx:
        told = [notices.of_batch(tx, one.id) for found in made for one in found]
    assert [[notice.partner_id for notice in found] for found in told] == [[music], [music]]
