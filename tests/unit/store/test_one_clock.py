"""One clock decides, the database's: whoever's clock is put ahead or back, nothing is decided a day early, and nobody is
told a wrong time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clocks import JUST, Clock, World
from huanxin.acts import Platform
from huanxin.domain.errors import BadSetting, ClockInDoubt
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.rules import Rules
from huanxin.store.database import SANDBOX, Database
from huanxin.store.migrate import migrate
from huanxin.store.one_clock import may_be_simulated

SECOND, DAY, YEAR = timedelta(seconds=1), timedelta(days=1), timedelta(days=365)
FAR = [DAY, -DAY, YEAR, -YEAR]


@pytest.fixture
def world(database: Database) -> World:
    """As in production: not on a database for simulated clocks."""
    with database.transaction() as tx:
        tx.execute("UPDATE clock SET simulated = false")
    return World(database=database)


def test_clocks_a_second_apart_agree(world: World) -> None:
    for ahead in (SECOND, -SECOND):
        world.own_ahead = ahead
        assert abs(world.process().sure() - world.true()) < JUST
        world.set_machine(ahead)
        assert abs(world.process().sure() - world.true()) < JUST


@pytest.mark.parametrize("ahead", FAR)
def test_a_process_whose_own_clock_is_off_goes_by_the_databases_and_decides_nothing(world: World, ahead: timedelta) -> None:
    world.own_ahead = ahead
    clock = world.process()
    assert world.is_right(clock)
    with pytest.raises(ClockInDoubt, match="this machine's clock says"):
        clock.sure()
    world.own_ahead = timedelta()
    assert world.is_right(clock)
    assert clock.sure(within=0)


@pytest.mark.parametrize("ahead", FAR)
def test_a_jump_under_a_running_process_changes_none_of_its_times_and_ends_when_it_is_put_right(
    world: World, ahead: timedelta
) -> None:
    clock = world.process()
    world.set_machine(ahead)
    with pytest.raises(ClockInDoubt, match="`huanxin clock confirm`"):
        clock.sure(within=0)
    assert world.is_right(clock)
    world.let_pass(timedelta(hours=2))
    clock.look()
    assert world.is_right(clock)
    world.set_machine(timedelta())
    assert abs(clock.sure(within=0) - world.true()) < JUST


def test_a_clock_that_was_put_right_is_gone_by_within_a_second(world: World) -> None:
    """Partners got no tokens for another half a minute; and where nobody had looked for some minutes before, none until a
    person came."""
    world.let_pass(600 * SECOND)
    world.set_machine(DAY)
    clock = world.process()
    world.let_pass(2 * SECOND)
    with pytest.raises(ClockInDoubt):
        clock.sure()
    world.set_machine(timedelta())
    world.let_pass(2 * SECOND)
    assert abs(clock.sure() - world.true()) < JUST


@pytest.mark.parametrize("ahead", FAR)
def test_a_process_that_starts_after_a_jump_knows_the_time_from_the_one_before(world: World, ahead: timedelta) -> None:
    world.process()
    world.let_pass(timedelta(hours=10))
    world.set_machine(ahead)
    clock = world.process()
    assert world.is_right(clock), "the machine counted the hours"
    with pytest.raises(ClockInDoubt):
        clock.sure()
    world.set_machine(timedelta())
    assert clock.sure(within=0)
    assert world.process().sure()


@pytest.mark.parametrize("ahead", FAR)
def test_after_a_boot_time_never_runs_back_and_no_more_than_a_day_on(world: World, ahead: timedelta) -> None:
    """Nobody counted meanwhile. A day is a day too many, since a freeze ends on a day."""
    world.process()
    world.boot = "second"
    world.set_machine(ahead + SECOND * (60 if ahead > timedelta() else 0))
    clock = world.process()
    assert world.is_right(clock), "behind is never early"
    with pytest.raises(ClockInDoubt):
        clock.sure()


def test_a_night_without_power_and_a_week_without_work_are_no_jump(world: World) -> None:
    world.process()
    world.boot = "second"
    world.let_pass(timedelta(hours=14))
    assert abs(world.process().sure() - world.true()) < JUST
    world.let_pass(timedelta(days=7))
    assert abs(world.process().sure() - world.true()) < JUST


def test_a_clock_is_held_against_the_newest_recorded_fact(world: World) -> None:
    """Of a database that was carried over from elsewhere, say: it knows of no boot, and its facts lie ahead."""
    with world.database.transaction() as tx:
        tx.execute(
            "INSERT INTO batch (purpose, count, cutoff, answer_by, freeze_days, seen_report, files, planned_by, planned_at)"
            " VALUES ('renewal', 1, %(at)s, %(at)s, 90, 0, '{}', 'li', %(at)s)", {"at": world.true() + DAY},
        )  # fmt: skip
    with pytest.raises(ClockInDoubt):
        world.process().sure()


def test_who_confirms_a_clock_is_on_record_and_every_process_goes_by_it(world: World) -> None:
    running = world.process()
    world.set_machine(YEAR)
    clock = world.process()
    at, expected = clock.confirm(reason="the machine was off", by="li")
    assert abs(at - expected - YEAR) < JUST
    for one in (clock, running, world.process()):
        assert abs(one.sure(within=0) - world.true() - YEAR) < JUST
    with world.database.transaction() as tx:
        assert tx.execute("SELECT reason, confirmed_by FROM clock_confirmation").fetchall() == [
            ("the machine was off", "li")
        ]


def test_two_clocks_that_differ_are_not_confirmed_away(world: World) -> None:
    world.set_database(YEAR)
    with pytest.raises(ClockInDoubt, match="NTP"):
        world.process().confirm(reason="it looks right", by="li")


# Simulated clocks -----------------------------------------------------------------------------------------------------
def platform(database: Database) -> Platform:
    return Platform(
        database=database, plan=chinese_plan(), rules=Rules(), issuer="http://127.0.0.1:1", clock=Clock(), development=True
    )


def test_a_database_that_was_not_made_for_simulated_clocks_takes_none(empty_dsn: str) -> None:
    migrate(empty_dsn)
    migrate(empty_dsn, simulated=True)
    migrate(empty_dsn, SANDBOX, simulated=True)
    for schema in ("public", SANDBOX):
        with Database(empty_dsn, schema=schema) as database, pytest.raises(BadSetting, match="simulated clocks"):
            platform(database)


def test_one_that_was_made_for_them_takes_them_with_its_sandbox_and_is_never_in_doubt(empty_dsn: str) -> None:
    migrate(empty_dsn, simulated=True)
    migrate(empty_dsn, SANDBOX)
    for schema in ("public", SANDBOX):
        with Database(empty_dsn, schema=schema) as database:
            assert platform(database).sure() == Clock().now
            made_up = World(database=database)
            made_up.process()
            made_up.set_machine(YEAR)
            assert abs(made_up.process().sure() - made_up.true() - YEAR) < JUST
            may_be_simulated(database)
