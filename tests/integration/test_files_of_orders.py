"""Owners' orders at a partner that exchanges files: written into its folder, answered from it, and in nobody's way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from exchanging import Shop, reader_of, takes, writer_of
from huanxin.acts import Platform
from huanxin.acts.requests import order_request
from huanxin.domain.numbers import parse
from huanxin.request.ordering import Purpose, Wish
from huanxin.store.request import requests
from ordering import imported

NUMBER = "+8613800138000"


@pytest.fixture
def shops(platform: Platform, report: Callable[..., Path], tmp_path: Path) -> list[Shop]:
    """Two partners, and a number that was sold again."""
    lines = [f"{NUMBER},opened,2024-01-05", f"{NUMBER},cancelled,2026-06-01", f"{NUMBER},opened,2026-10-01T15:00:00+08:00"]
    imported(platform, report(*lines), carrier="cmcc", by="li")
    return [Shop.opened(platform, name, tmp_path) for name in ("shop", "other")]


def ordered(platform: Platform, shops: list[Shop]) -> list[str]:
    """The notices of an order at these partners."""
    wish = Wish(purpose=Purpose.RENEW, number=parse(NUMBER), partner_ids=[one.partner.id for one in shops],
                consent_text="I agree", channel="sms", language="zh_CN", shown_at=platform.now())  # fmt: skip
    made = order_request(platform, wish)
    return [made.notices[one.partner.id] for one in shops]


def outcome(platform: Platform, notice: str) -> str | None:
    with platform.database.transaction() as tx:
        found = requests.notice(tx, notice)
    assert found is not None
    return found.outcome


def test_an_order_is_written_as_a_notice_of_one_number_and_holds_up_nobody_elses_files(
    platform: Platform, shops: list[Shop]
) -> None:
    """Before this, the first order at such a partner stopped the files of every partner for good."""
    notices = ordered(platform, shops)
    while writer_of(platform).one_job():
        pass
    for shop, notice in zip(shops, notices, strict=True):
        manifest = shop.manifest()
        assert (manifest["notice"], manifest["count"], manifest["purpose"]) == (notice, 1, "renewal")
        assert manifest["cutoff"] == "2026-09-30T16:00:00.000000Z"
        assert (shop.out / manifest["numbers"]).read_text() == f"number\n{NUMBER}\n"


def test_an_order_is_answered_from_the_folder_in_the_order_of_numbers(
    platform: Platform, shops: list[Shop], clock: Clock
) -> None:
    shop, (notice, other) = shops[0], ordered(platform, shops)
    reader = reader_of(platform)
    shop.answer([], notice=notice, part=3, complete=True)
    shop.answer([f"{NUMBER},unbound,,"], notice=notice, part=2)
    shop.answer([f"{NUMBER},unbound,,"], notice=other)
    assert takes(reader)
    assert shop.result(other)["problem"]["status"] == 404
    assert (outcome(platform, notice), outcome(platform, other)) == (None, None)
    shop.answer([f"{NUMBER},refused,,"], notice=notice, part=1)
    clock.forward(seconds=61)
    assert takes(reader)
    assert shop.result(notice)["problem"]["errors"][0]["line"] == 2
    assert outcome(platform, notice) is None
    shop.answer([f"{NUMBER},pending,,2026-12-31"], notice=notice, part=4, replaces=[1], complete=False)
    clock.forward(seconds=61)
    assert takes(reader)
    assert [shop.result(notice, part)["accepted"] for part in (4, 2, 3)] == [{"pending": 1}, {"unbound": 1}, {"absent": 1}]
    assert shop.result(notice, 3)["confirmation"]
    assert outcome(platform, notice) == "absent"
    for path in shop.out.glob("*.result.json"):
        path.unlink()
    clock.forward(seconds=61)
    assert takes(reader)
    assert shop.result(notice, 4)["accepted"] == {"pending": 1}
    assert outcome(platform, notice) == "absent", "what was said first is not said again"


def test_an_answer_whose_manifest_says_another_count_is_refused_and_changes_nothing(
    platform: Platform, shops: list[Shop]
) -> None:
    """Before this, the partner read that it was refused, and the owner that they were done."""
    shop, (notice, _) = shops[0], ordered(platform, shops)
    shop.answer([f"{NUMBER},unbound,,"], notice=notice, count=2)
    while takes(reader_of(platform)):
        pass
    assert shop.result(notice)["problem"]["status"] == 422
    assert outcome(platform, notice) is None
