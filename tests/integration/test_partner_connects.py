"""`huanxin-partner` as a site runs it, in processes: polled and killed, and rehearsed by `selftest`."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fake_platform import CLIENT, SECRET
from fake_streams import FakeStreams
from huanxin_partner import cli
from huanxin_partner.rehearsal.words import SCENARIOS
from huanxin_partner.trial import load_magic_ties
from processes import bound, free_port
from serving import served
from waiting import until

SOURCES = Path(__file__).parents[2] / "src"
NUMBERS = [f"+86138{place:08}" for place in range(300)]
CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


class Site:
    """A small site with a table of users, and its settings."""

    def __init__(self, folder: Path, issuer: str) -> None:
        self.path = folder / "site.db"
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT UNIQUE, since TEXT)")
        self.config = folder / "partner.toml"
        self.config.write_text(
            f'issuer = "{issuer}"\nclient_id = "{CLIENT}"\nclient_secret = "{SECRET}"\ndatabase = "{self.path}"\n'
            'table = "users"\nnumber_column = "phone"\nbound_at_column = "since"\n',
            encoding="utf-8",
        )

    def fill(self) -> None:
        with closing(sqlite3.connect(self.path)) as db, db:
            users = [(number, "2020-01-01T00:00:00Z") for number in NUMBERS]
            db.executemany("INSERT INTO users (phone, since) VALUES (?, ?)", users)

    def handled(self) -> int:
        """How many events the journal knows to be done."""
        with closing(sqlite3.connect(self.path.with_suffix(".huanxin.db"), timeout=10)) as db:
            return int(db.execute("SELECT count(*) FROM huanxin_event WHERE done IS NOT NULL").fetchone()[0])

    def detached(self) -> int:
        with closing(sqlite3.connect(self.path, timeout=10)) as db:
            return int(db.execute("SELECT count(*) FROM users WHERE phone IS NULL").fetchone()[0])


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "huanxin_partner", *map(str, arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(SOURCES), "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is killed at the end, if it still runs."""
    process = bound(subprocess.Popen(command(*arguments), env=environment()))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def selftest(*arguments: object) -> tuple[int, dict[str, Any]]:
    """The exit code of a self-test, and its scenarios by code."""
    ended = subprocess.run(
        command("selftest", "--json", *arguments), env=environment(), check=False, capture_output=True, timeout=300
    )
    assert ended.stdout, ended.stderr
    told = json.loads(ended.stdout.decode().splitlines()[-1])
    return ended.returncode, {one["code"]: (one["state"], one["mend"]) for one in told["scenarios"]}


@pytest.fixture
def platform() -> Iterator[FakeStreams]:
    with FakeStreams(tuple(NUMBERS), CUTOFF) as running:
        yield running


