"""The door by which receipts come over HTTP: the platform's own route, without a socket."""

from __future__ import annotations

import json
from asyncio import Runner
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import httpx
from anyio import CapacityLimiter
from fastapi import FastAPI

from huanxin.acts import Platform
from huanxin.answer.receiving import Rosters
from huanxin.signing.keys import Signer
from huanxin.web.api import partner
from huanxin.web.api.uploads import Limits
from huanxin.web.context import Context
from huanxin.web.problems import answer_errors


@dataclass(frozen=True)
class Said:
    """What a partner read. `body`: the receipt or the problem."""

    status: int
    body: dict[str, Any]


class Door:
    """Takes calls, one after the other."""

    def __init__(self, platform: Platform, signer: Signer, uploads: Path) -> None:
        self._platform = platform
        app = FastAPI()
        app.include_router(partner.router)
        answer_errors(app)
        needed = {
            "platform": platform, "signer": signer, "rosters": Rosters(platform.read), "uploads": uploads,
            "limits": Limits(most_bytes=1 << 20, most_seconds=60, least_rate=1), "programs": CapacityLimiter(1),
            "large": CapacityLimiter(1),
        }  # fmt: skip
        app.state.context = Context(**cast(Any, dict.fromkeys(one.name for one in fields(Context)) | needed))
        self._runner = Runner()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=platform.issuer)

    def file(
        self, client_id: str, notice: str, content: bytes, *, complete: bool, key: str, headers: dict[str, str] | None = None
    ) -> Said:
        """POST a receipt as whoever has this client_id."""
        ends = int(self._platform.now().timestamp()) + 60
        claims = {"aud": self._platform.issuer, "exp": ends, "scope": "receipts", "client_id": client_id}
        call = self._client.post(
            f"/partner/v1/notices/{notice}/receipts", content=content, params={"complete": complete},
            headers={
                "Authorization": f"Bearer {json.dumps(claims, separators=(',', ':'))}", "Content-Type": "text/csv",
                "Idempotency-Key": key, **(headers or {}),
            },
        )  # fmt: skip
        answer = self._runner.run(call)
        return Said(answer.status_code, answer.json())

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
