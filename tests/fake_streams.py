"""A platform on loopback with streams that are polled (OpenID SSF 1.0, RFC 8936), as far as a partner sees it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from fake_platform import _BEARER, FakePlatform

POLL = "urn:ietf:rfc:8936"
PATIENCE = 0.3


class FakeStreams(FakePlatform):
    """Keeps each event until it is acknowledged or refused. `down`: so many polls are answered with 503."""

    def __init__(self, numbers: tuple[str, ...] = (), cutoff: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.streams: list[dict[str, Any]] = []
        self.events: dict[str, str] = {}
        self.acked: list[str] = []
        self.errors: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, Any]] = []
        self.down, self.deaf, self.endpoint = 0, False, ""
        self.on_ack: Callable[[str], None] = lambda _: None
        self.news = threading.Event()
        super().__init__(numbers, cutoff)

    def add_stream(self, method: str = POLL) -> None:
        self.streams.append(self.stream(method))

    def stream(self, method: str) -> dict[str, Any]:
        where = self.endpoint or f"{self.issuer}/ssf/poll/s1"
        return {
            "stream_id": "s1",
            "iss": self.issuer,
            "delivery": {"method": method, "endpoint_url": where},
            "new_member": 1,
        }

    def add(self, jti: str, token: str) -> None:
        self.events[jti] = token
        self.news.set()

    def polled(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(asked)
        if self.down:
            self.down -= 1
            return 503, {}
        if self.deaf and asked.get("ack"):
            return 503, {}
        for jti in asked.get("ack", []):
            self.on_ack(jti)
            self.acked.append(jti)
            self.events.pop(jti, None)
        for jti, why in asked.get("setErrs", {}).items():
            self.errors[jti] = why
            self.events.pop(jti, None)
        if asked["maxEvents"] == 0:
            return 200, {"sets": {}}
        if not self.events and not asked["returnImmediately"]:
            self.news.clear()
            self.news.wait(PATIENCE)
        return 200, {"sets": dict(list(self.events.items())[: asked["maxEvents"]]), "unknown": {"member": True}}

    def _handlers(self) -> type[BaseHTTPRequestHandler]:
        platform: FakeStreams = self
        plain: Any = super()._handlers()

        class Handler(plain):  # type: ignore[misc]  # its base is made at run time
            def do_GET(self) -> None:
                if self.path == "/.well-known/ssf-configuration":
                    found = {
                        "issuer": platform.issuer,
                        "configuration_endpoint": f"{platform.issuer}/ssf/streams",
                        "more": 1,
                    }
                    self.say(200, json.dumps(found).encode())
                elif self.path == "/ssf/streams" and self.headers["Authorization"] == _BEARER:
                    self.say(200, json.dumps(platform.streams).encode())
                else:
                    super().do_GET()

            def do_POST(self) -> None:
                path = urlsplit(self.path).path
                if not path.startswith("/ssf/"):
                    super().do_POST()
                    return
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.headers["Authorization"] != _BEARER:
                    self.say(401, b"{}")
                elif path == "/ssf/streams":
                    platform.add_stream(asked["delivery"]["method"])
                    self.say(201, json.dumps(platform.streams[-1]).encode())
                else:
                    status, said = platform.polled(asked)
                    self.say(status, json.dumps(said).encode())

        return Handler
