"""Partners are found by the pinyin of their names, which is told once for each name and kept."""

from __future__ import annotations

import subprocess
from typing import NoReturn

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.store.connect import spellings
from huanxin.web.pages.people import finding
from huanxin.work.spelling import Speller


def connected(platform: Platform, *names: str) -> None:
    for name in names:
        with platform.act("test") as act:
            add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False)


def spelled(platform: Platform) -> dict[str, str]:
    with platform.read() as seen:
        return spellings.known(seen.tx)


def never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("another Python was started")


def test_names_are_spelled_together_once_also_those_that_were_there_before(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(platform, "重庆银行", "飞燕 快递")
    assert Speller(platform=platform).one_job()
    assert spelled(platform) == {
        "重庆银行": "重庆银行 chongqingyinhang cqyh", "飞燕 快递": "飞燕快递 feiyankuaidi fykd",
    }  # fmt: skip
    assert finding.finds("ＣＱyh", finding.keys("重庆银行", spelled(platform)))
    monkeypatch.setattr(subprocess, "run", never)
    connected(platform, "Plain Post")
    clock.forward(seconds=5)
    assert Speller(platform=platform).one_job()
    assert spelled(platform)["Plain Post"] == "plainpost"


def test_a_name_that_nobody_spelled_yet_is_found_by_itself(platform: Platform) -> None:
    connected(platform, "飞燕快递")
    assert finding.finds("飞燕", finding.keys("飞燕快递", spelled(platform)))
    assert not finding.finds("feiyan", finding.keys("飞燕快递", spelled(platform)))


def test_names_are_spelled_later_if_no_process_can_be_started(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(platform, "飞燕快递")

    def fails(*_: object, **__: object) -> NoReturn:
        raise OSError("no room for another process")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", fails)
        assert Speller(platform=platform).one_job()
    assert spelled(platform) == {}
    clock.forward(hours=1)
    assert Speller(platform=platform).one_job()
    assert "fykd" in spelled(platform)["飞燕快递"]
