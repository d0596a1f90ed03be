"""Receipts over HTTP in every form, damaged in every way; and the number file that they answer."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from joserfc import jwt
from joserfc.jwk import KeySet
from pyroaring import BitMap

from clocks import Clock
from filing import CSV, HEADING, LIMITS, LINES, NUMBERS, PARQUET, Desk, csv_of, open_desk, parquet_of
from huanxin.acts import Platform
from huanxin.store.answer import receipts
from huanxin.store.plan import batches
from huanxin.work.room import sweep


@pytest.fixture
def desk(platform: Platform, report: Callable[..., Path], tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    with open_desk(platform, report, tmp_path, clock) as opened:
        yield opened


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda body: body,
    "gzip": gzip.compress,
    "zstd": lambda body: zstandard.ZstdCompressor().compress(body),
}
every_form = pytest.mark.parametrize(("form", "write"), [(CSV, csv_of), (PARQUET, parquet_of)], ids=["csv", "parquet"])
every_packing = pytest.mark.parametrize("packing", PACKERS)


@every_form
@every_packing
def test_a_receipt_is_taken_in_every_form_and_confirmed_under_the_platforms_key(
    desk: Desk, form: str, write: Callable[[list[str]], bytes], packing: str
) -> None:
    """Without the signature a partner could not prove what it answered, or the platform deny it."""
    body = write(LINES)
    answer = desk.file(PACKERS[packing](body), form=form, Content_Encoding=packing)
    assert answer.status_code == 201, answer.text
    assert answer.json()["accepted"] == {"unbound": 1, "refused": 1, "kept": 1}
    token = jwt.decode(
        answer.json()["confirmation"], KeySet.import_key_set(desk.http.get("/jwks.json").json()), algorithms=["ES256"]
    )
    assert token.header["typ"] == "receipt-confirmation+jwt"
    said = token.claims
    assert said.pop("jti")
    assert said == {
        "iss": desk.platform.issuer, "aud": desk.registered.partner.client_id, "iat": int(desk.platform.now().timestamp()),
        "notice": desk.notice, "receipt": answer.json()["receipt"], "sha256": hashlib.sha256(body).hexdigest(),
        "complete": False, "lines": 3, "accepted": {"unbound": 1, "refused": 1, "kept": 1}, "outstanding": 197,
        "received_at": desk.platform.now().isoformat(),
    }  # fmt: skip
    again = desk.file(body, form=form)
    assert (again.status_code, again.json()["receipt"]) == (200, answer.json()["receipt"])
    assert jwt.decode(again.json()["confirmation"], KeySet.import_key_set(desk.http.get("/jwks.json").json()))


@every_form
@every_packing
def test_bad_lines_are_named_and_counted_in_every_form(
    desk: Desk, form: str, write: Callable[[list[str]], bytes], packing: str
) -> None:
    first = 2 if form == CSV else 1  # a CSV file's first line is its heading
    lines = [f"{number},unbound,," for number in NUMBERS]
    lines[7] = f"{NUMBERS[7]},deleted,,"
    lines[40:190] = ["+8613900139000,unbound,,"] * 150
    answer = desk.file(PACKERS[packing](write(lines)), form=form, Content_Encoding=packing)
    assert answer.status_code == 422
    said = answer.json()
    assert (said["errors_total"], len(said["errors"])) == (151, 100)
    assert [one["line"] for one in said["errors"][:3]] == [7 + first, 40 + first, 41 + first]
    assert "'deleted'" in said["errors"][0]["reason"]
    assert "139****9000 is not in this notice" in said["errors"][1]["reason"]
    assert desk.nothing_left()


def test_lines_with_too_many_columns_are_named_and_counted(desk: Desk) -> None:
    lines = [f"{number},unbound,," for number in NUMBERS]
    lines[3] += ",x,"
    lines[100:] = ["what,is,this,line,about"] * 100
    said = desk.file(csv_of(lines)).json()
    assert said["errors_total"] == 101
    assert [one["line"] for one in said["errors"][:2]] == [5, 102]


def test_a_number_answered_in_two_ways_is_named_with_both_its_lines(desk: Desk) -> None:
    said = desk.file(csv_of([*LINES, f"{NUMBERS[0]},kept,,"])).json()
    assert [(one["line"], "here and on line 2" in one["reason"]) for one in said["errors"]] == [(5, True)]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_packed_body_that_breaks_off_is_refused(desk: Desk, packing: str) -> None:
    """Half a receipt with `complete=true` would call every number in its other half absent."""
    body = PACKERS[packing](csv_of([f"{number},unbound,," for number in NUMBERS]))
    for short in (body[:-1], body[: len(body) // 2], body[:10]):
        answer = desk.file(short, complete=True, Content_Encoding=packing)
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:huanxin:problem:bad-request")
    assert desk.file(csv_of(LINES), Content_Encoding=packing).status_code == 400  # not packed at all
    assert desk.file(parquet_of(LINES)[:-20], form=PARQUET).status_code == 422
    assert desk.nothing_left()


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_body_packed_in_several_members_is_read_to_its_end(desk: Desk, packing: str) -> None:
    """`cat a.gz b.gz` is a gzip file; reading only `a` would pass a part for the whole (rule 7)."""
    pack = PACKERS[packing]
    body = pack(csv_of(LINES[:1])) + pack(f"{LINES[1]}\n".encode()) + pack(f"{LINES[2]}\n".encode())
    assert desk.file(body, Content_Encoding=packing).json()["accepted"] == {"unbound": 1, "refused": 1, "kept": 1}


@pytest.mark.parametrize("packing", PACKERS)
def test_a_body_that_unpacks_beyond_the_limit_is_refused_while_it_unpacks(desk: Desk, packing: str) -> None:
    bomb = PACKERS[packing](b"\n" * (LIMITS.most_bytes + 1))
    answer = desk.file(bomb, Content_Encoding=packing)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:huanxin:problem:too-large")
    assert answer.headers["connection"] == "close"
    assert desk.nothing_left()


@pytest.mark.parametrize(
    "columns",
    [
        {"number": pa.array([[NUMBERS[0]]])}, {"number": pa.array([2**64 - 1], pa.uint64())},
        {"outcome": pa.array([b"\xff"], pa.binary())}, {"until": pa.array([["2026-12-01"]])},
        {"until": pa.array([300_000_000_000], pa.timestamp("s"))},
    ],
)  # fmt: skip
def test_a_parquet_type_that_nobody_expects_is_the_sender_s_to_mend(desk: Desk, columns: dict[str, pa.Array]) -> None:
    """500 tells a partner's program that the fault is the platform's, and to send the same again."""
    out = io.BytesIO()
    pq.write_table(pa.table({"number": pa.array([NUMBERS[0]]), "outcome": pa.array(["kept"])} | columns), out)
    answer = desk.file(out.getvalue(), form=PARQUET)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:huanxin:problem:bad-input")
    assert desk.nothing_left()


def test_a_small_parquet_file_of_a_million_lines_is_not_read_to_its_end(desk: Desk) -> None:
    out = io.BytesIO()
    column = pa.array([NUMBERS[0]]).take(pa.array([0] * 1_000_000, pa.int8()))
    pq.write_table(pa.table({"number": column, "outcome": pa.array(["kept"]).take(pa.array([0] * 1_000_000))}), out)
    answer = desk.file(out.getvalue(), form=PARQUET)
    assert answer.status_code == 422
    assert "more than twice as many lines" in answer.json()["detail"]


def test_a_body_unlike_its_digest_or_its_form_is_refused(desk: Desk) -> None:
    wrong = base64.b64encode(hashlib.sha256(b"something else").digest()).decode()
    assert desk.file(csv_of(LINES), Content_Digest=f"sha-256=:{wrong}:").status_code == 422
    assert desk.file(csv_of(LINES), Content_Digest="sha-256=what").status_code == 400
    assert desk.file(csv_of(LINES), form="application/json").json()["type"] == "urn:huanxin:problem:unsupported-form"
    assert desk.file(csv_of(LINES), Content_Encoding="br").status_code == 415
    assert desk.nothing_left()
    right = base64.b64encode(hashlib.sha256(csv_of(LINES)).digest()).decode()
    assert desk.file(csv_of(LINES), Content_Digest=f"sha-256=:{right}:").status_code == 201


def test_an_upload_that_trickles_is_ended(desk: Desk) -> None:
    """Else a few clients that send a byte a minute would keep the platform's connections for themselves."""
    desk.app.state.context = replace(desk.context, limits=replace(LIMITS, grace=0.4))
    with desk.opened(5000) as raw:
        raw.sendall(b"number,outcome\n")
        answer = b"".join(iter(lambda: raw.recv(4096), b""))  # to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"urn:huanxin:problem:too-slow" in answer
    assert desk.nothing_left()


