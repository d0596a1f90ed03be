"""A stand-in platform on loopback to rehearse on without the real one: keys, access tokens, number files, receipts."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import json
import secrets
import socket
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs

import httpx
import uvicorn
from joserfc import jws, jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from huanxin_partner.events import RENEWAL, RETRACTION
from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.notices import BadReceipt, PlayedNotice, UsedKey
from huanxin_partner.rehearsal.stage import Filed, Notice, Pushed
from huanxin_partner.ties import as_text

_LIFE = 600  # seconds of an access token
_ANSWER_IN = timedelta(days=5)
_UP = 10  # seconds to start
_LONGEST = 64 << 20  # bytes


class StandIn:
    """A `stage.Stage` that runs while the block does, on 127.0.0.1; port 0 takes a free one.

    The receiver under test has `issuer`, `client_id` and `client_secret` in its settings, and answers at `endpoint`.
    """

    replies = True

    def __init__(self, *, client_id: str, client_secret: str, endpoint: str = "",
                 port: int = 0, clock: Callable[[], float] = time.time) -> None:  # fmt: skip
        self.endpoint, self.client_id, self.client_secret = endpoint, client_id, client_secret
        self._clock = clock
        self._kid = f"rehearsal-{secrets.token_hex(4)}"  # another each time: a receiver may remember keys by their kid
        self._key, self._forged = (ECKey.generate_key("P-256", {"kid": self._kid}, private=True) for _ in range(2))
        self._notices: dict[str, PlayedNotice] = {}
        self._bearer = secrets.token_urlsafe()
        self._socket = socket.create_server(("127.0.0.1", port))
        self.issuer = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self._app(), log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._client = httpx.Client(timeout=30)

    def __enter__(self) -> StandIn:
        self._thread.start()
        end = time.monotonic() + _UP
        while not self._server.started:
            if time.monotonic() > end or not self._thread.is_alive():
                raise RuntimeError(f"the stand-in did not start at {self.issuer}")
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._client.close()
        self._socket.close()

    # What the scenarios ask (stage.Stage) ------------------------------------------------------------------------
    def notice(self, numbers: Sequence[str], *, cutoff: datetime) -> Notice:
        """See stage.Stage."""
        del cutoff  # every rehearsal has the same, and `sign` writes it
        return self._made(numbers, "")

    def retract(self, notice: str, numbers: Sequence[str]) -> Notice:
        """See stage.Stage."""
        return self._made(numbers, notice)

    def sign(
        self, notice: str, *, forged: bool = False, audience: str | None = None, issued_at: datetime | None = None
    ) -> str:
        """See stage.Stage."""
        claims = {
            "iss": self.issuer, "aud": audience or self.client_id, "jti": secrets.token_hex(8), "txn": notice,
            "iat": int(issued_at.timestamp() if issued_at else self._clock()),
            "sub_id": {"format": "opaque", "id": notice}, "events": self._events(self._notices[notice]),
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "secevent+jwt", "kid": self._kid}
        return jwt.encode(header, claims, self._forged if forged else self._key)

    def push(self, token: str) -> Pushed:
        """See stage.Stage."""
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        try:
            answer = self._client.post(self.endpoint, content=token, headers=headers)
        except httpx.HTTPError as error:
            return Pushed(None, f"{type(error).__name__}: {error}")
        return Pushed(answer.status_code, answer.text)

    def set_broken(self, notice: str, broken: bool) -> None:
        """See stage.Stage."""
        self._notices[notice].broken = broken

    def filed(self, notice: str) -> Filed:
        """See stage.Stage."""
        return self._notices[notice].filed()

    def _made(self, numbers: Sequence[str], of: str) -> Notice:
        made = PlayedNotice(id=f"rehearsal-{secrets.token_hex(4)}", numbers=numbers, retracts=of)
        self._notices[made.id] = made
        return Notice(id=made.id, token=self.sign(made.id))

    def _events(self, notice: PlayedNotice) -> dict[str, Any]:
        answer_by = datetime.fromtimestamp(self._clock(), UTC) + _ANSWER_IN
        event: dict[str, Any] = {
            "notice": notice.id, "scope": "batch", "count": len(notice.numbers), "cutoff": as_text(magic.CUTOFF),
            "answer_by": as_text(answer_by), "rehearsal": True,
            "numbers": {
                "url": f"{self.issuer}/partner/v1/notices/{notice.id}/numbers", "sha256": {"text/csv": notice.sha256},
            },
        }  # fmt: skip
        return {RETRACTION: event | {"of": notice.retracts}} if notice.retracts else {RENEWAL: event}

    # What the receiver under test asks ---------------------------------------------------------------------------
    def _app(self) -> Starlette:
        return Starlette(routes=[
            Route("/jwks.json", self._jwks), Route("/oauth/token", self._grant, methods=["POST"]),
            Route("/partner/v1/notices/{notice}/numbers", self._numbers),
            Route("/partner/v1/notices/{notice}/receipts", self._receipt, methods=["POST"]), *self._more_routes(),
        ])  # fmt: skip

    def _more_routes(self) -> list[Route]:
        """What else a way of being told needs."""
        return []

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _grant(self, request: Request) -> Response:
        asked = parse_qs((await request.body()).decode("ascii", "replace"))
        if asked.get("grant_type") != ["client_credentials"]:
            return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)
        if _basic(request.headers.get("authorization", "")) != f"{self.client_id}:{self.client_secret}":
            said = {"error": "invalid_client", "error_description": "the stand-in takes client_secret_basic"}
            return JSONResponse(said, status_code=401, headers={"WWW-Authenticate": "Basic"})
        return JSONResponse({"access_token": self._bearer, "token_type": "Bearer", "expires_in": _LIFE})

    async def _numbers(self, request: Request) -> Response:
        notice = self._asked(request)
        return Response(notice.content, media_type="text/csv") if isinstance(notice, PlayedNotice) else notice

    async def _receipt(self, request: Request) -> Response:
        notice = self._asked(request)
        if isinstance(notice, Response):
            return notice
        complete = request.query_params.get("complete") == "true"
        try:
            body = _unpacked(await request.body(), request.headers)
            key = request.headers.get("idempotency-key", "")
            receipt, new = await run_in_threadpool(notice.file, body, complete=complete, key=key)
        except UsedKey as error:
            return problem(409, "the key was used before", str(error))
        except BadReceipt as error:
            errors = [{"line": line, "reason": reason.en} for line, reason in error.errors]
            return problem(422, "the receipt is refused", str(error), errors=errors)
        said = {"receipt": receipt, "outstanding": notice.outstanding()}
        return JSONResponse(said, status_code=201 if new else 200)

    def _stranger(self, request: Request) -> Response | None:
        """What a request without our access token is answered."""
        if request.headers.get("authorization") == f"Bearer {self._bearer}":
            return None
        return problem(401, "no access", "get an access token at /oauth/token")

    def _asked(self, request: Request) -> PlayedNotice | Response:
        if stranger := self._stranger(request):
            return stranger
        notice = self._notices.get(request.path_params["notice"])
        return notice or problem(404, "no such notice", "this notice is not of this rehearsal")


def claims_in(token: str) -> dict[str, Any]:
    """The claims of a token of our own."""
    claims: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
    return claims


def _basic(header: str) -> str:
    try:
        return base64.b64decode(header.removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _unpacked(body: bytes, headers: Any) -> bytes:
    """The receipt itself. Raises BadReceipt if it didn't arrive whole or is packed in a way that isn't known here."""
    digest = headers.get("content-digest")
    if digest and digest != f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:":
        raise BadReceipt.at(0, "正文与 Content-Digest 不符", "the body does not hash to its Content-Digest")
    coding = headers.get("content-encoding", "identity")
    if coding not in ("identity", "gzip"):
        raise BadReceipt.at(
            0, f"请用 gzip，不要用 Content-Encoding {coding}", f"Content-Encoding {coding} is not known here; use gzip"
        )
    try:
        return _inflated(body) if coding == "gzip" else body
    except (OSError, EOFError, zlib.error) as error:
        raise BadReceipt.at(0, f"正文不是 gzip：{error}", f"the body is not gzip: {error}") from error


def _inflated(body: bytes) -> bytes:
    """What is packed, up to a length that no rehearsal's receipt has."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        found = file.read(_LONGEST + 1)
    if len(found) > _LONGEST:
        raise BadReceipt.at(0, "解压后过大", "it is too large once unpacked")
    return found


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """An RFC 9457 problem."""
    said = {"type": "about:blank", "title": title, "status": status, "detail": detail} | more
    return JSONResponse(said, status_code=status, media_type="application/problem+json")
