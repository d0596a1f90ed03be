"""What is settled is kept beside the facts so that a day costs a day: it must never say anything that the facts don't."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyroaring import BitMap

from clocks import Clock
from exchanging import register
from holding import hold
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.mending import withdraw
from huanxin.domain.answers import Answer, Outcome, Purpose, Reason
from huanxin.domain.errors import BadInput
from huanxin.domain.lifecycle import Cancellation, ShardState, fold, sellable_from
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.plan.batches import due, held_now
from huanxin.release.gate import load_gate
from huanxin.release.holds import lift_hold
from huanxin.store import facts
from huanxin.store.acting import Reading
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases
from huanxin.store.report import reports, settled
from ordering import imported, plan_now, send_now

Report = Callable[..., Path]
SHARDS = (8613800, 8613801, 8613802)
NUMBERS = [shard * 1_000_000 + 138_000 + place for shard in SHARDS for place in range(12)]
BEGAN = date(2026, 5, 1)
AFTER = {"cancelled": ("opened", "reclaimed"), "": ("cancelled",)}


def said(state: ShardState) -> dict[tuple[object, ...], set[int]]:
    """A state in plain words."""
    found: dict[tuple[object, ...], set[int]] = {
        (one.carrier, one.day, one.report, one.layer): set(numbers) for one, numbers in state.resting(state.known).items()
    }
    for place, table in (("in service", state.in_service), ("ported", state.ported), ("asleep", state.asleep)):
        found |= {(place, carrier): set(numbers) for carrier, numbers in table.items()}
    return {key: numbers for key, numbers in (found | {("known",): set(state.known)}).items() if numbers}


def by_the_facts(reading: Reading) -> dict[int, dict[tuple[object, ...], set[int]]]:
    return {shard: said(fold(found)) for shard, found in reports.facts_by_shard(reading.tx)}


def as_kept(reading: Reading) -> dict[int, dict[tuple[object, ...], set[int]]]:
    return {shard: said(state) for shard, state in settled.states(reading.tx)}


def due_by_the_facts(reading: Reading) -> dict[Cancellation, NumberSet]:
    """The same rule, from every fact there is."""
    found: dict[Cancellation, list[NumberSet]] = {}
    for shard, of_shard in reports.facts_by_shard(reading.tx):
        state = fold(of_shard)
        for one, places in state.resting(state.known).items():
            last = reading.plan.carriers[one.carrier].today(reading.now) + timedelta(days=reading.rules.lead_days)
            if sellable_from(one.day, reading.rules.freeze_days) <= last:
                found.setdefault(one, []).append(NumberSet({shard: places}))
    resting = {one: union(sets) for one, sets in found.items()}
    out = batches.mended_out(reading.tx)
    taken = held_now(reading) | union(
        NumberSet.of(one.numbers) - out.get(one.batch_id, NumberSet()) for one in batches.renewed_since(reading.tx, resting)
    )
    return {one: left for one, numbers in resting.items() if (left := numbers - taken)}


def nothing_overlooked(reading: Reading) -> bool:
    return not any(
        load_gate(reading, batch.id).gate.releasable() for batch in batches.all_batches(reading.tx, Purpose.RENEWAL)
    )


def nothing_counted_twice(reading: Reading) -> bool:
    """What is settled and what is read beside it have no day in common."""
    rows = reading.tx.execute("SELECT s.until, k.names FROM settled_set k JOIN settled s USING (shard) WHERE k.place = 2")
    return all(np.frombuffer(names, np.int64)[::4].max() < until.toordinal() for until, names in rows)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_settled_says_what_the_facts_say_through_a_year_of_days(
    platform: Platform, clock: Clock, report: Report, seed: int
) -> None:
    """Else somebody's number would be sold while they have it, or never again, and nobody would know from what."""
    chance, last = random.Random(seed), dict.fromkeys(NUMBERS, "")
    kept, sold, withdrawn = set[date](), 0, 0
    clock.now = datetime.combine(BEGAN, time(), UTC)
    register(platform, "shop")
    for place in range(70):
        day = BEGAN + timedelta(days=place * 3)
        clock.now = datetime.combine(day, time(8), UTC)
        lines = list(a_day(chance, last, day, late=place % 11 == 10))
        if lines:
            imported(platform, report(*lines, name=f"{place}.csv"), carrier="cmcc", skip_bad=True)
        with platform.read() as reading:
            assert as_kept(reading) == by_the_facts(reading)
            assert nothing_counted_twice(reading)
            assert due(reading) == due_by_the_facts(reading)
            kept |= set(settled.settled_until(reading.tx).values())
        if chance.random() < 0.3:
            number = chance.choice(NUMBERS)
            held = hold(platform, [number], order=str(place), until=day + timedelta(days=chance.randrange(2, 90)))
            if chance.random() < 0.3:
                lifted(platform, held)
        if (made := plan_now(platform)) and chance.random() < 0.9:
            send_now(platform, made.id)
        answered(platform, chance)
        if place % 9 == 5:
            withdrawn += went_back_on(platform, chance)
        sold += freed(platform)
        with platform.read() as reading:
            assert nothing_overlooked(reading)
            assert due(reading) == due_by_the_facts(reading)
    assert len(kept) > 5, "hardly anything was ever settled"
    assert sold > 10
    assert withdrawn > 0
    with platform.act("li") as act:
        before = as_kept(act)
        settled.make_again(act.tx)
        assert as_kept(act) == before == by_the_facts(act)


