"""What strangers say to see what happens: tokens that nest a thousand deep, charsets that are none, two hosts at a time.
Each is answered in words: a traceback is a fault of ours, and whoever likes fills the log with them."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from huanxin.domain.operators import Role
from operators import signed_in
from ssf_world import Caller, World, opened
from town import HTML, Town, town

SERVER = 500
KEY = ECKey.generate_key("P-256", {"kid": "ec"})
DEEP = b"[" * 5_000 + b"]" * 5_000
CHARSETS = (
    "hex", "undefined", "utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-16", "utf-32", "base64",
    "rot13", "zlib", "bz2", "uu", "mbcs", "x" * 5000, "utf-8-sig", '"utf-8\\"', "a;b",
)  # fmt: skip
FORMS = ("/console/sign-in", "/console/reports", "/console/holds", "/renew/sign-in", "/partner/sign-in", "/verify")


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims(one: Caller, **changed: object) -> bytes:
    now = int(one.platform.now().timestamp())
    usual = {"iss": one.client_id, "sub": one.client_id, "aud": one.platform.issuer, "exp": now + 60, "jti": "a new one"}
    return json.dumps(usual | changed).encode()


def payloads(one: Caller) -> Iterator[bytes]:
    """Claims that a partner signs, and that are none."""
    yield from (DEEP, b'{"iss": ' + DEEP + b"}", b"null", b"[]", b"\xff", b'{"iss": "\xff"}', b"")
    odds: tuple[object, ...] = ("\ud800", "a\0b", "", "x" * 10_000, {}, {"a": {}}, [[]], [{}], ["\ud800"], 10**400, -1, True,
                                1e308, None)  # fmt: skip
    for odd in odds:
        for name in ("iss", "sub", "aud", "exp", "nbf", "iat", "jti"):
            yield claims(one, **{name: odd})
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1" * 5000):
        yield claims(one, exp=0).replace(b'"exp": 0', b'"exp": ' + number)


def tokens() -> Iterator[str]:
    """Tokens that nobody signed."""
    good, end = b64(b'{"alg":"ES256","kid":"ec"}'), b64(bytes(64))
    for header in (DEEP, b'{"alg":' + DEEP + b"}", b'{"alg":"ES256","kid":' + DEEP + b"}", b'{"alg":["ES256"],"kid":{}}',
                   b'{"alg":"none"}', b'{"alg":"ES256","kid":"\\ud800"}', b'{"alg":"ES256","crit":["x"],"x":1}', b"[]", b"1",
                   b'"alg"', b"\xff", b""):  # fmt: skip
        yield f"{b64(header)}.{b64(b'{}')}.{end}"
    for payload in (DEEP, b"[]", b"\xff", b'{"iss":"\\ud800"}', b'{"iss":"a\\u0000b","jti":"a\\u0000b"}'):
        yield f"{good}.{b64(payload)}.{end}"
    yield from ("", ".", "..", "...", "a.b.c", f"{good}..{end}", "é.é.é", "=" * 100, f"{good}.{b64(b'{}')}.{'A' * 9999}")


@pytest.fixture(scope="module")
def world(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from clocks import Clock
    from huanxin.acts import Platform
    from huanxin.domain.numbers import chinese_plan
    from huanxin.domain.rules import Rules
    from huanxin.store.database import Database

    clock = Clock()
    with Database(module_dsn) as database:
        live = Platform(database=database, plan=chinese_plan(), rules=Rules(), issuer="http://127.0.0.1:1", clock=clock,
                        development=True)  # fmt: skip
        with opened(live, module_dsn, tmp_path_factory.mktemp("world"), clock) as made:
            yield made


def test_a_partner_may_sign_what_it_likes_and_is_told_what_is_wrong(world: World) -> None:
    music = world.partner()
    music.call("PUT", "/partner/v1/keys", json={"keys": [KEY.as_dict(private=False)]})
    form = {"grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}  # fmt: skip
    for payload in payloads(music):
        world.clock.forward(seconds=61)  # not to be stopped for trying
        shown = jws.serialize_compact({"alg": "ES256", "kid": "ec"}, payload, KEY, algorithms=["ES256"])
        answer = music.http.post("/oauth/token", data=form | {"client_assertion": shown})
        assert answer.status_code in (200, 401), (payload[:100], answer.text)
        assert answer.status_code == 401 or payload.count(b"nbf") + payload.count(b"iat"), payload[:100]
        assert answer.status_code == 200 or answer.json()["error"] == "invalid_client"


def test_a_token_that_nobody_signed_lets_nobody_in_whatever_it_is(world: World) -> None:
    form = {"grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}  # fmt: skip
    for shown in tokens():
        world.clock.forward(seconds=61)
        assert world.http.post("/oauth/token", data=form | {"client_assertion": shown}).status_code == 401, shown[:80]
        header = shown.encode("ascii", "ignore").decode() or "x"
        for path in ("/partner/v1/notices", "/ssf/streams", "/sandbox/ssf/streams", "/partner/v1/account"):
            refused = world.http.get(path, headers={"Authorization": f"Bearer {header}"})
            assert refused.status_code == 401, (path, shown[:80])
        for name in ("owner", "operator", "partner", "done", "asked", "lang"):
            page = world.http.get("/console/batches", headers=HTML | {"Cookie": f"{name}={header}"})
            assert page.status_code < SERVER, (name, shown[:80])
        for path, data in (("/verify", {"certificate": shown}), ("/renew/enter", {"token": shown})):
            assert world.http.post(path, data=data, headers=HTML).status_code < SERVER, (path, shown[:80])


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


def form(charset: str, *, name: bytes = b"list.csv") -> tuple[bytes, dict[str, str]]:
    """A form with a file, of a charset, as no browser sends it."""
    parts = [b'name="login"\r\n\r\n+2AAtZg\xff', b'name="number"\r\n\r\n\\ud800', b'name="carrier"\r\n\r\ncmcc',
             b'name="file"; filename="' + name + b'"\r\n\r\nnumber,event,at\n']  # fmt: skip
    body = b"".join(b"--b\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return body, {"Content-Type": f"multipart/form-data; boundary=b{charset and f'; charset={charset}'}"}


def test_a_form_in_a_charset_that_is_none_is_refused_in_words(place: Town) -> None:
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as li:
        for charset in CHARSETS:
            body, headers = form(charset)
            for path in FORMS:
                answer = li.post(path, content=body, headers=headers)
                assert answer.status_code == 400, (charset[:20], path, answer.status_code)
        for charset in ("", "utf-8", "UTF-8", '"utf-8"', "us-ascii"):
            body, headers = form(charset)
            assert li.post("/console/reports", content=body, headers=headers).status_code != 400, charset


@pytest.mark.parametrize(
    "name", [b"\xff\xfe.csv", b"a\\ud800.csv", b"\xed\xa0\x80.csv", b"a\0b.csv", b"..", b"/", b"a" * 5000]
)
def test_a_file_may_have_any_name(place: Town, name: bytes) -> None:
    body, headers = form("", name=name)
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as li:
        for path in ("/console/reports", "/console/holds"):
            answer = li.post(path, content=body, headers=headers)
            assert answer.status_code < SERVER, (path, answer.text)


def test_a_redirect_names_no_host_that_the_request_named(place: Town) -> None:
    """A cache before the platform would send others there."""
    with httpx.Client(base_url=place.url) as http:
        for path in ("/help/", "/console/batches/", "/renew/", "/verify/", "/watch/", "/console/batches"):
            answer = http.get(path, headers={"Host": "evil.example", "Accept": "text/html"})
            assert "evil" not in answer.headers.get("location", ""), path
            assert "evil" not in answer.text, path
        assert http.get("/help/").headers["location"] == "/help"
    for raw in (b"//evil.example/", b"//evil.example/help/", b"/%2fevil.example/"):
        said = asked(place, b"GET " + raw + b" HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert b"evil" not in said.partition(b"\r\n\r\n")[0], said


def test_a_request_with_two_hosts_is_refused(place: Town) -> None:
    """RFC 9112, section 3.2: a proxy and we might each believe another one."""
    said = asked(place, b"GET /help/ HTTP/1.1\r\nHost: here\r\nHost: evil.example\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")


def asked(place: Town, said: bytes) -> bytes:
    """The beginning of the answer to exactly these bytes."""
    url = httpx.URL(place.url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as raw:
        raw.sendall(said)
        return raw.recv(8192)
