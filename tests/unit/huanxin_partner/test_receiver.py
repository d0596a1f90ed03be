"""The endpoint (RFC 8935) and the worker behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from asgi_calls import post
from huanxin_partner import receiver
from huanxin_partner.journal import Journal
from huanxin_partner.receiver import Worker, receiver_app
from huanxin_partner.tokens import Event, Verifier
from partner_signing import ISSUER, Served, claims, key, token

KEY = key("k1")


class Desk:
    """A receiver whose worker is not started."""

    def __init__(self, folder: Path) -> None:
        self.served, self.handled = Served(KEY), list[str]()
        self.error: Exception | None = None
        self.journal = Journal(folder / "j.db")
        self.worker = Worker(self.journal, self)
        verifier = Verifier(issuer=ISSUER, audience="pc_1", client=self.served.client)
        self.app = receiver_app(verifier, self.journal, self.worker)

    def handle_many(self, events: Sequence[Event]) -> dict[str, str]:
        del events
        return {}

    def handle(self, event: Event) -> str:
        if self.error:
            raise self.error
        self.handled.append(event.jti)
        return "done"

    def push(self, content: str, media_type: str = "application/secevent+jwt") -> httpx.Response:
        return post(self.app, "/", content=content, headers={"Content-Type": media_type})


def fresh(**other: Any) -> dict[str, Any]:
    return claims(iat=int(time.time()), **other)


def test_an_event_is_taken_at_once_and_handled_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for _ in range(2):
        answer = desk.push(token(KEY, fresh()))
        assert (answer.status_code, answer.content) == (202, b"")
    assert desk.handled == []
    assert desk.worker.one_event()
    assert not desk.worker.one_event()
    assert desk.push(token(KEY, fresh())).status_code == 202
    assert not desk.worker.one_event()
    assert desk.handled == ["j1"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aud": "pc_2"}, "invalid_audience"),
        ({"iss": "http://evil.example"}, "invalid_issuer"),
        ({"events": {"urn:huanxin:event:renewal": {"notice": "n"}}}, "invalid_request"),
    ],
)
def test_what_will_never_be_taken_is_refused_in_the_form_of_the_standard(
    tmp_path: Path, changed: dict[str, Any], code: str
) -> None:
    desk = Desk(tmp_path)
    answer = desk.push(token(KEY, fresh() | changed))
    assert (answer.status_code, answer.json()["err"]) == (400, code)
    assert set(answer.json()) == {"err", "description"}
    assert answer.headers["content-language"] == "en"
    assert desk.journal.waiting() == 0


def test_a_body_of_another_kind_or_length_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.push(token(KEY, fresh()), "application/json").json()["err"] == "invalid_request"
    assert desk.push("x" * 300_000).json()["err"] == "invalid_request"
    assert desk.push(token(KEY, fresh()), "Application/SecEvent+JWT ; charset=us-ascii").status_code == 202


def test_while_the_keys_cannot_be_fetched_it_has_to_be_pushed_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.served.status = 500
    assert desk.push(token(KEY, fresh())).status_code == 503
    desk.served.status = 200
    assert desk.push(token(KEY, fresh())).status_code == 202


def test_an_event_that_fails_stays_and_holds_up_no_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.push(token(KEY, fresh()))
    desk.error = ValueError("no table")
    assert desk.worker.one_event()
    desk.error = None
    assert desk.journal.outcome("j1") == "ValueError: no table"
    desk.push(token(KEY, fresh(jti="j2")))
    desk.worker.start()
    for _ in range(200):
        if desk.journal.waiting() == 0:
            break
        time.sleep(0.02)
    desk.worker.stop()
    assert desk.handled == ["j2", "j1"]


def test_tokens_that_come_while_the_disk_is_busy_are_taken_together_and_each_has_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    rounds: list[int] = []
    take_all = desk.journal.take_all

    def slowly(events: Sequence[Event]) -> list[bool]:
        rounds.append(len(events))
        time.sleep(0.2)
        return take_all(events)

    monkeypatch.setattr(desk.journal, "take_all", slowly)
    contents = [token(KEY, fresh(jti=f"j{n}")) for n in range(6)] + ["not a token"]

    async def all_at_once() -> list[int]:
        transport = httpx.ASGITransport(app=desk.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            headers = {"Content-Type": "application/secevent+jwt"}
            answers = await asyncio.gather(*(client.post("/", content=one, headers=headers) for one in contents))
        return [one.status_code for one in answers]

    assert asyncio.run(all_at_once()) == [202] * 6 + [400]
    assert sum(rounds) == desk.journal.waiting() == 6
    assert len(rounds) <= 2


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform sends a token at once; whoever doesn't keeps a connection that others need."""
    monkeypatch.setattr(receiver, "_SECONDS", 0.2)

    async def call() -> httpx.Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"e"
            await asyncio.sleep(20)
            yield b"y"

        transport = httpx.ASGITransport(Desk(tmp_path).app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.post("/", content=body())

    answer = asyncio.run(call())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