def a_day(chance: random.Random, last: dict[int, str], day: date, *, late: bool) -> Iterable[str]:
    """What a carrier says of one day, or, late, of one long before: what can't be right is left out."""
    for number in chance.sample(NUMBERS, 9):
        if last[number] == "cancelled" and chance.random() < 0.9:
            continue
        event = chance.choice(AFTER.get(last[number], AFTER[""]))
        at = day - timedelta(days=chance.randrange(70, 90) if late else chance.randrange(2))
        last[number] = event
        yield f"+{number},{event},{at}"


def went_back_on(platform: Platform, chance: random.Random) -> int:
    """A report of the last days was wrong, and is withdrawn if nothing later stands on it; how many were."""
    with platform.read() as seen:
        known = [one.id for one in reports.all_reports(seen.tx) if one.kind == "report" and not one.withdrawn_by]
    try:
        with platform.act("li") as act:
            withdraw(act, chance.choice(known[-4:]), reason="the wrong file", approved_by="wang")
    except BadInput:
        return 0
    return 1


def lifted(platform: Platform, held: int) -> None:
    with platform.act("li") as act:
        lift_hold(act, held, reason="over")


def answered(platform: Platform, chance: random.Random, *, always: bool = False) -> None:
    """The partner answers what it was told of, some of it later and some of it otherwise than before; or all of it now."""
    with platform.act("shop") as act:
        for batch in batches.all_batches(act.tx, Purpose.RENEWAL):
            for notice in notices.of_batch(act.tx, batch.id):
                if always or chance.random() < 0.2:
                    refused = BitMap(place for place in range(batch.count) if not always and chance.random() < 0.2)
                    answers = {Answer(outcome=Outcome.REFUSED, reason=Reason.DEBT.value): refused}
                    answers |= {Answer(outcome=Outcome.UNBOUND): BitMap(range(batch.count)) - refused}
                    facts.receipt(
                        act.tx, receipt_id=f"rc_{chance.random()}", notice_id=notice.id, batch_id=batch.id,
                        partner_id=notice.partner_id, sha256=str(chance.random()).encode(), complete=True,
                        idempotency_key="", lines=batch.count, answers=answers, at=act.now,
                    )  # fmt: skip


FIRST, SECOND, THIRD = NUMBERS[:3]


@pytest.fixture
def waiting(platform: Platform, clock: Clock, report: Report) -> Platform:
    """Three numbers that everybody answered for: one is free, two are held, until 1 December and until May."""
    clock.now = datetime(2026, 11, 24, 1, tzinfo=UTC)
    lines = [f"+{number},cancelled,2026-08-20" for number in (FIRST, SECOND, THIRD)]
    imported(platform, report(*lines), carrier="cmcc")
    made = plan_now(platform)
    assert made is not None
    hold(platform, [SECOND], order="1", until=date(2026, 12, 1))
    hold(platform, [THIRD], order="2", until=date(2027, 5, 1))
    register(platform, "shop")
    send_now(platform, made.id)
    answered(platform, random.Random(), always=True)
    assert freed(platform) == 1
    return platform


def freed(platform: Platform) -> int:
    return sum(one.count for one in release(platform, by="li"))


def test_a_number_is_released_when_its_hold_ends_by_itself(waiting: Platform, clock: Clock) -> None:
    """Nobody orders anything on that day: if its batch were not looked at again, it would never be for sale."""
    clock.forward(days=6)
    assert freed(waiting) == 0
    clock.forward(days=2)
    assert [freed(waiting), freed(waiting)] == [1, 0]


def test_a_number_is_released_when_its_hold_is_lifted(waiting: Platform) -> None:
    lifted(waiting, 2)
    assert [freed(waiting), freed(waiting)] == [1, 0]


def test_a_number_is_released_when_the_freeze_in_force_is_shorter_again(
    platform: Platform, clock: Clock, report: Report
) -> None:
    """It was lengthened by mistake for a day: what was planned before goes by the freeze under which it was planned."""
    clock.now = datetime(2026, 11, 24, 1, tzinfo=UTC)
    imported(platform, report(f"+{FIRST},cancelled,2026-08-20"), carrier="cmcc")
    made = plan_now(platform)
    assert made is not None
    register(platform, "shop")
    send_now(platform, made.id)
    answered(platform, random.Random(), always=True)
    longer = replace(platform, rules=replace(platform.rules, freeze_days=120))
    assert [freed(longer), freed(platform)] == [0, 1]


def test_a_batch_that_has_nothing_is_not_looked_at_until_something_may_come(waiting: Platform, clock: Clock) -> None:
    """After a year hundreds of batches have a number that waits for somebody: a day would cost all of them."""
    with waiting.read() as seen:
        first = seen.now
        assert releases.maybe_some(seen.tx, now=first, freeze_days=90) == []
        assert releases.maybe_some(seen.tx, now=first + timedelta(days=8), freeze_days=90) == [1]
        assert releases.maybe_some(seen.tx, now=first, freeze_days=89) == [1]
    answered(waiting, random.Random(), always=True)
    with waiting.read() as seen:
        assert releases.maybe_some(seen.tx, now=first, freeze_days=90) == [1]
