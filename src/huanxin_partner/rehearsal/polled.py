"""A stand-in platform whose events are polled (RFC 8936): one stream, which is there already."""

from __future__ import annotations

import json
import threading
from types import TracebackType
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from huanxin_partner.reading import read_json
from huanxin_partner.rehearsal.stage import Pushed
from huanxin_partner.rehearsal.standin import StandIn, claims_in, problem
from huanxin_partner.stream import POLL

_PATIENCE = 15.0  # seconds for the partner to poll an event and to say something of it
_HOLDS = 5.0  # seconds that a poll is kept waiting for an event
_ACCEPTED, _REFUSED = 202, 400
_MOST = 100  # events of one poll


class PolledStandIn(StandIn):
    """See StandIn. The partner under test polls; `endpoint` is not used."""

    def __init__(self, *, client_id: str, client_secret: str, port: int = 0) -> None:
        super().__init__(client_id=client_id, client_secret=client_secret, port=port)
        self._change = threading.Condition()
        self._offered: dict[str, str] = {}
        self._said: dict[str, Pushed] = {}
        self._over = False
        self.polled = threading.Event()
        """set once the partner has polled"""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._change:
            self._over = True
            self._change.notify_all()
        super().__exit__(kind, error, trace)

    def push(self, token: str) -> Pushed:
        """See stage.Stage."""
        jti = claims_in(token)["jti"]
        with self._change:
            self._said.pop(jti, None)
            self._offered[jti] = token
            self._change.notify_all()
            self._change.wait_for(lambda: jti in self._said, timeout=_PATIENCE)
            self._offered.pop(jti, None)
            silence = Pushed(None, f"the event was not polled and answered within {_PATIENCE:g} s")
            return self._said.get(jti, silence)

    def _more_routes(self) -> list[Route]:
        return [
            Route("/.well-known/ssf-configuration", self._configuration),
            Route("/ssf/streams", self._streams, methods=["GET", "POST"]),
            Route("/ssf/poll", self._poll, methods=["POST"]),
        ]

    async def _configuration(self, _: Request) -> Response:
        return JSONResponse({
            "issuer": self.issuer, "spec_version": "1_0", "jwks_uri": f"{self.issuer}/jwks.json",
            "delivery_methods_supported": [POLL], "configuration_endpoint": f"{self.issuer}/ssf/streams",
        })  # fmt: skip

    async def _streams(self, request: Request) -> Response:
        if stranger := self._stranger(request):
            return stranger
        stream = {
            "stream_id": "rehearsal", "iss": self.issuer, "aud": self.client_id,
            "delivery": {"method": POLL, "endpoint_url": f"{self.issuer}/ssf/poll"},
        }  # fmt: skip
        return JSONResponse(stream, status_code=201) if request.method == "POST" else JSONResponse([stream])

    async def _poll(self, request: Request) -> Response:
        if stranger := self._stranger(request):
            return stranger
        try:
            asked = read_json(await request.body())
            taken, refused = list(asked.get("ack", [])), dict(asked.get("setErrs", {}))
            most, at_once = int(asked.get("maxEvents", _MOST)), bool(asked.get("returnImmediately"))
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            return problem(400, "the poll can't be read", f"RFC 8936, section 2.2, says what it holds: {error}")
        said = dict.fromkeys(taken, Pushed(_ACCEPTED, "acknowledged")) | {
            jti: Pushed(_REFUSED, json.dumps(why)) for jti, why in refused.items()
        }
        return JSONResponse({"sets": await run_in_threadpool(self._answered, said, most, at_once)})

    def _answered(self, said: dict[str, Pushed], most: int, at_once: bool) -> dict[str, Any]:
        """Note what the partner says of events, and the events that it gets."""
        self.polled.set()
        with self._change:
            for jti in said.keys() & self._offered.keys():
                self._said[jti] = said[jti]
                del self._offered[jti]
            self._change.notify_all()
            if most and not at_once:
                self._change.wait_for(lambda: bool(self._offered) or self._over, timeout=_HOLDS)
            return dict(list(self._offered.items())[:most])
