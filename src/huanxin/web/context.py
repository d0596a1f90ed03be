"""What every request needs, made once when the application starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anyio import CapacityLimiter
from fastapi import Request

from huanxin.acts import Platform
from huanxin.answer.receiving import Rosters
from huanxin.domain.errors import Unauthorized
from huanxin.domain.partners import Partner, Scope
from huanxin.notify.own_folders import FolderRules
from huanxin.notify.partners import caller
from huanxin.notify.polling import Poller
from huanxin.outbound import Outbound
from huanxin.signing.keys import Signer
from huanxin.web.api.uploads import Limits
from huanxin.web.limits import Limit
from huanxin.web.waking import Waker
from huanxin.work.room import Room, Turns


@dataclass(frozen=True, kw_only=True)
class Context:
    """`files` is where number files are kept once made; `uploads` where receipts are while they come in, within `limits` and
    `room`; `polls` lets few polls of a partner wait at a time; `large` lets few large receipts be read at a time, so that
    memory stays small; `programs` lets few calls of partners' programs work at a time: people's clicks don't wait behind
    them, and what waits meanwhile is done together; `sign_ins` lets few passwords be compared at a time."""

    platform: Platform
    signer: Signer
    rosters: Rosters
    files: Path
    uploads: Path
    limits: Limits
    room: Room
    polls: Turns
    large: CapacityLimiter
    programs: CapacityLimiter
    sign_ins: CapacityLimiter
    passphrase: str
    outbound: Outbound
    folders: FolderRules
    poller: Poller
    waker: Waker
    failed_tokens: Limit
    wrong_sign_ins: Limit
    subjects: Limit
    longest_poll: float = 25.0  # seconds; shorter than proxies wait


def calling_partner(request: Request, scope: Scope, context: Context | None = None) -> Partner:
    """The partner whose access token the request shows: a token of the platform whose application this is, or of another
    (`context`). Raises Unauthorized or LacksScope."""
    context = context or request.app.state.context
    assert isinstance(context, Context)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthorized("send an access token: Authorization: Bearer TOKEN; get one from /oauth/token")
    with context.platform.database.single() as tx:
        return caller(tx, token=token, scope=scope, signer=context.signer, now=context.platform.now())