def test_a_polled_notice_outlives_a_kill_between_journal_and_acknowledgement(tmp_path: Path, platform: FakeStreams) -> None:
    site = Site(tmp_path, platform.issuer)
    site.fill()
    platform.deaf = True  # it will hear no acknowledgement
    platform.add("j1", platform.notice("j1"))
    with running("poll", "--config", site.config):
        until(lambda: platform.complete and site.handled() == 1 and any(asked.get("ack") for asked in platform.asked), 60)
    assert (site.detached(), platform.acked) == (300, [])
    platform.deaf = False
    with running("poll", "--config", site.config) as process:
        until(lambda: platform.acked == ["j1"], 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert platform.receipts == 1
    assert (len(platform.outcomes), set(platform.outcomes.values())) == (300, {"unbound"})


def test_listen_hands_events_to_a_program_and_acknowledges_what_it_took(tmp_path: Path, platform: FakeStreams) -> None:
    site, got = Site(tmp_path, platform.issuer), list[bytes]()

    async def take(request: Request) -> Response:
        got.append(await request.body())
        return Response(status_code=202)

    raw = platform.notice("j1")
    platform.add("j1", raw)
    app = Starlette(routes=[Route("/in", take, methods=["POST"])])
    with served(app) as program, running("listen", "--config", site.config, "--forward-to", f"{program.base_url}/in"):
        until(lambda: platform.acked == ["j1"], 60)
    assert got == [raw.encode()]


def test_a_running_receiver_on_the_magic_ties_passes_twice(tmp_path: Path) -> None:
    issuer_port, port = free_port(), free_port()
    site = Site(tmp_path, f"http://127.0.0.1:{issuer_port}")
    load_magic_ties(site.path, "users", "phone", "since")
    endpoint = f"http://127.0.0.1:{port}/events/"
    with running("receive", "--config", site.config, "--port", port):
        until(lambda: up(endpoint), 60)
        given = ("--endpoint", endpoint, "--port", issuer_port, "--config", site.config)
        assert selftest(*given) == (0, dict.fromkeys(SCENARIOS, ("passed", "")))
        few = ("--only", "plain", "--only", "retraction", "--only", "after-cutoff")
        code, found = selftest(*given, *few)  # with keys that are new: the receiver has to fetch them again
    assert (code, set(found)) == (0, {"plain", "retraction", "after-cutoff"})


FEW = ("--only", "plain", "--only", "forged", "--only", "broken-file")


@pytest.mark.parametrize("start", ["receive", "poll", "file"])
def test_selftest_starts_the_program_itself_and_leaves_the_database_alone(tmp_path: Path, start: str) -> None:
    site = Site(tmp_path, "http://127.0.0.1:9")
    site.fill()
    code, found = selftest("--start", start, "--config", site.config, "--port", 0, *FEW)
    assert (code, found) == (0, dict.fromkeys(("plain", "forged", "broken-file"), ("passed", "")))
    assert site.detached() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["partner.toml", "site.db"]


def test_selftest_tells_first_how_many_ties_are_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, "http://127.0.0.1:9")
    with closing(sqlite3.connect(site.path)) as db, db:
        db.execute("INSERT INTO users (phone, since) VALUES ('+8613800138000', '2026-W01')")
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))
    monkeypatch.setenv("HUANXIN_PARTNER_BOUND_AT_FORM", "%Y%m%d")  # of the partner's column, not of the magic ties
    given = ["--config", str(site.config), "--port", "0", "--only", "plain", "--lang", "zh", "--json"]
    assert cli.main(["selftest", *given]) == 0
    said = capsys.readouterr().out
    assert "其中 1 行的绑定时间无法确定" in said
    assert json.loads(said.splitlines()[-1])["ties"]["forms"] == {"0000-W00": {"rows": 1, "example": "2026-W01"}}


def test_a_program_of_ones_own_finds_its_rehearsal_in_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--only", "nobody", "--port", "0", "--patience", "0.3"]
    assert cli.main(["selftest", "--folder", str(tmp_path / "box"), *given, "--lang", "en"]) == 1
    said = capsys.readouterr().out
    assert f'files_in = "{tmp_path / "box" / "IN"}"' in said
    assert "[no-answer]" in said
    (manifest,) = (tmp_path / "box" / "OUT").glob("*.notice.json")
    assert json.loads(manifest.read_text())["rehearsal"] is True


def test_selftest_repeats_what_a_command_said_that_could_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, "http://127.0.0.1:9")
    monkeypatch.setenv("HUANXIN_PARTNER_ZONE", "Mars/Base")
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))
    assert cli.main(["selftest", "--start", "poll", "--config", str(site.config), "--port", "0"]) == cli.WRONG_SETTING
    assert "Mars/Base" in capsys.readouterr().err


def test_a_receiver_that_is_not_there_fails_with_what_to_do(tmp_path: Path) -> None:
    code, found = selftest("--endpoint", f"http://127.0.0.1:{free_port()}/", "--port", 0, "--only", "plain", "--only", "old")
    assert (code, found) == (1, {"plain": ("failed", "unreachable"), "old": ("failed", "unreachable")})


def test_a_table_that_the_ties_do_not_fit_into_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path, "http://127.0.0.1:9")
    with closing(sqlite3.connect(site.path)) as db, db:
        db.execute("DROP TABLE users")
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT, name TEXT NOT NULL)")
    ended = subprocess.run(
        command("selftest", "--config", site.config, "--port", 0), env=environment(), check=False, capture_output=True
    )
    assert ended.returncode == 3
    assert b"users.name" in ended.stderr
    assert b"magic-ties" in ended.stderr


def up(endpoint: str) -> bool:
    try:
        return httpx.post(endpoint).status_code == 400
    except httpx.TransportError:
        return False
