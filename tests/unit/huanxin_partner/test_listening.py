"""`listen`: only what the program took is acknowledged."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fake_platform import CLIENT, SECRET
from fake_streams import FakeStreams
from huanxin_partner.client import Platform
from huanxin_partner.listening import Forwarder
from huanxin_partner.polling import PollLoop
from huanxin_partner.stream import PolledStream
from partner_signing import claims, token
from serving import served


class Program:
    """A program under development: answers as it is told, and keeps what it got."""

    def __init__(self) -> None:
        self.answer: Response = Response(status_code=202)
        self.got: list[tuple[str, str]] = []
        self.app = Starlette(routes=[Route("/events", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        self.got.append((request.headers["content-type"], (await request.body()).decode()))
        return self.answer


class Desk:
    """A loop that is run by hand, and the lines that it said."""

    def __init__(self, platform: FakeStreams, url: str, client: httpx.Client) -> None:
        self.lines: list[str] = []
        take = Forwarder(url=url, client=client, say=self.lines.append)
        access = Platform(platform.issuer, client_id=CLIENT, client_secret=SECRET, client=client)
        self.loop = PollLoop(stream=PolledStream(platform=access), take=take)
        self.loop.stop.set()  # so that no pause is made

    def poll_twice(self) -> None:
        self.loop.once()
        self.loop.once()


@pytest.fixture
def platform() -> Iterator[FakeStreams]:
    with FakeStreams() as running:
        running.add("j1", token(running.key, claims(iss=running.issuer, aud=CLIENT, iat=int(time.time()))))
        yield running


def test_the_raw_event_is_pushed_and_acknowledged_when_it_was_taken(platform: FakeStreams) -> None:
    program, raw = Program(), platform.events["j1"]
    with served(program.app) as client:
        desk = Desk(platform, f"{client.base_url}/events", client)
        desk.poll_twice()
    assert program.got == [("application/secevent+jwt", raw)]
    assert platform.acked == ["j1"]
    assert desk.lines == ["j1 renewal n1 -> 202 taken"]


def test_what_the_program_refuses_is_refused_with_its_words(platform: FakeStreams) -> None:
    program = Program()
    program.answer = JSONResponse({"err": "invalid_audience", "description": "not me"}, status_code=400)
    with served(program.app) as client:
        desk = Desk(platform, f"{client.base_url}/events", client)
        desk.poll_twice()
    assert platform.errors == {"j1": {"err": "invalid_audience", "description": "not me"}}
    assert "400 refused" in desk.lines[0]
    assert "not me" in desk.lines[0]


def test_a_refusal_without_the_standards_words_still_has_a_code(platform: FakeStreams) -> None:
    program = Program()
    program.answer = Response("what is this?", status_code=400)
    with served(program.app) as client:
        Desk(platform, f"{client.base_url}/events", client).poll_twice()
    assert platform.errors == {"j1": {"err": "invalid_request", "description": "what is this?"}}


def test_an_event_comes_again_while_the_program_fails_or_is_away(platform: FakeStreams) -> None:
    program = Program()
    program.answer = Response("oops", status_code=500)
    with served(program.app) as client:
        desk = Desk(platform, f"{client.base_url}/events", client)
        desk.poll_twice()
        away = Desk(platform, "http://127.0.0.1:9/events", client)
        away.loop.once()
        program.answer = Response(status_code=200)
        desk.poll_twice()
    assert [line.partition(" -> ")[2] for line in desk.lines] == [
        "500, it comes again: oops", "500, it comes again: oops", "200 taken",
    ]  # fmt: skip
    assert "not reached" in away.lines[0]
    assert (platform.acked, platform.errors) == (["j1"], {})
