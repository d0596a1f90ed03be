"""A worker killed while it reads a partner's folder: the receipt is recorded once, and nothing lies about for good."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clocks import Clock
from exchanging import NUMBERS, Shop, reader_of, receipts_of, signer_of
from huanxin.acts import Platform
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.rules import Rules
from huanxin.numbersets import tables
from huanxin.settings import Mode, Settings
from huanxin.store.access import unsent
from huanxin.store.database import Database
from huanxin.work.workers import Sweeper
from waiting import until

Report = Callable[..., Path]


@pytest.fixture
def shop(platform: Platform, report: Report, tmp_path: Path) -> Shop:
    return Shop.told(platform, report, tmp_path)


def test_what_workers_and_servers_left_when_they_were_killed_goes_while_others_run(
    platform: Platform, tmp_path: Path
) -> None:
    """A gigabyte of numbers stayed among the temporary files for ever, and in the uploads until a second restart."""
    home = tmp_path / "home"
    left = [home / "uploads" / "report-dead", home / "fetched" / "receipt-dead"]
    fresh = [home / "uploads" / "report-now", home / "fetched" / "receipt-now"]
    for folder in (*left, *fresh):
        folder.mkdir(parents=True)
        (folder / "file").write_text("+8613800138000")
    for folder in left:
        os.utime(folder, (0, 0))
    sweeper = Sweeper(platform=platform, settings=Settings(home=home, mode=Mode.DEVELOPMENT))
    assert not sweeper.one_job()
    assert not any(folder.exists() for folder in left)
    assert all(folder.exists() for folder in fresh), "somebody may be at work on them"


def test_a_form_that_nobody_came_back_for_goes_after_its_day_though_nobody_sends_another(
    platform: Platform, clock: Clock, tmp_path: Path
) -> None:
    """It may name numbers."""
    with platform.database.transaction() as tx:
        unsent.put(tx, "console", "li", b"sealed", clock.now)

    def swept() -> int:
        Sweeper(platform=platform, settings=Settings(home=tmp_path, mode=Mode.DEVELOPMENT)).one_job()
        with platform.database.transaction() as tx:
            return len(tx.execute("SELECT FROM unsent_form").fetchall())

    assert swept() == 1
    clock.forward(days=1, seconds=1)
    assert swept() == 0


def _killed_while_reading(dsn: str, home: Path, now: Clock) -> None:
    """A worker that dies once it has a receipt from the folder, before it is recorded."""
    with Database(dsn) as database:
        platform = Platform(
            database=database, plan=chinese_plan(), rules=Rules(), issuer="http://127.0.0.1:1", clock=now, development=True
        )
        reader = replace(reader_of(platform), fetched=home / "fetched")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tables, "inspect", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
            reader.one_job()


def test_a_worker_killed_while_it_reads_a_receipt_leaves_it_to_the_next_and_its_copy_to_the_sweep(
    shop: Shop, platform: Platform, tmp_path: Path, clock: Clock
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    signer_of(platform).keys()
    child = multiprocessing.get_context("spawn").Process(
        target=_killed_while_reading, args=(platform.database.dsn, tmp_path, clock)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert receipts_of(platform) == []
    assert len(list((tmp_path / "fetched").iterdir())) == 1
    until(reader_of(platform).one_job)  # its lock went with it
    assert len(receipts_of(platform)) == 1
    assert shop.result(notice)["accepted"] == {"unbound": 1}
