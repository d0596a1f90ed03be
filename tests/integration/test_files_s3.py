"""Files through S3, with a server in a process of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

import s3_server
from clocks import Clock
from exchanging import NUMBERS, cancelled, chosen, last_answer, notice_of, planned, reader_of, register, takes, writer_of
from huanxin.acts import Platform
from huanxin.notify.files import use_files
from huanxin.notify.own_folders import FolderAccess
from huanxin.store.connect import partners
from huanxin.store.notify import attempts
from huanxin_partner.filechannel import Exchange
from huanxin_partner.folders import Folder
from huanxin_partner.ties import Answer
from ordering import send_now
from processes import answers, free_port, started, until

BUCKET = "s3://exchange"


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    """A server with an empty bucket, which the environment leads to."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    known = {"ENDPOINT_URL": address, "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "us-east-1"}
    with started([s3_server.__file__, str(port)]), pytest.MonkeyPatch.context() as patch:
        for name, value in known.items():
            patch.setenv(f"AWS_{name}", value)
        until(lambda: answers(port))
        assert httpx.put(f"{address}/exchange").is_success
        yield


def told(platform: Platform, report: Callable[..., Path], *, bucket: str = BUCKET) -> tuple[int, str]:
    """A partner that is told through a bucket; its id and its notice."""
    partner = register(platform, "shop")
    with platform.act("li") as act:
        use_files(act, partner.id, out=f"{bucket}/shop/OUT", into=f"{bucket}/shop/IN")
    cancelled(platform, report)
    batch = planned(platform)
    send_now(platform, batch)
    return partner.id, notice_of(platform, partner, batch)


def test_a_notice_goes_out_and_a_receipt_comes_in_over_s3(
    platform: Platform, report: Callable[..., Path], clock: Clock
) -> None:
    _, notice = told(platform, report)
    reader = reader_of(platform)
    assert not takes(reader)  # nothing is there yet, not even the folder, which is no fault of an object store
    assert writer_of(platform).one_job()
    theirs = Exchange(out=Folder(f"{BUCKET}/shop/OUT"), inbox=Folder(f"{BUCKET}/shop/IN"))
    assert theirs.out.names(".json") == [f"{notice}.notice.json"]
    manifest = json.loads(theirs.out.read(f"{notice}.notice.json"))
    theirs.knows(manifest["sha256"], manifest["numbers"], manifest["count"])
    with theirs.numbers("", manifest["sha256"]) as lines:
        assert lines.read().split() == ["number", *NUMBERS]
    theirs.file_receipt(notice, [Answer(number=NUMBERS[0], outcome="unbound")], complete=True)
    clock.forward(minutes=1)
    assert takes(reader)
    assert theirs.out.names(".result.json") == [f"{notice}.1.result.json"]
    result = json.loads(theirs.out.read(f"{notice}.1.result.json"))
    assert (result["problem"], result["accepted"], result["outstanding"]) == (None, {"unbound": 1}, 0)


def test_a_bucket_that_is_not_there_is_told_and_tried_again(platform: Platform, report: Callable[..., Path]) -> None:
    partner, _ = told(platform, report, bucket="s3://elsewhere")
    assert writer_of(platform).one_job()
    with platform.database.transaction() as tx:
        (event,) = attempts.latest(tx, partner)
        (attempt,) = attempts.attempts_of(tx, [event.jti])[event.jti]
    assert "bucket does not exist" in attempt.answer
    assert event.next_at is not None


def test_a_partner_that_chose_its_bucket_itself_is_reached_with_its_own_keys(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # the operator's own, where nobody answers
    partner = register(platform, "chooser")
    login = FolderAccess(access_key="k", secret_key="s", s3_endpoint=address, s3_region="us-east-1")
    chosen(platform, partner, f"{BUCKET}/chooser", login)
    assert writer_of(platform).one_job()
    assert "event.json" in last_answer(platform, partner)
    assert not takes(reader_of(platform))
    with platform.database.transaction() as tx:
        assert partners.events_of(tx, partner.id, kind="folder-unreachable") == []
