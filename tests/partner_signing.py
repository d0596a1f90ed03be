"""A platform's key and tokens, for tests."""

from __future__ import annotations

from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "http://127.0.0.1:8600"
NOW = 1_795_496_880  # 2026-11-24T05:08:00Z
RENEWAL = "urn:huanxin:event:renewal"
RECYCLED = "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled"


def key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid}, private=True)


def jwks(*keys: ECKey) -> dict[str, Any]:
    return {"keys": [one.as_dict(private=False) for one in keys]}


def token(signer: ECKey, claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode({"alg": "ES256", "typ": "secevent+jwt", "kid": signer.kid} | header, claims, signer)


def claims(**other: Any) -> dict[str, Any]:
    event = {"notice": "n1", "scope": "request", "cutoff": "2026-11-24T05:00:00Z"}
    return {
        "iss": ISSUER, "aud": "pc_1", "iat": NOW, "jti": "j1",
        "sub_id": {"format": "phone_number", "phone_number": "+8613800138000"}, "events": {RENEWAL: event},
    } | other  # fmt: skip


class Served:
    """A client that gets these keys, and counts how often it asks."""

    def __init__(self, *keys: ECKey) -> None:
        self.keys, self.asked, self.status = keys, 0, 200
        self.headers: dict[str, str] = {}
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{ISSUER}/jwks.json"
        self.asked += 1
        return httpx.Response(self.status, json=jwks(*self.keys), headers=self.headers)