def test_complete_is_not_taken_while_it_is_silent_of_what_a_refused_part_named(desk: Desk) -> None:
    """A program that doesn't look at the answer to its first part would make what that refused absent by its last one."""
    refused = desk.file(csv_of([f"{NUMBERS[0]},refused,dept,", f"{NUMBERS[1]},unbound,,", "+8613900139000,unbound,,"]))
    assert (refused.status_code, len(refused.json()["errors"])) == (422, 2)
    rest = csv_of([f"{number},unbound,," for number in NUMBERS[2:]])
    last = desk.file(rest, complete=True)
    assert last.status_code == 422
    assert [one["line"] for one in last.json()["errors"]] == [0, 0]
    assert "138****8000 stood in a receipt that was refused" in last.json()["errors"][0]["reason"]
    assert desk.file(rest).json()["outstanding"] == 2
    assert desk.file(csv_of([f"{NUMBERS[0]},refused,debt,"])).status_code == 201
    assert desk.file(csv_of([]), complete=True).status_code == 422, "one of the two is left"
    assert desk.file(csv_of([f"{NUMBERS[1]},absent,,"]), complete=True).json()["outstanding"] == 0
    with desk.platform.database.transaction() as tx:
        (partner,) = receipts.standings(tx, desk.batch.id, BitMap(range(200))).values()
    assert len(partner.refused()) == 1


