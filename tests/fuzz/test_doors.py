"""Every address of the platform, with whatever may stand in its path, query, head, cookies and body.

What there is, is asked of the application itself, so that a new page or call is tried as soon as it is there.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Mount

from fuzz.fuzzing import tried
from fuzz.mangling import DEEP, documents, mangled, texts
from operators import signed_in
from town import RECYCLED, Town, town

KNOWN: dict[str, list[Any]] = {
    "number": [RECYCLED, "13800138000"],
    "carrier": ["cmcc"],
    "p": ["1", "2"],
    "consent": ["yes"],
    "until": ["2027-06-30"],
    "review": ["2027-01-15"],
    "code": ["123456"],
    "to": ["renew", "leave", "/console"],
    "lang": ["en", "zh"],
    "env": ["live"],
    "after": ["1"],
    "page": ["2"],
    "prefix": ["1380013"],
    "grade": ["A", "B"],
    "format": ["csv"],
    "q": ["chen", "晨星"],
    "month": ["2026-11"],
    "complete": ["true"],
    "notice": ["nr_1"],
    "grant_type": ["client_credentials"],
    "batch_id": ["1"],
    "status": ["enabled"],
    "kind": ["app"],
    "name": ["a"],
    "text": ["ce_" + "a" * 20],
    "days": ["7"],
    "today": ["2026-11-24"],
}
ADDRESSES = [
    "sftp://a@[x/",
    "/a\0b",
    "http://[::1",
    "https://a.example/",
    "s3://b/c",
    "http://a:b/",
    "sftp://\ud800@h/",
    "/home/a",
]
KNOWN |= dict.fromkeys(("out", "in", "endpoint", "s3_endpoint", "domain"), ADDRESSES)
"""What stands there often, by the field's name."""
BODIES: list[Any] = [
    {
        "delivery": {"method": "urn:ietf:rfc:8936"},
        "events_requested": ["urn:huanxin:event:renewal"],
        "stream_id": "s",
        "state": "x",
    },
    {"maxEvents": 1, "returnImmediately": True, "ack": ["j"], "setErrs": {"j": {"err": "x", "description": "y"}}},
    {"phoneNumber": RECYCLED, "specifiedDate": "2026-01-01", "tenureDate": "2026-01-01"},
    {"numbers": [RECYCLED], "on": "2026-11-24"},
    {"keys": [{"kty": "EC"}]},
    {"stream_id": "s", "status": "paused", "reason": "x"},
    {"name": "a", "kind": "app", "domain": "a.example"},
]
FORMS = [
    urlencode({"number": RECYCLED, "p": "1", "consent": "yes", "code": "123456"}).encode(),
    b"a=%ff&b=%00&c=%ed%a0%80&&=&d",
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="r.csv"\r\n\r\nnumber,event,at\n\r\n--x--\r\n',
    b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''%ff\r\n"
    b"Content-Type: text/csv; charset=hex\r\n\r\n\r\n--x--",
    b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--\r\n",
    b"--x\r\n\r\n",
    b"number,outcome,reason,until\n",
]
TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=x; charset=hex",
    "multipart/form-data",
    "multipart/form-data; boundary=\xff",
    "application/json",
    "application/json; charset=utf-16",
    "text/csv",
    "application/vnd.apache.parquet",
    "application/secevent+jwt",
    "",
    "a/b;c=\xff",
]
HEADS = {
    "Accept": ["text/html", "application/json", "text/csv", "*/*;q=x", "\xff"],
    "Accept-Language": ["en", "zh;q=9e999", "\xff"],
    "Range": ["bytes=0-1", "bytes=-1", "bytes=9-1", "bytes=0-9999999999999999999999", "x=1", "bytes=1-2,3-4"],
    "Content-Encoding": ["gzip", "zstd", "br", "gzip, gzip"],
    "If-None-Match": ['"x"', "*", "\xff"],
    "Idempotency-Key": ["k", "\xff" * 300],
    "Content-Digest": ["sha-256=:AAAA:", "sha-256=::", "x"],
    "Authorization": ["Bearer x", "Basic x", "Basic 4", "Basic w7/Dvw==", "\xff"],
    "If-Modified-Since": ["Tue, 24 Nov 2026 01:00:00 GMT", "x"],
    "X-Forwarded-For": ["1.2.3.4", "x", "\xff"],
    "Origin": ["null", "http://["],
    "Last-Event-ID": ["1", "x"],
    "Host": ["a", "a:b", "[::1", "\xff", "a/b", "a@b"],
    "Prefer": ["x"],
    "x-correlator": ["a", "\xff" * 300],
    "Sec-Fetch-Site": ["cross-site", "x"],
    "Transfer-Encoding": ["chunked", "x"],
    "Content-Length": ["-1", "9", "x"],
}
COOKIES = ["operator=x.y.z", "owner=é", "lang=\xff", "a=b; a=c; =; ;", "once=%00", "partner=eyJ.eyJ.x"]
REFUSALS = (503,)
"""Answers above 499 that say what they should: nothing is set up, or the disk is full."""


