"""People order something and see a minute later that it was wrong. What can be undone is undone by a fact of its own, which
stays on record with who and why; what it freed takes two people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Thread

import httpx
import pytest

from clocks import Clock
from exchanging import register
from holding import hold
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.inventory import next_page
from huanxin.domain.errors import BadInput, Conflict, HuanxinError, NotFound
from huanxin.domain.pool import STATES, PoolState
from huanxin.figures import pool, pool_sums, tracing
from huanxin.numbersets.sharded import NumberSet
from huanxin.plan.batches import call_off, due
from huanxin.release.explain import explain
from huanxin.release.waiving import waive, withdraw_waiver
from huanxin.store.answer import receipts
from huanxin.store.plan import batches
from huanxin.store.release.stops import Stop
from operators import signed_in
from ordering import imported, plan_now, retracted, send_now
from selling import REFUSED, WAIVED, Shop, open_shop, served_shop
from waiting import until

A, B, C = 8613801555000, 8613801555001, 8613801555002
Report = Callable[..., Path]


@pytest.fixture
def planned(platform: Platform, report: Report) -> int:
    """A batch of three numbers that was planned and not sent; a partner is there."""
    lines = [f"+{number},cancelled,2026-08-25" for number in (A, B, C)]
    imported(platform, report(*lines, name="first.csv"), carrier="cmcc", by="li")
    register(platform, "music")
    batch = plan_now(platform)
    assert batch is not None
    return batch.id


def called_off(platform: Platform, batch: int, *, reason: str = "wrong lead time", by: str = "wang") -> None:
    with platform.act(by) as act:
        call_off(act, batch, reason=reason)


def due_now(platform: Platform, as_of: datetime | None = None) -> list[int]:
    with platform.read(as_of=as_of) as seen:
        return sorted(number for numbers in due(seen).values() for number in numbers)


def states(platform: Platform) -> dict[PoolState, int]:
    """Numbers of the pool by state."""
    with platform.act("platform") as act:
        pool.count(act.tx, platform)
        counts = pool_sums.add_up(act.tx, platform).prefixes["counts"].sum(axis=0).tolist()
    return {state: count for state, count in zip(STATES, counts, strict=True) if count and state is not PoolState.NEVER_SOLD}


def test_a_batch_that_nobody_was_told_of_is_called_off_and_its_numbers_are_due_again(
    platform: Platform, planned: int
) -> None:
    """Planned by a slip of the pen; the next plan has the same numbers, and the record says of each what was."""
    assert due_now(platform) == []
    hold(platform, [C])
    called_off(platform, planned)
    assert due_now(platform) == [A, B], "C is held"
    with platform.read() as seen:
        why = explain(seen, A)
        assert (why.batch_id, why.findings[0].text) == (None, explain(seen, B).findings[0].text)
        assert "it is due" in str(why.findings[0].text)
        entries = [(one.kind, one.by, one.why) for one in tracing.trace(seen.tx, platform, A).entries]
        assert entries[-2:] == [("planned", "li", ""), ("called-off", "wang", "wrong lead time")]
    again = plan_now(platform)
    assert again is not None
    assert (again.id, again.count) == (planned + 1, 2)
    send_now(platform, again.id)
    with platform.read() as seen:
        assert explain(seen, A).batch_id == again.id
        assert [one.id for one in batches.all_batches(seen.tx)] == [again.id]
        assert [one.id for one in batches.all_batches(seen.tx, called_off=True)] == [planned, again.id]


def test_nothing_is_done_with_a_batch_that_was_called_off_and_none_is_that_was_sent(
    platform: Platform, planned: int
) -> None:
    with pytest.raises(BadInput, match="say who does and why"):
        called_off(platform, planned, reason=" ")
    called_off(platform, planned)
    acts: list[Callable[[], object]] = [
        lambda: called_off(platform, planned), lambda: send_now(platform, planned),
        lambda: retracted(platform, planned, NumberSet.of([A]), reason="wrong", by="li"),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(Conflict, match="called off by wang"):
            act()
    assert release(platform, by="li") == []
    again = plan_now(platform)
    assert again is not None
    send_now(platform, again.id)
    with pytest.raises(Conflict, match="take its numbers back instead"):
        called_off(platform, again.id)


def test_a_batch_is_sent_or_called_off_if_both_are_ordered_in_one_instant(platform: Platform, planned: int) -> None:
    """Never told to partners and planned again."""
    refused: list[HuanxinError] = []

    def send() -> None:
        try:
            send_now(platform, planned)
        except HuanxinError as error:
            refused.append(error)

    other = Thread(target=send)
    with platform.act("wang") as act:
        call_off(act, planned, reason="wrong")
        other.start()
        until(lambda: _waits(platform) or not other.is_alive())
    other.join()
    assert [type(one) for one in refused] == [Conflict]


def _waits(platform: Platform) -> bool:
    with platform.read() as seen:
        row = seen.tx.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
    return row is not None and row[0] > 0


def test_the_pool_counts_what_was_called_off_as_due_and_not_twice(platform: Platform, planned: int) -> None:
    assert states(platform) == {PoolState.RENEWING: 3}
    called_off(platform, planned)
    assert states(platform) == {PoolState.DUE: 3}
    assert plan_now(platform) is not None
    assert states(platform) == {PoolState.RENEWING: 3}


@pytest.fixture
def served(dsn: str, tmp_path: Path) -> Iterator[tuple[Shop, httpx.Client]]:
    with served_shop(dsn, tmp_path) as found:
        yield found


def test_a_batch_is_called_off_on_its_page_which_says_so_in_both_languages(served: tuple[Shop, httpx.Client]) -> None:
    shop, http = served
    path = shop.folder / "more.csv"
    path.write_text("number,event,at\n+8613801777000,cancelled,2026-08-25\n")
    imported(shop.platform, path, carrier="cmcc", by="li")
    made = plan_now(shop.platform)
    assert made is not None
    with closing(signed_in(str(http.base_url), shop.platform, "operator", carrier="cmcc", login="li")) as li:
        page = f"/console/batches/{made.id}"
        assert "Nobody was told of it yet" in li.get(f"{page}?lang=en").text
        refused = li.post(page, data={"do": "call-off", "reason": ""})
        assert (refused.status_code, "say who does and why" in refused.text) == (422, True)
        done = li.post(page, data={"do": "call-off", "reason": "wrong list"})
        assert "The batch is called off" in done.text
        assert "wrong list" in done.text
        assert 'value="send"' not in done.text
        assert "called off" in li.get("/console/batches?lang=en").text
        assert "已取消" in li.get(f"{page}?lang=zh").text
        assert "can&#39;t be called off" in li.post(
            "/console/batches/1?lang=en", data={"do": "call-off", "reason": "too late"}
        ).text  # fmt: skip
    assert http.get("/batches").text.count("/batches/") < 2 or f"/batches/{made.id}" not in http.get("/batches").text


def test_what_was_due_before_it_and_between_it_and_the_next_plan_can_still_be_read(
    platform: Platform, planned: int, clock: Clock
) -> None:
    """What is kept so that plans need not look at everything is of now, and says nothing of then."""
    first = clock.now
    clock.forward(hours=1)
    called_off(platform, planned)
    between = clock.now
    clock.forward(hours=1)
    assert plan_now(platform) is not None
    assert due_now(platform) == due_now(platform, as_of=first) == []
    assert due_now(platform, as_of=between) == [A, B, C]
    with platform.read(as_of=first) as seen:
        found = batches.get(seen.tx, planned)
        assert found is not None
        assert found.called_off_at is None


def first_waiver(shop: Shop) -> int:
    """The waiver of WAIVED, of what was released."""
    with shop.platform.read() as seen:
        return receipts.granted(seen.tx, batch_id=shop.batch)[0].id


def unwaived(shop: Shop, waiver: int, *, reason: str = "it answers after all", by: str = "wang") -> list[Stop]:
    with shop.platform.act(by) as act:
        return withdraw_waiver(act, waiver, reason=reason)


def test_a_waiver_that_is_withdrawn_before_the_release_keeps_its_numbers_back_again(
    platform: Platform, clock: Clock, tmp_path: Path
) -> None:
    """Waived since the partner seemed closed; it is not, and its answer counts."""
    shop = open_shop(platform, clock, tmp_path)
    with platform.act("li") as act:
        waive(act, shop.batch, partner_id=2, only=NumberSet.of([REFUSED]), reason="closed down")
    with platform.read() as seen:
        waiver = receipts.granted(seen.tx, batch_id=shop.batch)[-1].id
        assert explain(seen, REFUSED).clear
    assert unwaived(shop, waiver) == [], "nothing was released by it"
    with platform.read() as seen:
        assert not explain(seen, REFUSED).clear
        entries = [(one.kind, one.by, one.why) for one in tracing.trace(seen.tx, platform, REFUSED).entries]
        assert ("waiver-withdrawn", "wang", "it answers after all") in entries
    assert release(platform, by="li") == []
    with pytest.raises(Conflict, match="withdrawn by wang"):
        unwaived(shop, waiver)
    with pytest.raises(BadInput, match="say who does and why"):
        unwaived(shop, waiver, reason="")
    with pytest.raises(NotFound):
        unwaived(shop, 999)


def test_what_was_released_by_a_waiver_stays_released_and_is_said_loudly_once_it_is_withdrawn(
    platform: Platform, clock: Clock, tmp_path: Path
) -> None:
    """Nobody can call a list back; the carrier takes the number off sale, and sells it again once the partner answers."""
    shop = open_shop(platform, clock, tmp_path)
    before = clock.now
    clock.forward(hours=1)
    assert shop.told(WAIVED).for_sale
    assert [(one.carrier, one.count) for one in unwaived(shop, first_waiver(shop))] == [("cmcc", 1)]
    assert not shop.told(WAIVED).for_sale
    assert WAIVED not in offered(platform)
    with platform.read(as_of=before) as seen:
        assert explain(seen, WAIVED).clear, "then it was waived"
    with platform.read() as seen:
        assert explain(seen, WAIVED).released, "the release is a fact"
    shop.answer("飞燕快递", f"+{WAIVED},absent,,")
    assert WAIVED in offered(platform)


def offered(platform: Platform) -> set[int]:
    """What the carrier's system would sell."""
    return {one.number for one in next_page(platform, "cmcc", most=99).lines}


def test_a_waiver_is_withdrawn_on_the_page_of_its_batch_which_says_what_stands_on_lists(
    served: tuple[Shop, httpx.Client],
) -> None:
    shop, http = served
    waiver, page = first_waiver(shop), f"/console/batches/{shop.batch}"
    with closing(signed_in(str(http.base_url), shop.platform, "supervisor", carrier="cmcc", login="wang")) as wang:
        assert "closed down" in wang.get(f"{page}?lang=en").text
        done = wang.post(page, data={"do": "unwaive", "waiver": str(waiver), "reason": "it answers"})
        assert "The waiver is withdrawn" in done.text
        assert "its waiver was withdrawn" in done.text
        assert "豁免已撤销" in wang.get(f"{page}?lang=zh").text
        assert wang.post(page, data={"do": "unwaive", "waiver": "77", "reason": "x"}).status_code == 404
