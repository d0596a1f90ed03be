"""A platform on loopback with one notice: keys, tokens, numbers, receipts. It refuses what the real one refuses."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from partner_signing import RENEWAL, jwks, key, token

CLIENT, SECRET = "pc_1", "a-secret"
_BEARER = "Bearer of-the-fake"


class FakePlatform:
    """Runs while the block does. `busy`: answers every receipt with 503."""

    def __init__(self, numbers: Sequence[str], cutoff: datetime) -> None:
        self.numbers, self.cutoff, self.key = numbers, cutoff, key("k1")
        self.content = "\n".join(["number", *numbers, ""]).encode()
        self.outcomes: dict[str, str] = {}
        self.receipts, self.complete, self.busy, self.until = 0, False, False, ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handlers())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def notice(self, jti: str) -> str:
        """The signed event of notice n1."""
        file = {"url": f"{self.issuer}/partner/v1/notices/n1/numbers", "sha256": {"text/csv": self._sha256(self.content)}}
        event = {"notice": "n1", "scope": "batch", "count": len(self.numbers), "cutoff": self.cutoff.isoformat(),
                 "answer_by": self.cutoff.isoformat(), "numbers": file}  # fmt: skip
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": int(time.time()), "jti": jti, "txn": "n1",
                  "sub_id": {"format": "opaque", "id": "n1"}, "events": {RENEWAL: event}}  # fmt: skip
        return token(self.key, claims)

    @staticmethod
    def _sha256(content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    def take_receipt(self, body: bytes, headers: Any, complete: bool) -> tuple[int, dict[str, Any]]:
        """What the platform says of a receipt."""
        if self.busy:
            return 503, {}
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if headers["Content-Digest"] != f"sha-256=:{digest}:":
            return 422, {"detail": "digest"}
        text = (gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body).decode()
        head, *lines = text.splitlines()
        parts = [line.split(",") for line in lines]
        if head != "number,outcome,reason,until" or not {part[0] for part in parts} <= set(self.numbers):
            return 422, {"detail": "a line"}
        if not lines and not complete:
            return 422, {"detail": "the receipt has no lines"}
        self.outcomes |= {number: outcome for number, outcome, _, _ in parts}
        self.until = max([self.until, *(part[3] for part in parts)])
        self.complete = self.complete or complete
        self.receipts += 1
        return 201, {"receipt": self.receipts}

    def _handlers(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/jwks.json":
                    self.say(200, json.dumps(jwks(platform.key)).encode())
                elif self.headers["Authorization"] != _BEARER:
                    self.say(401, b"{}")
                else:
                    self.say(200, platform.content)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/oauth/token":
                    self.grant()
                elif self.headers["Authorization"] != _BEARER:
                    self.say(401, b"{}")
                else:
                    complete = "complete" in parse_qs(urlsplit(self.path).query)
                    status, said = platform.take_receipt(body, self.headers, complete)
                    self.say(status, json.dumps(said).encode())

            def grant(self) -> None:
                shown = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
                right = shown == f"{CLIENT}:{SECRET}"
                said = {"access_token": _BEARER.removeprefix("Bearer "), "token_type": "Bearer", "expires_in": 600}
                self.say(200 if right else 401, json.dumps(said if right else {}).encode())

            def say(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # a partner that was killed waits for no answer
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
