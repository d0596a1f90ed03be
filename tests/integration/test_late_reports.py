"""Reports that come late: a file that was forgotten, months in another order, a port that one side told of sooner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from exchanging import register
from huanxin.acts import Platform
from huanxin.acts.mending import correct, withdraw
from huanxin.domain.errors import BadInput
from huanxin.domain.lifecycle import Event
from huanxin.domain.numbers import parse
from huanxin.domain.partners import Kind, NewPartner
from huanxin.domain.tenures import NumberTenures, State
from huanxin.notify.partners import add_partner
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.store.plan import batches
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


def test_what_would_end_the_freeze_that_a_batch_stood_on_another_way_is_refused_and_says_so(
    platform: Platform, clock: Clock, tell: Tell
) -> None:
    tell(LAST)
    assert plan_now(platform, by="li") is not None
    clock.forward(days=100)
    tell(f"{NUMBER},opened,2026-12-01")
    with pytest.raises(BadInput) as refused:
        tell(f"{NUMBER},reclaimed,2026-09-01", f"{NUMBER},cancelled,2026-09-02")
    assert ["what a batch stands on" in fault.reason for fault in refused.value.faults] == [True, True]
    assert stands(platform).state is State.IN_SERVICE


def test_what_is_refused_for_a_batch_is_taken_in_the_order_that_the_refusal_names(
    platform: Platform, clock: Clock, report: Report, tell: Tell
) -> None:
    """The withdrawal sets right what stood on it, and the file that was withdrawn may come again."""
    tell(LAST)
    assert plan_now(platform, by="li") is not None
    clock.forward(days=100)
    sold = report(f"{NUMBER},opened,2026-12-01", name="sold.csv")
    later = imported(platform, sold, carrier="cmcc", by="li").imported.report_id
    between = (f"{NUMBER},reclaimed,2026-09-01", f"{NUMBER},cancelled,2026-09-02")
    with pytest.raises(BadInput) as refused:
        tell(*between)
    assert "send it as a correction" in refused.value.faults[0].reason
    with platform.act("li") as act:
        withdraw(act, later, reason="a file between was forgotten")
    assert tell(*between) == 2
    done = imported(platform, sold, carrier="cmcc", by="li")
    assert (done.imported.accepted, done.breaches) == (1, 1), "it was sold within the freeze that began in September"
    assert [str(one.closed_on) for one in stands(platform).tenures] == ["2026-09-02", "None"]


def test_the_side_that_took_a_number_in_may_tell_of_what_it_did_with_it_before_it_tells_of_the_port(
    platform: Platform, tell: Tell
) -> None:
    tell(f"{NUMBER},opened,2024-01-05", f"{NUMBER},ported_out,2025-02-01")
    tell(f"{NUMBER},cancelled,2026-08-20", carrier="cucc")
    assert tell(f"{NUMBER},ported_in,2025-02-01", carrier="cucc") == 1
    (only,) = stands(platform).tenures
    assert (str(only.opened_on), str(only.closed_on), only.carrier) == ("2024-01-05", "2026-08-20", "cucc")


def test_what_is_refused_for_a_batch_is_taken_as_a_correction_with_all_that_follows(
    platform: Platform, tell: Tell, report: Report
) -> None:
    """Nobody has to take other files back: what was missing is said to be, by whom and why, and the batch is set right."""
    tell(f"{NUMBER},cancelled,2026-08-10")
    batch = plan_now(platform)
    assert batch is not None
    register(platform, "shop")
    send_now(platform, batch.id)
    tell(f"{NUMBER},opened,2026-11-20", f"{NUMBER},cancelled,2026-11-22")
    missing = (f"{NUMBER},reclaimed,2026-09-01", f"{NUMBER},cancelled,2026-09-02")
    with pytest.raises(BadInput, match="so none was") as refused:
        tell(*missing)
    assert "send it as a correction (huanxin report correct)" in refused.value.faults[0].reason
    lines = report(*(f"{line}," for line in missing), heading="number,event,at,instead_of", name="missing.csv")
    with platform.act("li") as act:
        done = correct(act, lines, carrier="cmcc", reason="a file between was forgotten")
    assert done.added == {"reclaimed": 1, "cancelled": 1}
    with platform.read() as seen:
        retracted = load_gate(seen, batch.id).gate.retracted
        assert {event: len(places) for event, places in retracted.items() if places} == {Event.RECLAIMED: 1}
        # Somebody else has had the number since: the former owner's ties are not theirs.
        assert batches.retractions_of(seen.tx, batch.id) == []
