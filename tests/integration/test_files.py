"""Notices and receipts as files: nothing half-read, nothing twice, nothing of another partner's."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization

from clocks import Clock
from exchanging import (
    NUMBERS,
    Shop,
    cancelled,
    notice_of,
    planned,
    reader_of,
    receipts_of,
    register,
    rules_of,
    signer_of,
    takes,
    writer_of,
)
from huanxin.acts import Platform
from huanxin.answer.receiving import CONFIRMATION
from huanxin.domain.clock import Clock as AnyClock
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.rules import Rules
from huanxin.notify.files import FileWriter, use_files
from huanxin.notify.folders import Folder
from huanxin.onboarding.opening import open_signer
from huanxin.settings import Mode, Settings
from huanxin.store.connect import partners
from huanxin.store.database import Database
from huanxin.store.notify import attempts
from huanxin.work.workers import make_workers
from ordering import send_now
from waiting import until

Report = Callable[..., Path]


@pytest.fixture
def shop(platform: Platform, report: Report, tmp_path: Path) -> Shop:
    return Shop.told(platform, report, tmp_path)


def test_a_notice_is_a_number_file_and_a_manifest_with_the_signed_event(shop: Shop, platform: Platform) -> None:
    manifest = shop.manifest()
    content = (shop.out / manifest["numbers"]).read_bytes()
    assert content.decode().splitlines() == ["number", *NUMBERS]
    assert hashlib.sha256(content).hexdigest() == manifest["sha256"]
    assert (manifest["count"], manifest["purpose"]) == (4, "renewal")
    token = jwt.decode(
        manifest["set"], KeySet.import_key_set(cast(KeySetSerialization, signer_of(platform).jwks())), algorithms=["ES256"]
    )
    assert token.header["typ"] == "secevent+jwt"
    event = token.claims["events"]["urn:huanxin:event:renewal"]
    assert (token.claims["aud"], event["notice"]) == (shop.partner.client_id, manifest["notice"])
    assert (event["cutoff"], event["answer_by"]) == (manifest["cutoff"], manifest["answer_by"])
    assert list(shop.out.glob("*.part")) == []
    assert not writer_of(platform).one_job()


def test_a_receipt_is_taken_and_answered_and_picked_up_once(shop: Shop, platform: Platform, clock: Clock) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},refused,debt,2026-12-31"], notice=notice)
    reader = reader_of(platform)
    assert takes(reader)
    result = shop.result(notice)
    signed = signer_of(platform).verified(result.pop("confirmation"), CONFIRMATION)
    assert signed is not None
    assert (signed["notice"], signed["accepted"]) == (notice, {"unbound": 1, "refused": 1})
    assert result == {
        "notice": notice, "receipt_file": f"{notice}.1.receipt.csv", "accepted": {"unbound": 1, "refused": 1},
        "outstanding": 0, "problem": None,
    }  # fmt: skip
    clock.forward(minutes=1)
    assert not takes(reader)
    # Somebody tidies the folder up: the same receipt again changes nothing, and is answered again.
    (shop.out / f"{notice}.1.result.json").unlink()
    clock.forward(minutes=1)
    assert takes(reader)
    assert shop.result(notice)["accepted"] == {"unbound": 1, "refused": 1}
    assert len(receipts_of(platform)) == 1


def test_parts_are_taken_in_the_order_of_their_numbers(shop: Shop, platform: Platform) -> None:
    """Part 10 supersedes part 9: sorted as text it would be the other way round."""
    notice = shop.manifest()["notice"]
    for part in (10, *range(1, 10)):
        outcome = "unbound" if part == 10 else "pending"
        shop.answer([f"{NUMBERS[0]},{outcome},,{2026 + part}-01-01"], notice=notice, part=part, complete=False)
    takes(reader_of(platform))
    assert receipts_of(platform) == [{"pending": 1}] * 9 + [{"unbound": 1}]
    assert shop.result(notice, 10)["outstanding"] == 3


def test_a_receipt_without_its_manifest_is_not_touched(shop: Shop, platform: Platform) -> None:
    notice = shop.manifest()["notice"]
    (shop.into / f"{notice}.1.receipt.csv").write_text(f"number,outcome\n{NUMBERS[0]},unbound\n")
    (shop.into / f"{notice}.2.receipt.json.part").write_text("{}")
    assert not takes(reader_of(platform))
    assert (list(shop.out.glob("*.result.json")), receipts_of(platform)) == ([], [])


def test_a_manifest_that_is_still_being_written_is_left_until_it_is_whole(
    shop: Shop, platform: Platform, clock: Clock
) -> None:
    notice, reader = shop.manifest()["notice"], reader_of(platform)
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    path = shop.into / f"{notice}.1.receipt.json"
    whole = path.read_text()
    path.write_text(whole[:20])
    assert not takes(reader)
    clock.forward(seconds=30)
    path.write_text(whole)
    assert takes(reader)
    assert shop.result(notice)["problem"] is None


def test_a_receipt_that_stays_half_written_is_refused_after_a_minute(shop: Shop, platform: Platform, clock: Clock) -> None:
    notice, reader = shop.manifest()["notice"], reader_of(platform)
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    path = shop.into / f"{notice}.1.receipt.csv"
    path.write_bytes(path.read_bytes()[:-8])
    assert not takes(reader)
    clock.forward(seconds=61)
    assert takes(reader)
    problem = shop.result(notice)["problem"]
    assert (problem["status"], problem["type"]) == (422, "urn:huanxin:problem:bad-input")
    assert "hashes to" in problem["detail"]
    assert receipts_of(platform) == []


@pytest.mark.parametrize(
    ("lines", "count", "line", "reason"),
    [
        (["+8613900139000,unbound,,"], 1, 2, "not in this notice"),
        ([f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},refused,,"], 2, 3, "needs its reason"),
        ([f"{NUMBERS[0]},unbound,,"], 2, 0, "the manifest says 2 lines, the receipt has 1"),
    ],
)
def test_a_receipt_is_refused_whole_with_its_lines_and_reasons(
    shop: Shop, platform: Platform, lines: list[str], count: int, line: int, reason: str
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer(lines, notice=notice, count=count)
    takes(reader_of(platform))
    result = shop.result(notice)
    assert (result["accepted"], result["problem"]["errors"][0]["line"]) == (None, line)
    assert reason in result["problem"]["errors"][0]["reason"]
    assert receipts_of(platform) == []
    shop.answer([f"{one},unbound,," for one in NUMBERS[:2]], notice=notice, part=2, replaces=[1])
    platform.clock.forward(minutes=1)  # type: ignore[attr-defined]
    takes(reader_of(platform))
    assert shop.result(notice, 2)["outstanding"] == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"receipt": "../secret.csv"}, "has to be named"),
        ({"notice": "nt_other"}, "another notice"),
        ({"complete": "yes"}, "complete"),
        ({"count": None}, "count"),
    ],
)
def test_a_manifest_that_cant_be_meant_so_is_refused(
    shop: Shop, platform: Platform, change: dict[str, object], reason: str
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    path = shop.into / f"{notice}.1.receipt.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    takes(reader_of(platform))
    problem = shop.result(notice)["problem"]
    assert problem["status"] == 400
    assert reason in problem["detail"]


def test_another_partners_notice_is_as_unknown_as_none(
    platform: Platform, report: Report, tmp_path: Path, clock: Clock
) -> None:
    """Rule 5, and nobody answers for another."""
    mine, theirs = Shop.opened(platform, "mine", tmp_path), Shop.opened(platform, "theirs", tmp_path)
    cancelled(platform, report)
    batch = planned(platform)
    send_now(platform, batch)
    other = notice_of(platform, theirs.partner, batch)
    for notice in (other, "nt_none"):
        mine.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    takes(reader_of(platform))
    problems = [mine.result(notice)["problem"] for notice in (other, "nt_none")]
    assert [problem["status"] for problem in problems] == [404, 404]
    assert problems[0]["detail"].replace(other, "") == problems[1]["detail"].replace("nt_none", "")
    assert (list(theirs.out.glob("*")), receipts_of(platform)) == ([], [])


def test_a_receipt_longer_than_the_limit_is_not_taken(shop: Shop, platform: Platform, clock: Clock) -> None:
    notice, reader = shop.manifest()["notice"], reader_of(platform, limit=40)
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    assert not takes(reader)
    clock.forward(minutes=2)
    assert takes(reader)
    assert "longer than 40 bytes" in shop.result(notice)["problem"]["detail"]


def test_two_workers_at_once_take_a_receipt_once(shop: Shop, platform: Platform) -> None:
    notice = shop.manifest()["notice"]
    for part in range(1, 6):
        shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice, part=part)
    readers = [reader_of(platform) for _ in range(2)]
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda one=one: taken.append(takes(one))) for one in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, True]
    assert len(receipts_of(platform)) == 5


def test_a_folder_that_the_platform_stumbles_over_does_not_keep_others_from_being_read(
    platform: Platform, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = Shop.opened(platform, "bad", tmp_path), Shop.opened(platform, "good", tmp_path)
    cancelled(platform, report)
    batch = planned(platform)
    send_now(platform, batch)
    for shop in (bad, good):
        shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice_of(platform, shop.partner, batch))
    fetch = Folder.fetch

    def stumbling(folder: Folder, name: str, to: Path, limit: int) -> None:
        if folder.url == str(bad.into):
            raise RuntimeError("a fault of ours")
        fetch(folder, name, to, limit)

    monkeypatch.setattr(Folder, "fetch", stumbling)
    assert takes(reader_of(platform))
    assert good.result(notice_of(platform, good.partner, batch))["outstanding"] == 0
    assert list(bad.out.glob("*.result.json")) == []
    with platform.database.transaction() as tx:
        (noted,) = partners.events_of(tx, bad.partner.id, kind="folder-unreachable")
    assert noted.detail["why"] == "the platform failed: RuntimeError"


def _killed_before_the_manifest(dsn: str, passphrase: str, now: AnyClock) -> None:
    """A worker of its own process that dies between the number file and the manifest."""
    put = Folder.put

    def dying(folder: Folder, name: str, content: bytes) -> None:
        if name.endswith(".notice.json"):
            os._exit(9)
        put(folder, name, content)

    setattr(Folder, "put", dying)  # noqa: B010  # this process is made to die there
    with Database(dsn) as database:
        platform = Platform(
            database=database, plan=chinese_plan(), rules=Rules(), issuer="http://127.0.0.1:1", clock=now, development=True
        )
        FileWriter(database=database, signer=signer_of(platform), folders=rules_of(platform), clock=now).one_job()


def test_a_worker_killed_before_the_manifest_leaves_nothing_that_counts_and_the_next_finishes(
    platform: Platform, report: Report, tmp_path: Path, clock: Clock
) -> None:
    shop = Shop.opened(platform, "shop", tmp_path)
    cancelled(platform, report)
    send_now(platform, planned(platform))
    signer_of(platform).keys()
    child = multiprocessing.get_context("spawn").Process(
        target=_killed_before_the_manifest, args=(platform.database.dsn, "test", clock)
    )
    child.start()
    child.join(60)
    assert child.exitcode == 9
    assert [path.name.partition(".")[2] for path in shop.out.iterdir()] == ["numbers.csv"]
    until(writer_of(platform).one_job)  # the database may not know at once that the first one is gone
    assert shop.manifest()["count"] == 4


def test_workers_write_read_and_answer_by_themselves(
    platform: Platform, report: Report, tmp_path: Path, clock: Clock
) -> None:
    shop = Shop.opened(platform, "shop", tmp_path)
    cancelled(platform, report)
    batch = planned(platform)
    settings = Settings(home=tmp_path, mode=Mode.DEVELOPMENT, workers=2)
    workers = make_workers(platform, settings, open_signer(platform, settings))
    workers.start()
    try:
        send_now(platform, batch)
        notice = notice_of(platform, shop.partner, batch)
        shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
        clock.forward(minutes=1)  # whenever the folder was looked into first, its turn comes again
        wanted = [shop.out / f"{notice}.notice.json", shop.out / f"{notice}.1.result.json"]
        until(lambda: all(path.exists() for path in wanted), 30)
    finally:
        workers.stop()
    assert shop.result(notice)["outstanding"] == 0
    assert shop.manifest()["count"] == 4


def test_a_folder_that_cant_be_reached_is_tried_again_and_each_try_is_recorded(
    platform: Platform, report: Report, tmp_path: Path, clock: Clock
) -> None:
    shop = Shop.opened(platform, "shop", tmp_path)
    cancelled(platform, report)
    send_now(platform, planned(platform))
    shop.out.rename(tmp_path / "moved")
    writer, reader = writer_of(platform), reader_of(platform)
    shop.answer([], notice="nt_x", complete=True)
    assert writer.one_job()
    assert not takes(reader)
    assert not writer.one_job()
    assert not takes(reader)  # not before its time
    (tmp_path / "moved").rename(shop.out)
    clock.forward(seconds=11)
    assert writer.one_job()
    assert takes(reader)
    with platform.database.transaction() as tx:
        (event,) = attempts.latest(tx, shop.partner.id)
        tries = attempts.attempts_of(tx, [event.jti])[event.jti]
        noted = partners.events_of(tx, shop.partner.id, kind="folder-unreachable")
    assert [bool(one.answer.startswith("written")) for one in tries] == [False, True]
    assert "FileNotFoundError" in tries[0].answer
    assert [one.detail["attempt"] for one in noted] == [1]


def test_an_object_store_shows_a_notice_whole_without_names_in_between(platform: Platform, report: Report) -> None:
    import fsspec

    partner = register(platform, "cloud")
    with platform.act("li") as act:
        use_files(act, partner.id, out="memory://cloud/OUT", into="memory://cloud/IN")
    cancelled(platform, report)
    batch = planned(platform)
    send_now(platform, batch)
    assert writer_of(platform).one_job()
    assert not takes(reader_of(platform))  # an IN without anything is no fault
    store, notice = fsspec.filesystem("memory"), notice_of(platform, partner, batch)
    assert sorted(store.ls("/cloud/OUT", detail=False)) == [
        f"/cloud/OUT/{notice}.notice.json",
        f"/cloud/OUT/{notice}.numbers.csv",
    ]
    with platform.database.transaction() as tx:
        assert partners.events_of(tx, partner.id, kind="folder-unreachable") == []


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("sftp://shop:secret@files.example/OUT", "may not hold a password"),
        ("s3://KEY:SECRET@bucket/OUT", "may not hold a password"),
        ("s3://KEY@bucket/OUT", "may not hold a password"),
        ("OUT", "not a whole address"),
        ("https://files.example/OUT", "through https"),
        ("zip://x::file:///a/b.zip", "chains"),
        ("gopher://files.example/OUT", "through gopher"),
    ],
)
def test_an_address_that_is_unsafe_or_useless_is_refused_with_what_to_do(
    platform: Platform, tmp_path: Path, out: str, reason: str
) -> None:
    partner = register(platform, "shop")
    with pytest.raises(BadInput, match=reason), platform.act("li") as act:
        use_files(act, partner.id, out=out, into=str(tmp_path))


def test_no_two_partners_share_a_folder(platform: Platform, tmp_path: Path) -> None:
    """Else one would read the other's notices."""
    shop, other = Shop.opened(platform, "shop", tmp_path), register(platform, "other")
    with pytest.raises(Conflict, match="another partner's"), platform.act("li") as act:
        use_files(act, other.id, out=str(tmp_path / "o"), into=f"file://{shop.into}/")
    with pytest.raises(BadInput, match="a folder each"), platform.act("li") as act:
        use_files(act, other.id, out=str(tmp_path), into=str(tmp_path))
