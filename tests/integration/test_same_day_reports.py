"""Several files that tell of one number on one day: what happened first decides, not which file came first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.errors import BadInput
from huanxin.domain.tenures import State
from huanxin.store.report import reports
from ordering import imported, plan_now

Report = Callable[..., Path]
NUMBER = 8613800138000
DAY = "2026-08-20"


@pytest.fixture
def tell(platform: Platform, report: Report) -> Callable[..., int]:
    """Import a file of the number's events, like `reclaimed 09:00`, or `reclaimed` for the day alone; how many were news."""
    files = iter(range(100))

    def told(*events: str, day: str = DAY) -> int:
        lines = []
        for event in events:
            word, _, hour = event.partition(" ")
            lines.append(f"+{NUMBER},{word},{day}" + (f"T{hour}:00+08:00" if hour else ""))
        path = report(*lines, name=f"{next(files)}.csv")
        path.write_text(path.read_text() + "\n" * next(files))  # an export of the same content would be known as a file
        return imported(platform, path, carrier="cmcc", by="li").imported.accepted

    return told


def state(platform: Platform) -> tuple[State, int]:
    """Where the number stands, and how many events are on record."""
    with platform.database.transaction() as tx:
        (events,) = tx.execute("SELECT count(*) FROM report_set").fetchone() or (0,)
        return reports.standing_of(tx, NUMBER).state, events


Tell = Callable[..., int]


def test_a_second_reclaim_within_a_day_is_not_taken_for_the_first_and_the_number_in_service_is_never_renewed(
    platform: Platform, clock: Clock, tell: Tell
) -> None:
    tell("cancelled", day="2026-06-01")
    for event in ("reclaimed 09:00", "cancelled 10:00", "reclaimed 11:00"):
        assert tell(event) == 1
    assert state(platform) == (State.IN_SERVICE, 4)
    clock.forward(days=200)
    assert plan_now(platform, by="li") is None


def test_the_same_event_at_the_same_instant_is_a_repeat_in_whatever_zone_it_is_written(
    platform: Platform, report: Report, tell: Tell
) -> None:
    tell("cancelled 09:00", "reclaimed 10:00", "cancelled 11:00")
    assert tell("reclaimed 10:00") == 0
    done = imported(platform, report(f"+{NUMBER},reclaimed,{DAY}T02:00:00Z", name="utc.csv"), carrier="cmcc", by="li")
    assert (done.imported.accepted, done.imported.known) == (0, 1)
    assert state(platform)[0] is State.FROZEN


def test_a_cancellation_that_is_exported_again_after_the_reclaim_does_not_freeze_a_number_in_service(
    platform: Platform, tell: Tell
) -> None:
    """Nor is it left out in silence: it may be a second one. Told with its times, the day is taken as it was."""
    tell("cancelled")
    tell("reclaimed")
    with pytest.raises(BadInput) as refused:
        tell("cancelled")
    assert [fault.line for fault in refused.value.faults] == [2]
    assert "send all events of the number on this day in one file, each with its time" in refused.value.faults[0].reason
    assert state(platform) == (State.IN_SERVICE, 2)
    assert tell("cancelled 09:00", "reclaimed 10:00", "cancelled 11:00") == 1
    assert state(platform) == (State.FROZEN, 3)


def test_reclaimed_cancelled_and_reclaimed_in_one_file_of_days_is_refused_with_what_to_do(
    platform: Platform, tell: Tell
) -> None:
    tell("cancelled", day="2026-06-01")
    with pytest.raises(BadInput) as refused:
        tell("reclaimed", "cancelled", "reclaimed")
    assert [(fault.line, "each with its time" in fault.reason) for fault in refused.value.faults] == [(4, True)]
    assert state(platform) == (State.FROZEN, 1)
    assert tell("reclaimed 09:00", "cancelled 10:00", "reclaimed 11:00") == 3
    assert state(platform) == (State.IN_SERVICE, 4)


def test_an_export_of_days_that_grows_through_the_day_is_known_as_far_as_it_was_told(platform: Platform, tell: Tell) -> None:
    assert tell("cancelled") == 1
    assert tell("cancelled", "reclaimed") == 1
    assert tell("cancelled", "reclaimed") == 0
    assert state(platform) == (State.IN_SERVICE, 2)


def test_what_happened_earlier_that_day_than_what_is_on_record_goes_before_it(
    platform: Platform, clock: Clock, tell: Tell
) -> None:
    """Taken in the order of arrival, the reclaim of ten o'clock would put the number cancelled at eleven into service."""
    tell("cancelled 11:00")
    assert tell("cancelled 09:00", "reclaimed 10:00") == 2
    assert state(platform) == (State.FROZEN, 3)
    clock.forward(days=200)
    assert plan_now(platform, by="li") is not None


def test_what_happened_earlier_that_day_and_can_not_have_says_so_with_its_time(platform: Platform, tell: Tell) -> None:
    tell("cancelled 11:00")
    with pytest.raises(BadInput) as refused:
        tell("cancelled 09:00")
    assert all("comes too late" in fault.reason for fault in refused.value.faults)
    # Mended and sent again, they still say when.
    assert [fault.text.rpartition(",")[2] for fault in refused.value.faults] == [f"{DAY}T09:00:00+08:00"]
    assert state(platform) == (State.FROZEN, 1)


def test_the_day_of_an_event_is_the_carriers_and_the_hour_counts_on_that_day(platform: Platform, tell: Tell) -> None:
    """Two o'clock in China is six in the evening of the day before in UTC."""
    tell("cancelled 02:00")
    assert tell("reclaimed 23:30") == 1
    assert tell("cancelled 02:00") == 0
    assert state(platform) == (State.IN_SERVICE, 2)


def test_what_was_recorded_before_instants_were_kept_is_read_as_days(platform: Platform, dsn: str, tell: Tell) -> None:
    tell("cancelled 09:00", "reclaimed 10:00")
    with psycopg.connect(dsn) as old:
        old.execute("ALTER TABLE report_set DISABLE TRIGGER USER")
        old.execute("UPDATE report_set SET instants = NULL")
        old.execute("ALTER TABLE report_set ENABLE TRIGGER USER")
    with pytest.raises(BadInput):
        tell("cancelled 11:00")
    assert tell("cancelled 09:00", "reclaimed 10:00", "cancelled 11:00") == 1
    assert state(platform)[0] is State.FROZEN
