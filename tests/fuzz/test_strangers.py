"""What strangers send before they are partners, what stands at a domain that shall be proven, what is shown as a certificate
at the command line, and what a homeserver answers to its adapter."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import strategies as st
from typer.testing import CliRunner

from clocks import Clock
from fuzz.fuzzing import tried
from fuzz.mangling import BYTES, DEEP, documents, mangled, texts
from fuzz.test_doors import faults
from fuzz.test_signed import KEYS, odd_tokens, signed, tokens
from fuzz.test_texts import server
from huanxin.acts import Platform
from huanxin.cli.main import app
from huanxin.connect import proving
from huanxin.connect.proving import LookUpFailed, Proof
from huanxin.domain.accounts import Account
from huanxin.domain.errors import Conflict
from huanxin.domain.partners import Kind
from huanxin.outbound import Outbound
from huanxin.words.sentences import Sentence
from huanxin_partner.adapters.synapse import SynapseError, SynapseTies
from ssf_world import World, opened

__all__ = ["faults", "server"]
CHALLENGE = "hx-challenge-1"
NUMBER = "+8613800138000"


# What a company sends ---------------------------------------------------------------------------------------------------
class Refused(Exception):
    """A status of the 400s."""


@pytest.fixture
def world(platform: Platform, dsn: str, tmp_path: Path, clock: Clock) -> Iterator[World]:
    with opened(platform, dsn, tmp_path, clock) as made:
        yield made


BODIES: list[Any] = [
    {"name": "晨星商城", "kind": "app", "domain": "127.0.0.1:9", "endpoint": "http://127.0.0.1:9/events"},
    {"endpoint": "http://127.0.0.1:9/events"},
    {"keys": KEYS},
    {"out": "https://a.example/x", "in": "sftp://a@b/c", "private_key": "x", "access_key": "x", "secret_key": "x"},
]


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the server does, in a thread of its own
def test_what_companies_send_to_their_accounts(request: pytest.FixtureRequest, world: World, faults: list[str]) -> None:
    made = world.http.post("/partner/v1/accounts", json=BODIES[0]).json()["sandbox"]
    granted = world.http.post("/sandbox/oauth/token", data={"grant_type": "client_credentials"},
                              auth=(made["client_id"], made["client_secret"])).json()  # fmt: skip
    found = [(method.upper(), path) for path, ways in world.app.openapi()["paths"].items() for method in ways
             if path.startswith("/partner/v1/account") and "events" not in path]  # fmt: skip
    assert len(found) > 8

    def send(given: tuple[tuple[str, str], str, bytes, str]) -> None:
        (method, path), value, body, kind = given
        faults.clear()
        base, place, _ = path.partition("{")
        at = base + (quote(value.encode("utf-8", "surrogatepass"), safe="") or "x") if place else base
        answer = world.http.request(method, at, content=body, headers={
            "Authorization": f"Bearer {granted['access_token']}", "Content-Type": kind,
        })  # fmt: skip
        assert not faults, faults[0]
        assert answer.status_code < 500, f"{method} {path} {answer.status_code} {answer.text[:300]}"
        if answer.status_code >= 400:
            raise Refused(str(answer.status_code))

    bodies = st.one_of(documents(*BODIES), documents(*BODIES), mangled([b"a=b", json.dumps(BODIES[0]).encode()]))
    kinds = st.sampled_from(("application/json", "application/json", "application/json; charset=utf-16", "text/csv", ""))
    asked = st.tuples(st.sampled_from(found), texts, bodies, kinds)
    deep = [(one, "", b"[" * DEEP, "application/json") for one in found]
    tried(request, send, asked, known=deep, most=200, refuses=(Refused,))


# What stands at a domain ------------------------------------------------------------------------------------------------
def account(domain: str) -> Account:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return Account(
        id="ac_1", name="a", kind=Kind.APP, domain=domain, challenge=CHALLENGE, sandbox_client_id="pc_1", registered_at=at
    )  # fmt: skip


def answer(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close", *lines]
    return b"\r\n".join([*head, b"", body])


def test_what_stands_at_a_domain(request: pytest.FixtureRequest, server: tuple[str, list[bytes]]) -> None:
    """It is the challenge, or it is said in words what stands there instead."""
    address, says = server
    asked, entries = account(address.split("/")[2]), list[str]()

    def look_up(_: str) -> Sequence[str]:
        if not entries:
            raise LookUpFailed(Sentence("there is none"))
        return entries

    proof = Proof(outbound=Outbound(inner_allowed=True, longest=2), look_up=look_up, development=True)

    def look(given: tuple[bytes, list[str]]) -> None:
        says[0], entries[:] = given[0], given[1]
        assert proving.look(asked, proof) in ("file", "dns")

    text = CHALLENGE.encode()
    charsets = (b"utf-8", b"utf-16", b"utf-7", b"hex", b"idna", b"rot13", b"zlib", b"undefined", b"\xff", b'"', b"gb18030")
    right = [answer(text + b"\n", b"Content-Type: text/plain; charset=" + one) for one in charsets]
    odd = [
        *(answer(text.decode().encode(one), b"Content-Type: text/plain; charset=" + one.encode())
          for one in ("utf-16", "utf-32", "utf-7", "cp037")),
        *(answer(gzip.compress(text), b"Content-Encoding: " + one) for one in (b"gzip", b"zstd", b"br", b"gzip, gzip")),
        answer(gzip.compress(bytes(1 << 20)), b"Content-Encoding: gzip"),
        *(answer(b"", b"Location: " + to, status=status) for status in (b"301 a", b"302 a", b"307 a", b"308 a")
          for to in (b"/x", b"http://169.254.169.254/", b"http://[", b"\xff", b"file:///etc/passwd")),
        *(answer(text, b"X: " + b"y" * size) for size in (60_000, 70_000)),
        answer(text, *[b"X-%d: y" % at for at in range(200)]), answer(text, b"X"), answer(text, b"\0: \0"),
        answer(b"", status=b"204 \xff"), answer(b"", status=b"099 x"), answer(b"", status=b"1000 x"), answer(b"a" * 300_000),
        answer(b"\xff\0" * 99), answer("\u202e\ud800".encode("utf-8", "surrogatepass")),
    ]  # fmt: skip
    names = st.lists(st.one_of(texts, st.just(f"huanxin-challenge={CHALLENGE}")), max_size=4)
    tried(request, look, st.tuples(mangled([*right, *odd]), names), known=[(one, []) for one in (*right, *odd)], most=100,
          refuses=(Conflict,))  # fmt: skip


# What is shown at the command line --------------------------------------------------------------------------------------
@pytest.mark.parametrize("offline", [False, True])
def test_certificates_at_the_command_line(
    request: pytest.FixtureRequest, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    """Good or not, or one sentence; a traceback tells a shop's clerk nothing."""
    for name, value in {"DATABASE_URL": dsn, "HOME": str(tmp_path), "MODE": "development"}.items():
        monkeypatch.setenv(f"HUANXIN_{name}", value)
    shown, keys = tmp_path / "shown", tmp_path / "jwks.json"
    claims = {"iss": "https://huanxin.example", "jti": "ce_1", "iat": 1_790_000_000, "exp": 1_990_000_000,
              "sub": NUMBER, "opened_on": "2026-10-01", "before": True}  # fmt: skip

    def show(given: tuple[bytes, bytes]) -> None:
        shown.write_bytes(given[0])
        keys.write_bytes(given[1])
        ended = CliRunner().invoke(app, ["certificate", "verify", str(shown), *(["--jwks", str(keys)] if offline else [])])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), repr(ended.exception)
        assert ended.exit_code in (0, 1), ended.output
        assert ended.output.strip()

    right = json.dumps(KEYS).encode()
    texts_shown = [signed(claims), *odd_tokens(), "ce_1", "https://huanxin.example/verify/ce_1"]
    known = [(one.encode("utf-8", "surrogatepass"), right) for one in texts_shown]
    known += [(one, one) for one in BYTES]
    one = tokens(claims).map(lambda token: token.encode("utf-8", "surrogatepass"))
    both = st.tuples(st.one_of(one, mangled([signed(claims).encode()])), st.one_of(st.just(right), documents(KEYS)))
    tried(request, show, both, known=known, most=60)


