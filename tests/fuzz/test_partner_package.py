"""What a partner's installation reads: tokens, polls, manifests and results in folders, receipts in a rehearsal, stored
times, its own settings."""

from __future__ import annotations

import json
import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import strategies as st

from fuzz.fuzzing import tried
from fuzz.mangling import BYTES, DEEP, ODD, documents, mangled, texts, values
from fuzz.test_signed import KEY, odd_tokens, signed, tokens
from huanxin_partner.client import Passing, Platform, PlatformError
from huanxin_partner.commands import settings
from huanxin_partner.diagnosis import Examiner
from huanxin_partner.filechannel import Exchange, Mail
from huanxin_partner.folders import Folder
from huanxin_partner.journal import Journal
from huanxin_partner.outbox import Outbox
from huanxin_partner.polling import Inbox
from huanxin_partner.rehearsal.notices import BadReceipt, PlayedNotice
from huanxin_partner.stream import PolledStream
from huanxin_partner.taking import MEDIA_TYPE, take
from huanxin_partner.times import EARLIEST, LATEST, BadForm, Times
from huanxin_partner.tokens import KeysUnreachable, Verifier, fetch_keys
from partner_signing import ISSUER, NOW, Served, claims, jwks

RISC = "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled"
PHONE = {"format": "phone_number", "phone_number": "+8613800138000"}
BATCH = {
    "notice": "n1",
    "scope": "batch",
    "count": 2,
    "cutoff": "2026-11-24T05:00:00Z",
    "answer_by": "2026-12-01T00:00:00Z",
    "numbers": {"url": f"{ISSUER}/numbers", "sha256": {"text/csv": "0" * 64}},
}
EVENTS = [
    claims(),
    claims(events={"urn:huanxin:event:renewal": BATCH}, sub_id={"format": "opaque", "id": "n1"}),
    claims(events={"urn:huanxin:event:retraction": BATCH | {"of": "n0"}}),
    claims(events={RISC: {"event_timestamp": NOW}}),
    claims(events={"urn:huanxin:event:inquiry": {"notice": "n1", "scope": "request"}}),
]


@pytest.fixture
def verifier(monkeypatch: pytest.MonkeyPatch) -> Verifier:
    monkeypatch.setattr("time.time", lambda: float(NOW))
    return Verifier(issuer=ISSUER, audience="pc_1", client=Served(KEY).client)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


def test_pushed_tokens(request: pytest.FixtureRequest, verifier: Verifier, journal: Journal) -> None:
    class Refused(Exception):
        """What the platform is told."""

    def receive(given: str) -> None:
        reply = take(given.encode("utf-8", "surrogateescape"), MEDIA_TYPE, verifier, journal)
        assert reply.status in (202, 400)
        if reply.status != 202:
            raise Refused((reply.said or {})["description"])

    half = signed(claims(jti="\ud800"), {"typ": "secevent+jwt"})
    known = [half, *(one.encode("utf-8", "replace").decode() for one in odd_tokens())]
    tried(request, receive, tokens(*EVENTS, typ="secevent+jwt"), known=known, refuses=(Refused,))


def test_the_self_test_of_a_token(request: pytest.FixtureRequest) -> None:
    def keys() -> Any:
        return fetch_keys(ISSUER, Served(KEY).client)

    examiner = Examiner(issuer=ISSUER, audience="pc_1", keys=keys, now=NOW)

    def examine(given: str) -> None:
        for check in examiner.examine(given.encode("utf-8", "replace").decode()):
            assert check.seen.encode() is not None

    tried(request, examine, tokens(*EVENTS, typ="secevent+jwt"), known=odd_tokens(), most=80)


