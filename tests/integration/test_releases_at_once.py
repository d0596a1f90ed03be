"""A release in the same instant as what forbids it, and other orders that meet: by the facts alone, no rule was broken."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from exchanging import notice_of, register
from holding import hold
from huanxin.acts import Platform
from huanxin.acts.batches import decide
from huanxin.acts.batches import release as release_clear
from huanxin.answer.receiving import Filing, file_receipt
from huanxin.domain.errors import Conflict
from huanxin.domain.partners import Partner
from huanxin.numbersets import tables
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.proposals import Outcome
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases
from huanxin.work import planning
from huanxin.work.planning import Planner
from operators import operator
from ordering import imported, plan_now, release_proposed, retracted, send_now

TURNS = 10
Report = Callable[..., Path]


def at_once(*orders: Callable[[], object], within: float) -> None:
    """Each order in a thread and a transaction of its own, begun in the same instant or up to `within` seconds later."""
    ready, chance = Barrier(len(orders)), random.Random(len(orders))

    def go(order: Callable[[], object], late: float) -> None:
        ready.wait()
        time.sleep(late)
        order()

    with ThreadPoolExecutor(len(orders)) as pool:
        for one in [pool.submit(go, order, chance.uniform(0, within)) for order in orders]:
            one.result()


def answer(platform: Platform, partner: Partner, batch: int, *lines: str, folder: Path) -> None:
    path = folder / f"{partner.name}-{batch}-{len(lines)}.csv"
    path.write_text("\n".join(["number,outcome,reason,until", *lines, ""]))
    with platform.act("li") as act:
        notice = notices.get(act.tx, notice_of(platform, partner, batch))
        assert notice is not None
        file_receipt(
            act, tables.inspect(path),
            Filing(notice=notice, roster=batches.roster(act.tx, batch), zone="Asia/Shanghai", complete=False),
        )  # fmt: skip


def released(platform: Platform, batch: int) -> set[int]:
    with platform.database.transaction() as tx:
        return set(batches.roster(tx, batch).at(releases.released_places(tx, batch)).tolist())


@pytest.mark.parametrize("way", ["command", "console"])
def test_nothing_is_released_once_a_fact_that_forbids_it_is_recorded(
    platform: Platform, report: Report, tmp_path: Path, way: str
) -> None:
    """Rules 1 and 3: whoever recorded a hold, a refusal, a retraction or a reclaim may rely on it from then on."""
    partners = [register(platform, name) for name in ("a", "b")]
    one, two = operator(platform, "supervisor"), operator(platform, "supervisor")
    for turn in range(TURNS):
        first = 8613800000000 + 100 * turn
        held, refused, ordered, back, free = numbers = list(range(first, first + 5))
        lines = [f"+{number},cancelled,2026-08-20" for number in numbers]
        imported(platform, report(*lines, name=f"first-{turn}.csv"), carrier="cmcc", by="li")
        reclaim = report(f"+{back},reclaimed,2026-11-20", name=f"back-{turn}.csv")
        planned = plan_now(platform, by="li")
        assert planned is not None
        batch = planned.id
        send_now(platform, batch)
        for partner in partners:
            answer(platform, partner, batch, *(f"+{number},absent,," for number in numbers), folder=tmp_path)
        wish = release_proposed(platform, batch, reason="due", by=one) if way == "console" else 0
        seen: dict[int, set[int]] = {}

        def release(batch: int = batch, wish: int = wish) -> object:
            if way == "console":
                return decide(platform, wish, Outcome.APPROVED, note="", by=two)
            return release_clear(platform, by="li", batch_id=batch)

        def recorded(
            number: int, record: Callable[[], object], batch: int = batch, seen: dict[int, set[int]] = seen
        ) -> Callable[[], None]:
            """Record a fact, and look what is released now: of this number no more may be from here on."""

            def order() -> None:
                record()
                seen[number] = released(platform, batch)

            return order

        facts: Mapping[int, Callable[[], object]] = {
            held: partial(hold, platform, [held], order=str(turn)),
            refused: partial(answer, platform, partners[0], batch, f"+{refused},refused,debt,", folder=tmp_path),
            ordered: partial(retracted, platform, batch, NumberSet.of([ordered]), reason="sold by mistake", by="li"),
            back: partial(imported, platform, reclaim, carrier="cmcc", by="li"),
        }
        at_once(release, *(recorded(number, record) for number, record in facts.items()), within=0.03 * (turn % 3))
        ended = released(platform, batch)
        assert free in ended
        for number in facts:
            assert (number in ended) == (number in seen[number]), "released after the fact was recorded"
        with platform.database.transaction() as tx:
            taken_back = batches.retractions_of(tx, batch)
            told = [sorted(notice.partner_id for notice in notices.of_batch(tx, made.id)) for made in taken_back]
            named = [number for made in taken_back for number in batches.numbers_of(tx, made.id).numbers().tolist()]
        assert told == [sorted(partner.id for partner in partners)] * 2, "every retraction reaches every partner"
        assert sorted(named) == [ordered, back]
        with pytest.raises(Conflict):
            retracted(platform, batch, NumberSet.of([ordered]), reason="again", by="li")


def test_who_plans_and_who_sends_at_once_make_one_batch_and_one_notice_a_partner(platform: Platform, report: Report) -> None:
    partners = [register(platform, name) for name in ("a", "b")]
    for turn in range(TURNS):
        first = 8613800000000 + 100 * turn
        lines = [f"+{first + n},cancelled,2026-08-20" for n in range(3)]
        imported(platform, report(*lines, name=f"first-{turn}.csv"), carrier="cmcc", by="li")
        reclaim = report(f"+{first},reclaimed,2026-11-20", name=f"back-{turn}.csv")
        with platform.database.transaction() as tx:
            planning.order(tx, platform, carrier=None, by="console")
        planner = Planner(platform=platform)
        at_once(
            partial(plan_now, platform, by="li"), partial(plan_now, platform, by="wang"), planner.one_job, planner.one_job,
            partial(imported, platform, reclaim, carrier="cmcc", by="li"), within=0.02 * (turn % 3),
        )  # fmt: skip
        with platform.database.transaction() as tx:
            (batch,) = [one.id for one in batches.all_batches(tx) if first + 1 in batches.numbers_of(tx, one.id).numbers()]
        at_once(
            partial(send_now, platform, batch), partial(send_now, platform, batch),
            partial(retracted, platform, batch, NumberSet.of([first + 2]), reason="x", by="li"), within=0.02 * (turn % 3),
        )  # fmt: skip
        with platform.database.transaction() as tx:
            made = [batch, *(one.id for one in batches.retractions_of(tx, batch))]
            for one in made:
                assert sorted(notice.partner_id for notice in notices.of_batch(tx, one)) == [who.id for who in partners]
            in_batch = first in batches.numbers_of(tx, batch).numbers()
            named = [number for one in made[1:] for number in batches.numbers_of(tx, one).numbers().tolist()]
        assert sorted(named) == [first] * in_batch + [first + 2], (
            "whoever took their number back in time was never asked about"
        )
