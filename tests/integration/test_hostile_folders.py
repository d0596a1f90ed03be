"""Receipts that partners leave in folders and that mean harm: whoever reads them reads no more than the notice can need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import hostile
from clocks import Clock
from exchanging import NUMBERS, Shop, reader_of, takes
from huanxin.acts import Platform
from huanxin.answer.lines import longest
from huanxin.domain.errors import Unavailable
from huanxin.notify.folders import Folder

Report = Callable[..., Path]


@pytest.fixture
def shop(platform: Platform, report: Report, tmp_path: Path) -> Shop:
    return Shop.told(platform, report, tmp_path)


def test_a_parquet_file_that_holds_gigabytes_is_answered_and_the_next_receipt_is_read(
    shop: Shop, platform: Platform, clock: Clock
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([], notice=notice, part=1, count=2000, content=hostile.one_value("number", "outcome"))
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice, part=2, replaces=[1])
    reader = reader_of(platform, limit=1 << 30)
    assert takes(reader)
    assert "takes more memory or time" in shop.result(notice, 1)["problem"]["detail"]
    assert shop.result(notice, 2)["accepted"] == {"unbound": 1}


def test_no_more_of_a_receipt_is_fetched_than_its_notice_can_need_and_nothing_for_no_notice(
    shop: Shop, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may open an account of the sandbox and name a folder with a gigabyte in it."""
    fetched: list[tuple[str, int]] = []
    whole = Folder.fetch

    def fetch(self: Folder, name: str, to: Path, limit: int) -> None:
        fetched.append((name, limit))
        whole(self, name, to, limit)

    monkeypatch.setattr(Folder, "fetch", fetch)
    notice = shop.manifest()["notice"]
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice="nt_none")
    assert takes(reader_of(platform, limit=1 << 30))
    assert fetched == [(f"{notice}.1.receipt.csv", longest(4))]
    assert shop.result("nt_none")["problem"]["type"] == "urn:huanxin:problem:not-found"


def test_a_receipt_waits_in_its_folder_while_the_platforms_disk_has_no_room(
    shop: Shop, platform: Platform, clock: Clock
) -> None:
    def no_room(_: int) -> None:
        raise Unavailable("there is too little room")

    notice = shop.manifest()["notice"]
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    reader = reader_of(platform)
    assert not takes(replace(reader, check_room=no_room))
    assert not list(shop.out.glob("*.result.json")), "nothing is wrong with the receipt"
    clock.forward(minutes=2)
    assert takes(reader)
    assert shop.result(notice)["accepted"] == {"unbound": 1}