# What a homeserver answers ------------------------------------------------------------------------------------------------
USER: dict[str, Any] = {
    "deactivated": False,
    "threepids": [{"medium": "msisdn", "address": "8613800138000", "validated_at": 1_700_000_000_000, "added_at": 1}],
}
TIMES: list[Any] = [None, "x", 10**400, 2**63, -1, 1e308, [], True]
SAID: dict[str, Any] = {
    "whoami": {"user_id": "@admin:hs.example", "device_id": "d"}, "msisdn": {"user_id": "@a:hs.example"}, "users": USER,
    "devices": {"devices": [{"device_id": "d"}, {"device_id": "e", "dehydrated": True}]}, "delete_devices": {},
}  # fmt: skip


def test_what_a_homeserver_answers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """An event that can't be done stays in the journal, with a reason; a traceback would be one that nobody reads."""
    cutoff, records = datetime(2026, 11, 24, tzinfo=UTC), count()

    def act(given: tuple[str, int, bytes]) -> None:
        odd, status, body = given

        def said(asked: httpx.Request) -> httpx.Response:
            path = asked.url.path
            what = next((name for name in ("whoami", "msisdn", "delete_devices", "devices") if name in path), "users")
            return httpx.Response(status, content=body) if what == odd else httpx.Response(200, json=SAID[what])

        record = tmp_path / f"{next(records)}.db"
        with httpx.Client(transport=httpx.MockTransport(said)) as client:
            ties = SynapseTies("http://hs.example", "t", record=record, client=client)
            ties.bound(NUMBER)
            ties.unbind([NUMBER], cutoff)
            ties.restore([NUMBER], cutoff)

    bodies = documents(*SAID.values())
    odd = st.tuples(st.sampled_from(sorted(SAID)), st.sampled_from((200, 200, 200, 404, 400, 500)), bodies)
    shapes: list[Any] = [None, 1, "x", [], [1], {}, {"threepids": None}, {"user_id": 1}, {"devices": [1]}, {"device_id": []},
                         USER | {"threepids": [1]}, USER | {"threepids": [{}]}, {"user_id": "\ud800"},
                         *(USER | {"threepids": [USER["threepids"][0] | {"validated_at": at}]}
                           for at in TIMES)]  # fmt: skip
    known = [(where, 200, json.dumps(one).encode()) for where in SAID for one in shapes]
    known += [(where, 200, one) for where in SAID for one in BYTES]
    tried(request, act, odd, known=known, most=100, refuses=(SynapseError,))
