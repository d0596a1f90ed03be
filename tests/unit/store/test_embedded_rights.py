"""Where the embedded server may be kept, as whom it runs, and who is let in: nobody but its owner."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from embedded_servers import as_root, keepers, postmaster, servers
from huanxin.domain.errors import BadSetting
from huanxin.store.database import Database
from huanxin.store.server.embedded import embedded_dsn, leave
from processes import SOURCES
from waiting import until


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    leave(tmp_path / "home")


# Paths and rights -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["with spaces", "100%20%", "a,b", "'\"=", "号码焕新", "long" * 40])
def test_a_home_may_have_any_path(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / name / "home"
    for _ in range(2):
        with Database(embedded_dsn(home)) as database, database.transaction() as tx:
            assert tx.execute("SELECT 1").fetchone() == (1,)
        leave(home)
    assert capfd.readouterr() == ("", ""), "it works, and warns of nothing"


def test_the_short_way_to_a_long_path_is_ours_alone_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / ("long" * 40)
    with tempfile.TemporaryDirectory() as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        embedded_dsn(home)
        leave(home)
        private = Path(runtime) / f"huanxin-{os.geteuid()}"
        assert private.stat().st_mode & 0o777 == 0o700
        private.chmod(0o755)
        with pytest.raises(BadSetting, match="is not ours alone"):
            embedded_dsn(home)


def test_folders_above_keep_their_modes_and_the_data_are_private(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir(mode=0o700)
    home = above / "home"
    before = [folder.stat().st_mode for folder in above.parents]
    with psycopg.connect(embedded_dsn(home)) as connection:
        assert connection.execute("SELECT pg_read_file('PG_VERSION')").fetchone() == ("18\n",)
    assert above.stat().st_mode & 0o777 == 0o700
    assert [folder.stat().st_mode for folder in above.parents] == before
    assert (home / "postgres").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in home.iterdir() if file.is_file()} == {0o600}
    leave(home)


def asked_as(name: str, socket_path: Path) -> bytes:
    """What the server says to a user of the machine who wants to be its superuser."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            account = pwd.getpwnam(name)
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(socket_path))
                asked = b"\0\3\0\0user\0postgres\0\0"
                caller.sendall((len(asked) + 4).to_bytes(4, "big") + asked)
                os.write(writer, caller.recv(500))
        except OSError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as said:
        return said.read()


@as_root
def test_another_user_of_the_machine_is_not_let_in_even_if_they_reach_the_socket() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        embedded_dsn(home)
        way = home / "postgres/.s.PGSQL.5432"
        assert b"Permission denied" in asked_as("nobody", way)
        for opened in (folder, home, home / "postgres"):
            os.chmod(opened, 0o755)
        way.chmod(0o777)
        assert b"Peer authentication failed" in asked_as("nobody", way)
        leave(home)


@as_root
def test_it_runs_as_whoever_owns_the_home_and_never_as_root(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    os.chown(theirs, pwd.getpwnam("nobody").pw_uid, -1)
    for home, name in ((theirs, "nobody"), (ours, "pgserver")):
        embedded_dsn(home)
        assert psutil.Process(postmaster(home)).username() == name == (home / "postgres").owner()
        leave(home)


ORDINARY = """
import os, signal, sys
from pathlib import Path
from huanxin.store.database import Database
from huanxin.store.server.embedded import embedded_dsn

home = Path(sys.argv[1])
with Database(embedded_dsn(home)) as database:
    with database.transaction() as tx:
        tx.execute("CREATE TABLE fact (what text)")
    os.kill(int((home / "postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
with Database(embedded_dsn(home)) as database, database.transaction() as tx:
    print(tx.execute("SELECT count(*) FROM fact").fetchone()[0], (home / "postgres").owner(), os.geteuid())
"""


@as_root
def test_an_ordinary_user_has_a_server_of_their_own() -> None:
    """Where the other tests run as root; where they don't, they say the same."""
    packages = Path(psutil.__file__).parents[1]
    nobody, way = pwd.getpwnam("nobody"), {"PYTHONPATH": f"{SOURCES}:{packages}", "HOME": "/"}
    given: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/", "env": way}
    python = next(
        (one for one in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}") if may_run(one, given)), None
    )
    if python is None:
        pytest.skip("no Python here that another user may run")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        told = subprocess.run(
            [python, "-c", ORDINARY, f"{folder}/home"], capture_output=True, text=True, check=False, **given
        )
        complaints = [line for line in told.stderr.splitlines() if "not up yet" not in line]  # a busy machine says that much
        assert (told.stdout.split(), complaints) == (["0", "nobody", str(nobody.pw_uid)], [])
        assert not servers(Path(folder) / "home")


def may_run(python: str, given: dict[str, Any]) -> bool:
    try:
        return subprocess.run([python, "-c", "import psycopg"], check=False, capture_output=True, **given).returncode == 0
    except (PermissionError, FileNotFoundError):
        return False


# One sentence when it can't -------------------------------------------------------------------------------------------
def foreign(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres/letters.txt").write_text("not yours")
    if os.geteuid() == 0:
        os.chown(home / "postgres", pwd.getpwnam("nobody").pw_uid, -1)


def older(home: Path) -> None:
    foreign(home)
    (home / "postgres/PG_VERSION").write_text("16\n")


def broken(home: Path) -> None:
    embedded_dsn(home)
    leave(home)
    (home / "postgres/global/pg_control").write_bytes(b"\0" * 8192)


def roots(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres/PG_VERSION").write_text("18\n")


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (foreign, "holds something else than PostgreSQL's data; move it away"),
        (older, "are PostgreSQL 16's, and this is 18; upgrade them"),
        (broken, "can't start: "),
        pytest.param(roots, "belongs to root, as whom PostgreSQL doesn't run", marks=as_root),
    ],
)
def test_it_says_in_one_sentence_why_it_can_not_start(home: Path, prepare: Callable[[Path], None], says: str) -> None:
    home.mkdir()
    prepare(home)
    for _ in range(2):
        with pytest.raises(BadSetting, match=says) as refused:
            embedded_dsn(home)
        assert len(str(refused.value).splitlines()) == 1
    until(lambda: not keepers(home))