def routes(found: list[BaseRoute], below: str = "") -> Iterator[tuple[str, APIRoute]]:
    """Each address with what answers there."""
    for one in found:
        if isinstance(one, APIRoute):
            yield below + one.path, one
        elif isinstance(one, Mount) and one.routes:
            yield from routes(one.routes, below + one.path)
        elif inner := getattr(one, "original_router", None):  # of a router that was included
            yield from routes(inner.routes, below + getattr(one.include_context, "prefix", ""))  # type: ignore[attr-defined]


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What the server wrote into its log as a failure of its own."""
    found: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(logging.Formatter().format(record)[-3000:])

    keeping = Keeping(logging.ERROR)
    logging.getLogger().addHandler(keeping)
    for name in ("huanxin.web", "uvicorn.error"):
        logging.getLogger(name).addHandler(keeping)
    yield found
    logging.getLogger().removeHandler(keeping)
    for name in ("huanxin.web", "uvicorn.error"):
        logging.getLogger(name).removeHandler(keeping)


Asked = tuple[str, str, str, list[tuple[str, str]], bytes, int]
"""Method, path, query, head, body, and as whom."""


def value(name: str) -> st.SearchStrategy[str]:
    known = st.sampled_from(KNOWN.get(name, ["1", "a", "2026-11-24"]))
    return st.one_of(known, known, texts)


def fields_of(needs: Dependant, kind: str) -> list[str]:
    """What a page or call, or what it depends on, reads of a kind."""
    return [one.alias for one in getattr(needs, kind)] + [
        one for below in needs.dependencies for one in fields_of(below, kind)
    ]


@st.composite
def asked(draw: st.DrawFn, found: list[tuple[str, APIRoute]], seats: int) -> Asked:
    """A request to one of the addresses, most of it such as is meant there."""
    path, route = draw(st.sampled_from(found))
    for param in route.param_convertors:
        at = quote(draw(value(param)).encode("utf-8", "surrogatepass"), safe="") or "x"
        path = path.replace("{" + param + "}", at).replace("{" + param + ":path}", at)
    given = {one: draw(value(one)) for one in fields_of(route.dependant, "query_params") if draw(st.booleans())}
    if draw(st.integers(0, 5)) == 0:
        given[draw(texts)] = draw(texts)
    query = urlencode(
        {one.encode("utf-8", "surrogatepass"): two.encode("utf-8", "surrogatepass") for one, two in given.items()}
    )
    method = draw(st.sampled_from(sorted(route.methods or {"GET"})))
    names = draw(st.lists(st.sampled_from(sorted(HEADS)), max_size=2, unique=True)) if draw(st.booleans()) else []
    head = [(name, draw(st.sampled_from(HEADS[name]))) for name in names]
    body = b""
    if method in ("POST", "PUT", "PATCH"):
        fields = fields_of(route.dependant, "body_params")
        form = urlencode(
            [(one, draw(value(one)).encode("utf-8", "surrogatepass")) for one in fields if draw(st.integers(0, 4))]
        )
        content = draw(st.sampled_from(("form", "json", "any")))
        if content == "form" and fields:
            body, kind = form.encode(), TYPES[0]
        elif content == "any" and draw(st.booleans()):
            body, kind = draw(mangled([*FORMS, form.encode() or b"a"])), draw(st.sampled_from(TYPES))
        else:
            body, kind = draw(documents(*BODIES)), "application/json"
        head.append(("Content-Type", kind))
    if draw(st.integers(0, 9)) == 0:
        head.append(("Cookie", draw(st.sampled_from(COOKIES))))
    return method, path, query, head, body, draw(st.integers(0, seats - 1))


def status_of(address: tuple[str, int], one: Asked, seat: dict[str, str]) -> tuple[int, str]:
    """What the server answers to the bytes of a request, and the first of what it says."""
    method, path, query, head, body, _ = one
    named = {name.lower() for name, _ in head}
    lines = [f"{method} {path}{'?' if query else ''}{query} HTTP/1.1", *(f"{name}: {said}" for name, said in head)]
    lines += [f"{name}: {said}" for name, said in seat.items() if name.lower() not in named]
    if "host" not in named:
        lines.append(f"Host: {address[0]}:{address[1]}")
    if not {"content-length", "transfer-encoding"} & named:
        lines.append(f"Content-Length: {len(body)}")
    raw = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace")
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(raw + body)
        if {"content-length", "transfer-encoding"} & named or path.endswith("/poll"):  # else either side waits, as it should
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while (block := connection.recv(65_536)) and len(answer) < 1 << 16:
            answer += block
    parts = answer.split(b" ", 2)
    return (int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0), answer[:2000].decode("utf-8", "replace")


def seats_of(place: Town) -> list[dict[str, str]]:
    """The heads by which some are known: a stranger, an owner, operators of all roles, a partner by call and by page."""

    def cookies(client: httpx.Client) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={said}" for name, said in client.cookies.items()), "Accept": "text/html"}

    owner = place.phone()
    owner.sign_in()
    people = [
        signed_in(place.url, place.platform, *roles, login=roles[0])
        for roles in (("supervisor", "operator"), ("admin", "regulator"))
    ]
    clerk = signed_in(place.url, place.platform, "desk", carrier="cmcc", login="clerk")
    partner = place.partners["晨星商城"]
    with httpx.Client(base_url=place.url, timeout=30, headers={"Accept": "text/html"}) as pages:
        secret = partner.client_secret
        granted = pages.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(partner.partner.client_id, secret)
        )
        pages.post("/partner/sign-in", data={"client_id": partner.partner.client_id, "client_secret": secret})
        found = [{}, {"Authorization": f"Bearer {granted.json()['access_token']}"}, cookies(pages), cookies(owner.http)]
    for client in (*people, clerk):
        found.append(cookies(client))
        client.close()
    return found


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the server does, in a thread of its own
@pytest.mark.parametrize("part", ["pages", "calls"])
def test_no_request_meets_anything_but_an_answer(
    request: pytest.FixtureRequest, place: Town, faults: list[str], part: str
) -> None:
    calls = set(place.app.openapi()["paths"])
    found = [(path, one) for path, one in routes(list(place.app.routes)) if (path in calls) == (part == "calls")]
    found = [(path, one) for path, one in found if not path.endswith(("/sign-out", "/live", "/events", "/stream"))]
    assert len(found) > 20
    seats, parts = seats_of(place), urlsplit(place.url)
    address = (parts.hostname or "", parts.port or 0)

    class Refused(Exception):
        """A status of the 400s."""

    def ask(one: Asked) -> None:
        faults.clear()
        status, said = status_of(address, one, seats[one[-1]])
        assert not faults, f"{status} {faults[0]}"
        assert status == 0 or status < 500 or status in REFUSALS, f"{status} {said}"
        if status >= 400 or status == 0:
            raise Refused(str(status))

    deep = b'{"a":' * DEEP
    odd: list[Asked] = [
        ("GET", path.replace("{", "").replace("}", ""), f"lang={quote(text.encode('utf-8', 'surrogatepass'))}", [], b"", 3)
        for path, _ in found[:40]
        for text in ("\0", "\ud800")
    ]
    odd += [
        ("POST", path.replace("{", "").replace("}", ""), "", [("Content-Type", "application/json")], deep, 1)
        for path, one in found
        if "POST" in (one.methods or ())
    ]
    folders = urlencode({"out": "sftp://a@[x/", "in": "sftp://a@[x/"}).encode()
    odd += [  # what was found here before
        ("POST", "/renew/order", "", [("Origin", "http://["), ("Content-Type", TYPES[0])], b"p=1", 3),
        ("POST", "/partner/live/stream/files", "", [("Content-Type", TYPES[0])], folders, 2),
        ("POST", "/partner/live/stream/files", "", [("Content-Type", TYPES[0])], b"out=%2Fa%00b&in=%2Fa%00b", 2),
    ]
    tried(request, ask, asked(found, len(seats)), known=odd, most=600, refuses=(Refused,))
