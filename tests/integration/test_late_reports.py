"""Reports that come late: a file that was forgotten, months in another order, a port that one side told of sooner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from exchanging import register
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.domain.disclosure import NotForSale
from huanxin.domain.lifecycle import Event
from huanxin.domain.numbers import parse
from huanxin.domain.partners import Kind, NewPartner
from huanxin.domain.tenures import NumberTenures
from huanxin.notify.partners import add_partner
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.release.stopped import off_sale
from huanxin.store.plan import batches
from huanxin.store.release import releases
from huanxin.store.report import reports
from ordering import imported, plan_now, send_now

Report = Callable[..., Path]
NUMBER, OTHER, THIRD = "+8613800138000", "+8613800138001", "+8613800138002"
PAST = (f"{NUMBER},opened,2024-01-05", f"{NUMBER},cancelled,2025-01-10", f"{NUMBER},opened,2025-06-01")
LAST = f"{NUMBER},cancelled,2026-08-20T11:00:00+08:00"


@pytest.fixture
def tell(platform: Platform, report: Report) -> Callable[..., int]:
    names = iter(range(100))

    def told(*lines: str, carrier: str = "cmcc") -> int:
        return imported(platform, report(*lines, name=f"{next(names)}.csv"), carrier=carrier, by="li").imported.accepted

    return told


Tell = Callable[..., int]


def stands(platform: Platform, number: str = NUMBER) -> NumberTenures:
    with platform.read() as reading:
        return reports.standing_of(reading.tx, parse(number))


def test_months_in_another_order_leave_the_tenures_that_the_right_one_does(platform: Platform, tell: Tell) -> None:
    """A carrier's second day: the month that was imported last is the oldest, and was refused for good."""
    for line in (LAST, PAST[2], PAST[1], PAST[0]):
        assert tell(line) == 1
    late = stands(platform)
    assert tell(*(line.replace(NUMBER, OTHER) for line in (*PAST, LAST))) == 4
    right = stands(platform, OTHER)
    assert (late.state, [(one.opened_on, one.closed_on) for one in late.tenures]) == (
        right.state, [(one.opened_on, one.closed_on) for one in right.tenures],
    )  # fmt: skip


@pytest.mark.parametrize(
    "late",
    [
        PAST,
        (f"{NUMBER},reclaimed,2026-08-20T10:00:00+08:00", f"{NUMBER},cancelled,2026-08-20T09:00:00+08:00"),
        (f"{NUMBER},transferred,2026-08-19",),
    ],
    ids=["years before", "that very day", "the day before"],
)
def test_what_happened_before_the_cancellation_that_a_batch_stands_on_takes_nothing_out_of_it(
    platform: Platform, tell: Tell, late: tuple[str, ...]
) -> None:
    """The gate looks at what was reported since the plan: read as news, an owner of years ago would keep the number for
    good, and partners would be told to give ties back that are stale."""
    with platform.act("li") as act:
        add_partner(act, NewPartner(name="app", kind=Kind.APP), https_only=False)
    tell(LAST, LAST.replace(NUMBER, OTHER), LAST.replace(NUMBER, THIRD))
    batch = plan_now(platform, by="li")
    assert batch is not None
    send_now(platform, batch.id)
    assert tell(*late, f"{THIRD},reclaimed,2026-08-21") == len(late) + 1  # which touches the batch
    with platform.read() as reading:
        loaded = load_gate(reading, batch.id)
        third = loaded.roster.places_in(NumberSet.of([parse(THIRD)]))
        assert loaded.gate.retracted == {Event.RECLAIMED: third}
        assert "left the freeze" not in " ".join(one.text for one in explain(reading, parse(NUMBER)).findings)
        assert [one.count for one in batches.retractions_of(reading.tx, batch.id)] == [1]
    tell(f"{NUMBER},reclaimed,2026-08-20T12:00:00+08:00")
    with platform.read() as reading:
        loaded = load_gate(reading, batch.id)
        assert loaded.gate.retracted == {Event.RECLAIMED: third | loaded.roster.places_in(NumberSet.of([parse(NUMBER)]))}


def test_what_comes_late_of_a_number_in_a_batch_is_taken_and_the_batch_set_right(
    platform: Platform, clock: Clock, tell: Tell
) -> None:
    """The former owner took it back and left it again, and the batch that stood on the first time holds it no more."""
    tell(LAST)
    batch = plan_now(platform, by="li")
    assert batch is not None
    clock.forward(days=100)
    tell(f"{NUMBER},opened,2026-12-01")
    assert tell(f"{NUMBER},reclaimed,2026-09-01", f"{NUMBER},cancelled,2026-09-02") == 2
    assert [str(one.closed_on) for one in stands(platform).tenures] == ["2026-09-02", "None"]
    with platform.read() as seen:
        retracted = load_gate(seen, batch.id).gate.retracted
    assert {event: len(places) for event, places in retracted.items() if places} == {Event.RECLAIMED: 1}


def test_what_was_released_and_is_reclaimed_late_was_released_in_error_and_may_not_be_sold(
    platform: Platform, clock: Clock, tell: Tell
) -> None:
    """The carrier would have sold it, within the freeze of which they hear only now."""
    tell(LAST)
    batch = plan_now(platform)
    assert batch is not None
    register(platform, "shop", required=False)
    send_now(platform, batch.id)
    clock.forward(days=100)
    assert [one.count for one in release(platform, by="li")] == [1]
    tell(f"{NUMBER},reclaimed,2026-09-01", f"{NUMBER},cancelled,2026-11-01")
    with platform.read() as seen:
        assert releases.breach_totals(seen.tx) == {"released-in-error": 1}
        assert {why: len(some) for why, some in off_sale(seen.tx, load_gate(seen, batch.id)).items()} == {
            NotForSale.IN_SERVICE: 1
        }


def test_who_got_a_number_meanwhile_is_given_no_ties_of_whoever_took_it_back_before_them(
    platform: Platform, tell: Tell
) -> None:
    tell(f"{NUMBER},cancelled,2026-08-10")
    batch = plan_now(platform)
    assert batch is not None
    register(platform, "shop")
    send_now(platform, batch.id)
    tell(f"{NUMBER},opened,2026-11-20", f"{NUMBER},cancelled,2026-11-22")
    tell(f"{NUMBER},reclaimed,2026-09-01", f"{NUMBER},cancelled,2026-09-02")
    with platform.read() as seen:
        assert batches.retractions_of(seen.tx, batch.id) == []


def test_the_side_that_took_a_number_in_may_tell_of_what_it_did_with_it_before_it_tells_of_the_port(
    platform: Platform, tell: Tell
) -> None:
    tell(f"{NUMBER},opened,2024-01-05", f"{NUMBER},ported_out,2025-02-01")
    tell(f"{NUMBER},cancelled,2026-08-20", carrier="cucc")
    assert tell(f"{NUMBER},ported_in,2025-02-01", carrier="cucc") == 1
    (only,) = stands(platform).tenures
    assert (str(only.opened_on), str(only.closed_on), only.carrier) == ("2024-01-05", "2026-08-20", "cucc")
