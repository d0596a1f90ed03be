"""Uploads that mean harm: four requests of 32 kilobytes stopped everybody for 15 seconds, and 29 kilobytes filled the disk
until nobody could sign in, while /readyz said that all was well. Anybody may open an account in the sandbox."""

from __future__ import annotations

import errno
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import hostile
from clocks import Clock
from filing import HEADING, LINES, PARQUET, Desk, csv_of, open_desk
from huanxin.acts import Platform
from huanxin.answer.lines import longest
from huanxin.web.api import filing, unpacking
from waiting import until

GIGABYTE = 1 << 30


@pytest.fixture
def desk(platform: Platform, report: Callable[..., Path], tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    with open_desk(platform, report, tmp_path, clock) as opened:
        limits = replace(opened.context.limits, most_bytes=GIGABYTE)
        opened.context = opened.app.state.context = replace(opened.context, limits=limits)
        yield opened


def free(desk: Desk) -> int:
    return shutil.disk_usage(desk.context.uploads.parent.parent).free


def test_a_receipt_of_some_hundred_bytes_that_holds_gigabytes_ends_nothing(desk: Desk) -> None:
    bomb = hostile.one_value("number", "outcome")
    assert len(bomb) < 1000
    refused = desk.file(bomb, form=PARQUET)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:huanxin:problem:bad-input")
    assert "takes more memory or time" in refused.json()["detail"]
    assert desk.nothing_left()
    assert desk.file(csv_of(LINES)).status_code == 201


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_body_is_unpacked_as_far_as_its_notice_can_need(desk: Desk, packing: str) -> None:
    """Of 200 numbers nobody has a gigabyte to say."""
    bomb = hostile.zeros(packing, 60_000_000, HEADING.encode())
    refused = desk.file(bomb, Content_Encoding=packing)
    assert (refused.status_code, refused.json()["type"]) == (413, "urn:huanxin:problem:too-large")
    assert f"longer than {longest(200):,} bytes" in refused.json()["detail"]
    assert desk.nothing_left()


def test_others_are_answered_while_a_body_is_unpacked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    whole = unpacking.unpack

    def unpack(*given: Path, **how: object) -> None:
        assert asked.wait(20), "the server answered nobody while it unpacked"
        whole(*given, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(filing, "unpack", unpack)
    with ThreadPoolExecutor(2) as callers:
        filed = [callers.submit(desk.file, hostile.zeros("zstd", 10, HEADING.encode()), Content_Encoding="zstd")
                 for _ in range(2)]  # fmt: skip
        until(lambda: len(list(desk.context.uploads.glob("*/upload"))) == 2)
        assert desk.http.get("/healthz").status_code == 200
        assert desk.http.get("/readyz").json() == {"status": "ready", "disk": "ok"}
        asked.set()
        assert {one.result().status_code for one in filed} <= {200, 201}


def test_a_body_lies_on_disk_as_it_came_until_all_of_it_is_there(desk: Desk) -> None:
    """29 kilobytes, and an end that never came, took 900 megabytes for as long as somebody liked."""
    bomb = hostile.zeros("zstd", 100_000_000, random.Random(1).randbytes(1_000_000))

    def on_disk() -> int:
        return sum(file.stat().st_size for file in desk.context.uploads.glob("*/*"))

    with desk.opened(len(bomb) + 1, Content_Encoding="zstd") as raw:
        raw.sendall(bomb)
        until(lambda: on_disk() > len(bomb) - 100_000)
        assert on_disk() <= len(bomb)


def test_an_account_sends_few_files_at_a_time_and_all_together_not_too_many(desk: Desk) -> None:
    turns = desk.context.room.uploads
    turns.each, turns.every = 2, 3
    body = csv_of(LINES * 2000)
    with desk.opened(len(body)) as first, desk.opened(len(body)) as second:
        for raw in (first, second):
            raw.sendall(body[:-1])
        until(lambda: len(list(desk.context.uploads.glob("*"))) == 2)
        refused = desk.file(body)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert refused.json()["detail"].startswith("2 uploads of yours are under way already")
        turns.each, turns.every = 3, 2
        refused = desk.file(body)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:huanxin:problem:unavailable")
        assert "too many uploads are under way at this moment" in refused.json()["detail"]
        assert desk.file(csv_of(LINES)).status_code == 201, "a short receipt needs no room"
        for raw in (first, second):
            raw.sendall(body[-1:])
            assert raw.recv(99).startswith(b"HTTP/1.1 20")
    until(lambda: not turns._taken)


def test_files_are_refused_before_the_disk_is_full_and_whoever_watches_is_told(desk: Desk) -> None:
    """The last bytes are the database's: without them nobody signs in, and no receipt is recorded."""
    room, body = desk.context.room, csv_of(LINES * 2000)
    room.spare = free(desk) * 3 // 2
    refused = desk.file(body)
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:huanxin:problem:unavailable")
    assert "too little room on the platform's disk" in refused.json()["detail"]
    assert refused.headers["retry-after"]
    assert desk.nothing_left()
    assert desk.http.get("/readyz").json() == {"status": "ready", "disk": "low"}
    assert desk.file(csv_of(LINES)).status_code == 201, "what is short goes on"
    room.spare = free(desk) * 5
    gone = desk.http.get("/readyz")
    assert (gone.status_code, "disk is full" in gone.json()["detail"]) == (503, True)
    room.spare = 0
    assert desk.http.get("/readyz").json() == {"status": "ready", "disk": "ok"}


def test_room_that_goes_while_a_file_comes_in_ends_the_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    body = csv_of(LINES * 100_000)
    with desk.opened(len(body)) as raw:
        raw.sendall(body[:1000])
        until(lambda: bool(list(desk.context.uploads.glob("*/upload"))))
        desk.context.room.spare = free(desk) * 2
        raw.sendall(body[1000:])
        assert raw.recv(99).startswith(b"HTTP/1.1 503")
    until(desk.nothing_left)


def test_a_full_disk_is_said_in_words_to_programs_and_people(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(filing, "unpack", full)
    packed = hostile.zeros("zstd", 10, HEADING.encode())
    refused = desk.file(packed, Content_Encoding="zstd")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:huanxin:problem:unavailable")
    page = desk.file(packed, Content_Encoding="zstd", Accept="text/html", Accept_Language="en")
    assert (page.status_code, "disk is full" in page.text) == (503, True)