def test_a_client_that_goes_away_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huanxin.web.api.filing._SMALL", 0)  # so that it goes to disk, as a large one does
    body = csv_of([f"{number},unbound,," for number in NUMBERS])
    with desk.opened(len(body)) as raw:
        raw.sendall(body[:3000])
        until(lambda: bool(list(desk.context.uploads.glob("*"))))
    until(desk.nothing_left)
    assert desk.file(body).status_code == 201


def test_a_receipt_that_is_a_gzip_file_itself_is_bounded_as_one_that_came_packed(desk: Desk) -> None:
    """Lines of one word are no lines of a receipt and were not counted as such: a kilobyte could take a day to read."""
    refused = desk.file(gzip.compress(HEADING.encode() + b"\n" + b"x\n" * LIMITS.most_bytes))
    assert refused.status_code in (400, 422)
    assert f"once unpacked, the file is longer than {LIMITS.most_bytes:,} bytes" in refused.text
    assert desk.nothing_left()


def test_what_a_killed_server_left_behind_is_swept_away_when_it_is_old(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "receipt").write_bytes(b"number")
    os.utime(tmp_path / "old", (0, 0))
    sweep(tmp_path, older_than=3600)
    assert [left.name for left in tmp_path.iterdir()] == ["new"]


def test_a_body_announced_as_too_long_is_refused_before_it_comes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huanxin.web.api.uploads._LAST_WORDS", 0.1)
    with desk.opened(LIMITS.most_bytes + 1) as raw:
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")
    assert desk.nothing_left()


def until(so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + 10
    while not so():
        assert time.monotonic() < ends, "it never came to be"
        time.sleep(0.02)


@pytest.mark.parametrize("form", [CSV, PARQUET])
def test_a_number_file_comes_whole_or_in_ranges_and_not_again_to_whoever_has_it(desk: Desk, form: str) -> None:
    whole = desk.fetch(Accept=form)
    etag = f'"{desk.batch.files[form]["sha256"]}"'
    assert (whole.status_code, whole.headers["etag"], whole.headers["content-type"].split(";")[0]) == (200, etag, form)
    assert hashlib.sha256(whole.content).hexdigest() == etag.strip('"')
    head = desk.fetch("HEAD", Accept=form)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(whole.content)))
    begun = whole.content[:50]
    rest = desk.fetch(Accept=form, Range="bytes=50-", If_Range=etag)
    assert (rest.status_code, begun + rest.content) == (206, whole.content)
    assert desk.fetch(Accept=form, Range="bytes=-4").content == whole.content[-4:]
    assert desk.fetch(Accept=form, Range="bytes=50-", If_Range='"another"').content == whole.content
    for known in (etag, f'"x", W/{etag}', "*"):
        unchanged = desk.fetch(Accept=form, If_None_Match=known)
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag)
    assert desk.fetch(Accept=form, If_None_Match='"another"').status_code == 200


def test_a_range_that_the_file_has_not_is_a_problem_like_all_others(desk: Desk) -> None:
    beyond = desk.fetch(Range="bytes=99999-")
    assert (beyond.status_code, beyond.json()["type"]) == (416, "urn:huanxin:problem:range")
    with desk.platform.database.transaction() as tx:
        batch = batches.get(tx, desk.batch.id)
    assert batch is not None
    assert beyond.headers["content-range"] == f"bytes */{batch.files[CSV]['bytes']}"
    unread = desk.fetch(Range="lines=1-2")
    assert (unread.status_code, unread.headers["content-type"]) == (400, "application/problem+json")
    assert list(desk.context.files.glob("tmp*")) == []


def test_a_token_that_may_only_look_files_no_receipt(desk: Desk) -> None:
    """A partner gives such a token to a program that only reads: nobody may cut its answers loose with it."""
    partner = desk.registered
    grant = {"grant_type": "client_credentials", "scope": "notices"}
    granted = desk.http.post("/oauth/token", data=grant, auth=(partner.partner.client_id, partner.client_secret)).json()
    looking = replace(desk, token=granted["access_token"])
    assert looking.fetch().status_code == 200
    refused = looking.file(csv_of(LINES))
    assert refused.status_code == 403, refused.text
    many = desk.http.post("/partner/v1/receipts", content=csv_of(LINES), headers=looking.headers | {"Content-Type": CSV})
    assert many.status_code == 403, many.text
    assert desk.nothing_left()
