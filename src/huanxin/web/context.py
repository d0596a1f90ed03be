"""What every request needs, made once when the application starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anyio import CapacityLimiter
from fastapi import Request

from huanxin.answer.receiving import Rosters
from huanxin.domain.errors import Unauthorized
from huanxin.domain.partners import Partner, Scope
from huanxin.notify.keys import Signer
from huanxin.notify.partners import caller
from huanxin.operations import Platform
from huanxin.web.api.uploads import Limits


@dataclass(frozen=True, kw_only=True)
class Context:
    """`files` is where number files are kept once made; `uploads` where receipts are while they come in, within `limits`;
    `large` lets few large ones be read at a time, so that memory stays small."""

    platform: Platform
    signer: Signer
    rosters: Rosters
    files: Path
    uploads: Path
    limits: Limits
    large: CapacityLimiter


def calling_partner(request: Request, scope: Scope) -> Partner:
    """The partner whose access token the request shows. Raises Unauthorized or Forbidden."""
    context: Context = request.app.state.context
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthorized("send an access token: Authorization: Bearer TOKEN; get one from /oauth/token")
    with context.platform.database.transaction() as tx:
        return caller(tx, token=token, scope=scope, signer=context.signer, now=context.platform.now())
