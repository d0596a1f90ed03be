"""Calls to a platform that is away, busy, forgetful or wrong."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest

from huanxin_partner.client import Passing, Platform, PlatformError
from huanxin_partner.ties import Answer
from partner_signing import ISSUER

CONTENT = b"number\n+8613800138000\n+8613800138001\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = f"{ISSUER}/partner/v1/notices/n1/numbers"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)


class Answering:
    """A platform that answers each path with its answers in turn, the last for good."""

    def __init__(self, **answers: list[httpx.Response | Exception]) -> None:
        self.answers: dict[str, list[httpx.Response | Exception]] = {"token": [self.granted(3600)], **answers}
        self.asked: list[httpx.Request] = []

    @staticmethod
    def granted(life: int) -> httpx.Response:
        return httpx.Response(200, json={"access_token": f"t{life}", "token_type": "Bearer", "expires_in": life})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        left = self.answers[request.url.path.rsplit("/", 1)[-1]]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def count(self, name: str) -> int:
        return sum(request.url.path.endswith(name) for request in self.asked)


def platform(answering: Callable[[httpx.Request], httpx.Response]) -> Platform:
    client = httpx.Client(transport=httpx.MockTransport(answering))
    return Platform(ISSUER, client_id="pc_1", client_secret="s", client=client, attempts=4)


def fetched(one: Platform, url: str = URL) -> list[str]:
    with one.numbers(url, SHA256) as lines:
        return [line.strip() for line in lines]


def test_numbers_are_fetched_with_one_token() -> None:
    answering = Answering(numbers=[httpx.Response(200, content=CONTENT)])
    one = platform(answering)
    assert fetched(one) == fetched(one) == ["number", "+8613800138000", "+8613800138001"]
    assert answering.count("token") == 1
    assert parse_qs(answering.asked[0].content.decode())["grant_type"] == ["client_credentials"]
    assert answering.asked[0].headers["authorization"] == "Basic " + base64.b64encode(b"pc_1:s").decode()
    assert answering.asked[1].headers["authorization"] == "Bearer t3600"


def test_a_token_near_its_end_is_renewed() -> None:
    answering = Answering(token=[Answering.granted(59)], numbers=[httpx.Response(200, content=CONTENT)])
    one = platform(answering)
    fetched(one)
    fetched(one)
    assert answering.count("token") == 2


def test_what_may_pass_is_tried_again() -> None:
    answering = Answering(
        numbers=[
            httpx.ConnectError("refused"),
            httpx.Response(503),
            httpx.Response(401),
            httpx.Response(200, content=CONTENT),
        ]
    )
    assert len(fetched(platform(answering))) == 3
    assert answering.count("token") == 2  # a new one after the 401


def test_damaged_numbers_are_fetched_again_and_never_used() -> None:
    damaged = httpx.Response(200, content=CONTENT.replace(b"1\n", b"2\n"))
    answering = Answering(numbers=[damaged, httpx.Response(200, content=CONTENT)])
    assert fetched(platform(answering))[2] == "+8613800138001"
    answering = Answering(numbers=[damaged])
    with pytest.raises(Passing, match="hash"):
        fetched(platform(answering))
    assert answering.count("numbers") == 4


def test_a_refusal_is_not_tried_again() -> None:
    answering = Answering(receipts=[httpx.Response(422, text="line 3: not in this notice")])
    with pytest.raises(PlatformError, match="line 3"):
        platform(answering).file_receipt("n1", [], complete=True)
    assert answering.count("receipts") == 1


def test_the_token_goes_nowhere_but_to_the_platform() -> None:
    answering = Answering()
    for url in (
        "http://127.0.0.1:86001/numbers",
        "http://127.0.0.1:8600@evil.example/numbers",
        "https://evil.example/numbers",
    ):
        with pytest.raises(PlatformError, match="outside"):
            fetched(platform(answering), url)
    assert answering.asked == []


def test_a_receipt_says_what_it_hashes_to() -> None:
    answering = Answering(receipts=[httpx.Response(201, json={"receipt": 1})])
    answers = [Answer(number="+8613800138000", outcome="refused", reason="debt", until="2026-12-01")]
    platform(answering).file_receipt("n1", answers, complete=False)
    platform(answering).file_receipt("n1", [], complete=True)
    first, last = (request for request in answering.asked if request.url.path.endswith("receipts"))
    assert first.content == b"number,outcome,reason,until\n+8613800138000,refused,debt,2026-12-01\n"
    digest = base64.b64encode(hashlib.sha256(first.content).digest()).decode()
    assert first.headers["content-digest"] == f"sha-256=:{digest}:"
    assert "complete" not in first.url.params
    assert last.url.params["complete"] == "true"
    assert last.content == b"number,outcome,reason,until\n"


def test_it_waits_as_long_as_the_platform_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    busy = httpx.Response(429, headers={"Retry-After": "30"})
    answering = Answering(receipts=[busy, httpx.Response(200, json={})])
    platform(answering).file_receipt("n1", [], complete=True)
    assert waits == [30]


def test_a_receipt_that_is_tried_again_keeps_its_key_and_another_has_another() -> None:
    """By the key the platform knows a retry, which changes nothing, from news that says the same."""
    answering = Answering(receipts=[httpx.ConnectError("the reply was lost"), httpx.Response(201, json={})])
    one = platform(answering)
    refused = Answer(number="+8613800138000", outcome="refused", reason="debt")
    one.file_receipt("n1", [refused], complete=True)
    one.file_receipt("n1", [refused], complete=True)
    one.file_receipts({"nr_1": refused})
    one.file_receipts({"nr_1": refused}, key="of the caller")
    keys = [asked.headers["idempotency-key"] for asked in answering.asked if asked.url.path.endswith("receipts")]
    assert keys[0] == keys[1]
    assert len({*keys}) == 4
    assert keys[-1] == "of the caller"