def test_what_the_platform_publishes_and_answers(
    request: pytest.FixtureRequest, verifier: Verifier, journal: Journal
) -> None:
    """A platform that is not ours, or a proxy before it."""
    configuration = {"issuer": ISSUER, "configuration_endpoint": f"{ISSUER}/ssf/stream", "jwks_uri": f"{ISSUER}/jwks.json"}
    stream = {"stream_id": "s", "delivery": {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{ISSUER}/ssf/poll"}}
    right: dict[str, Any] = {
        "/oauth/token": {"access_token": "a", "token_type": "Bearer", "expires_in": 600},
        "/jwks.json": jwks(KEY),
        "/.well-known/ssf-configuration": configuration,
        "/ssf/stream": [stream],
        "/ssf/poll": {"sets": {"j1": signed(EVENTS[0], {"typ": "secevent+jwt"})}},
    }

    def poll(given: tuple[str, int, bytes]) -> None:
        path, status, said = given

        def answer(asked: httpx.Request) -> httpx.Response:
            if asked.url.path == path:
                return httpx.Response(status, content=said)
            return httpx.Response(200, json=right[asked.url.path])

        client = httpx.Client(transport=httpx.MockTransport(answer))
        platform = Platform(ISSUER, client_id="pc_1", client_secret="s", client=client, attempts=1)
        reader = Verifier(issuer=ISSUER, audience="pc_1", client=client)
        stream_ = PolledStream(platform=platform)
        Inbox(verifier=reader, journal=journal, wake=lambda: None)(stream_, stream_.poll())

    odd = st.sampled_from(sorted(right)).flatmap(
        lambda path: st.tuples(st.just(path), st.sampled_from((200, 200, 200, 400, 429, 503)), documents(right[path]))
    )
    deep = b"[" * DEEP + b"]" * DEEP
    known = [
        (path, status, said)
        for path in right
        for status in (200, 400)
        for said in (deep, b"\xff", b"[]", b'"x"', b"null", b"1")
    ]
    refuses = (PlatformError, Passing, KeysUnreachable, httpx.TransportError)
    tried(request, poll, odd, known=known, most=100, refuses=refuses)


def test_files_that_the_platform_leaves(
    request: pytest.FixtureRequest, verifier: Verifier, journal: Journal, tmp_path: Path
) -> None:
    class NotTaken(Exception):
        """What the partner's log says."""

    out = tmp_path / "out"
    out.mkdir()
    manifest = {
        "notice": "n1",
        "purpose": "renewal",
        "count": 2,
        "sha256": "0" * 64,
        "numbers": "n1.csv",
        "set": signed(EVENTS[1], {"typ": "secevent+jwt"}),
    }
    result = {"notice": "n1", "accepted": {"unbound": 1}, "outstanding": 0, "confirmation": signed({"a": 1})}
    refusal = {"notice": "n1", "problem": {"type": "x", "title": "y", "status": 422, "errors": [{"line": 1, "reason": "z"}]}}
    waiting = {"notice": "n1", "waits_for": [1]}
    kinds: dict[str, list[Any]] = {
        "n1.notice.json": [manifest],
        "n1.1.result.json": [result, refusal],
        "n1.1.waiting.json": [waiting],
    }

    def fetch(given: tuple[str, bytes]) -> None:
        name, content = given
        for left in out.iterdir():
            left.unlink()
        (out / name).write_bytes(content)
        told: list[str] = []
        exchange = Exchange(out=Folder(str(out)), inbox=Folder(str(out)), outbox=Outbox())
        mail = Mail(exchange=exchange, verifier=verifier, journal=journal, say=told.append, clock=lambda: float(NOW))
        if mail.fetch():
            raise NotTaken(told[0])

    odd = st.sampled_from(sorted(kinds)).flatmap(lambda name: st.tuples(st.just(name), documents(*kinds[name])))
    known = [(name, content) for name in kinds for content in (*BYTES, b"[" * DEEP + b"]" * DEEP, b"null", b"{}")]
    tried(request, fetch, odd, known=known, most=100, refuses=(NotTaken, KeysUnreachable))


def test_receipts_in_a_rehearsal(request: pytest.FixtureRequest) -> None:
    rows = b"number,outcome,reason,until\n+8613800138000,unbound,,\n+8613800138001,refused,debt,2026-12-01\n"

    def file(content: bytes) -> None:
        PlayedNotice(id="n1", numbers=["+8613800138000", "+8613800138001"]).file(content, complete=False)

    long = rows + b"+8613800138000," + b"x" * 200_000
    tried(request, file, mangled([rows]), known=[rows, b"", long, *BYTES], refuses=(BadReceipt,))


stored = st.one_of(
    texts,
    values,
    st.datetimes(timezones=st.sampled_from((None, UTC, ZoneInfo("Asia/Shanghai")))),
    st.dates(),
    st.decimals(),
    st.datetimes().map(lambda one: one.isoformat(" ")),
    st.integers(10**9, 10**17),
    st.integers(10**9, 10**17).map(str),
    mangled([b"2026-11-24T05:08:00+08:00", b"2026-11-24", b"20261124", b"1795496880", b"1795496880000"]).map(
        lambda one: one.decode("utf-8", "replace")
    ),
)


@pytest.mark.parametrize(
    "form", ["", "seconds", "microseconds", "%Y%m%d", "%d.%m.%y %H:%M:%S.%f", "%Y-%j", "%G%V%u", "%H:%M %z %Y-%m-%d"]
)
def test_stored_times(request: pytest.FixtureRequest, form: str) -> None:
    """What is read is in no doubt, and never earlier than it may be."""
    times = Times(zone=ZoneInfo("Asia/Shanghai"), form=form)

    def read(value: object) -> None:
        found = times.latest(value)
        assert found is None or EARLIEST <= found < LATEST
        if isinstance(value, datetime) and value.tzinfo and found:
            assert value <= found <= value + timedelta(seconds=1)

    known = [
        float("nan"),
        float("inf"),
        Decimal("sNaN"),
        Decimal("1e9999999"),
        -(10**400),
        date.min,
        date.max,
        datetime.max.replace(tzinfo=UTC),
        *ODD,
    ]
    tried(request, read, stored, known=known, most=100)


def test_forms_of_times(request: pytest.FixtureRequest) -> None:
    def make(form: str) -> None:
        Times(form=form).latest("20261124")

    parts = st.lists(st.sampled_from([*"%YmdHMSfzjGVuy .:-T%[](\\^", "%Y", "%m", "%d", "%H", "%%"]), max_size=8).map("".join)
    tried(request, make, st.one_of(parts, texts), known=["%Y%m%d", "seconds"], most=100, refuses=(BadForm,))


CONFIG = f"""
issuer = "{ISSUER}"
client_id = "pc_1"
client_secret = "s"
database = "site.db"
table = "users"
number_column = "phone"
bound_at_column = "since"
zone = "Asia/Shanghai"
bound_at_form = "%Y%m%d"
files_out = "out"
files_in = "in"
"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    for one in [one for one in os.environ if one.startswith("HUANXIN_PARTNER_")]:
        monkeypatch.delenv(one)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "partner.toml"  # type: ignore[return-value]


def test_settings(request: pytest.FixtureRequest, alone: Path) -> None:
    needed = (*settings.ACCESS, *settings.STORE)

    def read(content: bytes) -> None:
        alone.write_bytes(content)
        found = settings.load(alone, needed)
        written = "".join(f"{name} = {json.dumps(value)}\n" for name, value in found.items()).encode()
        alone.write_bytes(written)
        assert settings.load(alone, needed) == found

    known = [CONFIG.encode(), *BYTES, b"a.b.c = 1", b"[synapse]\n" + CONFIG.encode()]
    changed = st.tuples(st.sampled_from(sorted(settings._TEXTS)), texts).map(
        lambda one: (
            "".join(f"{line}\n" for line in [*CONFIG.splitlines(), ""] if not line.startswith(f"{one[0]} ")).encode()
            + f"{one[0]} = {json.dumps(one[1])}\n".encode()
        )
    )
    tried(
        request, read, st.one_of(changed, mangled([CONFIG.encode()])), known=known, most=100, refuses=(settings.BadSettings,)
    )


@pytest.mark.parametrize("reader", [settings.a_port, settings.seconds, settings.web_address])
def test_options(request: pytest.FixtureRequest, reader: Callable[[str], object]) -> None:
    words = st.one_of(texts, st.sampled_from(["8700", "0.5", "0", "60", "http://127.0.0.1:8700/", "https://a.example/x"]))
    tried(request, reader, words, known=ODD, most=100, refuses=(ArgumentTypeError,))
