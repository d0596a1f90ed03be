"""Programs that start, and commands that end, while the disk is full: they go on, or say so in one sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from huanxin.domain.errors import BadSetting
from huanxin.store.server.embedded import embedded_dsn, leave
from huanxin.store.server.keeper import LOG
from processes import SOURCES, answers, bound, free_port, until
from storms.room import open_room

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="a device that is always full")


def start(dsn: str, folder: Path, *words: str, out: Path = FULL, err: Path = FULL) -> subprocess.Popen[bytes]:
    environment = {
        "PYTHONPATH": str(SOURCES), "HUANXIN_DATABASE_URL": dsn, "HUANXIN_HOME": str(folder / "home"),
        "HUANXIN_MODE": "development", "HUANXIN_KEY_PASSPHRASE": "a test of some length",
    }  # fmt: skip
    with out.open("wb") as output, err.open("wb") as errors:
        command: Sequence[str] = [sys.executable, "-m", "huanxin.cli.main", *words]
        return bound(subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=errors))


def listens(dsn: str) -> Callable[[], bool]:
    def look() -> bool:
        with psycopg.connect(dsn) as connection:
            asked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
            return connection.execute(asked).fetchone() is not None

    return look


@pytest.mark.parametrize("program", ["worker", "serve"])
def test_a_program_whose_log_lies_on_a_full_disk_starts_and_works(dsn: str, tmp_path: Path, program: str) -> None:
    """It ended before its first job, since it could not say that it had begun; and again, each time it was started."""
    port = free_port()
    running = start(dsn, tmp_path, program, *(["--port", str(port)] if program == "serve" else []))
    until(lambda: running.poll() is not None or (answers(port) if program == "serve" else listens(dsn)()), 60)
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0


@pytest.mark.parametrize("words", [("partner", "add", "shop", "--kind", "app", "--json"), ("partner", "list")])
def test_a_command_that_can_not_write_what_came_of_it_fails_in_one_sentence(
    dsn: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = tmp_path / "said"
    assert start(dsn, tmp_path, *words, err=said).wait(60) == 1
    assert "Traceback" not in (text := said.read_text())
    assert "No space left on device" in text
    assert "on record" in text


def test_a_partners_command_says_so_too() -> None:
    with FULL.open("wb") as full:
        ended = subprocess.run([sys.executable, "-m", "huanxin_partner", "magic-ties"], stdout=full, stderr=subprocess.PIPE,
                               text=True, check=False, env=os.environ | {"PYTHONPATH": str(SOURCES)})  # fmt: skip
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert "No space left on device" in ended.stderr


def test_a_database_of_our_own_that_finds_no_room_to_start_says_so(tmp_path: Path) -> None:
    """Its keeper died of it, and sent its reader to a log that was not written either."""
    room = open_room(tmp_path)
    try:
        if not room.mounted:
            pytest.skip("no file system can be mounted here")
        home, filler = room.folder / "home", room.folder / "filler"
        embedded_dsn(home)
        leave(home)
        with (home / LOG).open("ab") as log:  # its next line needs room
            log.write(b"\n" * (-log.tell() % os.sysconf("SC_PAGE_SIZE")))
        with filler.open("wb") as file:
            found = os.statvfs(room.folder)
            os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_frsize)
        for _ in range(3):
            with pytest.raises(BadSetting, match="no room is left on its disk"):
                embedded_dsn(home)
        filler.unlink()
        with psycopg.connect(embedded_dsn(home)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        leave(home)
    finally:
        room.close()
