"""The platform on an embedded server that is killed under it: whoever asks next is answered, and the log stays readable."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from clocks import Clock
from embedded_servers import kill, postmaster, servers, user
from huanxin.store.database import Database
from huanxin.store.server.embedded import embedded_dsn, leave
from huanxin.work.loop import Workers
from processes import SOURCES, free_port, running, until

HUANXIN = ["-m", "huanxin.cli.main"]


@pytest.fixture
def home(quick: Path) -> Iterator[Path]:
    home = quick / "killed"
    yield home
    leave(home)


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    settings = os.environ | {"HUANXIN_HOME": str(home), "PYTHONPATH": str(SOURCES)}
    return subprocess.run([sys.executable, *HUANXIN, *words], env=settings, capture_output=True, text=True, check=False)


def test_pages_and_commands_go_on_when_the_postmaster_is_killed(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with running([*HUANXIN, "serve"], port, HUANXIN_HOME=str(home)) as served:
        for nobody_else_comes in (True, False, False):
            kill([postmaster(home)], servers(home) if nobody_else_comes else [])
            if not nobody_else_comes:
                done = command(home, "partner", "list")
                assert (done.returncode, done.stderr) == (0, "")
            assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 200
            page = httpx.get(f"http://127.0.0.1:{port}/watch", headers={"Accept": "text/html"}, timeout=60)
            assert page.status_code == 200
        served.send_signal(signal.SIGTERM)
        assert served.wait(60) == 0
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("20")]
    assert len(said) <= 2, "one line a minute of ours, and one of the driver"
    assert not servers(home)


def test_a_command_finds_its_server_though_the_one_before_was_killed_with_it(home: Path) -> None:
    with user(home) as before:
        os.kill(postmaster(home), signal.SIGKILL)
        before.kill()
    done = command(home, "partner", "list")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_under_which_the_postmaster_is_killed_says_so_and_does_its_work_the_next_time(
    home: Path, report: Callable[..., Path]
) -> None:
    """All of it is recorded, or nothing: half a report would be a wrong one."""
    many = report(*(f"+86138{n:08},cancelled,2026-08-20" for n in range(300_000)))
    importing = [sys.executable, *HUANXIN, "report", "import", str(many), "--carrier", "cmcc", "--json"]
    settings = os.environ | {"HUANXIN_HOME": str(home), "PYTHONPATH": str(SOURCES)}
    with psycopg.connect(embedded_dsn(home), autocommit=True) as watching, subprocess.Popen(
        importing, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:  # fmt: skip
        asked = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'huanxin' AND xact_start < now() - interval '50 ms'"
        until(lambda: watching.execute(asked).fetchone() is not None)
        os.kill(postmaster(home), signal.SIGKILL)
        _, said = first.communicate(timeout=120)
    assert first.returncode == 3
    assert "PostgreSQL ended in the middle of this" in " ".join(said.split())
    assert "Traceback" not in said
    done = command(home, "report", "import", str(many), "--carrier", "cmcc", "--json")
    assert (done.returncode, json.loads(done.stdout.splitlines()[-1])["accepted"]) == (0, 300_000)


def test_what_can_not_start_is_told_to_the_command_line_in_one_sentence(home: Path, tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres/PG_VERSION").write_text("16\n")
    if os.geteuid() == 0:
        os.chown(tmp_path / "postgres", 65534, 65534)
    done = command(tmp_path, "partner", "list")
    assert done.returncode == 3
    assert done.stderr.startswith("✗ the data in ")
    assert "Traceback" not in done.stderr


def test_workers_whose_database_is_down_say_so_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Eight of them, and whoever listens, each of whom found it out several times a second."""
    caplog.set_level(logging.INFO)
    with Database(f"postgresql://postgres@127.0.0.1:{free_port()}/none?connect_timeout=1") as nowhere:
        nowhere._pool.timeout = 0.2
        workers = Workers(database=nowhere, clock=Clock(), jobs=[lambda: asks(nowhere)], count=8)
        workers.start()
        time.sleep(3)
        workers.stop()
    warned = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert 1 <= len(warned) <= 2
    assert not any(one.exc_info for one in warned)


def asks(database: Database) -> bool:
    with database.transaction() as tx:
        tx.execute("SELECT 1")
    return True
