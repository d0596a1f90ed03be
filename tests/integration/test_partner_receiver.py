"""Real receiver processes, of the package and of the demo, against a platform on loopback."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from fake_platform import CLIENT, SECRET, FakePlatform
from huanxin.demo.partner_store import make_partner_db
from processes import free_port, running, until

CUTOFF = datetime.now(UTC) - timedelta(minutes=1)
NUMBERS = [f"+86138{place:08}" for place in range(12_000)]
OLD, NEW = "2020-01-01T00:00:00Z", f"{CUTOFF + timedelta(seconds=30):%Y-%m-%dT%H:%M:%SZ}"
CLI = "import sys; from huanxin_partner.cli import main; sys.exit(main())"


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    with FakePlatform(NUMBERS, CUTOFF) as running:
        yield running


@pytest.fixture
def port() -> int:
    return free_port()


def push(platform: FakePlatform, port: int, jti: str = "j1") -> int:
    headers = {"Content-Type": "application/secevent+jwt"}
    return httpx.post(f"http://127.0.0.1:{port}/events/", content=platform.notice(jti), headers=headers).status_code


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, timeout=10)) as db:
        return db.execute(sql).fetchall()


class Site:
    """A small site that runs `huanxin-partner receive` on its table of users."""

    def __init__(self, folder: Path, platform: FakePlatform) -> None:
        self.path = folder / "site.db"
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
            users = [(number, NEW if place == 0 else OLD) for place, number in enumerate(NUMBERS[:200])]
            db.executemany("INSERT INTO users (phone, since) VALUES (?, ?)", users)
        self.config = folder / "partner.toml"
        self.config.write_text(
            f'issuer = "{platform.issuer}"\nclient_id = "{CLIENT}"\ndatabase = "{self.path}"\ntable = "users"\n'
            'number_column = "phone"\nbound_at_column = "since"\n',
            encoding="utf-8",
        )

    def receiver(self, port: int) -> list[str]:
        return ["-c", CLI, "receive", "--config", str(self.config), "--port", str(port)]

    def detached(self) -> int:
        ((count,),) = rows(self.path, "SELECT count(*) FROM users WHERE phone IS NULL")
        return int(str(count))


EXPECTED = {NUMBERS[0]: "kept"} | dict.fromkeys(NUMBERS[1:200], "unbound")


def test_a_notice_is_taken_and_answered_and_a_replay_changes_nothing(
    tmp_path: Path, platform: FakePlatform, port: int
) -> None:
    site = Site(tmp_path, platform)
    with running(site.receiver(port), port, HUANXIN_PARTNER_CLIENT_SECRET=SECRET):
        assert push(platform, port) == 202
        until(lambda: platform.complete)
        assert platform.outcomes == EXPECTED
        assert site.detached() == 199
        assert push(platform, port) == 202
        time.sleep(0.3)
        assert platform.receipts == 1


def test_what_sigkill_cut_short_goes_on_at_the_next_start(tmp_path: Path, platform: FakePlatform, port: int) -> None:
    site = Site(tmp_path, platform)
    platform.busy = True
    with running(site.receiver(port), port, HUANXIN_PARTNER_CLIENT_SECRET=SECRET):
        assert push(platform, port) == 202
        until(lambda: site.detached() == 199)  # cut, and not yet told
    assert platform.receipts == 0
    platform.busy = False
    with running(site.receiver(port), port, HUANXIN_PARTNER_CLIENT_SECRET=SECRET):
        until(lambda: platform.complete)
    assert platform.outcomes == EXPECTED
    assert site.detached() == 199


def demo_partner(folder: Path, platform: FakePlatform, behaviour: str, delay: float) -> list[str]:
    ties = [(number, NEW if place == 0 else OLD, "人", "unpaid" if place == 1 else "", OLD) for place, number in
            enumerate(NUMBERS[:9_000])]  # fmt: skip
    make_partner_db(folder / "p.db", ties)
    return ["-m", "huanxin.demo.partner_server", "--db", str(folder / "p.db"), "--behaviour", behaviour, "--issuer",
            platform.issuer, "--client-id", CLIENT, "--delay", str(delay)]  # fmt: skip


@pytest.mark.parametrize(("behaviour", "receipts"), [("plain", 1), ("debt", 1), ("twice", 2), ("parts", 4), ("pending", 2)])
def test_each_demo_partner_ends_with_the_same_truth(
    tmp_path: Path, platform: FakePlatform, port: int, behaviour: str, receipts: int
) -> None:
    with running(demo_partner(tmp_path, platform, behaviour, 0.5), port, HUANXIN_PARTNER_SECRET=SECRET):
        assert push(platform, port) == 202
        if behaviour == "pending":
            until(lambda: platform.complete)
            assert set(platform.outcomes.values()) == {"pending"}
            assert platform.until > f"{CUTOFF:%Y-%m-%d}"
        until(lambda: platform.complete and platform.receipts == receipts)
    expected = dict.fromkeys(NUMBERS[:9_000], "unbound") | {NUMBERS[0]: "kept"}
    if behaviour == "debt":
        expected[NUMBERS[1]] = "refused"
    assert platform.outcomes == expected
    kept = rows(tmp_path / "p.db", "SELECT number FROM ties WHERE cut_at IS NULL ORDER BY number")
    assert kept == [(number,) for number in NUMBERS[: 2 if behaviour == "debt" else 1]]


def test_a_silent_partner_takes_the_notice_and_does_nothing(tmp_path: Path, platform: FakePlatform, port: int) -> None:
    with running(demo_partner(tmp_path, platform, "silent", 0), port, HUANXIN_PARTNER_SECRET=SECRET):
        assert push(platform, port) == 202
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").json()["waiting"] == 0)
    assert platform.receipts == 0
    assert rows(tmp_path / "p.db", "SELECT count(*) FROM ties WHERE cut_at IS NOT NULL") == [(0,)]


def test_a_partner_that_is_down_takes_the_notice_later(tmp_path: Path, platform: FakePlatform, port: int) -> None:
    with running(demo_partner(tmp_path, platform, "down", 0.5), port, HUANXIN_PARTNER_SECRET=SECRET):
        assert push(platform, port) == 503
        until(lambda: push(platform, port) == 202)
        until(lambda: platform.complete)
    assert len(platform.outcomes) == 9_000


def test_a_pending_partner_without_ties_answers_at_once(tmp_path: Path, platform: FakePlatform, port: int) -> None:
    arguments = demo_partner(tmp_path, platform, "pending", 0)
    with closing(sqlite3.connect(tmp_path / "p.db")) as db, db:
        db.execute("DELETE FROM ties")
    with running(arguments, port, HUANXIN_PARTNER_SECRET=SECRET):
        assert push(platform, port) == 202
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").json()["waiting"] == 0)
    assert (platform.complete, platform.receipts, platform.outcomes) == (True, 1, {})
