"""Polling (RFC 8936) against a real server: what would get lost, told twice, or stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fake_platform import CLIENT, SECRET
from fake_streams import FakeStreams
from huanxin_partner.client import Platform, PlatformError
from huanxin_partner.events import INQUIRY, RENEWAL, RETRACTION
from huanxin_partner.journal import Journal
from huanxin_partner.polling import Inbox, PollLoop
from huanxin_partner.stream import PolledStream, find_endpoint
from huanxin_partner.tokens import Verifier
from partner_signing import claims, key, token
from waiting import until


@pytest.fixture
def platform() -> Iterator[FakeStreams]:
    with FakeStreams() as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as opened:
        yield opened


def signed(platform: FakeStreams, jti: str, **other: Any) -> str:
    return token(platform.key, claims(iss=platform.issuer, aud=CLIENT, iat=int(time.time()), jti=jti) | other)


def partner(platform: FakeStreams, client: httpx.Client) -> Platform:
    return Platform(platform.issuer, client_id=CLIENT, client_secret=SECRET, client=client)


class Desk:
    """A poll loop in a thread, with its journal; no worker."""

    def __init__(self, folder: Path, platform: FakeStreams, client: httpx.Client) -> None:
        self.journal = Journal(folder / "j.db")
        self.verifier = Verifier(issuer=platform.issuer, audience=CLIENT, client=client)
        inbox = Inbox(verifier=self.verifier, journal=self.journal, wake=lambda: None)
        self.loop = PollLoop(stream=PolledStream(platform=partner(platform, client)), take=inbox)

    @contextmanager
    def polling(self) -> Iterator[None]:
        thread = threading.Thread(target=self.loop.run)
        thread.start()
        try:
            yield
        finally:
            self.loop.stop.set()
            thread.join()
            self.journal.close()


def test_the_stream_that_is_there_is_used(platform: FakeStreams, client: httpx.Client) -> None:
    platform.add_stream("urn:ietf:rfc:8935")
    platform.add_stream()
    assert find_endpoint(partner(platform, client)) == f"{platform.issuer}/ssf/poll/s1"
    assert len(platform.streams) == 2


def test_without_a_stream_one_is_made_for_polling(platform: FakeStreams, client: httpx.Client) -> None:
    assert find_endpoint(partner(platform, client)) == f"{platform.issuer}/ssf/poll/s1"
    assert [stream["delivery"]["method"] for stream in platform.streams] == ["urn:ietf:rfc:8936"]


@pytest.mark.parametrize("place", ["/.well-known/ssf-configuration/sandbox", "/sandbox/.well-known/ssf-configuration"])
def test_the_stream_of_an_issuer_below_a_path_is_found(place: str) -> None:
    issuer, asked = "http://127.0.0.1:8600/sandbox", list[tuple[str, str | None]]()
    answers: dict[str, Any] = {
        place: {"issuer": issuer, "configuration_endpoint": f"{issuer}/ssf/streams"},
        "/sandbox/oauth/token": {"access_token": "t", "expires_in": 600},
        "/sandbox/ssf/streams": {"delivery": {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{issuer}/ssf/poll/1"}},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, request.headers.get("Authorization")))
        found = answers.get(request.url.path)
        return httpx.Response(200 if found else 404, json=found)

    with httpx.Client(transport=httpx.MockTransport(answer)) as mocked:
        access = Platform(issuer, client_id=CLIENT, client_secret=SECRET, client=mocked)
        assert find_endpoint(access) == f"{issuer}/ssf/poll/1"
    assert (place, None) in asked  # published: the access token isn't sent there


def test_the_access_token_is_not_sent_outside_the_platform(platform: FakeStreams, client: httpx.Client) -> None:
    platform.endpoint = "http://127.0.0.1:9/poll"
    with pytest.raises(PlatformError, match="outside"):
        PolledStream(platform=partner(platform, client)).poll()


def test_an_event_is_acknowledged_only_once_it_stands_in_the_journal(
    tmp_path: Path, platform: FakeStreams, client: httpx.Client
) -> None:
    desk = Desk(tmp_path, platform, client)
    stood: list[int] = []
    platform.on_ack = lambda _: stood.append(desk.journal.waiting())
    for name, jti in ((RENEWAL, "j1"), (INQUIRY, "j2")):
        event = {name: {"notice": jti, "scope": "request", "cutoff": "2026-01-01T00:00:00Z"}}
        platform.add(jti, signed(platform, jti, events=event))
    with desk.polling():
        until(lambda: platform.acked == ["j1", "j2"])
    assert stood == [2, 2]


def test_a_bad_event_is_refused_with_its_reason_and_holds_up_no_other(
    tmp_path: Path, platform: FakeStreams, client: httpx.Client
) -> None:
    platform.add("j1", signed(platform, "j1", aud="pc_2"))
    platform.add("j2", token(key("k1"), claims(iss=platform.issuer, jti="j2")))
    platform.add("j3", signed(platform, "another"))
    platform.add("j4", signed(platform, "j4", events={RETRACTION: {"notice": "n2"}}))
    platform.add("j5", signed(platform, "j5"))
    desk = Desk(tmp_path, platform, client)
    with desk.polling():
        until(lambda: platform.acked == ["j5"])
        assert desk.journal.waiting() == 1
    codes = {jti: why["err"] for jti, why in platform.errors.items()}
    assert codes == {
        "j1": "invalid_audience",
        "j2": "authentication_failed",
        "j3": "invalid_request",
        "j4": "invalid_request",
    }
    assert all(why["description"] for why in platform.errors.values())


def test_a_platform_that_is_down_is_polled_again(
    tmp_path: Path, platform: FakeStreams, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    platform.down = 1
    platform.add("j1", signed(platform, "j1"))
    with Desk(tmp_path, platform, client).polling():
        until(lambda: platform.acked == ["j1"])
    assert "polling goes on in" in caplog.text


def test_while_the_keys_cannot_be_had_nothing_is_said_of_an_event(
    tmp_path: Path, platform: FakeStreams, client: httpx.Client
) -> None:
    desk = Desk(tmp_path, platform, client)
    file = tmp_path / "jwks.json"
    desk.verifier.jwks_file = file
    platform.add("j1", signed(platform, "j1"))
    with desk.polling():
        until(lambda: len(platform.asked) >= 2)
        assert (platform.acked, platform.errors) == ([], {})
        file.write_text(client.get(f"{platform.issuer}/jwks.json").text, encoding="utf-8")
        until(lambda: platform.acked == ["j1"])


def test_what_was_not_heard_is_said_again(tmp_path: Path, platform: FakeStreams, client: httpx.Client) -> None:
    platform.deaf = True
    platform.add("j1", signed(platform, "j1"))
    desk = Desk(tmp_path, platform, client)
    with desk.polling():
        until(lambda: any(asked.get("ack") for asked in platform.asked))
        platform.deaf = False
        until(lambda: platform.acked == ["j1"])
        assert desk.journal.waiting() == 1


def test_the_last_acknowledgement_is_sent_at_the_end(tmp_path: Path, platform: FakeStreams, client: httpx.Client) -> None:
    desk = Desk(tmp_path, platform, client)
    platform.add("j1", signed(platform, "j1"))
    desk.loop.once()
    assert platform.acked == []
    desk.loop.stop.set()
    desk.loop.run()
    assert platform.acked == ["j1"]
    assert platform.asked[-1]["maxEvents"] == 0
    desk.journal.close()
