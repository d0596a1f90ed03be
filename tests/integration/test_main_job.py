"""Plan, notify, answer, release over HTTP: what a partner may do, what is refused, and what is never released."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from answering import NUMBERS, World, answering
from clocks import Clock
from holding import hold
from huanxin.acts import Platform
from huanxin.domain.errors import Conflict
from huanxin.domain.numbers import parse
from huanxin.release.explain import explain
from huanxin.release.holds import lift_hold
from huanxin.release.listing import gate_table
from huanxin.release.waiving import SILENT, waive
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import releases
from ordering import imported, plan_now, send_now


@pytest.fixture
def world(platform: Platform, report: Callable[..., Path], tmp_path: Path) -> Iterator[World]:
    with answering(platform, report, tmp_path) as made:
        yield made


def test_numbers_are_released_only_when_every_answer_is_in_and_the_freeze_is_over(
    world: World, tmp_path: Path, clock: Clock
) -> None:
    world.music.file([f"{NUMBERS[0]},unbound,,"], complete=True)
    assert world.released(tmp_path / "a") == []  # the bank has not answered
    answer = world.bank.file([f"{NUMBERS[1]},refused,debt,", f"{NUMBERS[2]},pending,,2026-12-01"], complete=True)
    assert answer.status_code == 201
    assert answer.json()["outstanding"] == 0
    assert world.released(tmp_path / "b") == [f"{NUMBERS[0]},2026-11-19", f"{NUMBERS[3]},2026-11-19"]
    world.bank.file([f"{NUMBERS[2]},unbound,,"])
    clock.forward(days=11)  # the later two leave their freeze on December 5
    assert sorted(world.released(tmp_path / "b")) == [
        f"{NUMBERS[0]},2026-11-19",
        f"{NUMBERS[2]},2026-11-19",
        f"{NUMBERS[3]},2026-11-19",
        f"{NUMBERS[4]},2026-12-05",
        f"{NUMBERS[5]},2026-12-05",
    ]


def test_the_last_day_of_the_freeze_is_not_yet_its_end(world: World, tmp_path: Path, clock: Clock) -> None:
    for partner in (world.music, world.bank):
        partner.file([], complete=True)
    clock.now = datetime.fromisoformat("2026-12-04T23:59:59+08:00")
    assert len(world.released(tmp_path)) == 4
    clock.forward(seconds=1)
    assert len(world.released(tmp_path)) == 6


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["+8613900139000,unbound,,"], "not in this notice"),
        ([f"{NUMBERS[0]},deleted,,"], "'deleted'"),
        ([f"{NUMBERS[0]},refused,,"], "needs its reason"),
        ([f"{NUMBERS[0]},refused,moody,"], "reason is unknown"),
        ([f"{NUMBERS[0]},restored,,"], "can't answer a renewal"),
        (["1.38E+10,unbound,,"], "spreadsheet"),
        ([f"{NUMBERS[0]},unbound,,", f"{NUMBERS[0]},refused,debt,"], "two ways"),
    ],
)
def test_a_receipt_with_a_bad_line_is_refused_whole(world: World, lines: list[str], reason: str) -> None:
    answer = world.music.file([f"{NUMBERS[5]},unbound,,", *lines], complete=True)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in answer.json()["errors"][0]["reason"]
    assert len(world.gate().gate.standings[world.music.id].answered()) == 0


def test_a_damaged_or_shortened_body_leaves_nothing_behind(world: World) -> None:
    body = b"number,outcome,reason,until\n" + f"{NUMBERS[0]},unbound,,\n".encode()
    digest = base64.b64encode(hashlib.sha256(b"something else").digest()).decode()
    assert world.music.file(body, headers={"Content-Digest": f"sha-256=:{digest}:"}).status_code == 422
    assert world.music.file(gzip.compress(body)[:-5], headers={"Content-Encoding": "gzip"}).status_code == 400
    assert world.music.file(body, headers={"Content-Encoding": "br"}).status_code == 415
    assert not world.gate().gate.standings[world.music.id].answered()
    right = base64.b64encode(hashlib.sha256(gzip.compress(body, mtime=0)).digest()).decode()
    packed = {"Content-Encoding": "gzip", "Content-Digest": f"sha-256=:{right}:"}
    assert world.music.file(gzip.compress(body, mtime=0), headers=packed).status_code == 201


def test_the_same_receipt_twice_is_one_receipt(world: World) -> None:
    first, again = (world.music.file([f"{NUMBERS[0]},pending,,"], complete=True) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["receipt"] == again.json()["receipt"]


def test_a_partner_can_neither_see_nor_answer_anothers_notice(world: World) -> None:
    """Rule 5; and the answer is the same as for a notice that does not exist."""
    theirs = world.bank.notices()[0]["notice"]
    for notice in (theirs, "nt_none"):
        assert world.music.http.get(f"/partner/v1/notices/{notice}/numbers", headers=world.music.headers).status_code == 404
        assert world.music.file([], complete=True, notice=notice).status_code == 404
    assert world.http.get("/partner/v1/notices").status_code == 401
    assert world.http.get("/partner/v1/notices", headers={"Authorization": "Bearer x.y.z"}).status_code == 401


def test_the_number_file_hashes_to_what_the_notice_says_and_comes_in_ranges(world: World) -> None:
    notice = world.music.notices()[0]["notice"]
    with world.platform.database.transaction() as tx:
        batch = batches.get(tx, world.batch)
    assert batch is not None
    url = f"/partner/v1/notices/{notice}/numbers"
    for media_type in ("text/csv", "application/vnd.apache.parquet"):
        whole = world.http.get(url, headers=world.music.headers | {"Accept": media_type})
        assert hashlib.sha256(whole.content).hexdigest() == batch.files[media_type]["sha256"]
    text = world.http.get(url, headers=world.music.headers | {"Accept": "text/csv"})
    assert text.text.splitlines() == ["number", *NUMBERS]
    part = world.http.get(url, headers=world.music.headers | {"Accept": "text/csv", "Range": "bytes=7-20"})
    assert (part.status_code, part.text) == (206, NUMBERS[0])
    assert text.headers["etag"] == f'"{batch.files["text/csv"]["sha256"]}"'


def test_a_reclaimed_number_is_taken_back_from_every_partner_and_never_released(
    world: World, report: Callable[..., Path], tmp_path: Path
) -> None:
    """Rule 3: else the former owner comes back to find their accounts gone and their number sold."""
    path = report(f"{NUMBERS[0]},reclaimed,2026-11-24T00:30:00Z", name="later.csv")
    done = imported(world.platform, path, carrier="cmcc", by="li")
    assert [batch.count for batch in done.retractions] == [1]
    for partner in (world.music, world.bank):
        partner.file([], complete=True, notice=partner.notices()[1]["notice"])
        newest = partner.notices()[0]
        assert newest["purpose"] == "retraction"
        assert partner.file([f"{NUMBERS[0]},restored,,"], complete=True, notice=newest["notice"]).status_code == 201
    assert NUMBERS[0] not in ",".join(world.released(tmp_path))
    assert len(world.gate().gate.released) == 3


def test_a_hold_keeps_a_number_until_it_is_lifted(world: World, tmp_path: Path) -> None:
    platform = world.platform
    order = hold(platform, [parse(NUMBERS[0])])
    for partner in (world.music, world.bank):
        partner.file([], complete=True)
    assert len(world.released(tmp_path)) == 3
    with platform.act("wang") as act:
        lift_hold(act, order, reason="cleared")
    assert len(world.released(tmp_path)) == 4


def test_a_waiver_is_a_named_decision_and_frees_only_what_its_partner_keeps_open(world: World, tmp_path: Path) -> None:
    world.music.file([], complete=True)
    with world.platform.act("lin") as act:
        freed = waive(act, world.batch, partner_id=world.bank.id, only=None, reason="silent for a week")
    assert (freed.count, freed.said) == (6, {SILENT: 6})
    rows = gate_table(world.gate()).to_pylist()
    waived = {(row["partner"], row["reason"], row["by"]) for row in rows if row["state"] == "waived"}
    assert waived == {("bank", "silent for a week", "lin (one person)")}
    assert len(world.released(tmp_path)) == 4
    with pytest.raises(Conflict), world.platform.act("lin") as act:
        waive(act, world.batch, partner_id=world.music.id, only=None, reason="x")


def test_an_answer_that_comes_after_the_release_is_recorded_as_a_breach(world: World, tmp_path: Path) -> None:
    for partner in (world.music, world.bank):
        partner.file([], complete=True)
    world.released(tmp_path)
    world.bank.file([f"{NUMBERS[0]},refused,debt,"])
    with world.platform.database.transaction() as tx:
        found = releases.breaches(tx)
    assert [(breach.kind, breach.partner, breach.count) for breach in found] == [("answered-after-release", "bank", 1)]


def test_a_number_sold_without_a_release_is_recorded_as_a_breach(world: World, report: Callable[..., Path]) -> None:
    path = report(f"{NUMBERS[0]},opened,2026-11-24T00:30:00Z", name="sold.csv")
    assert imported(world.platform, path, carrier="cmcc", by="li").breaches == 1


def test_nothing_is_planned_or_sent_twice(world: World) -> None:
    assert plan_now(world.platform, by="li") is None
    send_now(world.platform, world.batch)
    with world.platform.database.transaction() as tx:
        assert len(notices.of_batch(tx, world.batch)) == 2


def test_explain_names_the_partner_and_the_fact_that_keeps_a_number(world: World) -> None:
    world.music.file([], complete=True)
    world.bank.file([f"{NUMBERS[0]},refused,legal_hold,2027-01-01"], complete=True)
    with world.platform.read() as reading:
        why = explain(reading, parse(NUMBERS[0]))
    kept = [finding for finding in why.findings if not finding.ok]
    assert [finding.text for finding in kept] == ["refused (legal_hold) until 2027-01-01"]
    assert "bank" in kept[0].rule
    assert not why.clear


def test_pages_answer_people_and_problems_answer_programs(world: World) -> None:
    assert "号码" in world.http.get("/", headers={"Accept": "text/html"}).text
    assert f"<h1>Batch {world.batch}</h1>" in world.http.get(f"/batches/{world.batch}?lang=en").text
    missing = world.http.get("/batches/99", headers={"Accept": "text/html"})
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")
    assert world.http.get("/batches/99").json()["type"] == "urn:huanxin:problem:not-found"
    assert world.http.get("/readyz").json() == {"status": "ready", "disk": "ok"}
